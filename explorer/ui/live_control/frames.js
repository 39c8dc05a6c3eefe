// LiveControl and its connection: requests out, frames and errors in.

const RATE_WINDOW = 1000;
const SPEED_INTERVAL = 250;
const EXPIRED_ATTEMPTS = 10;
const EXPIRED_INTERVAL = 2000;

Object.assign(LiveControl.prototype, {
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
    this.socket.request({ scene: data.token, view: point.view, delta: point.u.length > 512 ? packVector(point.u) : [...point.u], radius: point.radius });
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
    const detail = { id: frame.id, at, norm: frame.norm };
    this.root.dispatchEvent(new CustomEvent("live-frame", { detail, bubbles: true, composed: true }));
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
    if (reply.expired) this.askForScene(this.data.token);
  },

  /** A rerun of the page registers the scene again. After a restart of the server Python may not be reachable yet, so this is
   * repeated a few times, until the data bring another token. */
  askForScene(token) {
    if (this.expiredToken !== token) Object.assign(this, { expiredToken: token, asked: 0 });
    if (this.asked >= EXPIRED_ATTEMPTS || performance.now() < (this.askAfter ?? 0)) return;
    this.asked += 1;
    this.askAfter = performance.now() + EXPIRED_INTERVAL;
    this.send({ socket: "expired" });
    window.clearTimeout(this.asking);
    this.asking = window.setTimeout(() => { if (this.data.token === token) this.request(); }, EXPIRED_INTERVAL + 50);
  },
});
