// One kind of budgets of one model: its map beside the image and the box's two ends, the verdict, and the margins.

const VERDICTS = {
  certified: ["✓", "certified", "no image of the box is classified otherwise"],
  "attack found": ["✗", "attack found", "an image of the box is classified otherwise"],
  open: ["○", "open", "neither proved nor refuted"],
};
const PICTURES = { image: "the image x", lower: "x − ε", upper: "x + ε" };

class Lane {
  /** `on`: {hover(cell or null), down(cell), move(cell), up()} for the map. */
  constructor(lane, on) {
    this.lane = lane;
    this.on = on;
    this.root = element("section", "lane");
    this.root.dataset.testid = `budgets-lane-${lane.key}`;
    const title = element("h4", "", lane.title);
    title.append(element("small", "", lane.model));
    this.verdict = element("p", "verdict");
    this.verdict.setAttribute("role", "status");
    this.verdict.dataset.testid = `budgets-verdict-${lane.key}`;
    this.readout = element("p", "readout");
    this.readout.dataset.testid = `budgets-readout-${lane.key}`;
    [this.plot, this.axis] = [element("div", "plot"), element("div", "axis")];
    const track = element("div", "track");
    this.number = element("span", "number", "≥ proved, ≤ found");
    this.axis.append(element("span"), track, this.number);
    this.rows = new IntervalRows(this.plot, track);
    this.root.append(title, this.verdict, this.buildPictures(), this.readout, this.plot, this.axis);
  }

  buildPictures() {
    const place = element("div", "pictures");
    const small = element("div", "small");
    this.canvases = Object.fromEntries(Object.entries(PICTURES).map(([key, name]) => {
      const figure = element("figure");
      const canvas = element("canvas");
      canvas.dataset.testid = `budgets-${key}-${this.lane.key}`;
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", name);
      figure.append(canvas, element("figcaption", "", name));
      small.append(figure);
      return [key, canvas];
    }));
    this.map = element("div", "map");
    this.canvas = element("canvas");
    Object.assign(this.canvas, { tabIndex: 0 });
    this.canvas.dataset.testid = `budgets-map-${this.lane.key}`;
    this.canvas.setAttribute("role", "img");
    this.cursor = element("div", "cursor");
    this.cursor.hidden = true;
    this.map.append(this.canvas, this.cursor);
    this.map.classList.toggle("drawn", this.lane.drawn);
    this.bar = new ColourBar();
    place.append(small, this.map, this.bar.root);
    this.listen();
    return place;
  }

  listen() {
    const { canvas, on } = this;
    canvas.addEventListener("pointermove", (event) => { const cell = this.cellAt(event); on.hover(cell); if (this.held) on.move(cell); });
    canvas.addEventListener("pointerleave", () => { if (!this.held) on.hover(null); });
    canvas.addEventListener("pointerdown", (event) => {
      on.hover(this.cellAt(event));
      if (!this.lane.drawn || event.button) return;
      event.preventDefault();
      canvas.focus({ preventScroll: true });
      canvas.setPointerCapture(event.pointerId);
      this.held = true;
      on.down(this.cellAt(event));
    });
    for (const type of ["pointerup", "pointercancel"]) canvas.addEventListener(type, () => { if (this.held) { this.held = false; on.up(); } });
    canvas.addEventListener("blur", () => on.hover(null));
    canvas.addEventListener("keydown", (event) => this.pressed(event));
  }

  /** The arrows move the cursor; Space draws where it is. */
  pressed(event) {
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const [row, column] = this.cell ?? [Math.floor(this.canvas.height / 2), Math.floor(this.canvas.width / 2)];
    if (moves[event.key]) {
      const [down, right] = moves[event.key];
      this.on.hover([clamp(row + down, 0, this.canvas.height - 1), clamp(column + right, 0, this.canvas.width - 1)]);
    } else if (event.key === " " && this.lane.drawn) {
      this.on.down([row, column]);
      this.on.up();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  cellAt(event) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    const at = (position, length, cells) => clamp(Math.floor((position / length) * cells), 0, cells - 1);
    return [at(event.clientY - top, height, this.canvas.height), at(event.clientX - left, width, this.canvas.width)];
  }

  build(data) {
    this.data = data;
    this.rows.build({ rows: data.rows, bars: [{ key: "range", colour: data.colour }], marks: [{ key: "attack", colour: data.found_colour, shape: "diamond" }, { key: "clean", colour: "white", shape: "circle" }], axis: data.axis });
  }

  /** `values`: {budgets, certified, found, volume, verdict, method, how}; `view`: {scale, channel, volume}. */
  draw(values, view) {
    const { shape } = this.data;
    this.values = values;
    this.budgets = values.budgets_read ??= readFloats(values.budgets);
    this.shown = ofChannel(this.budgets, shape, view.channel, geometricMean);
    paintMap(this.canvas, this.shown, shape, view.scale);
    this.bar.draw(view.scale, view.volume);
    for (const [key, sign] of [["image", 0], ["lower", -1], ["upper", 1]]) {
      if (sign || this.painted !== this.data.pixels) paintImage(this.canvases[key], this.data.pixels, this.budgets, sign, shape);
    }
    this.painted = this.data.pixels;
    this.rows.draw({ bars: { range: { values: [values.certified, values.found], old: false } }, marks: { attack: { values: values.found, old: false }, clean: { values: this.lane.clean, old: false } } });
    this.rows.rows.forEach((row, i) => {
      showText(row.number, `≥ ${safely(values.certified[i], Math.floor)}  ≤ ${safely(values.found[i], Math.ceil)}`);
      row.number.classList.toggle("bad", values.found[i] < 0);
    });
    this.showVerdict(values);
    this.showReadout(view);
  }

  showVerdict({ verdict, certified, found, method, how }) {
    const [mark, name, meaning] = VERDICTS[verdict];
    const [low, least] = [Math.min(...certified), Math.min(...found)];
    const nearest = this.data.rows[found.indexOf(least)];
    const numbers = {
      certified: `every margin ≥ ${safely(low, Math.floor)}, ${method}`,
      "attack found": `class ${nearest}, margin ${safely(least, Math.ceil)}, ${how}`,
      open: `smallest margin between ${safely(low, Math.floor)} (${method}) and ${safely(least, Math.ceil)} (${how})`,
    };
    if (this.verdict.dataset.verdict !== verdict) {
      this.verdict.dataset.verdict = verdict;
      this.verdict.title = meaning;
      this.verdict.replaceChildren(element("b", "", `${mark} ${name}`), element("span"));
    }
    showText(this.verdict.lastChild, numbers[verdict]);
  }

  showReadout({ volume, cell }) {
    const { shape, pixels } = this.data;
    this.cell = cell;
    this.cursor.hidden = !cell;
    if (!cell) {
      const [low, high] = this.shown.reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [Infinity, -Infinity]);
      const range = high > low * 1.0001 ? `ε from ${shortNumber(low)} to ${shortNumber(high)}` : `ε = ${shortNumber(low)} everywhere`;
      const own = Math.abs(this.values.volume / volume - 1) < 2e-4 ? `volume ε0 = ${shortNumber(volume)}` : `volume ${shortNumber(this.values.volume)} = ${shortNumber(this.values.volume / volume)} ε0`;
      showText(this.readout, `${own} · ${range}`);
      this.canvas.setAttribute("aria-label", `Budgets, ${this.lane.title}: ${this.readout.textContent}`);
      return;
    }
    const [row, column] = cell;
    const [channels, height, width] = shape;
    const index = row * width + column;
    Object.assign(this.cursor.style, { left: `${(100 * column) / width}%`, top: `${(100 * row) / height}%`, width: `${100 / width}%`, height: `${100 / height}%` });
    const at = (values) => Array.from({ length: channels }, (_, c) => shortNumber(values[c * height * width + index])).join(" / ");
    const relative = shortNumber(this.shown[index] / volume);
    showText(this.readout, `row ${row}, column ${column}: x = ${at(pixels)}, ε = ${at(this.budgets)}${channels > 1 ? " (R / G / B), mean" : ""} = ${relative} ε0`);
  }
}

/** Two decimals, rounded to the side on which the number stays true. */
function safely(value, round) {
  if (Math.abs(value) >= 1e5) return value.toExponential(1).replace("e+", "e").replace("-", "−");
  return formatNumber(round(value * 100 + (round === Math.ceil ? -1e-6 : 1e-6)) / 100, 2);
}
