// A Gaussian's variances and the radii of two attacks, dragged; the drawing and the numbers follow.

class LiveGaussian {
  constructor(root) {
    this.root = root;
    this.parts = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
    this.beginConnection();
  }

  /** A rerun of the page. What is dragged is taken over only with a new revision: a commit must not make it jump. */
  update(data, commitState) {
    const before = this.data;
    const changed = (...names) => !before || names.some((name) => JSON.stringify(before[name]) !== JSON.stringify(data[name]));
    const [adopted, rebuilt, asks, connects] = [changed("revision"), changed("controls", "revision"), changed("token", "revision"), changed("path")];
    Object.assign(this, { data, commitState });
    if (adopted) this.settings = { ...data.settings };
    if (asks) this.live = null;
    if (rebuilt) {
      this.sliders = draggedSliders(data.controls, "gaussian", (control, value) => this.move(control, value), () => this.commit());
      this.parts.controls.replaceChildren(...this.sliders.map(({ row }) => row));
    }
    if (connects) this.connect();
    else if (asks) this.request();
    this.show();
  }

  move(control, value) {
    this.settings[control.key] = clamp(value, control.low, control.high);
    this.request();
    this.showSliders();
  }

  asks() {
    return { radius: 0, delta: this.data.controls.map(({ key }) => this.settings[key]) };
  }

  state() {
    return { ...this.settings };
  }

  show() {
    this.showSliders();
    const values = this.live ?? this.data.committed;
    this.draw(values.panels);
    this.parts.numbers.replaceChildren(...values.rows.map((cells, index) => {
      const row = element("tr");
      row.append(...cells.map((cell, column) => element(index && column ? "td" : "th", "", cell)));
      return row;
    }));
  }

  draw(panels) {
    if (this.figures?.length !== panels.length) {
      this.figures = panels.map(() => {
        const [figure, title, caption, drawing] = [element("figure"), element("figcaption"), element("small"), element("div")];
        figure.append(title, caption, drawing);
        return { figure, title, caption, drawing };
      });
      this.parts.picture.replaceChildren(...this.figures.map(({ figure }) => figure));
    }
    panels.forEach((panel, index) => {
      const { title, caption, drawing } = this.figures[index];
      showText(title, panel.title);
      showText(caption, panel.caption);
      drawing.innerHTML = panel.svg; // drawn by this server, of numbers alone
    });
  }

  showSliders() {
    for (const { control, input, output } of this.sliders) {
      const value = this.settings[control.key];
      const text = control.logarithmic ? Number(value.toPrecision(3)).toString() : `${value}${control.unit}`;
      if (!input.dataset.held) input.value = control.logarithmic ? POSITIONS * shareOf(control, value) : value;
      input.style.setProperty("--to", clamp(shareOf(control, value), 0, 1).toFixed(4));
      input.setAttribute("aria-valuetext", text);
      showText(output, text);
    }
  }
}

Object.assign(LiveGaussian.prototype, ANSWERED_IN_NUMBERS);

const MOUNTED = new WeakMap();

// Streamlit calls this at the first mount and after each rerun that changes the data or the theme.
export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".intervals");
  if (!root || !data) return undefined;
  if (!MOUNTED.has(root)) MOUNTED.set(root, new LiveGaussian(root));
  const control = MOUNTED.get(root);
  control.update(data, (state) => setStateValue("state", state));
  return () => {
    control.close();
    MOUNTED.delete(root);
  };
}
