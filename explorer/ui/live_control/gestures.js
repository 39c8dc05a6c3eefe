// Gestures of LiveControl: each changes the point, asks for the picture, and commits on release.

Object.assign(LiveControl.prototype, {
  moved() {
    this.dirty = true;
    this.notice("");
    this.showSoon();
    this.request();
  },

  moveAlong(vector, value) {
    this.touched = vector;
    this.point.setAlong(vector, value);
    this.moved();
  },

  moveRadius(radius) {
    this.point.radius = clamp(radius, 0, this.data.epsilon);
    this.moved();
  },

  rawIndex() {
    const index = Number(this.parts["raw-index"].value);
    return Number.isInteger(index) && index >= 1 && index <= this.data.latent_dim ? index - 1 : null;
  },

  chooseRaw() {
    const valid = this.rawIndex() !== null;
    this.parts["raw-index"].setAttribute("aria-invalid", String(!valid));
    this.parts["raw-index"].title = valid ? "" : `a coordinate is a whole number from 1 to ${this.data.latent_dim}`;
    this.show();
  },

  moveRaw(value) {
    this.player.pause();
    if (this.rawIndex() !== null) this.moveAlong(unit(this.data.latent_dim, this.rawIndex()), value);
  },

  movePad(x, y) {
    this.player.pause();
    const [right, up] = this.point.axes.map((axis) => this.directions[axis].vector);
    this.touched = right;
    this.point.setAlong(right, x * this.point.radius);
    this.point.setAlong(up, y * this.point.radius);
    this.moved();
  },

  chooseAxis(which) {
    const chosen = Number(this.parts[which ? "axis-y" : "axis-x"].value);
    const axes = [...this.point.axes];
    if (axes[1 - which] === chosen) axes[1 - which] = axes[which];
    axes[which] = chosen;
    this.point.axes = axes;
    this.finish();
  },

  chooseView(view) {
    this.point.view = view;
    this.showViews();
    this.finish();
  },

  reset() {
    this.player.pause();
    this.point.u = new Float64Array(this.data.latent_dim);
    this.finish();
  },

  snap() {
    if (this.examples.length === 0) return;
    this.player.pause();
    const chosen = this.parts.example.value;
    const example = chosen === "" ? this.point.nearest(this.examples) : this.examples[Number(chosen)];
    const outside = norm(example.delta) > this.point.radius * (1 + 1e-6);
    this.point.u = Float64Array.from(example.delta);
    this.finish();
    this.notice(outside ? `${example.name}: outside this radius, projected` : `at ${example.name}`);
  },

  togglePlay() {
    if (this.player.playing) {
      this.player.pause();
      this.commit();
    } else if (!this.player.play()) {
      this.notice("no room along this direction; reset or raise the radius");
    }
  },

  sweep() {
    return { value: this.point.along(this.touched), reach: reachAlong(this.point.shown(), this.touched, this.point.radius) };
  },

  /** A change without a drag: show, ask, commit. */
  finish() {
    this.moved();
    this.commit();
  },

  commit() {
    if (!this.dirty) return;
    this.dirty = false;
    const outside = this.point.isOutside();
    this.point.settle();
    this.show();
    if (outside) this.request();
    this.send();
  },

  send(extra = {}) {
    this.commitState({ ...this.point.state(), revision: this.data.revision, socket: this.socketState ?? "open", ...extra });
  },

  shortcut(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select, input[type=number]")) return;
    const action = { r: () => this.reset(), p: () => this.togglePlay(), s: () => this.snap() }[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  },
});
