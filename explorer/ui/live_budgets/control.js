// Volume and range of the budgets, dragged; budgets drawn by hand; every lane follows.

class LiveBudgets {
  constructor(root) {
    this.root = root;
    this.parts = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
    this.lanes = [];
    this.cell = null;
    this.beginConnection();
    const { factor, base, keep, undo, clear } = this.parts;
    factor.replaceChildren(...HALF_OCTAVES.map(([value, text]) => new Option(text, value, value === 2, value === 2)));
    base.addEventListener("change", () => this.finish(() => { this.base = base.value; }));
    keep.addEventListener("change", () => this.finish(() => { this.keep = keep.checked; }));
    undo.addEventListener("click", () => this.finish(() => this.drawing.undo()));
    clear.addEventListener("click", () => this.finish(() => this.drawing.clear()));
  }

  /** A rerun of the page. What is dragged is taken over only with a new revision: a commit must not make it jump. */
  update(data, commitState) {
    const before = this.data;
    const changed = (...names) => !before || names.some((name) => JSON.stringify(before[name]) !== JSON.stringify(data[name]));
    const [adopted, rebuilt, asks, connects] = [changed("revision", "shape"), changed("lanes", "rows", "axis", "image", "shape"), changed("token", "revision"), changed("path")];
    const controls = changed("controls");
    Object.assign(this, { data, commitState });
    if (rebuilt || adopted) data.pixels = readFloats(data.image);
    else data.pixels = before.pixels;
    if (adopted) this.adopt();
    if (asks) this.live = null;
    if (controls) this.buildControls();
    if (rebuilt) this.buildLanes();
    if (changed("shape", "revision")) this.buildChoices();
    this.tables ??= [colourTable(data.colours), colourTable(GREY)];
    if (connects) this.connect();
    else if (asks) this.request();
    this.show();
  }

  adopt() {
    const [, height, width] = this.data.shape;
    Object.assign(this, { settings: { ...this.data.settings }, view: { ...this.data.view }, base: this.data.drawing.base, keep: this.data.drawing.keep, live: null });
    this.drawing = new Drawing(height, width);
    this.drawing.adopt(this.data.drawing.steps);
  }

  buildControls() {
    this.sliders = draggedSliders(this.data.controls, "budgets", (control, value) => this.move(control, value), () => this.commit());
    this.parts.controls.replaceChildren(...this.sliders.map(({ row }) => row));
  }

  buildLanes() {
    this.lanes = this.data.lanes.map((lane) => {
      const made = new Lane(lane, {
        hover: (cell) => this.hover(cell),
        down: (cell) => this.press(cell),
        move: (cell) => this.draw(cell),
        up: () => this.commit(),
      });
      made.build(this.data);
      return made;
    });
    this.parts.lanes.replaceChildren(...this.lanes.map((lane) => lane.root));
    const [, height, width] = this.data.shape;
    this.root.classList.toggle("wide", width > 1.3 * height);
    this.root.classList.toggle("long-names", this.data.rows.some((name) => name.length > 4));
    this.parts.tools.hidden = !this.data.lanes.some((lane) => lane.drawn);
    this.parts.base.options[0].disabled = !this.data.generates;
    this.parts.base.title = this.data.generates ? "" : "without a generator there are no learned budgets to draw on";
  }

  buildChoices() {
    const group = (part, names, key) => {
      part.replaceChildren(...names.map(([value, text, title]) => {
        const button = element("button", "", text);
        Object.assign(button, { type: "button", title });
        button.setAttribute("role", "radio");
        button.dataset.testid = `budgets-${key}-${value}`;
        button.addEventListener("click", () => { this.view[key] = value; this.show(); this.commit(); });
        button.dataset.value = value;
        return button;
      }));
    };
    group(this.parts.scales, [["range", "log, from α·ε0 to ᾱ·ε0", "colours span the range of budgets"], ["absolute", "log, absolute", "the same colour is the same ε at every volume"], ["paper", "linear, as in the paper", "ε divided by its upper limit, lighter is larger (Figures 2 to 6)"]], "scale");
    group(this.parts.channels, this.data.shape[0] === 1 ? [] : [[0, "mean", "the geometric mean over the channels"], [1, "red", ""], [2, "green", ""], [3, "blue", ""]], "channel");
  }

  move(control, value) {
    this.settings[control.key] = clamp(value, control.low, control.high);
    this.request();
    this.showSliders();
  }

  hover(cell) {
    this.cell = cell;
    this.lanes.forEach((lane) => lane.values && lane.showReadout(this.shown()));
  }

  press(cell) {
    this.drawing.begin();
    this.start = cell;
    this.draw(cell);
  }

  draw(cell) {
    const [size, value] = [Number(this.parts.tool.value), Number(this.parts.factor.value)];
    if (size) this.drawing.stroke(this.start, cell, size, value);
    else this.drawing.rectangle(this.start, cell, value);
    if (size) this.start = cell;
    this.request();
    this.showTools();
  }

  /** A change without a drag: ask, show, commit. */
  finish(change) {
    change();
    this.request();
    this.show();
    this.commit();
  }

  asks() {
    const { volume, alpha, alpha_bar } = this.settings;
    const drawn = this.data.lanes.some((lane) => lane.drawn) && !this.drawing.empty ? [...this.drawing.octaves()] : [];
    return { radius: volume, delta: packVector([alpha, alpha_bar, this.base === "uniform" ? 1 : 0, this.keep ? 1 : 0, ...drawn]) };
  }

  state() {
    return { ...this.settings, drawing: this.drawing.packed(), base: this.base, keep: this.keep, ...this.view };
  }
}

Object.assign(LiveBudgets.prototype, ANSWERED_IN_NUMBERS);
