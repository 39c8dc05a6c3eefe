// The connection of a control that is answered in numbers: the newest request wins, and a rerun of the page brings back a scene that has
// expired. Who takes these has root, parts, data and commitState, and says what it asks(), its state() and how to show() what came.

const EXPIRED_ATTEMPTS = 10;

const ANSWERED_IN_NUMBERS = {
  beginConnection() {
    Object.assign(this, { frames: 0, times: [], socketState: "open", asked: 0, live: null });
  },

  connect() {
    this.socket?.close();
    this.socket = new LiveSocket(this.data.path, {
      open: () => this.connected(),
      frame: () => {},
      error: (reply) => this.answered(reply),
      waiting: (wait) => this.disconnected(wait),
      unavailable: () => this.socketBecame("unavailable"),
    });
  },

  connected() {
    this.root.dataset.connected = "true";
    this.parts.connection.textContent = "live";
    if (this.socketState === "unavailable") this.socketBecame("open");
    this.request();
  },

  disconnected(wait) {
    this.root.dataset.connected = "false";
    this.parts.connection.textContent = `not connected; trying again in ${Math.max(1, Math.round(wait / 1000))} s`;
  },

  socketBecame(state) {
    if (this.socketState === state) return;
    this.socketState = state;
    this.commit();
  },

  request() {
    this.socket?.request({ scene: this.data.token, view: "numbers", ...this.asks() });
  },

  commit() {
    this.commitState({ ...this.state(), revision: this.data.revision, socket: this.socketState });
  },

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
  },

  /** A rerun of the page registers the scene again. */
  askForScene() {
    if (this.asked >= EXPIRED_ATTEMPTS) return;
    this.asked += 1;
    this.commitState({ ...this.state(), revision: this.data.revision, socket: "expired", asked: this.asked });
  },

  fail(text) {
    this.parts.error.textContent = text;
    this.parts.error.hidden = !text;
  },

  close() {
    this.socket?.close();
  },
};
