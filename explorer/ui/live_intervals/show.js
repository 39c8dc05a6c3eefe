// What LiveIntervals shows: the newest of what came over the connection and of what the page has computed.

Object.assign(LiveIntervals.prototype, {
  show() {
    const { data, parts, radius } = this;
    if (!parts.slider.dataset.held) parts.slider.value = radius;
    parts.slider.style.setProperty("--to", clamp(radius / (data.reach || 1), 0, 1).toFixed(4));
    parts.value.textContent = `${radius.toFixed(3)} = ${(255 * radius).toFixed(1)}/255`;
    parts.slider.setAttribute("aria-valuetext", parts.value.textContent);
    const shown = { bars: this.newest("bars"), marks: this.newest("marks") };
    this.rows.draw(shown);
    this.showLegend(shown);
    const old = [...data.bars, ...data.marks].filter((each) => (shown.bars[each.key] ?? shown.marks[each.key])?.old).map((each) => each.name);
    parts.stale.textContent = old.length ? `pale: ${old.join(", ")} of radius ${data.committed.radius.toFixed(3)} until release` : "";
  },

  /** By key: the values, whether they are of another radius, and the note that comes with them. */
  newest(kind) {
    const { committed } = this.data;
    const fresh = (values) => Math.abs(values.radius - this.radius) < 1e-9;
    const found = {};
    for (const { key, fixed } of this.data[kind]) {
      const sources = [this.live, committed].filter((values) => values?.[kind]?.[key]);
      const source = sources.find(fresh) ?? sources[0];
      if (source) found[key] = { values: source[kind][key], note: source.notes?.[key], old: !fixed && source === committed && !fresh(committed) };
    }
    return found;
  },

  showLegend(shown) {
    this.parts.legend.replaceChildren(...[...this.data.bars, ...this.data.marks].map((each) => {
      const found = shown.bars[each.key] ?? shown.marks[each.key];
      const item = element("li", found?.old ? "old" : "");
      const sample = element("i", each.shape ?? "");
      sample.style.background = each.colour;
      item.dataset.testid = `intervals-${each.key}`;
      item.append(sample, element("span", "", each.name));
      if (found?.note) item.append(element("span", found.note.good ? "good" : "bad", found.note.text));
      return item;
    }));
    this.parts.plot.setAttribute("aria-label", this.parts.legend.innerText);
  },
});

// Streamlit calls this at the first mount and after each rerun that changes the data or the theme.

const MOUNTED = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".intervals");
  if (!root || !data) return undefined;
  if (!MOUNTED.has(root)) MOUNTED.set(root, new LiveIntervals(root));
  const control = MOUNTED.get(root);
  control.update(data, (state) => setStateValue("state", state));
  return () => {
    control.close();
    MOUNTED.delete(root);
  };
}
