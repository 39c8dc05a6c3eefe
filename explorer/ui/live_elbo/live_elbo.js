// What LiveIntervals shows of ELBOs beyond their brackets: every number in a table, and how wide the latents' intervals are.

const SVG = "http://www.w3.org/2000/svg";
const showIntervals = LiveIntervals.prototype.show;

Object.assign(LiveIntervals.prototype, {
  show() {
    showIntervals.call(this);
    this.showLowerEnds();
    const sources = [this.live, this.data.committed].filter((values) => values?.latents);
    const at = sources.find((values) => Math.abs(values.radius - this.radius) < 1e-9) ?? sources[0];
    this.showNumbers(at);
    if (at) this.showLatents(at.latents);
  },

  /** A bound is rounded to its safe side, and a huge one is short. */
  showLowerEnds() {
    const lower = this.newest("bars")[this.data.number]?.values[0];
    if (lower) this.rows.rows.forEach((row, index) => { row.number.textContent = `≥ ${written(lower[index], 2, Math.floor)}`; });
  },

  showNumbers(at) {
    const { data } = this;
    const [bars, marks] = [this.newest("bars"), this.newest("marks")];
    const bar = data.bars[0];
    const side = (sign, index) => ({ round: [Math.floor, Math.ceil][index], key: `${bar.key}-${sign}`, name: `${bar.name}\u00a0${sign}`, found: bars[bar.key] && { old: bars[bar.key].old, values: bars[bar.key].values[index] } });
    const columns = [side("≥", 0), ...data.marks.map((mark) => ({ ...mark, found: marks[mark.key] })), side("≤", 1)].filter((column) => column.found);
    if (at) columns.push({ key: "width", name: "interval of the latent mean: mean width", found: { values: at.latents.map(({ width }) => mean(width)) }, digits: 3 });
    const head = element("tr");
    head.append(element("th", "", "model"), ...columns.map((column) => element("th", "", column.name)));
    const rows = data.rows.map((name, index) => {
      const row = element("tr");
      row.append(element("th", "", name), ...columns.map((column) => {
        const cell = element("td", column.found.old ? "old" : "", written(column.found.values[index], column.digits ?? 2, column.round));
        cell.dataset.testid = `elbo-${column.key}-${index}`;
        return cell;
      }));
      return row;
    });
    this.beside("numbers").replaceChildren(head, ...rows);
  },

  showLatents(latents) {
    if (this.charts?.length !== latents.length || this.charts[0].names !== this.data.rows) {
      this.charts = latents.map((_, index) => new LatentCharts(this.data.rows, index));
      this.beside("latents").replaceChildren(...this.charts.map((charts) => charts.root));
    }
    latents.forEach((each, index) => this.charts[index].draw(each));
  },

  beside(part) {
    return this.root.parentElement.querySelector(`[data-beside="${part}"]`);
  },
});

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

function written(value, digits, round = Math.round) {
  if (Math.abs(value) >= 1e5) return value.toExponential(1).replace("e+", "e").replace("-", "−");
  return formatNumber(round(value * 10 ** digits) / 10 ** digits, digits);
}

/** One model's intervals by dimension, on logarithmic scales that hold still: of the mean their widths, of σ from end to end. */
class LatentCharts {
  constructor(names, index) {
    this.names = names;
    this.root = element("figure", "latent");
    this.root.dataset.testid = `elbo-latents-${index}`;
    this.root.append(element("strong", "", names[index]));
    [this.width, this.sigma] = [new LogChart(1e-3, 10), new LogChart(1e-2, 100)];
    for (const chart of [this.width, this.sigma]) this.root.append(chart.caption, chart.root);
  }

  draw({ width, sigma: [low, high] }) {
    const widest = width.indexOf(Math.max(...width));
    this.width.draw(width.map((value) => [0, value]), `width of the mean's interval, widest ${written(width[widest], 3)} (dimension ${widest})`);
    this.sigma.draw(low.map((value, i) => [value, high[i]]), `interval of σ, from ${written(Math.min(...low), 3)} to ${written(Math.max(...high), 3)}`);
  }
}

class LogChart {
  constructor(low, high) {
    Object.assign(this, { low, high, root: element("div", "chart"), caption: element("figcaption"), path: document.createElementNS(SVG, "path") });
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("preserveAspectRatio", "none");
    this.svg.append(this.path);
    this.root.append(this.svg, element("span", "scale-end", String(high)), element("span", "scale-end low", String(low)));
  }

  draw(spans, text) {
    const y = (value) => 100 * (1 - clamp(Math.log(value / this.low) / Math.log(this.high / this.low), 0, 1));
    this.svg.setAttribute("viewBox", `0 0 ${spans.length} 100`);
    this.path.setAttribute("d", spans.map(([low, high], i) => {
      const [bottom, top] = [y(low), y(high)];
      return `M${i + 0.12} ${(low ? Math.max(bottom, top + 3) : bottom).toFixed(1)}V${top.toFixed(1)}H${i + 0.88}V${(low ? Math.max(bottom, top + 3) : bottom).toFixed(1)}z`;
    }).join(""));
    this.caption.textContent = text;
  }
}
