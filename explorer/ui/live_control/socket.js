// The connection: at most one request under way and the newest one waiting, so that a slow model skips frames.
// The reply's layout is documented in explorer/ui/live_inference.py.

const HEADER_BYTES = 21;
const FAILURES_UNTIL_UNAVAILABLE = 2;
const LONGEST_WAIT = 15000;

function readFrame(buffer) {
  const view = new DataView(buffer);
  const [count, height, width, channels] = [4, 6, 8, 10].map((offset) => view.getUint16(offset, true));
  return {
    id: view.getUint32(0, true), count, height, width, channels,
    norm: view.getFloat32(12, true), projected: view.getUint8(16) === 1, milliseconds: view.getFloat32(17, true),
    pixels: new Uint8Array(buffer, HEADER_BYTES),
  };
}

class LiveSocket {
  /** `on`: {open, frame, error, waiting, unavailable}. */
  constructor(path, on) {
    Object.assign(this, { on, id: 0, failures: 0, inFlight: null, pending: null, closed: false });
    const url = new URL(path, window.location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.url = url.href;
    this.connect();
  }

  connect() {
    if (this.closed) return;
    this.socket = new WebSocket(this.url);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.opened();
    this.socket.onmessage = (message) => this.received(message.data);
    this.socket.onclose = (event) => this.lost(event);
  }

  opened() {
    this.inFlight = null;
    this.on.open();
    this.sendPending();
  }

  lost(event) {
    if (this.closed) return;
    this.inFlight = null;
    this.failures += 1;
    const wait = Math.min(LONGEST_WAIT, 400 * 2 ** (this.failures - 1));
    this.on.waiting(wait, event.reason);
    if (this.failures >= FAILURES_UNTIL_UNAVAILABLE) this.on.unavailable();
    this.timer = window.setTimeout(() => this.connect(), wait);
  }

  request(fields) {
    this.pending = fields;
    if (this.inFlight === null) this.sendPending();
  }

  sendPending() {
    if (!this.pending || this.socket.readyState !== WebSocket.OPEN) return;
    this.inFlight = this.id = (this.id + 1) % 4294967296;
    this.socket.send(JSON.stringify({ id: this.id, ...this.pending }));
    this.pending = null;
  }

  received(data) {
    this.failures = 0;
    this.inFlight = null;
    this.sendPending();
    if (data instanceof ArrayBuffer) this.on.frame(readFrame(data));
    else this.on.error(JSON.parse(data));
  }

  close() {
    this.closed = true;
    window.clearTimeout(this.timer);
    this.socket?.close();
  }
}
