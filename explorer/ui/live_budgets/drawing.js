// What is drawn on budgets: a factor for each pixel, in half octaves, with the way back.

const HALF_OCTAVES = [[-4, "÷ 4"], [-2, "÷ 2"], [-1, "÷ 1.4"], [0, "× 1 (as they were)"], [1, "× 1.4"], [2, "× 2"], [4, "× 4"]];
const UNDONE_AT_MOST = 30;

class Drawing {
  constructor(height, width) {
    Object.assign(this, { height, width, steps: new Int8Array(height * width), before: [] });
  }

  get empty() {
    return !this.steps.some((each) => each);
  }

  adopt(base64) {
    this.steps = base64 ? new Int8Array(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)).buffer) : new Int8Array(this.height * this.width);
    if (this.steps.length !== this.height * this.width) this.steps = new Int8Array(this.height * this.width);
    this.before = [];
  }

  packed() {
    return this.empty ? "" : btoa(String.fromCharCode(...new Uint8Array(this.steps.buffer)));
  }

  octaves() {
    return Float32Array.from(this.steps, (each) => each / 2);
  }

  begin() {
    this.before = [...this.before.slice(1 - UNDONE_AT_MOST), this.steps.slice()];
  }

  undo() {
    if (this.before.length) this.steps = this.before.pop();
  }

  clear() {
    this.begin();
    this.steps = new Int8Array(this.height * this.width);
  }

  /** A square brush from one pixel to another. */
  stroke([row, column], [toRow, toColumn], size, value) {
    const moves = Math.max(Math.abs(toRow - row), Math.abs(toColumn - column), 1);
    const reach = (size - 1) / 2;
    for (let i = 0; i <= moves; i += 1) {
      const [r, c] = [Math.round(row + ((toRow - row) * i) / moves), Math.round(column + ((toColumn - column) * i) / moves)];
      this.fill([r - reach, c - reach], [r + reach, c + reach], value);
    }
  }

  /** A rectangle in place of the last one. */
  rectangle([row, column], [toRow, toColumn], value) {
    this.steps = this.before[this.before.length - 1].slice();
    this.fill([Math.min(row, toRow), Math.min(column, toColumn)], [Math.max(row, toRow), Math.max(column, toColumn)], value);
  }

  fill([top, left], [bottom, right], value) {
    for (let row = Math.max(top, 0); row <= Math.min(bottom, this.height - 1); row += 1) {
      this.steps.fill(value, row * this.width + Math.max(left, 0), row * this.width + Math.min(right, this.width - 1) + 1);
    }
  }
}
