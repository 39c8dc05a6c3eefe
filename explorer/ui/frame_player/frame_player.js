// A film of frames in two sprite sheets, with the logits of each frame as rows. Nothing moves until Play is pressed.

const SECONDS = 0.12; // a frame, or less so that a whole film takes at most
const LONGEST = 8;

class Film {
  constructor(root) {
    this.root = root;
    this.parts = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
    this.rows = new IntervalRows(this.parts.plot, this.parts.axis);
    const { parts } = this;
    parts.back.addEventListener("click", () => this.step(-1));
    parts.forth.addEventListener("click", () => this.step(1));
    parts.strongest.addEventListener("click", () => { this.pause(); this.go(this.data.best); });
    parts.play.addEventListener("click", () => (this.timer ? this.pause() : this.play()));
    parts.slider.addEventListener("input", () => { this.pause(); this.go(Number(parts.slider.value)); });
  }

  update(data) {
    if (this.data && this.data.frames === data.frames && JSON.stringify(this.data.texts) === JSON.stringify(data.texts)) return;
    this.pause();
    this.data = data;
    this.sheets = ["frames", "differences"].map((name) => {
      const image = new Image();
      image.onload = () => this.draw();
      image.src = data[name];
      return image;
    });
    this.parts.slider.max = data.texts.length - 1;
    this.parts.factor.textContent = `difference × ${data.factor}`;
    this.rows.build({
      rows: data.names, axis: data.axis, number: "",
      bars: [{ key: "moved", colour: data.colour }],
      marks: [{ key: "clean", colour: "white", shape: "circle" }, { key: "now", colour: data.colour, shape: "diamond" }],
    });
    this.go(data.best);
  }

  step(by) {
    this.pause();
    this.go(this.at + by);
  }

  go(frame) {
    this.at = clamp(frame, 0, this.data.texts.length - 1);
    this.draw();
  }

  play() {
    if (this.at >= this.data.texts.length - 1) this.at = -1;
    const milliseconds = 1000 * Math.min(SECONDS, LONGEST / this.data.texts.length);
    this.timer = window.setInterval(() => {
      this.go(this.at + 1);
      if (this.at >= this.data.texts.length - 1) this.pause();
    }, milliseconds);
    this.parts.play.textContent = "Pause";
  }

  pause() {
    window.clearInterval(this.timer);
    this.timer = null;
    this.parts.play.textContent = "Play";
  }

  draw() {
    const { data, parts, at } = this;
    const [height, width] = data.size;
    [parts.frame, parts.difference].forEach((canvas, index) => {
      const sheet = this.sheets[index];
      if (!sheet.complete || !sheet.naturalWidth) return;
      Object.assign(canvas, { width, height });
      canvas.getContext("2d").drawImage(sheet, width * (at % data.columns), height * Math.floor(at / data.columns), width, height, 0, 0, width, height);
    });
    parts.slider.value = at;
    parts.text.textContent = data.texts[at];
    this.root.dataset.frame = at;
    const logits = data.logits[at];
    const ends = (pick) => logits.map((value, index) => pick(value, data.clean[index]));
    this.rows.draw({
      bars: { moved: { values: [ends(Math.min), ends(Math.max)], old: false } },
      marks: { clean: { values: data.clean, old: false }, now: { values: logits, old: false } },
    });
  }
}

const FILMS = new WeakMap();

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".film");
  if (!root || !data) return undefined;
  if (!FILMS.has(root)) FILMS.set(root, new Film(root));
  FILMS.get(root).update(data);
  return () => {
    FILMS.get(root)?.pause();
    FILMS.delete(root);
  };
}
