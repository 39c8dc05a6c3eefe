// What LiveIntervals shows of an attack beyond the logits: the picture, the attacked one, and their difference.

const { show: showLogits, newest: newestLogits } = LiveIntervals.prototype;
const PAINTED = ["clean", "attacked", "difference"];

Object.assign(LiveIntervals.prototype, {
  show() {
    showLogits.call(this);
    const { about } = this.data.committed;
    if (!about.fraction) this.parts.value.textContent = `${Number(this.radius.toPrecision(3))} ${about.unit}`;
    this.parts.slider.setAttribute("aria-valuetext", this.parts.value.textContent);
    const sources = [this.data.committed, this.live].filter((values) => values?.pictures);
    const there = (values) => Math.abs(values.radius - this.radius) < 1e-9;
    const at = sources.find((values) => there(values) && values.pictures.attacked) ?? this.live ?? this.data.committed;
    const pictures = { clean: this.data.committed.pictures.clean, ...at.pictures };
    const captions = { clean: "the image", attacked: at === this.live ? "one step, live" : about.how, difference: `difference × ${at.factor}` };
    for (const name of PAINTED) this.paint(name, pictures[name], captions[name], about.size);
  },

  /** At the committed radius the attack's numbers come before those of one step. */
  newest(kind) {
    const { committed } = this.data;
    const found = newestLogits.call(this, kind);
    if (Math.abs(committed.radius - this.radius) < 1e-9) {
      for (const [key, values] of Object.entries(committed[kind])) found[key] = { values, note: committed.notes[key], old: false };
    }
    return found;
  },

  paint(name, bytes, caption, [height, width]) {
    const figure = this.root.parentElement.querySelector(`[data-testid="attack-${name}"]`);
    figure.hidden = !bytes;
    if (!bytes) return;
    figure.querySelector("figcaption").textContent = caption;
    const canvas = figure.querySelector("canvas");
    if (canvas.dataset.bytes === bytes) return;
    canvas.dataset.bytes = bytes;
    Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, height);
    const rgb = atob(bytes);
    for (let from = 0, to = 0; from < rgb.length; to += 1) image.data[to] = to % 4 === 3 ? 255 : rgb.charCodeAt(from++);
    image.data[image.data.length - 1] = 255;
    context.putImageData(image, 0, 0);
  },
});
