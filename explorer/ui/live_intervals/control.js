// A radius that is dragged: asks for the intervals of each radius, and commits the last one on release.

class LiveIntervals {
  constructor(root) {
    this.root = root;
    this.parts = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
    this.rows = new IntervalRows(this.parts.plot, this.parts.axis);
    this.beginConnection();
    listen(this.parts.slider, (value) => this.move(value), () => this.commit());
  }

  /** A rerun of the page. The radius is taken over only with a new revision: a commit must not make it jump. */
  update(data, commitState) {
    const before = this.data;
    const changed = (...names) => !before || names.some((name) => JSON.stringify(before[name]) !== JSON.stringify(data[name]));
    const [adopted, rebuilt, asks, connects] = [changed("revision"), changed("rows", "bars", "marks", "axis", "number"), changed("token", "revision"), changed("path")];
    Object.assign(this, { data, commitState });
    Object.assign(this.parts.slider, { max: data.reach, step: data.step });
    if (adopted) Object.assign(this, { radius: data.radius, live: null });
    if (rebuilt) this.rows.build(data);
    this.parts.unit.textContent = data.unit;
    this.parts["number-of"].textContent = data.bars.find((bar) => bar.key === data.number)?.name ?? "";
    if (changed("ticks", "reach")) this.buildTicks();
    if (connects) this.connect();
    else if (asks) this.request();
    this.show();
  }

  buildTicks() {
    this.parts.ticks.replaceChildren(...this.data.ticks.map(({ radius, text }) => {
      const tick = element("button", "", text);
      tick.type = "button";
      tick.style.left = `${(100 * radius) / this.data.reach}%`;
      tick.addEventListener("click", () => { this.move(radius); this.commit(); });
      return tick;
    }));
  }

  move(radius) {
    this.radius = clamp(radius, 0, this.data.reach);
    this.request();
    this.show();
  }

  asks() {
    return { radius: this.radius, delta: [] };
  }

  state() {
    return { radius: this.radius };
  }
}

Object.assign(LiveIntervals.prototype, ANSWERED_IN_NUMBERS);
