// The point u, the radius and the view: what is dragged, and what is committed to Python.

class Point {
  constructor(latentDim) {
    Object.assign(this, { k: latentDim, u: new Float64Array(latentDim), radius: 0, view: "one", axes: [0, 1] });
  }

  adopt({ delta, radius, view, axes }) {
    this.u = Float64Array.from(delta);
    Object.assign(this, { radius, view, axes: [...axes] });
  }

  along(direction) {
    return dot(this.u, direction);
  }

  setAlong(direction, value) {
    this.u = alongBy(this.u, direction, value - this.along(direction));
  }

  /** What is on screen: never outside the ball. */
  shown() {
    return project(this.u, this.radius);
  }

  isOutside() {
    return norm(this.u) > this.radius * (1 + 1e-6);
  }

  /** On release the point itself moves to where the picture is. */
  settle() {
    this.u = this.shown();
  }

  nearest(examples) {
    const far = (example) => distance(this.u, example.delta);
    return examples.reduce((best, each) => (far(each) < far(best) ? each : best));
  }

  state() {
    return { delta: [...this.u], radius: this.radius, view: this.view, axes: [...this.axes] };
  }
}
