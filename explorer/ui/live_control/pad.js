// The two-dimensional pad: a disc of the chosen radius, the slice of the ball along two directions.

const SVG = "http://www.w3.org/2000/svg";
const STEPS_ACROSS = 50;

class Pad {
  /** `move(x, y)` in units of the radius, within the unit disc; `released()` once per gesture. */
  constructor(parts, move, released) {
    Object.assign(this, { parts, move, x: 0, y: 0, stepped: false });
    const release = () => {
      if (this.stepped) released();
      this.stepped = false;
    };
    const pad = parts.pad;
    pad.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      pad.setPointerCapture(event.pointerId);
      pad.focus({ preventScroll: true });
      this.dragging = event.pointerId;
      this.to(event);
    });
    pad.addEventListener("pointermove", (event) => { if (this.dragging === event.pointerId) this.to(event); });
    for (const type of ["pointerup", "pointercancel"]) {
      pad.addEventListener(type, (event) => {
        if (this.dragging !== event.pointerId) return;
        this.dragging = undefined;
        release();
      });
    }
    pad.addEventListener("keydown", (event) => this.key(event));
    pad.addEventListener("keyup", (event) => { if (event.key.startsWith("Arrow")) release(); });
    pad.addEventListener("blur", release);
  }

  to(event) {
    const box = this.parts.pad.getBoundingClientRect();
    const scale = 2.12 / box.width;
    this.moveWithin((event.clientX - box.left) * scale - 1.06, 1.06 - (event.clientY - box.top) * scale);
  }

  key(event) {
    const [right, up] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [0, 0];
    if (!right && !up) return;
    event.preventDefault();
    event.stopPropagation();
    const step = (event.shiftKey ? 5 : 1) / STEPS_ACROSS;
    this.moveWithin(this.x + right * step, this.y + up * step);
  }

  moveWithin(x, y) {
    this.stepped = true;
    const length = Math.hypot(x, y);
    const shrink = length > 1 ? 1 / length : 1;
    this.move(x * shrink, y * shrink);
  }

  /** Where the point is, how far one can go from the middle with all else kept, and rings at the percentile radii. */
  show(x, y, reach, rings, text) {
    Object.assign(this, { x, y });
    const length = Math.hypot(x, y);
    const shrink = length > 1.03 ? 1.03 / length : 1;
    this.parts.point.setAttribute("cx", x * shrink);
    this.parts.point.setAttribute("cy", -y * shrink);
    this.parts.reach.setAttribute("r", clamp(reach, 0, 1));
    if (text !== this.text) this.parts.pad.setAttribute("aria-valuetext", text);
    this.text = text;
    const key = rings.join();
    if (key === this.ringKey) return;
    this.ringKey = key;
    this.parts.rings.replaceChildren(...rings.map((r) => {
      const ring = document.createElementNS(SVG, "circle");
      ring.setAttribute("r", r);
      return ring;
    }));
  }
}
