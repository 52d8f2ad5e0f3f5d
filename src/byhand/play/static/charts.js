// The pictures beside the network: output with the points, loss by epoch, gradients by layer, histograms of z.

import { el, number, setText, significant, subscript, svg } from "byhand/dom";
import { bytesOf, paint } from "byhand/picture";

// Output

const sized = (width, height, ticks, left = 44, below = 38) => ({ width, height, ticks, left, top: 8, inner: { width: width - left - 10, height: height - 8 - below }, bare: below < 30 });
const SIZES = { large: sized(340, 300, 5, 54), beside: sized(200, 190, 3, 54), small: sized(176, 168, 2, 26, 24) };

/** One picture of what the network gives; `on` has point(sampleIndex) and place(x, y). */
export class OutputPlot {
  constructor(title, on, size = null) {
    this.on = on;
    this.fixed = size;
    this.title = el("h3", {}, title);
    this.canvas = el("canvas");
    this.body = el("div");
    this.element = el("div", { class: "plot" }, this.title, this.body);
    this.key = null;
  }

  render(run, view, beside) {
    this.title.hidden = !beside;
    const size = SIZES[this.fixed ?? (beside ? "beside" : "large")];
    const { answer, data } = run;
    if (!answer.surfaces) return this.renderOutputs(run, view);
    const line = answer.surfaces.up === 1;
    const yRange = line ? lineRange(answer, data) : answer.surfaces.y_range;
    const scales = { x: scale(answer.surfaces.x_range, size.left, size.inner.width), y: scale(yRange, size.top + size.inner.height, -size.inner.height) };
    const key = JSON.stringify([line, answer.surfaces.x_range, yRange, data.id, answer.threshold == null, beside]);
    if (key !== this.key) this.build(size, scales, yRange, answer, data, line);
    this.key = key;
    this.run = run;
    if (line) {
      const { low, high } = answer.surfaces.units.at(-1)[0];
      const bytes = bytesOf(answer.surfaces.units.at(-1)[0]);
      const [from, to] = answer.surfaces.x_range;
      this.curve.setAttribute("d", Array.from(bytes, (byte, i) =>
        `${i ? "L" : "M"}${scales.x.at(from + (to - from) * i / (bytes.length - 1)).toFixed(1)} ${clampTo(size, scales.y.at(low + (high - low) * byte / 255))}`).join(""));
    } else {
      paint(this.canvas, answer.surfaces.units.at(-1)[0], answer.surfaces);
      this.border.setAttribute("d", answer.threshold == null ? "" : contour(answer.surfaces, answer.threshold, scales));
    }
    const chosen = data.train.x[answer.batch[answer.sample]];
    const target = data.train.y[answer.batch[answer.sample]];
    this.ring.setAttribute("cx", scales.x.at(chosen[0]));
    this.ring.setAttribute("cy", scales.y.at(line ? target[0] : chosen[1]));
    this.picture.setAttribute("aria-label", this.describe(run));
  }

  describe({ answer, data }) {
    const right = answer.train_right == null ? "" : ` ${significant(100 * answer.train_right, 3)} % of the training points are on their side.`;
    return `${answer.surfaces.up === 1 ? "Output over the input" : "Output over the plane of the inputs"}, with ${data.train.x.length} training points and ${data.test.x.length} test points.${right}`;
  }

  build(size, scales, yRange, answer, data, line) {
    Object.assign(this, { size, scales });
    const percent = (part, whole) => `${100 * part / whole}%`;
    Object.assign(this.canvas.style, {
      left: percent(size.left, size.width), top: percent(size.top, size.height),
      width: percent(size.inner.width, size.width), height: percent(size.inner.height, size.height),
    });
    this.canvas.hidden = line;
    this.border = svg("path", { class: "border" });
    this.curve = svg("path", { class: "curve" });
    this.ring = svg("circle", { class: "ring", r: 9 });
    this.picture = svg("svg", { viewBox: `0 0 ${size.width} ${size.height}`, role: "img", click: (event) => this.clicked(event) },
      this.border, ...axes(size, scales, answer.surfaces.x_range, yRange, line ? ["x", "y and ŷ"] : ["x₁", "x₂"]));
    const points = svg("g");
    for (const [set, isTest] of [[data.test, true], [data.train, false]]) {
      set.x.forEach((x, i) => points.append(this.point(scales.x.at(x[0]), scales.y.at(line ? set.y[i][0] : x[1]), line || answer.threshold == null ? null : set.y[i][0], isTest, i)));
    }
    this.picture.append(points, this.curve, this.ring);
    this.body.replaceChildren(el("div", { class: "frame" }, this.canvas, this.picture));
  }

  point(x, y, label, isTest, index) {
    const shape = label === 1
      ? svg("rect", { x: x - 4.5, y: y - 4.5, width: 9, height: 9 })
      : svg("circle", { cx: x, cy: y, r: label == null ? 3.5 : 5 });
    shape.setAttribute("class", `point ${label == null ? "plain" : label === 1 ? "one" : "zero"}${isTest ? " test" : ""}`);
    if (!isTest) shape.addEventListener("click", (event) => { if (this.on.point(index)) event.stopPropagation(); });
    return shape;
  }

  clicked(event) {
    const box = this.picture.getBoundingClientRect();
    const { left, top, width, height, inner } = this.size;
    const x = (event.clientX - box.left) * width / box.width;
    const y = (event.clientY - box.top) * height / box.height;
    if (x < left || x > left + inner.width || y < top || y > top + inner.height) return;
    this.on.place(this.scales.x.from(x), this.scales.y.from(y));
  }

  /** More inputs than a plane has: what each output says to the sample that is shown. */
  renderOutputs({ answer, config }, view) {
    this.key = null;
    const outputs = answer.layers.at(-1).a;
    const logits = config.training.loss === "cross_entropy_from_logits";
    const largest = Math.max(...outputs);
    const exponentials = outputs.map((z) => Math.exp(z - largest));
    const total = exponentials.reduce((a, b) => a + b, 0);
    const shares = logits ? exponentials.map((e) => e / total) : outputs.map((a) => Math.min(1, Math.abs(a)));
    const right = answer.y.length > 1 ? answer.y.indexOf(1) : -1;
    const bars = outputs.flatMap((a, i) => {
      const fill = el("span");
      fill.style.width = `${100 * shares[i]}%`;
      fill.style.background = i === right ? "var(--ink)" : "var(--edge)";
      return [el("span", {}, `${outputs.length > 1 ? i : "ŷ"}${i === right ? " ✓" : ""}`), el("div", { class: "bar" }, fill), el("span", {}, view.hide ? "?" : number(logits ? shares[i] : a))];
    });
    this.body.replaceChildren(el("p", { class: "note" }, logits ? "Probability of each class, for the sample that is shown (✓ is the target)" : "Outputs for the sample that is shown"), el("div", { class: "bars" }, ...bars));
  }
}

function scale([low, high], start, length) {
  return { at: (value) => start + length * (value - low) / (high - low), from: (at) => low + (high - low) * (at - start) / length };
}

const clampTo = ({ top, inner }, y) => Math.max(top - 2, Math.min(top + inner.height + 2, y)).toFixed(1);

function lineRange(answer, data) {
  const values = [...data.train.y, ...data.test.y].map(([y]) => y);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = 0.35 * (high - low) || 1;
  return [low - margin, high + margin];
}

function ticks([low, high], count = 5) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const values = [];
  for (let v = Math.ceil(low / step) * step; v <= high + 1e-9 * step; v += step) values.push(Math.abs(v) < step / 1e6 ? 0 : Number(v.toPrecision(10)));
  return values;
}

function axes({ left, top, inner, bare, ticks: count }, scales, xRange, yRange, [xLabel, yLabel]) {
  const bottom = top + inner.height;
  const middle = top + inner.height / 2;
  return [
    svg("rect", { x: left, y: top, width: inner.width, height: inner.height, fill: "none", class: "axis" }),
    ...ticks(xRange, count).map((v) => svg("text", { class: "tick", x: scales.x.at(v), y: bottom + 15, "text-anchor": "middle" }, number(v))),
    ...ticks(yRange, count).map((v) => svg("text", { class: "tick", x: left - 6, y: scales.y.at(v) + 4, "text-anchor": "end" }, number(v))),
    ...(bare ? [] : [svg("text", { class: "axis-label", x: left + inner.width / 2, y: bottom + 32, "text-anchor": "middle" }, xLabel),
    svg("text", { class: "axis-label", x: 12, y: middle, "text-anchor": "middle", transform: `rotate(-90 12 ${middle})` }, yLabel)]),
  ];
}

/** The line where the output crosses a value: in each cell of the grid, from side to side. */
function contour({ across, up, x_range, y_range, units }, value, scales) {
  const surface = units.at(-1)[0];
  const bytes = bytesOf(surface);
  if (!(surface.low < value && value < surface.high) || surface.high - surface.low < 1e-9) return "";  // what is flat but for round-off has none
  const level = 255 * (value - surface.low) / (surface.high - surface.low);
  const x = (i) => scales.x.at(x_range[0] + (x_range[1] - x_range[0]) * i / (across - 1)).toFixed(1);
  const y = (j) => scales.y.at(y_range[0] + (y_range[1] - y_range[0]) * j / (up - 1)).toFixed(1);
  let path = "";
  for (let j = 0; j < up - 1; j++) {
    for (let i = 0; i < across - 1; i++) {
      const k = j * across + i;
      const corners = [bytes[k], bytes[k + 1], bytes[k + across + 1], bytes[k + across]];
      const crossing = (p, q) => (corners[p] > level) !== (corners[q] > level) ? (level - corners[p]) / (corners[q] - corners[p]) : null;
      const sides = [[0, 1, (t) => [i + t, j]], [1, 2, (t) => [i + 1, j + t]], [2, 3, (t) => [i + 1 - t, j + 1]], [3, 0, (t) => [i, j + 1 - t]]];
      const hits = sides.map(([p, q, at]) => { const t = crossing(p, q); return t == null ? null : at(t); }).filter(Boolean);
      for (let h = 0; h + 1 < hits.length; h += 2) path += `M${x(hits[h][0])} ${y(hits[h][1])}L${x(hits[h + 1][0])} ${y(hits[h + 1][1])}`;
    }
  }
  return path;
}

// Loss

/** The loss by epoch of one run or two; its axes are never empty, and grow in decades, so that curves seldom move. */
export class LossChart {
  constructor(container, { width, height, reading = false }) {
    Object.assign(this, { container, width, height, reading });
    this.key = null;
  }

  /** `curves` are [{epochs, train, test, name}]; `scale` is "auto", "linear" or "log". */
  render(curves, scaleName) {
    const key = JSON.stringify([curves.map(({ epochs, train, name }) => [epochs.length, epochs.at(-1), train.at(-1), train[0], name]), scaleName, this.width]);
    if (key === this.key) return;
    this.key = key;
    const { width, height } = this;
    const values = curves.flatMap(({ train, test }) => [...train, ...test]).filter((v) => v != null && Number.isFinite(v));
    const last = Math.max(...curves.map(({ epochs }) => epochs.at(-1)));
    const y = axisOf(values, scaleName);
    const right = 10 ** Math.max(1, Math.ceil(Math.log10(Math.max(last, 1))));
    const box = { left: this.width < 200 ? 30 : y.ticks.some((v) => number(v).length > 5) ? 62 : 46, right: width - 12, top: 12, bottom: height - 24 };
    const across = (epoch) => box.left + (box.right - box.left) * epoch / right;
    const up = (loss) => box.bottom - (box.bottom - box.top) * Math.max(-0.02, Math.min(1.04, y.at(loss)));
    const path = (epochs, losses) => {
      let started = false;
      return epochs.map((epoch, i) => {
        if (losses[i] == null || (y.log && losses[i] <= 0)) { started = false; return ""; }
        const point = `${started ? "L" : "M"}${across(epoch).toFixed(1)} ${up(losses[i]).toFixed(1)}`;
        started = true;
        return point;
      }).join("");
    };
    const lines = curves.flatMap(({ epochs, train, test, name }, i) => [
      svg("path", { class: `loss run-${i}`, d: path(epochs, train) }),
      test.some((v) => v != null) ? svg("path", { class: `loss test run-${i}`, d: path(epochs, test) }) : null,
      train.at(-1) == null ? null : svg("circle", { class: `now run-${i}`, r: 5, cx: across(epochs.at(-1)), cy: up(y.log && train.at(-1) <= 0 ? y.low : train.at(-1)) }),
      name ? svg("text", { class: "tick", x: Math.min(box.right, across(epochs.at(-1)) + 10), y: up(train.at(-1) ?? 0) - 8, "text-anchor": "end" }, name) : null,
    ]);
    const readout = svg("text", { class: "tick", x: box.right, y: box.top + 2, "text-anchor": "end" });
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "chart-svg", role: "img", "aria-label": curves.map(({ epochs, train, name }) => `${name ? `${name}: ` : ""}loss ${number(train[0])} at epoch ${epochs[0]}, ${number(train.at(-1))} at epoch ${epochs.at(-1)}`).join("; ") },
      svg("path", { class: "axis-line", d: `M${box.left} ${box.top}V${box.bottom}H${box.right}` }),
      ...y.ticks.flatMap((v) => [svg("path", { class: "grid", d: `M${box.left} ${up(v)}H${box.right}` }), svg("text", { class: "tick", x: box.left - 6, y: up(v) + 5, "text-anchor": "end" }, number(v))]),
      svg("text", { class: "tick", x: box.left, y: height - 5, "text-anchor": "middle" }, "0"),
      svg("text", { class: "tick", x: box.right, y: height - 5, "text-anchor": "end" }, `epoch ${right.toLocaleString("en")}`),
      ...lines, readout);
    if (this.reading) {
      const [{ epochs, train }] = curves;
      picture.addEventListener("pointermove", (event) => {
        const frame = picture.getBoundingClientRect();
        const epoch = right * ((event.clientX - frame.left) * width / frame.width - box.left) / (box.right - box.left);
        const i = epochs.findLastIndex((e) => e <= Math.max(0, epoch));
        setText(readout, i >= 0 ? `epoch ${epochs[i]}: ${number(train[i])}` : "");
      });
      picture.addEventListener("pointerleave", () => setText(readout, ""));
    }
    this.container.replaceChildren(picture);
  }
}

const WIDE = 30;  // beyond such a ratio of the largest to the smallest loss an axis is logarithmic by itself

/** Where a value stands between 0 and 1 on an axis that holds all, and what is written at it. */
export function axisOf(values, scaleName) {
  const positive = values.filter((v) => v > 0);
  const [low, high] = [Math.min(...positive), Math.max(...positive, 1e-12)];
  if (positive.length && (scaleName === "log" || (scaleName === "auto" && high / low > WIDE))) {
    const [from, to] = [Math.floor(Math.log10(low)), Math.max(Math.ceil(Math.log10(high)), Math.floor(Math.log10(low)) + 1)];
    const every = Math.ceil((to - from) / 4);
    const ticks = Array.from({ length: to - from + 1 }, (_, i) => from + i).filter((power) => (power - from) % every === 0).map((power) => 10 ** power);
    return { log: true, low: 10 ** from, at: (v) => (Math.log10(v) - from) / (to - from), ticks };
  }
  const rough = Math.max(high, 1e-12) * 1.05;
  const power = 10 ** Math.floor(Math.log10(rough));
  const [top, unit] = [[1.2, 1], [2, 1], [3, 1], [5, 2], [10, 5]].map(([m, u]) => [m * power, u * power]).find(([v]) => v >= rough);
  return { log: false, low: 0, at: (v) => v / top, ticks: [0, unit] };
}

// Gradients and histograms

/** Bars of fixed logarithmic length, from 10⁻⁶ to 10: an exact 0 has none. */
export function gradientBars(container, { grad_norms: norms }, known) {
  const share = (norm) => (norm > 0 ? Math.max(0.02, Math.min(1, (Math.log10(norm) + 6) / 7)) : 0);
  if (container.childElementCount !== 1 || container.firstChild.childElementCount !== 3 * norms.length) {
    container.replaceChildren(el("div", { class: "bars" }, ...norms.flatMap((_, i) =>
      [el("span", {}, i === norms.length - 1 ? "Output" : `Layer ${i + 1}`), el("div", { class: "bar", "aria-hidden": "true" }, el("span")), el("b")])));
  }
  const cells = container.firstChild.children;
  norms.forEach((norm, i) => {
    cells[3 * i + 1].firstChild.style.width = `${known ? 100 * share(norm) : 0}%`;
    setText(cells[3 * i + 2], known ? number(norm) : "·");
  });
  container.title = "‖∂L/∂W, ∂L/∂b‖ of each layer; the bars go from 10⁻⁶ to 10, logarithmically";
}

const HISTOGRAM = { width: 150, height: 92, bottom: 16 };

export function histograms(container, answer) {
  const key = answer.layers.length;
  if (container.childElementCount !== 1 || container.firstChild.childElementCount !== key) {
    container.replaceChildren(el("div", { class: "histograms" }, ...answer.layers.map((_, i) =>
      el("div", {}, el("span", { class: "note" }, i === key - 1 ? "Output" : `Layer ${i + 1}`),
        svg("svg", { viewBox: `0 0 ${HISTOGRAM.width} ${HISTOGRAM.height}`, role: "img" },
          ...Array.from({ length: 20 }, () => svg("rect", { width: 6.4 })), svg("path", { class: "axis" }),
          svg("text", { class: "tick", x: 2, y: HISTOGRAM.height - 3 }), svg("text", { class: "tick", x: HISTOGRAM.width - 2, y: HISTOGRAM.height - 3, "text-anchor": "end" }),
          svg("text", { class: "tick", y: HISTOGRAM.height - 3, "text-anchor": "middle" }))))));
  }
  answer.layers.forEach((layer, i) => {
    const picture = container.firstChild.children[i].lastChild;
    const [low, high] = layer.histogram_range;
    const most = Math.max(1, ...layer.histogram);
    const base = HISTOGRAM.height - HISTOGRAM.bottom;
    Array.from(picture.querySelectorAll("rect")).forEach((rect, k) => {
      const height = ((layer.histogram[k] ?? 0) / most) * (base - 4);
      rect.setAttribute("x", (2 + k * 7.3).toFixed(1));
      rect.setAttribute("y", (base - height).toFixed(1));
      rect.setAttribute("height", height.toFixed(1));
    });
    const zero = low < 0 && high > 0 ? 2 + 146 * (0 - low) / (high - low) : null;
    picture.querySelector("path").setAttribute("d", `M2 ${base}H148${zero == null ? "" : `M${zero} 2V${base}`}`);
    const [left, right, middle] = picture.querySelectorAll("text");
    setText(left, significant(low, 2));
    setText(right, significant(high, 2));
    middle.setAttribute("x", zero ?? 0);
    setText(middle, zero != null && zero > 48 && zero < 102 ? "0" : "");
    picture.setAttribute("aria-label", `Histogram of z of layer ${i + 1} on the training samples, from ${number(low)} to ${number(high)}`);
  });
}

export const inputName = (layer, i, picture) => (layer > 0 ? `a of unit ${i + 1}` : picture ? `pixel ${i + 1}` : `x${subscript(i + 1)}`);
