// Below the explanation: the last known answers or the output over the plane, the loss so far, the gradients by layer.

import { $, el, number, setText, svg } from "byhand/dom";
import { LossChart, OutputPlot, gradientBars } from "byhand/charts";
import { nudgedOf, slopeChart } from "byhand/slope";

const FEW = 6;

export class Foot {
  constructor() {
    this.plot = new OutputPlot("", { point: () => false, place: () => {} }, "small");
    this.loss = new LossChart(el("div"), { width: 230, height: 156 });
    this.bars = el("div");
    this.title = el("h3");
    this.left = el("div", {}, this.title, el("div"));
    this.right = el("div", {}, el("h3"), el("div"));
    $("foot").replaceChildren(this.left, this.right, this.bars);
  }

  /** `tells` is whether a story is told: where it has come to a later epoch, its loss is what it tells of. */
  render(scene, view, curves, tells) {
    const { run, answer, knows, sizes } = scene;
    const body = this.left.lastChild;
    const asTable = sizes.at(-1) === 1 && run.data.train.x.length <= FEW && answer.batch.length === 1 && run.data.train.x[0].length <= 3;
    this.title.textContent = asTable ? "Last answers" : "Output ŷ";
    const beside = sizes.at(-1) === 1;  // what several outputs say is in the picture
    this.left.hidden = !beside;
    $("foot").classList.toggle("wide", asTable);
    $("foot").classList.toggle("plain", !beside);
    if (asTable) body.replaceChildren(answersTable(scene, view));
    else if (beside) {
      this.plot.render(run, view, false);
      if (body.firstChild !== this.plot.element) body.replaceChildren(this.plot.element);
    }
    const size = asTable ? { width: 150, height: 124 } : beside ? { width: 230, height: 130 } : { width: 400, height: 100 };
    const nudged = view.hide || (tells && curves[0].epochs.length > 1) ? null : nudgedOf(scene);
    $("foot").classList.toggle("nudged", nudged != null);
    setText(this.right.firstChild, nudged ? "Loss if z changes" : "Loss");
    if (nudged) this.right.lastChild.replaceChildren(slopeChart(scene, nudged, size));
    else {
      Object.assign(this.loss, size);
      this.loss.render(curves, "auto");
      if (this.right.lastChild.firstChild !== this.loss.container) this.right.lastChild.replaceChildren(this.loss.container);
    }
    this.bars.hidden = asTable;
    gradientBars(this.bars, answer, knows.delta(0, sizes[1] - 1) && !view.hide);
  }
}

/** The last known answer to each sample, a tick at its target; a dot where it was not asked yet. */
function answersTable({ run, answer }, view) {
  const { x, y } = run.data.train;
  const now = answer.batch[answer.sample];
  const highest = Math.max(1, ...y.flat());
  const rows = x.map((inputs, i) => {
    const known = run.known[i];
    const shown = known != null && !view.hide;
    const bar = svg("svg", { viewBox: "0 0 64 18", class: "answer-bar", "aria-hidden": "true" },
      svg("rect", { class: "well", x: 0, y: 4, width: 64, height: 10, rx: 3 }),
      svg("rect", { class: "level", x: 0, y: 4, width: shown ? 64 * Math.max(0, Math.min(1, known / highest)) : 0, height: 10, rx: 3 }),
      svg("rect", { class: "target", x: 62 * Math.max(0, y[i][0] / highest), y: 0, width: 2, height: 18 }));
    return el("tr", { class: i === now ? "now" : null }, ...inputs.map((v) => el("td", {}, number(v))), el("td", {}, number(y[i][0])),
      el("td", {}, bar), el("td", {}, known == null ? "·" : view.hide ? "?" : known.toFixed(3)));
  });
  const head = [...x[0].map((_, i) => ["x", i + 1]), ["y", ""], ["", ""], ["ŷ", ""]];
  return el("table", { class: "answers" }, el("caption", { class: "sr" }, "The last known answer to each sample"),
    el("thead", {}, el("tr", {}, ...head.map(([letter, sub]) => (letter ? el("th", { scope: "col" }, letter, sub ? el("sub", {}, sub) : null) : el("td"))))),
    el("tbody", {}, ...rows));
}
