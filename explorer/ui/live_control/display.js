// What LiveControl shows, and what its connection tells it.

const RATE_WINDOW = 1000;
const SPEED_INTERVAL = 250;

Object.assign(LiveControl.prototype, {
  /** While dragging: once per painted frame, however often the pointer moves. */
  showSoon() {
    this.painting ??= window.requestAnimationFrame(() => this.show());
  },

  show() {
    window.cancelAnimationFrame(this.painting);
    this.painting = undefined;
    const { data, point, parts } = this;
    const shown = point.shown();
    const length = norm(shown);
    const share = data.epsilon > 0 ? point.radius / data.epsilon : 0;
    const radiusText = `${formatNumber(point.radius)} = ${formatNumber(share)} ε`;
    showText(parts["radius-value"], radiusText);
    showSlider(this.radius, share, radiusText);
    parts["norm-bar"].style.width = `${data.epsilon > 0 ? (100 * length) / data.epsilon : 0}%`;
    parts["radius-bar"].style.width = `${100 * share}%`;
    const words = `‖u‖ ${formatNumber(length)} of radius ${formatNumber(point.radius)} · ε ${formatNumber(data.epsilon)}`;
    showText(parts["norm-text"], words);
    parts.projected.hidden = !point.isOutside();
    this.rows.forEach(({ input, output }, i) => this.showRow(input, output, point.along(this.directions[i].vector)));
    this.showRaw();
    this.showPad(shown, length);
  },

  showRow(input, output, value) {
    const text = formatNumber(value);
    showText(output, text);
    showSlider(input, value, text);
  },

  showRaw() {
    const { raw, "raw-value": output } = this.parts;
    const index = this.rawIndex();
    raw.disabled = index === null;
    if (index === null) {
      output.textContent = `1–${this.data.latent_dim}`;
      return;
    }
    const label = `coordinate ${index + 1} of u`;
    if (raw.getAttribute("aria-label") !== label) raw.setAttribute("aria-label", label);
    if (Number(raw.max) !== this.data.epsilon) {
      Object.assign(raw, { min: -this.data.epsilon, max: this.data.epsilon, step: this.data.epsilon / 400 || 1 });
    }
    this.showRow(raw, output, this.point.u[index]);
  },

  showPad(shown, length) {
    if (this.directions.length < 2) return;
    const { radius, axes } = this.point;
    const [right, up] = axes.map((axis) => this.directions[axis]);
    axes.forEach((axis, i) => {
      const select = this.parts[i ? "axis-y" : "axis-x"];
      if (Number(select.value) !== axis) select.value = axis;
    });
    const [x, y] = [dot(shown, right.vector), dot(shown, up.vector)];
    const reach = radius > 0 ? Math.sqrt(Math.max(0, radius * radius - Math.max(0, length * length - x * x - y * y))) / radius : 0;
    const rings = Object.values(this.data.percentiles).filter((r) => r > 0 && r < radius).map((r) => r / radius);
    const text = `${right.name} ${formatNumber(x)}, ${up.name} ${formatNumber(y)}`;
    this.pad.show(radius > 0 ? x / radius : 0, radius > 0 ? y / radius : 0, reach, rings, text);
  },

  showViews() {
    for (const button of this.views) {
      const { count, reason } = this.data.views[button.dataset.view];
      button.disabled = count === 0;
      button.title = count === 0 ? reason : "";
      const chosen = this.point?.view === button.dataset.view;
      button.setAttribute("aria-checked", String(chosen));
    }
  },

  showPlaying() {
    this.parts.play.textContent = this.player.playing ? "❚❚ Pause" : "▶ Play";
    this.parts.play.setAttribute("aria-pressed", String(this.player.playing));
    this.parts.play.title = "sweep the last touched direction through the ball (P)";
  },

  notice(text) {
    showText(this.parts.notice, text);
  },

  fail(text) {
    showText(this.parts.error, text);
    this.parts.error.hidden = !text;
  },

  // The connection

  connect() {
    this.socket?.close();
    this.socket = new LiveSocket(this.data.path, {
      open: () => this.connection(true, "live"),
      frame: (frame) => this.drew(frame),
      error: (reply) => this.refused(reply),
      waiting: (wait, reason) => {
        const again = `trying again in ${Math.max(1, Math.round(wait / 1000))} s`;
        this.connection(false, `not connected${reason ? ` (${reason})` : ""}; ${again}`);
      },
      unavailable: () => this.socketBecame("unavailable"),
    });
  },

  connection(connected, text) {
    this.root.dataset.connected = String(connected);
    this.parts.connection.textContent = text;
    if (!connected) {
      this.parts.speed.textContent = "";
      return;
    }
    if (this.socketState === "unavailable") this.socketBecame("open");
    this.request();
  },

  /** Told to Python once per change, so that it can offer its own sliders instead. */
  socketBecame(state) {
    if (this.socketState === state) return;
    this.socketState = state;
    this.send();
  },

  request() {
    const { point, data } = this;
    if (!point || !this.socket) return;
    this.socket.request({ scene: data.token, view: point.view, delta: [...point.u], radius: point.radius });
  },

  drew(frame) {
    this.picture.draw(frame);
    this.fail("");
    this.frames += 1;
    Object.assign(this.root.dataset, { frames: this.frames, norm: frame.norm.toFixed(4) });
    const at = performance.now();
    this.times.push(at);
    if (at - (this.speedAt ?? 0) > SPEED_INTERVAL) this.showSpeed(frame, at);
    window.clearTimeout(this.quiet);
    this.quiet = window.setTimeout(() => this.showQuiet(frame), SPEED_INTERVAL);
    this.root.dispatchEvent(new CustomEvent("live-frame", { detail: { id: frame.id, at, norm: frame.norm }, bubbles: true, composed: true }));
  },

  describe(frame) {
    const size = `${frame.height} by ${frame.width} pixels`;
    const point = `at norm ${formatNumber(frame.norm)} of radius ${formatNumber(this.point.radius)}`;
    return frame.count === 1 ? `Perturbed image, ${size}, ${point}` : `${frame.count} perturbed images, each ${size}, ${point}`;
  },

  showSpeed(frame, at) {
    this.speedAt = at;
    this.times = this.times.filter((time) => time > at - RATE_WINDOW);
    const span = at - this.times[0];
    const rate = this.times.length > 3 && span > 0 ? `${Math.round(((this.times.length - 1) * 1000) / span)} frames/s · ` : "";
    showText(this.parts.speed, `${rate}decoded in ${frame.milliseconds.toFixed(1)} ms`);
  },

  /** After the last frame of a movement. */
  showQuiet(frame) {
    this.times = [];
    showText(this.parts.speed, `decoded in ${frame.milliseconds.toFixed(1)} ms`);
    this.picture.canvas.setAttribute("aria-label", this.describe(frame));
  },

  refused(reply) {
    this.fail(reply.error);
    if (reply.expired && this.expiredToken !== this.data.token) {
      this.expiredToken = this.data.token;
      this.send({ socket: "expired" });
    }
  },
});
