// Pictures of numbers by pixel: colours, scales, and a canvas with crisp pixels and a cursor.

const LEVELS = 256;
const GREY = ["#000000", "#ffffff"];

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** 256 colours through evenly spaced ones. */
function colourTable(anchors) {
  const points = anchors.map(rgb);
  return Array.from({ length: LEVELS }, (_, level) => {
    const position = (level / (LEVELS - 1)) * (points.length - 1);
    const index = Math.min(Math.floor(position), points.length - 2);
    return points[index].map((value, i) => Math.round(value + (position - index) * (points[index + 1][i] - value)));
  });
}

function readFloats(base64) {
  return new Float32Array(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)).buffer);
}

/** What a colour means: from low to high, in logs or linearly. */
class Scale {
  constructor(low, high, logarithmic, table) {
    Object.assign(this, { low, high, logarithmic, table });
  }

  share(value) {
    const { low, high } = this;
    if (!(high > low)) return 0.5;
    return clamp(this.logarithmic ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low), 0, 1);
  }

  colour(value) {
    return this.table[Math.round(this.share(value) * (LEVELS - 1))];
  }

  /** A few round numbers from end to end, in units of `unit`. */
  ticks(unit = 1) {
    const [low, high] = [this.low / unit, this.high / unit];
    const inside = (value) => value >= low * (1 - 1e-6) - 1e-12 && value <= high * (1 + 1e-6);
    let values = [];
    if (!(high > low)) values = [low];
    else if (this.logarithmic) {
      const powers = Array.from({ length: 12 }, (_, i) => 10 ** (i - 8));
      for (const steps of [[1], [1, 3], [1, 2, 5], [1, 2, 3, 4, 5, 6, 8]]) {
        values = powers.flatMap((power) => steps.map((step) => step * power)).filter(inside);
        if (values.length >= 3) break;
      }
    }
    if (values.length < 2 && high > low) {
      const step = 10 ** Math.floor(Math.log10(high - low)) * [0.2, 0.5, 1, 2].find((each) => (high - low) / (each * 10 ** Math.floor(Math.log10(high - low))) <= 6);
      for (let value = Math.ceil(low / step - 1e-9) * step; value <= high * (1 + 1e-9); value += step) values.push(value);
    }
    return values.map((value) => ({ share: this.share(value * unit), text: shortNumber(value) }));
  }
}

/** Three significant digits. */
function shortNumber(value) {
  if (value === 0) return "0";
  const text = Number(value.toPrecision(3));
  return (Math.abs(text) >= 0.001 ? String(text) : text.toExponential().replace("e-", "e−")).replace("-", "−");
}

/** One value for each pixel: of one channel, or over all of them. */
function ofChannel(values, [channels, height, width], channel, mean) {
  const size = height * width;
  if (channel > 0) return values.subarray((channel - 1) * size, channel * size);
  if (channels === 1) return values;
  return Float32Array.from({ length: size }, (_, i) => mean(Array.from({ length: channels }, (_, c) => values[c * size + i])));
}

const geometricMean = (values) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/** Paints height × width colours given by `colour(index)`. */
function paint(canvas, height, width, colour) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const picture = context.createImageData(width, height);
  for (let i = 0; i < height * width; i += 1) {
    const [red, green, blue] = colour(i);
    picture.data.set([red, green, blue, 255], 4 * i);
  }
  context.putImageData(picture, 0, 0);
}

/** Images in [0, 1], grey ones repeated. */
function paintImage(canvas, values, [channels, height, width]) {
  const size = height * width;
  const byte = (value) => Math.round(255 * clamp(value, 0, 1));
  paint(canvas, height, width, (i) => [0, 1, 2].map((c) => byte(values[(channels === 3 ? c : 0) * size + i])));
}

/** A bar of the scale's colours with ε on its left and ε/ε0 on its right. */
class ColourBar {
  constructor() {
    this.root = element("div", "colour-bar");
    [this.left, this.canvas, this.right] = [element("div", "ticks-of left"), element("canvas"), element("div", "ticks-of right")];
    const heads = element("div", "heads");
    heads.append(element("span", "", "ε"), element("span", "", "ε/ε0"));
    const body = element("div", "body");
    body.append(this.left, this.canvas, this.right);
    this.root.append(heads, body);
  }

  draw(scale, volume) {
    const key = JSON.stringify([scale.low, scale.high, scale.logarithmic, scale.table[0], volume]);
    if (this.key === key) return;
    this.key = key;
    paint(this.canvas, LEVELS, 1, (i) => scale.table[LEVELS - 1 - i]);
    for (const [part, unit] of [[this.left, 1], [this.right, volume]]) {
      part.replaceChildren(...scale.ticks(unit).map(({ share, text }) => {
        const tick = element("span", "", text);
        tick.style.bottom = `${100 * share}%`;
        return tick;
      }));
    }
  }
}
