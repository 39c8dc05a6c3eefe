// Pictures of numbers by pixel: colours, scales, and a canvas with crisp pixels and a cursor.

const LEVELS = 256;
const GREY = ["#000000", "#ffffff"];

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** A pixel's four bytes as canvases hold them. */
const bytes = (red, green, blue) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;

/** 256 colours through evenly spaced ones. */
function colourTable(anchors) {
  const points = anchors.map(rgb);
  return Uint32Array.from({ length: LEVELS }, (_, level) => {
    const position = (level / (LEVELS - 1)) * (points.length - 1);
    const index = Math.min(Math.floor(position), points.length - 2);
    return bytes(...points[index].map((value, i) => Math.round(value + (position - index) * (points[index + 1][i] - value))));
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

/** Paints height × width pixels, whose bytes `fill(pixels)` sets. This runs for every picture of every frame: plain loops only. */
function paint(canvas, height, width, fill) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  if (!canvas.picture || canvas.picture.width !== width || canvas.picture.height !== height) canvas.picture = context.createImageData(width, height);
  fill(new Uint32Array(canvas.picture.data.buffer));
  context.putImageData(canvas.picture, 0, 0);
}

function paintMap(canvas, values, [, height, width], scale) {
  const { low, high, logarithmic, table } = scale;
  const [from, span] = logarithmic ? [Math.log(low), Math.log(high / low)] : [low, high - low];
  paint(canvas, height, width, (pixels) => {
    for (let i = 0; i < pixels.length; i += 1) {
      const share = span > 0 ? ((logarithmic ? Math.log(values[i]) : values[i]) - from) / span : 0.5;
      pixels[i] = table[Math.round((LEVELS - 1) * Math.min(1, Math.max(0, share)))];
    }
  });
}

/** The image plus so many times the budgets, cut to [0, 1]; grey ones repeated. */
function paintImage(canvas, image, budgets, sign, [channels, height, width]) {
  const size = height * width;
  const byte = (at) => Math.round(255 * Math.min(1, Math.max(0, image[at] + sign * budgets[at])));
  paint(canvas, height, width, (pixels) => {
    for (let i = 0; i < size; i += 1) {
      const red = byte(i);
      pixels[i] = channels === 3 ? bytes(red, byte(size + i), byte(2 * size + i)) : bytes(red, red, red);
    }
  });
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
    const key = [scale.low, scale.high, scale.logarithmic, volume].join();
    if (this.key === key) return;
    this.key = key;
    if (this.table !== scale.table) paint(this.canvas, LEVELS, 1, (pixels) => pixels.set(scale.table.slice().reverse()));
    this.table = scale.table;
    for (const [part, unit] of [[this.left, 1], [this.right, volume]]) {
      part.replaceChildren(...scale.ticks(unit).map(({ share, text }) => {
        const tick = element("span", "", text);
        tick.style.bottom = `${100 * share}%`;
        return tick;
      }));
    }
  }
}
