// What LiveBudgets shows: the page's values where they are of these settings, else the newest that came over the connection.

Object.assign(LiveBudgets.prototype, {
  show() {
    const { data, parts } = this;
    this.showSliders();
    showText(parts.subject, data.subject);
    this.showTools();
    const values = this.newest();
    if (!values || values.length !== this.lanes.length) return;
    const view = this.shown();
    this.lanes.forEach((lane, index) => lane.draw(values[index], view));
    this.showLegend();
  },

  /** While dragging, at every move; the lanes follow when their values come. */
  showSliders() {
    const { settings } = this;
    this.sliders.forEach(({ control, input, output }) => {
      const value = settings[control.key];
      const text = control.unit === "pixel" ? `${shortNumber(value)} = ${shortNumber(255 * value)}/255` : `${shortNumber(value)} → ${control.key === "alpha" ? "ε ≥" : "ε ≤"} ${shortNumber(Math.min(1, value * settings.volume))}`;
      showText(output, text);
      if (!input.dataset.held) input.value = control.logarithmic ? POSITIONS * shareOf(control, value) : value;
      input.style.setProperty("--to", clamp(shareOf(control, value), 0, 1).toFixed(4));
      input.setAttribute("aria-valuetext", text);
    });
  },

  newest() {
    const { committed } = this.data;
    const now = this.state();
    const same = ["volume", "alpha", "alpha_bar"].every((key) => Math.abs(committed.settings[key] - now[key]) <= 1e-6 * now[key]) &&
      ["drawing", "base", "keep"].every((key) => committed.settings[key] === now[key]);
    const shown = same || !this.live ? committed : this.live;
    const note = same ? committed.note : this.live ? "attack: one step while you drag, PGD on release" : "waiting for the new budgets";
    showText(this.parts.stale, note);
    this.root.dataset.of = same ? "page" : this.live ? "live" : "earlier";
    return shown.lanes;
  },

  /** The scale of the colours at these settings. */
  shown() {
    const { volume, alpha, alpha_bar } = this.settings;
    const upper = Math.min(1, alpha_bar * volume);
    const [viridis, grey] = this.tables;
    const scale = {
      range: () => new Scale(alpha * volume, upper, true, viridis),
      absolute: () => new Scale(this.data.darkest, 1, true, viridis),
      paper: () => new Scale(0, upper, false, grey),
    }[this.view.scale]();
    for (const [part, key] of [["scales", "scale"], ["channels", "channel"]]) {
      for (const button of this.parts[part].children) button.setAttribute("aria-checked", String(button.dataset.value === String(this.view[key])));
    }
    return { scale, channel: this.view.channel, volume, cell: this.cell };
  },

  showTools() {
    const { base, keep, undo, clear } = this.parts;
    base.value = this.base;
    keep.checked = this.keep;
    undo.disabled = !this.drawing.before.length;
    clear.disabled = this.drawing.empty;
    undo.title = undo.disabled ? "nothing was drawn in this view" : "";
    clear.title = clear.disabled ? "nothing is drawn" : "";
  },

  showLegend() {
    if (this.parts.legend.children.length) return;
    const item = (className, colour, text) => {
      const [made, sample] = [element("li"), element("i", className)];
      sample.style.background = colour;
      made.append(sample, element("span", "", text));
      return made;
    };
    this.parts.legend.replaceChildren(
      item("", this.data.colour, "the smallest margin in the box, logit of the label − logit of the class, lies here"),
      item("diamond", this.data.found_colour, "attack found: it is at most this"),
      item("circle", "white", "margin of the image itself"),
    );
  },
});

// Streamlit calls this at the first mount and after each rerun that changes the data or the theme.

const MOUNTED = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".budgets");
  if (!root || !data) return undefined;
  if (!MOUNTED.has(root)) MOUNTED.set(root, new LiveBudgets(root));
  const control = MOUNTED.get(root);
  control.update(data, (state) => setStateValue("state", state));
  return () => {
    control.close();
    MOUNTED.delete(root);
  };
}
