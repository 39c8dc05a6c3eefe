// Pixels on the canvas: one image or a grid of tiles, at a whole number of screen pixels per image pixel.

const ONE_IMAGE_SIZE = 336;
const GRID_SIZE = 528;
const GRID_GAP = 1;
const GRID_COLUMNS = 8;

function toRgba(frame, index, rgba) {
  const { height, width, channels, pixels } = frame;
  let source = index * height * width * channels;
  for (let target = 0; target < rgba.length; target += 4, source += channels) {
    rgba[target] = pixels[source];
    rgba[target + 1] = pixels[source + (channels > 1 ? 1 : 0)];
    rgba[target + 2] = pixels[source + (channels > 2 ? 2 : 0)];
    rgba[target + 3] = 255;
  }
}

function layout(count) {
  const columns = count === 1 ? 1 : Math.min(GRID_COLUMNS, Math.max(2, Math.ceil(Math.sqrt(count))));
  return { columns, rows: Math.ceil(count / columns) };
}

/** The whole multiple, in device pixels, that comes nearest to the wanted size without passing what there is room for. */
function scaledSize(width, height, wanted, room) {
  const ratio = window.devicePixelRatio || 1;
  const limit = Math.min(wanted, room) * ratio;
  const scale = Math.max(1, Math.floor(limit / Math.max(width, height)));
  return { width: (width * scale) / ratio, height: (height * scale) / ratio };
}

class Picture {
  constructor(canvas, root) {
    Object.assign(this, { canvas, root, context: canvas.getContext("2d") });
  }

  draw(frame) {
    const { columns, rows } = layout(frame.count);
    const gap = frame.count > 1 ? GRID_GAP : 0;
    const width = columns * (frame.width + gap) - gap;
    const height = rows * (frame.height + gap) - gap;
    if (this.canvas.width !== width || this.canvas.height !== height || this.count !== frame.count) {
      Object.assign(this.canvas, { width, height });
      this.count = frame.count;
      this.tile = this.context.createImageData(frame.width, frame.height);
      this.fit();
    }
    for (let i = 0; i < frame.count; i += 1) {
      toRgba(frame, i, this.tile.data);
      this.context.putImageData(this.tile, (i % columns) * (frame.width + gap), Math.floor(i / columns) * (frame.height + gap));
    }
  }

  /** Keeps the aspect: where even one screen pixel per image pixel is too wide, CSS shrinks the whole. */
  fit() {
    const wanted = this.count > 1 ? GRID_SIZE : ONE_IMAGE_SIZE;
    const { width, height } = scaledSize(this.canvas.width, this.canvas.height, wanted, this.root.clientWidth || wanted);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.aspectRatio = `${width} / ${height}`;
    this.root.style.setProperty("--picture", `${Math.max(width, ONE_IMAGE_SIZE)}px`);
  }
}
