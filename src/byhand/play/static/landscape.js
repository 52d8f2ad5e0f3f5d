// The loss over two weights, and the way of the run across it. The losses are the engine's.

import { $, colour, el, number, svg } from "byhand/dom";
import { countParameters, parameterIndex, parameterName, spoken } from "byhand/names";

const SIZE = { left: 58, top: 10, width: 292, height: 250 };
const BANDS = 14;
const MOST_NAMED = 400;

/** All parameters of a network as {index, name}. */
export function parametersOf(sizes) {
  if (countParameters(sizes) > MOST_NAMED) return [];
  return sizes.slice(1).flatMap((units, layer) => Array.from({ length: units }, (_, unit) => Array.from({ length: sizes[layer] + 1 }, (__, input) => (
    { index: parameterIndex(sizes, layer, unit, input), name: spoken(parameterName(sizes, layer, unit, input)) }))).flat());
}

/** What to ask the engine for: the plane of two weights, wide enough for the way of the run. */
export function planeOf({ config, state, curve }, [first, second]) {
  const range = (index) => {
    const values = [state.parameters[index], ...curve.trail.filter(Boolean).map((parameters) => parameters[index])].filter((v) => v != null);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const margin = Math.max(2, 0.4 * (high - low));
    return [low - margin, high + margin];
  };
  return { config, parameters: state.parameters, first, second, first_range: range(first), second_range: range(second) };
}

/** Draw it: the darker, the higher; between two shades the loss changes by the same factor. */
export function showLandscape({ request, losses }, { curve, answer }, names) {
  const [x, y] = [request.first_range, request.second_range];
  const across = (v) => SIZE.left + SIZE.width * (v - x[0]) / (x[1] - x[0]);
  const up = (v) => SIZE.top + SIZE.height * (y[1] - v) / (y[1] - y[0]);
  const way = curve.trail.filter(Boolean).map((parameters) => [parameters[request.first], parameters[request.second]]);
  const now = [answer.state.parameters[request.first], answer.state.parameters[request.second]];
  const path = [...way, now].map(([p, q], i) => `${i ? "L" : "M"}${across(p).toFixed(1)} ${up(q).toFixed(1)}`).join("");
  const { canvas, low, high } = painted(losses);
  const label = (text, px, py, anchor) => svg("text", { class: "tick", x: px, y: py, "text-anchor": anchor }, text);
  const bottom = SIZE.top + SIZE.height;
  $("landscape").replaceChildren(svg("svg", { viewBox: "0 0 360 300", class: "chart-svg", role: "img", "aria-label": `The loss over ${names[0]} and ${names[1]}, from ${number(low)} to ${number(high)}; the run is at ${number(now[0])}, ${number(now[1])}` },
    svg("foreignObject", { x: SIZE.left, y: SIZE.top, width: SIZE.width, height: SIZE.height, class: "thumb" }, canvas),
    svg("path", { class: "way under", d: path }), svg("path", { class: "way", d: path }), svg("circle", { class: "here", r: 6, cx: across(now[0]), cy: up(now[1]) }),
    label(number(x[0]), SIZE.left, bottom + 18, "start"), label(number(x[1]), SIZE.left + SIZE.width, bottom + 18, "end"), label(names[0], SIZE.left + SIZE.width / 2, bottom + 18, "middle"),
    label(number(y[0]), SIZE.left - 5, bottom, "end"), label(number(y[1]), SIZE.left - 5, SIZE.top + 12, "end"), label(names[1], SIZE.left - 5, SIZE.top + SIZE.height / 2, "end")),
  el("p", { class: "note" }, `From ${number(low)} (light) to ${number(high)} (dark), in even factors. All other weights stay as they are now, so earlier points of the way lie on another ground than the one that is drawn.`));
}

function painted(losses) {
  const finite = losses.flat().filter((v) => v != null && v > 0);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const [from, to] = ["well", "soft"].map((name) => colour(name).match(/[\d.]+/g).map(Number));
  const n = losses.length;
  const canvas = el("canvas");
  canvas.width = canvas.height = n;
  const image = canvas.getContext("2d").createImageData(n, n);
  losses.forEach((row, j) => row.forEach((loss, i) => {
    const share = loss == null ? 1 : loss <= 0 || high / low < 1 + 1e-9 ? 0 : Math.log(loss / low) / Math.log(high / low);
    const shade = Math.round(share * BANDS) / BANDS;
    image.data.set([...[0, 1, 2].map((c) => from[c] + (to[c] - from[c]) * shade), 255], 4 * ((n - 1 - j) * n + i));
  }));
  canvas.getContext("2d").putImageData(image, 0, 0);
  return { canvas, low, high };
}
