// What δ is, as a picture: the loss, were a unit's z another. Its slope where z stands is the unit's δ.

import { boot } from "byhand/engine";
import { number, subscript, svg } from "byhand/dom";
import { axisOf } from "byhand/charts";
import { ordinalUnit, unitName } from "byhand/names";

const REACH = 1.6;  // of the tangent to either side at most, in units of z

/** Of the unit whose δ has just been computed: {layer, unit, losses}, the losses at `boot.nudges` around its z; or null. */
export function nudgedOf({ stop, run, answer, selected }) {
  if (!stop.id.startsWith("d:")) return null;
  const { layer } = stop;
  const unit = stop.unit ?? (selected.layer === layer ? selected.unit : 0);
  const place = run.explained.findIndex((each) => each.layer === layer && each.unit === unit && each.weight == null);
  const losses = answer.nudged[place] ?? [];
  return losses.length && losses.every((loss) => loss != null) ? { layer, unit, losses } : null;
}

export function slopeChart({ answer, sizes }, { layer, unit, losses }, { width, height }) {
  const called = (letter) => { const { base, sub } = unitName(sizes, letter, layer, unit); return base + subscript(sub); };
  const [z, delta] = [answer.layers[layer].z[unit], answer.layers[layer].grad_z[unit]];
  const { at, ticks } = axisOf(losses, "linear");
  const box = { left: 30, right: width - 8, top: 20, bottom: height - 24 };
  const across = (nudge) => box.left + (box.right - box.left) * (nudge - boot.nudges[0]) / (boot.nudges.at(-1) - boot.nudges[0]);
  const up = (loss) => box.bottom - (box.bottom - box.top) * at(loss);
  const point = (nudge, loss) => `${across(nudge).toFixed(1)} ${up(loss).toFixed(1)}`;
  const here = losses[boot.nudges.indexOf(0)];
  const reach = Math.min(REACH, 1.15 * here / Math.abs(delta) || REACH);  // or it leaves the picture below
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "chart-svg slope-chart", role: "img", "aria-label": `The loss, were z of ${ordinalUnit(sizes, layer, unit)} another: ${number(here)} at ${number(z)}, where its slope is ${number(delta)}` },
    svg("path", { class: "axis-line", d: `M${box.left} ${box.top}V${box.bottom}H${box.right}` }),
    ...ticks.map((loss) => svg("text", { class: "tick", x: box.left - 6, y: up(loss) + 5, "text-anchor": "end" }, number(loss))),
    svg("path", { class: "grid", d: `M${point(0, here)}V${box.bottom}` }),
    svg("path", { class: "loss", d: `M${losses.map((loss, i) => point(boot.nudges[i], loss)).join("L")}` }),
    svg("path", { class: "tangent", d: `M${point(-reach, here - reach * delta)}L${point(reach, here + reach * delta)}` }),
    svg("circle", { class: "now", r: 5, cx: across(0), cy: up(here) }),
    svg("text", { class: "tick", x: across(0), y: height - 6, "text-anchor": "middle" }, `${called("z")} = ${number(z)}`),
    svg("text", { class: "tick of-slope", x: box.right, y: 13, "text-anchor": "end" }, `slope = ${called("δ")}`));
}
