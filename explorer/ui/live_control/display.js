// What LiveControl shows of its point.

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
    const elsewhere = Math.max(0, length * length - x * x - y * y);
    const reach = radius > 0 ? Math.sqrt(Math.max(0, 1 - elsewhere / (radius * radius))) : 0;
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
});
