// Labelled sliders with ticks, linear or logarithmic, that are dragged and released.

const POSITIONS = 1000; // of a logarithmic slider

/** For each control, as the dataclass Slider of live_budgets.py describes it, its row, input and output. */
function draggedSliders(controls, prefix, moved, released) {
  return controls.map((control) => {
    const row = element("div", "radius");
    const [label, output, scale, input, marks] = [element("label", "", control.name), element("output"), element("div", "scale"), element("input"), element("div", "ticks")];
    input.id = `${prefix}-${control.key}`;
    input.dataset.testid = input.id;
    label.htmlFor = input.id;
    output.dataset.testid = `${input.id}-value`;
    Object.assign(input, control.logarithmic ? { type: "range", min: 0, max: POSITIONS, step: 1 } : { type: "range", min: control.low, max: control.high, step: control.step });
    Object.assign(input, { disabled: Boolean(control.disabled) });
    row.title = control.disabled || control.help;
    scale.append(input, marks);
    row.append(label, output, scale);
    if (control.disabled) row.append(element("p", "why", control.disabled));
    listen(input, (position) => moved(control, fromPosition(control, position)), released);
    marks.replaceChildren(...control.ticks.map(({ at, text }) => {
      const tick = element("button", "", text);
      Object.assign(tick, { type: "button", disabled: Boolean(control.disabled) });
      tick.style.left = `${100 * shareOf(control, at)}%`;
      tick.addEventListener("click", () => { moved(control, at); released(); });
      return tick;
    }));
    return { control, row, input, output };
  });
}

function shareOf({ low, high, logarithmic }, value) {
  return logarithmic ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low || 1);
}

function fromPosition({ low, high, logarithmic }, position) {
  return logarithmic ? Number((low * (high / low) ** (position / POSITIONS)).toPrecision(3)) : position;
}
