// A radius that is dragged: asks for the intervals of each radius, and commits the last one on release.

const EXPIRED_ATTEMPTS = 10;

class LiveIntervals {
  constructor(root) {
    this.root = root;
    this.parts = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
    this.rows = new IntervalRows(this.parts.plot, this.parts.axis);
    Object.assign(this, { frames: 0, times: [], socketState: "open", asked: 0, live: null });
    listen(this.parts.slider, (value) => this.move(value), () => this.commit());
  }

  /** A rerun of the page. The radius is taken over only with a new revision: a commit must not make it jump. */
  update(data, commitState) {
    const before = this.data;
    const changed = (...names) => !before || names.some((name) => JSON.stringify(before[name]) !== JSON.stringify(data[name]));
    const [adopted, rebuilt, asks, connects] = [changed("revision"), changed("rows", "bars", "marks", "axis", "number"), changed("token", "revision"), changed("path")];
    Object.assign(this, { data, commitState });
    Object.assign(this.parts.slider, { max: data.reach, step: data.step });
    if (adopted) Object.assign(this, { radius: data.radius, live: null });
    if (rebuilt) this.rows.build(data);
    this.parts.unit.textContent = data.unit;
    this.parts["number-of"].textContent = data.bars.find((bar) => bar.key === data.number)?.name ?? "";
    if (changed("ticks", "reach")) this.buildTicks();
    if (connects) this.connect();
    else if (asks) this.request();
    this.show();
  }

  buildTicks() {
    this.parts.ticks.replaceChildren(...this.data.ticks.map(({ radius, text }) => {
      const tick = element("button", "", text);
      tick.type = "button";
      tick.style.left = `${(100 * radius) / this.data.reach}%`;
      tick.addEventListener("click", () => { this.move(radius); this.commit(); });
      return tick;
    }));
  }

  connect() {
    this.socket?.close();
    this.socket = new LiveSocket(this.data.path, {
      open: () => this.connected(),
      frame: () => {},
      error: (reply) => this.answered(reply),
      waiting: (wait) => this.disconnected(wait),
      unavailable: () => this.socketBecame("unavailable"),
    });
  }

  connected() {
    this.root.dataset.connected = "true";
    this.parts.connection.textContent = "live";
    if (this.socketState === "unavailable") this.socketBecame("open");
    this.request();
  }

  disconnected(wait) {
    this.root.dataset.connected = "false";
    this.parts.connection.textContent = `not connected; trying again in ${Math.max(1, Math.round(wait / 1000))} s`;
  }

  socketBecame(state) {
    if (this.socketState === state) return;
    this.socketState = state;
    this.commit();
  }

  request() {
    this.socket?.request({ scene: this.data.token, view: "numbers", delta: [], radius: this.radius });
  }

  move(radius) {
    this.radius = clamp(radius, 0, this.data.reach);
    this.request();
    this.show();
  }

  commit() {
    this.commitState({ radius: this.radius, revision: this.data.revision, socket: this.socketState });
  }

  answered(reply) {
    this.fail(reply.error ?? "");
    if (reply.expired) return this.askForScene();
    if (reply.error) return undefined;
    this.asked = 0;
    this.live = reply.values;
    this.frames += 1;
    const at = performance.now();
    this.times = [...this.times.filter((time) => time > at - 1000), at];
    const rate = this.times.length > 3 ? `${Math.round(((this.times.length - 1) * 1000) / (at - this.times[0]))} a second · ` : "";
    this.parts.speed.textContent = `${rate}computed in ${reply.milliseconds.toFixed(0)} ms`;
    this.root.dataset.frames = this.frames;
    this.show();
    this.root.dispatchEvent(new CustomEvent("live-frame", { detail: { id: reply.id, at, radius: reply.values.radius }, bubbles: true, composed: true }));
    return undefined;
  }

  /** A rerun of the page registers the scene again. */
  askForScene() {
    if (this.asked >= EXPIRED_ATTEMPTS) return;
    this.asked += 1;
    this.commitState({ radius: this.radius, revision: this.data.revision, socket: "expired", asked: this.asked });
  }

  fail(text) {
    this.parts.error.textContent = text;
    this.parts.error.hidden = !text;
  }

  close() {
    this.socket?.close();
  }
}
