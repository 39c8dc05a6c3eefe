// One mounted control: its parts, its point, its connection, and what happens on each gesture.

const VISIBLE_DIRECTIONS = 6;

class LiveControl {
  constructor(root) {
    this.root = root;
    this.parts = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
    this.radius = root.querySelector("#live-radius");
    this.views = [...root.querySelectorAll("[data-view]")];
    this.picture = new Picture(root.querySelector("canvas"), root);
    this.times = [];
    this.frames = 0;
    this.dirty = false;
    this.expanded = false;
    this.pad = new Pad(this.parts, (x, y) => this.movePad(x, y), () => this.commit());
    this.player = new Player(() => this.sweep(), (value) => this.moveAlong(this.touched, value), () => this.showPlaying());
    this.listenOnce();
  }

  listenOnce() {
    const { parts } = this;
    listen(this.radius, (share) => this.moveRadius(share * this.data.epsilon), () => this.commit());
    listen(parts.raw, (value) => this.moveRaw(value), () => this.commit());
    parts["raw-index"].addEventListener("input", () => this.chooseRaw());
    parts.play.addEventListener("click", () => this.togglePlay());
    parts.reset.addEventListener("click", () => this.reset());
    parts.snap.addEventListener("click", () => this.snap());
    parts.more.addEventListener("click", () => { this.expanded = !this.expanded; this.buildDirections(); this.show(); });
    parts["axis-x"].addEventListener("change", () => this.chooseAxis(0));
    parts["axis-y"].addEventListener("change", () => this.chooseAxis(1));
    this.views.forEach((button) => button.addEventListener("click", () => this.chooseView(button.dataset.view)));
    this.root.addEventListener("keydown", (event) => this.shortcut(event));
    this.resized = new ResizeObserver(() => { this.picture.fit(); this.buildTicks(); });
    this.resized.observe(this.root);
  }

  /** A rerun of the page. The point is taken over only with a new revision: a commit must not make it jump. */
  update(data, commitState) {
    const before = this.data;
    this.commitState = commitState;
    this.data = data;
    const changed = (...names) => !before || names.some((name) => JSON.stringify(before[name]) !== JSON.stringify(data[name]));
    if (changed("latent_dim", "directions", "direction_vectors")) this.readDirections();
    if (changed("latent_dim", "examples", "example_vectors")) this.readExamples();
    const adopt = changed("revision", "latent_dim");
    if (adopt) this.adopt();
    if (changed("epsilon") && this.point.radius > data.epsilon) this.point.radius = data.epsilon;
    if (changed("epsilon", "percentiles")) this.buildTicks();
    if (data.views[this.point.view].count === 0) this.point.view = "one";
    if (changed("views")) this.showViews();
    if (changed("path")) this.connect();
    this.parts.caption.textContent = data.caption;
    this.show();
    if (adopt || changed("token", "epsilon", "path")) this.request();
  }

  adopt() {
    this.player.pause();
    if (this.point?.k !== this.data.latent_dim) this.point = new Point(this.data.latent_dim);
    this.point.adopt(this.data);
    this.settleAxes();
    this.dirty = false;
    this.notice("");
    const index = this.parts["raw-index"];
    index.max = this.data.latent_dim;
    if (Number(index.value) > this.data.latent_dim) index.value = 1;
    this.showViews();
  }

  /** Two different directions that exist. */
  settleAxes() {
    const last = Math.max(0, this.directions.length - 1);
    const [x, y] = this.point.axes.map((axis) => clamp(axis, 0, last));
    this.point.axes = [x, x === y ? (x < last ? x + 1 : Math.max(0, x - 1)) : y];
  }

  readDirections() {
    const vectors = readVectors(this.data.direction_vectors, this.data.latent_dim);
    this.directions = this.data.directions.map((each, i) => ({ ...each, vector: vectors[i] }));
    for (const axis of ["axis-x", "axis-y"]) {
      this.parts[axis].replaceChildren(...this.directions.map((each, i) => new Option(each.name, i)));
    }
    this.parts.slice.hidden = this.directions.length < 2;
    this.touched = this.directions[0]?.vector ?? unit(this.data.latent_dim, 0);
    if (this.point) this.settleAxes();
    this.buildDirections();
  }

  buildDirections() {
    const shown = this.directions.slice(0, this.expanded ? undefined : VISIBLE_DIRECTIONS);
    this.rows = shown.map(sliderRow);
    this.rows.forEach(({ input }, i) => {
      listen(input, (value) => { this.player.pause(); this.moveAlong(this.directions[i].vector, value); }, () => this.commit());
    });
    this.parts.directions.replaceChildren(...this.rows.map(({ row }) => row));
    this.parts.directions.classList.toggle("expanded", this.expanded);
    const hidden = this.directions.length - VISIBLE_DIRECTIONS;
    this.parts.more.hidden = hidden <= 0;
    this.parts.more.textContent = this.expanded ? "fewer directions" : `${hidden} more directions`;
    this.parts.more.setAttribute("aria-expanded", String(this.expanded));
  }

  readExamples() {
    const vectors = readVectors(this.data.example_vectors, this.data.latent_dim);
    this.examples = this.data.examples.map((name, i) => ({ name, delta: vectors[i] }));
    const { example, snap } = this.parts;
    example.replaceChildren(new Option("nearest example", ""), ...this.examples.map(({ name }, i) => new Option(name, i)));
    example.disabled = snap.disabled = this.examples.length === 0;
    snap.title = snap.disabled ? "no recorded examples for this image" : "go to the recorded example (S)";
  }

  buildTicks() {
    if (!this.data) return;
    placeTicks(this.parts.ticks, this.data.percentiles, this.data.epsilon, (r) => { this.moveRadius(r); this.commit(); });
  }

  close() {
    this.player.pause();
    this.resized.disconnect();
    window.clearTimeout(this.quiet);
    window.clearTimeout(this.asking);
    window.cancelAnimationFrame(this.painting);
    this.socket?.close();
  }
}
