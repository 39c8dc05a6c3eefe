// Rows of nested bars and marks on one axis. Bars beyond an end of the axis are cut there, and dotted.

const BAR_HEIGHTS = [20, 15, 10, 5];

const percent = (value, [low, high]) => (100 * (value - low)) / (high - low || 1);

function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  made.className = className;
  if (text) made.textContent = text;
  return made;
}

class IntervalRows {
  constructor(plot, axis) {
    Object.assign(this, { plot, axisPart: axis });
  }

  build(data) {
    this.data = data;
    this.rows = data.rows.map((name) => {
      const row = element("div", "row");
      const [label, track, number] = [element("span", "name", name), element("div", "track"), element("span", "number")];
      const lost = element("div", "lost");
      lost.style.width = `${clamp(percent(0, data.axis), 0, 100)}%`;
      const bars = data.bars.map((bar, index) => {
        const made = element("div", "bar");
        const height = BAR_HEIGHTS[Math.min(index, BAR_HEIGHTS.length - 1)];
        Object.assign(made.style, { background: bar.colour, height: `${height}px`, top: `${(26 - height) / 2}px` });
        return made;
      });
      const marks = data.marks.map((mark) => {
        const made = element("div", `mark ${mark.shape}`);
        made.style.background = mark.colour;
        return made;
      });
      track.append(lost, ...bars, ...marks);
      row.append(label, track, number);
      return { row, number, bars, marks };
    });
    this.plot.replaceChildren(...this.rows.map((each) => each.row));
    const [values, digits] = ticks(data.axis);
    this.axisPart.replaceChildren(...values.map((value) => {
      const made = element("span", "", formatNumber(value, digits));
      const place = percent(value, data.axis);
      made.style.left = `${place}%`;
      made.classList.toggle("first", place < 3);  // at an end it would stand outside, on the unit
      made.classList.toggle("last", place > 97);
      return made;
    }));
  }

  /** `shown`: {bars: {key: {values: [lower, upper], old}}, marks: {key: {values, old}}}. */
  draw(shown) {
    const { axis, bars, marks, number } = this.data;
    this.rows.forEach((row, index) => {
      bars.forEach((bar, i) => this.place(row.bars[i], shown.bars[bar.key], index, axis));
      marks.forEach((mark, i) => {
        const found = shown.marks[mark.key];
        row.marks[i].hidden = !found;
        if (!found) return;
        row.marks[i].style.left = `${clamp(percent(found.values[index], axis), 0, 100)}%`;
        row.marks[i].classList.toggle("old", found.old);
      });
      const lower = shown.bars[number]?.values[0][index];
      row.number.textContent = lower === undefined ? "" : `≥ ${formatNumber(lower, 2)}`;
      row.number.classList.toggle("bad", lower <= 0);
    });
  }

  place(bar, found, index, axis) {
    bar.hidden = !found;
    if (!found) return;
    const [low, high] = found.values.map((side) => percent(side[index], axis));
    const [left, right] = [clamp(low, 0, 100), clamp(high, 0, 100)];
    Object.assign(bar.style, { left: `${left}%`, width: `${Math.max(right - left, 0.3)}%` });
    bar.classList.toggle("cut-low", low < 0);
    bar.classList.toggle("cut-high", high > 100);
    bar.classList.toggle("old", found.old);
  }
}

/** A few round numbers on an axis, and how many decimals they have. */
function ticks([low, high]) {
  const raw = (high - low) / 6 || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((each) => each * power >= raw);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) found.push(Math.round(value / step) * step);
  return [found, Math.max(0, -Math.floor(Math.log10(step) + 1e-9))];
}
