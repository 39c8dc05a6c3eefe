// Rows of a label, a slider and its value. A signed slider is filled from its middle.

/** Only what changed touches the page: restyling all sliders for each move costs more than the decoding. */
function showSlider(input, value, text) {
  if (!input.dataset.held) input.value = value;
  const share = clamp((value - input.min) / (input.max - input.min || 1), 0, 1).toFixed(4);
  if (input.dataset.share === share) return;
  input.dataset.share = share;
  const origin = input.classList.contains("signed") ? 0.5 : 0;
  input.style.setProperty("--from", Math.min(share, origin));
  input.style.setProperty("--to", Math.max(share, origin));
  input.setAttribute("aria-valuetext", text);
}

function showText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Calls `moved` for each step, and `released` once: on pointer or key release, or for a step made by other means. */
function listen(input, moved, released) {
  let [keyDown, stepped] = [false, false];
  const release = () => {
    keyDown = false;
    delete input.dataset.held;
    if (stepped) released();
    stepped = false;
  };
  input.addEventListener("pointerdown", () => { input.dataset.held = "1"; });
  input.addEventListener("keydown", (event) => { keyDown = /^(Arrow|Page|Home|End)/.test(event.key); });
  input.addEventListener("input", () => { stepped = true; moved(Number(input.value)); });
  input.addEventListener("change", () => { if (!keyDown) release(); });
  for (const type of ["pointerup", "pointercancel", "keyup", "blur"]) input.addEventListener(type, release);
}

function sliderRow(direction, index) {
  const row = document.createElement("div");
  row.className = "row";
  const label = document.createElement("label");
  const [name, share, input, output] = ["span", "small", "input", "output"].map((tag) => document.createElement(tag));
  name.textContent = direction.name;
  share.textContent = `${formatNumber(100 * direction.share, 1)} %`;
  share.title = "share of the variance along this direction";
  const { extent } = direction;
  Object.assign(input, { type: "range", min: -extent, max: extent, step: extent / 200 || 1, className: "signed" });
  input.dataset.testid = `live-direction-${index + 1}`;
  input.setAttribute("aria-label", `${direction.name}, ${share.textContent} of the variance`);
  label.append(name, share);
  row.append(label, input, output);
  return { row, input, output };
}

/** Tick marks at the percentile radii. Labels that would touch go to a second or third line. */
function placeTicks(container, percentiles, epsilon, choose) {
  const entries = Object.entries(percentiles).filter(([, r]) => r >= 0 && r <= epsilon * 1.0001).sort((a, b) => a[1] - b[1]);
  const width = container.clientWidth || 300;
  const lastOnLine = [-Infinity, -Infinity, -Infinity];
  container.replaceChildren(...entries.map(([name, r]) => {
    const share = epsilon > 0 ? Math.min(1, r / epsilon) : 0;
    const tick = document.createElement("button");
    tick.type = "button";
    tick.style.left = `${100 * share}%`;
    tick.textContent = `${name} %`;
    tick.dataset.testid = `live-percentile-${name}`;
    tick.title = `radius ${formatNumber(r)}: ${name} % of the pairs lie within it`;
    tick.setAttribute("aria-label", `Set the radius to the ${name} % percentile, ${formatNumber(r)}`);
    const free = lastOnLine.findIndex((last) => share * width - last >= 38);
    const line = free < 0 ? 0 : free;
    lastOnLine[line] = share * width;
    tick.classList.toggle("second", line === 1);
    tick.classList.toggle("third", line === 2);
    tick.classList.toggle("end", share * width > width - 14);
    tick.addEventListener("click", () => choose(Math.min(r, epsilon)));
    return tick;
  }));
  container.classList.toggle("two-lines", lastOnLine[1] >= 0);
  container.classList.toggle("three-lines", lastOnLine[2] >= 0);
}
