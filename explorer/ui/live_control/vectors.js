// Vectors of the latent space, as plain Float64Arrays.

const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
const norm = (a) => Math.sqrt(dot(a, a));
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const alongBy = (u, direction, step) => u.map((value, i) => value + step * direction[i]);

/** The nearest point of the ball: every frame and every committed point lies there. */
function project(u, radius) {
  const length = norm(u);
  return length > radius ? u.map((value) => (value * radius) / length) : u;
}

/** How far one may go along a unit direction before leaving the ball, all else kept. */
function reachAlong(u, direction, radius) {
  const along = dot(u, direction);
  return Math.sqrt(Math.max(0, radius * radius - Math.max(0, dot(u, u) - along * along)));
}

function distance(a, b) {
  return norm(a.map((value, i) => value - b[i]));
}

function unit(k, index) {
  const direction = new Float64Array(k);
  direction[index] = 1;
  return direction;
}

/** count × k float32 numbers, little-endian, in base64: directions and examples travel in this form. */
function readVectors(base64, k) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const numbers = new Float32Array(bytes.buffer);
  return Array.from({ length: k ? numbers.length / k : 0 }, (_, i) => Float64Array.from(numbers.subarray(i * k, i * k + k)));
}

/** One vector in that form: for many coordinates a third of the same as JSON numbers. */
function packVector(u) {
  const bytes = new Uint8Array(Float32Array.from(u).buffer);
  let text = "";
  for (let start = 0; start < bytes.length; start += 4096) text += String.fromCharCode(...bytes.subarray(start, start + 4096));
  return btoa(text);
}

function formatNumber(value, digits = 2) {
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}
