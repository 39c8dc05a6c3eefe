// Play sweeps one direction back and forth through the ball, all else kept. Nothing moves until it is pressed.

const PERIOD = 4000;

class Player {
  /** `sweep()` says {value, reach} along the direction in question; `move(value)` goes there. */
  constructor(sweep, move, changed) {
    Object.assign(this, { sweep, move, changed, frame: null });
  }

  get playing() {
    return this.frame !== null;
  }

  /** False where there is no room to move: the other coordinates already reach the surface of the ball. */
  play() {
    const { value, reach } = this.sweep();
    if (!(reach > 1e-6)) return false;
    const phase = Math.asin(clamp(value / reach, -1, 1));
    let start = null;
    const tick = (now) => {
      start ??= now;
      this.move(this.sweep().reach * Math.sin(phase + (2 * Math.PI * (now - start)) / PERIOD));
      this.frame = window.requestAnimationFrame(tick);
    };
    this.frame = window.requestAnimationFrame(tick);
    this.changed();
    return true;
  }

  pause() {
    if (!this.playing) return;
    window.cancelAnimationFrame(this.frame);
    this.frame = null;
    this.changed();
  }
}
