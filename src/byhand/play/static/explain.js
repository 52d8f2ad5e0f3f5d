// What is being computed at a stop: a title, a sentence, and the formula with the numbers put in.

import { $, el, number, words } from "byhand/dom";
import { boot } from "byhand/engine";
import { dot, flatPartial, fromText, functionName, inLines, line, op, partial, plainNumber, result, row, slope, symbol, table, term, value } from "byhand/math";
import { layerName, ordinalUnit, parameterIndex, parameterName, unitName } from "byhand/names";
import { sizesOf } from "byhand/stops";

export const PHASE_WORDS = { look: "Sample", forward: "Forward", loss: "Loss", backward: "Backward", update: "Update", check: "Check" };
export const GLYPHS = { look: "●", forward: "→", loss: "≠", backward: "←", update: "↻", check: "✓" };

const MOST_TERMS = 4;
const capital = (text) => text[0].toUpperCase() + text.slice(1);
const count = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

/** Write everything of a scene into the panel. */
export function showExplanation(scene, view, fresh, onStory) {
  const { title, sentence, formula, first } = explained(scene);
  const chip = el("span", { class: "chip" }, el("span", { "aria-hidden": "true" }, GLYPHS[scene.phase]), PHASE_WORDS[scene.phase]);
  const hint = first && onStory ? el("button", { type: "button", class: "hint", click: onStory }, "New to this? What is δ?") : "";
  $("say").replaceChildren(chip, hint, el("h2", {}, title), el("p", {}, sentence));
  const box = $("formula");
  const html = view.hide ? "" : formula;
  if (box.dataset.html !== html) { box.dataset.html = html; box.innerHTML = html; }
  if (view.hide) box.replaceChildren(el("p", { class: "note" }, "The numbers are hidden: fill them in under Numbers."));
  box.classList.toggle("fresh", fresh);
}

/** {title, sentence, formula} of a scene; the formula is MathML as text. */
function explained(scene) {
  const { stop, answer, leapt, run } = scene;
  if (leapt) {
    return {
      title: `${leapt === 1 ? "One epoch" : `${leapt.toLocaleString("en")} epochs`} later`,
      sentence: `The loss over all ${answer.batch.length < run.data.train.x.length ? "training samples" : count(run.data.train.x.length, "sample")} is ${number(answer.train_loss)} at epoch ${run.state.epoch.toLocaleString("en")}.`,
      formula: scene.at ? unitFormula(scene, scene.selected.layer, scene.selected.unit) : lookFormula(scene),
    };
  }
  switch (stop.id) {
    case "look": return look(scene);
    case "loss": return lossStep(scene);
    case "up": return update(scene);
    case "check": return check(scene);
    default:
  }
  const kinds = { f: forward, d: delta, g: gradients };
  return kinds[stop.id[0]](scene, stop.layer, stop.unit);
}

const isBatch = ({ answer }) => answer.batch.length > 1;
const name = ({ sizes }, letter, layer, unit) => unitName(sizes, letter, layer, unit);
const parameter = ({ sizes }, layer, unit, input) => parameterName(sizes, layer, unit, input);
const key = { a: (l, u) => `a:${l}:${u}`, z: (l, u) => `z:${l}:${u}`, d: (l, u) => `d:${l}:${u}`, w: (l, u, i) => `w:${l}:${u}:${i}`, g: (l, u, i) => `g:${l}:${u}:${i}` };
const activationOf = ({ run }, layer) => run.config.model.activations[layer];
const lastOf = ({ sizes }) => sizes.length - 2;
const carried = ({ answer }, layer, input) => (layer ? answer.layers[layer - 1].a[input] : answer.x[input]);
const weightOf = ({ answer, sizes }, layer, unit, input) => answer.state.parameters[parameterIndex(sizes, layer, unit, input)];
const gradientOf = ({ answer, sizes }, layer, unit, input) => answer.sample_gradients[parameterIndex(sizes, layer, unit, input)];

function textOf({ run, answer }, layer, unit, wanted) {
  const place = run.explained.findIndex((each) => each.layer === layer && each.unit === unit && each.weight == null);
  return answer.formulas[place]?.find((formula) => wanted.test(formula.name)) ?? null;
}

// The sample

function look(scene) {
  const { answer, sizes, run } = scene;
  const inputs = answer.x.length > 10 ? "a picture of 8 × 8 pixels" : answer.x.map((v) => number(v)).join(" and ");
  const target = answer.y.length > 1 ? `class ${answer.y.indexOf(1)}` : number(answer.y[0]);
  const first = run.state.epoch === 0 && run.state.position === 0;
  const weights = answer.state.parameters.length;
  return {
    title: first ? "Numbers go in. What comes out?" : "The next sample comes in",
    sentence: `In: ${inputs}. The answer should be ${target}. ${count(weights, "weight")}${weights > sizes[0] ? " and biases" : ""} decide what the network says.`,
    formula: lookFormula(scene),
    first,
  };
}

function lookFormula(scene) {
  const { sizes } = scene;
  if (sizes.slice(1).reduce((a, b) => a + b) > 3) return unitFormula(scene, scene.selected.layer, scene.selected.unit);
  return sizes.slice(1).flatMap((units, layer) => Array.from({ length: units }, (_, unit) => line(
    term(key.a(layer, unit), symbol(name(scene, "a", layer, unit))), op("="), functionName(activationOf(scene, layer)), op("("),
    ...Array.from({ length: sizes[layer] }, (__, i) => term(key.w(layer, unit, i), symbol(parameter(scene, layer, unit, i))) + dot + term(key.a(layer - 1, i), symbol(name(scene, "a", layer - 1, i))) + op("+")),
    term(key.w(layer, unit, sizes[layer]), symbol(parameter(scene, layer, unit, sizes[layer]))), op(")"),
  ))).join("");
}

// Forward

function forward(scene, layer, unit) {
  const { sizes } = scene;
  const output = layer === lastOf(scene);
  const units = sizes[layer + 1];
  const shown = unit ?? (scene.selected.layer === layer ? scene.selected.unit : 0);
  const curve = activationOf(scene, layer) === "identity" ? "There is no curve here, so what comes out is z itself." : `The curve ${activationOf(scene, layer) === "sigmoid" ? "σ" : words(activationOf(scene, layer))} makes a of it.`;
  const titles = units === 1 || unit != null
    ? [output ? "The output adds up, too" : `${capital(ordinalUnit(sizes, layer, shown))} adds up`, `Each input times the weight of its link, plus the bias: that is z. ${curve}`]
    : [`${units} sums, ${units} ${activationOf(scene, layer) === "identity" ? "results" : "curves"}`, `Every unit reads the same ${count(sizes[layer], "input")} through weights of its own. Here is ${ordinalUnit(sizes, layer, shown)}; click another.`];
  if (output && layer && (units === 1)) titles[1] = `Its inputs are what the hidden units said. What comes out is the network's answer, ŷ.`;
  return { title: titles[0], sentence: titles[1], formula: unitFormula(scene, layer, shown) };
}

/** A unit's sum as one does it by hand, and what its curve makes of it. */
function unitFormula(scene, layer, unit) {
  const { answer, sizes, knows } = scene;
  const { z, a, products } = answer.layers[layer];
  const known = knows.forward(layer, unit);
  const inputs = sizes[layer];
  let order = Array.from({ length: inputs }, (_, i) => i);
  const most = inputs > MOST_TERMS ? (sizes.length > 3 ? 2 : 3) : inputs;
  if (inputs > MOST_TERMS && known) order.sort((p, q) => Math.abs(products[unit][q]) - Math.abs(products[unit][p]));
  order = order.slice(0, most);
  const lead = (i) => (i ? op("+") : op("="));
  const rows = order.map((input, i) => row(
    i ? "" : term(key.z(layer, unit), symbol(name(scene, "z", layer, unit))), lead(i),
    term(key.w(layer, unit, input), symbol(parameter(scene, layer, unit, input))) + dot + term(key.a(layer - 1, input), symbol(name(scene, "a", layer - 1, input))),
    known ? value(key.w(layer, unit, input), weightOf(scene, layer, unit, input)) + dot + value(key.a(layer - 1, input), carried(scene, layer, input), true) : "",
    known ? op("=") : "", known ? value(key.w(layer, unit, input), products[unit][input]) : "",
  ));
  if (most < inputs) rows.push(row("", op("+"), `<mtext>${inputs - most} more</mtext>`, "", "", ""));
  const bias = weightOf(scene, layer, unit, inputs);
  rows.push(row(rows.length ? "" : symbol(name(scene, "z", layer, unit)), op("+"), term(key.w(layer, unit, inputs), symbol(parameter(scene, layer, unit, inputs))), "", "", known ? value(key.w(layer, unit, inputs), bias) : ""));
  if (known) rows.push(`<mtr class="sum">${["", "", "", "", op("="), result(key.z(layer, unit), z[unit])].map((cell) => `<mtd>${cell}</mtd>`).join("")}</mtr>`);
  return table(rows, sizes.length > 3 || most < inputs ? "ledger dense" : "ledger") + curveLine(scene, layer, unit, known ? [z[unit], a[unit]] : null);
}

function curveLine(scene, layer, unit, known) {
  const written = known && textOf(scene, layer, unit, /^a/);
  const isPlain = activationOf(scene, layer) === "identity";
  return line(
    term(key.a(layer, unit), symbol(name(scene, "a", layer, unit))), op("="), ...(isPlain ? [] : [functionName(activationOf(scene, layer)), op("(")]),
    term(key.z(layer, unit), symbol(name(scene, "z", layer, unit))), ...(isPlain ? [] : [op(")")]),
    ...(written?.terms && !isPlain ? [op("="), fromText(written.terms)] : []), ...(known ? [op("="), result(key.a(layer, unit), known[1])] : []),
  );
}

// Loss

function lossStep(scene) {
  const { answer, run } = scene;
  const last = lastOf(scene);
  const output = answer.layers[last].a;
  const said = output.length > 1 ? `The output of class ${answer.y.indexOf(1)}, the right one, is ${number(output[answer.y.indexOf(1)])}` : `The answer is ${number(output[0])}, and it should be ${number(answer.y[0])}`;
  const all = isBatch(scene) ? ` That is this sample's part; all ${answer.batch.length} together cost ${number(answer.batch_loss)}.` : "";
  const shownTerms = !isBatch(scene) && textOf(scene, last, 0, /^L$/)?.terms;
  const { formula } = boot.losses.find((loss) => loss.name === run.config.training.loss);
  return {
    title: "How wrong was that?",
    sentence: `${said}. One number says how wrong.${all}`,
    formula: table(inLines(formula).map((part, i) => row(i ? "" : term("L", symbol({ base: "L" })), i ? "" : op("="), fromText(part))), "steps")
      + (shownTerms ? line(op("="), fromText(shownTerms)) : "")
      + line(op("="), result("L", answer.sample_loss)),
  };
}

// Backward

function delta(scene, layer, unit) {
  const { sizes } = scene;
  const output = layer === lastOf(scene);
  const shown = unit ?? (scene.selected.layer === layer ? scene.selected.unit : 0);
  const many = unit == null && sizes[layer + 1] > 1;
  const title = output ? (many ? "A δ for each output" : "How does the loss depend on z?")
    : many ? `${sizes[layer + 1]} shares of the blame` : "δ goes back through the same link";
  const sentence = output
    ? "δ says how fast the loss grows when this z grows a little: the slope of the loss, times the slope of the curve where the dot is."
    : `${capital(ordinalUnit(sizes, layer, shown))} gets the δ behind it, times the weight between them, times its slope. A flat curve lets nothing through.${many && sizes.length < 4 ? " Click another." : ""}`;
  return { title, sentence, formula: output ? outputDelta(scene, layer, shown) : hiddenDelta(scene, layer, shown) };
}

function deltaRows(scene, layer, unit, general, numbers) {
  const { answer } = scene;
  const { grad_z, slope: slopes } = answer.layers[layer];
  const z = term(key.z(layer, unit), symbol(name(scene, "z", layer, unit)));
  return table([
    row(term(key.d(layer, unit), symbol(name(scene, "δ", layer, unit))), op("="), general + dot + slope(activationOf(scene, layer), z)),
    row("", op("="), numbers + dot + value(key.z(layer, unit), slopes[unit], true)),
    row("", op("="), result(key.d(layer, unit), grad_z[unit])),
  ], "steps");
}

/** Where the slope comes from: the activation's own formula of it, as a row; none where it is 1 or long. */
function slopeRow(scene, layer, unit) {
  const { answer } = scene;
  const { name: activation, derivative } = boot.activations.find((each) => each.name === activationOf(scene, layer));
  if (activation === "identity" || !derivative || inLines(derivative).length > 1) return [];
  return [row(slope(activation, "<mi>z</mi>"), op("="), fromText(derivative) + op("=") + value(key.z(layer, unit), answer.layers[layer].slope[unit]))];
}

function outputDelta(scene, layer, unit) {
  const { answer } = scene;
  const y = name(scene, "a", layer, unit);
  const written = textOf(scene, layer, unit, /^grad_a/);
  const gradient = answer.layers[layer].grad_a[unit];
  const terms = written?.terms && !isBatch(scene) ? fromText(written.terms) + op("=") : "";
  return deltaRows(scene, layer, unit, partial(y), value(key.a(layer, unit), gradient, true))
    + table([row(flatPartial(symbol(y)), op("="), terms + value(key.a(layer, unit), gradient)), ...slopeRow(scene, layer, unit)], "dense");
}

function hiddenDelta(scene, layer, unit) {
  const { answer, sizes } = scene;
  const next = answer.layers[layer + 1];
  const terms = Array.from({ length: sizes[layer + 2] }, (_, k) => k);
  const shown = terms.length > 2 ? [...terms].sort((p, q) => Math.abs(answer.layers[layer].returned[unit][q]) - Math.abs(answer.layers[layer].returned[unit][p])).slice(0, 2) : terms;
  const join = (write) => {
    const parts = shown.map(write).join(op("+")) + (terms.length > shown.length ? op("+") + `<mtext>${terms.length - shown.length} more</mtext>` : "");
    return terms.length > 1 ? op("(") + parts + op(")") : parts;
  };
  return deltaRows(scene, layer, unit,
    join((k) => term(key.w(layer + 1, k, unit), symbol(parameter(scene, layer + 1, k, unit))) + dot + term(key.d(layer + 1, k), symbol(name(scene, "δ", layer + 1, k)))),
    join((k) => value(key.w(layer + 1, k, unit), weightOf(scene, layer + 1, k, unit), true) + dot + value(key.d(layer + 1, k), next.grad_z[k], true))) + table(slopeRow(scene, layer, unit), "dense");
}

function gradients(scene, layer) {
  const { answer, sizes } = scene;
  const units = sizes[layer + 1];
  const lines = [];
  for (let unit = 0; unit < units; unit++) {
    for (let input = 0; input <= sizes[layer]; input++) lines.push(gradientRow(scene, layer, unit, input));
  }
  const zero = Array.from({ length: sizes[layer] }, (_, i) => carried(scene, layer, i)).some((v) => v === 0);
  return {
    title: "A link's gradient: what came in × what comes back",
    sentence: zero ? "Where the input was 0 the gradient is exactly 0: this sample teaches that weight nothing."
      : `Forward brought ${layer ? "a" : "x"} along the link, backward brings δ. Their product is how the loss depends on the weight.`,
    formula: table(lines, "gradients"),
    batch: answer.batch.length,
  };
}

function gradientRow(scene, layer, unit, input) {
  const { answer, sizes } = scene;
  const bias = input === sizes[layer];
  const d = answer.layers[layer].grad_z[unit];
  const flat = term(key.g(layer, unit, input), flatPartial(symbol(parameter(scene, layer, unit, input))));
  return row(flat, op("="), term(key.d(layer, unit), symbol(name(scene, "δ", layer, unit))) + (bias ? "" : dot + term(key.a(layer - 1, input), symbol(name(scene, "a", layer - 1, input)))),
    bias ? "" : op("=") + value(key.d(layer, unit), d) + dot + value(key.a(layer - 1, input), carried(scene, layer, input), true),
    op("="), result(key.g(layer, unit, input), gradientOf(scene, layer, unit, input)));
}

// Update and check

function update(scene) {
  const { answer, sizes, run } = scene;
  const layer = Math.min(scene.selected.layer, lastOf(scene));
  const unit = Math.min(scene.selected.unit, sizes[layer + 1] - 1);
  const input = Math.min(scene.selected.weight ?? 0, sizes[layer]);
  const index = parameterIndex(sizes, layer, unit, input);
  const [old, next, gradient] = [answer.state.parameters[index], answer.next_parameters[index], answer.gradients[index]];
  const k = key.w(layer, unit, input);
  const w = parameter(scene, layer, unit, input);
  const plain = run.config.training.optimizer === "gradient_descent";
  const { learning_rate: rate } = run.config.training;
  const batch = plain && isBatch(scene) && !answer.batch_done
    ? line(partial(w), op("="), `<mtext>the sum over ${answer.batch.length} samples</mtext>`, op("="), value(key.g(layer, unit, input), gradient)) : "";
  const rows = plain ? [
    row(term(k, symbol(w)), op("←"), term(k, symbol(w)) + op("−") + "<mi>η</mi>" + dot + term(key.g(layer, unit, input), partial(w))),
    row("", op("="), value(k, old) + op("−") + plainNumber(rate) + dot + value(key.g(layer, unit, input), gradient, true)),
    row("", op("="), result(k, next)),
  ] : clauses(scene, { layer, unit, weight: input }, { k, w, next });
  return {
    title: "All weights step downhill",
    sentence: `${plain ? "Against its gradient, η times as far." : `${capital(words(run.config.training.optimizer))} decides how far, from the gradient and what it remembers.`} All ${answer.state.parameters.length} move at once; click ${sizes.length > 3 || sizes[1] > 2 ? "a link" : "one"} to see another.`,
    formula: batch + table(rows, plain ? "steps" : "steps dense"),
  };
}

/** The optimizer's own formula, clause by clause, each with what it gives for one weight. */
function clauses({ run, answer }, { layer, unit, weight }, { k, w, next }) {
  const place = run.explained.findIndex((each) => each.layer === layer && each.unit === unit && each.weight === weight);
  const [, ...steps] = answer.formulas[place] ?? [];
  const g = row("<mi>g</mi>", op("="), partial(w) + op("=") + value(key.g(layer, unit, weight), answer.gradients[parameterIndex(sizesOf(answer), layer, unit, weight)]));
  const end = row("", op("="), result(k, next));
  if (!steps.length) return [g, row(term(k, symbol(w)), op("="), result(k, next))];
  return [g, ...steps.flatMap(({ name: left, general, terms, result: written }) => [
    ...general.split(", then ").map((clause) => row(left.startsWith("new") ? term(k, symbol(w)) : `<mi>${left}</mi>`, op("←"), fromText(clause.split(" ← ")[1]) + (terms ? "" : op("=") + plainNumber(Number(written.replace("−", "-")))))),
    ...(terms ? [row("", op("="), fromText(terms)), end] : []),
  ])];
}

function check(scene) {
  const { answer } = scene;
  const better = answer.next_batch_loss < answer.batch_loss;
  const who = isBatch(scene) ? `The same ${answer.batch.length} samples` : "The same sample";
  return {
    title: better ? "It helped" : "It did not help",
    sentence: `${who} with the new weights: the loss was ${number(answer.batch_loss)} and is ${number(answer.next_batch_loss)}. The gradients had promised ${number(answer.promised_loss)}: they are exact for tiny steps only.`,
    formula: [["before", answer.batch_loss, plainNumber], ["promised", answer.promised_loss, plainNumber], ["after", answer.next_batch_loss, (v) => result("L", v)]]
      .map(([when, v, write]) => line(`<msub><mi>L</mi><mtext>${when}</mtext></msub>`, op("="), write(v))).join(""),
  };
}

/** What the next step does, in a few words. */
export function nextWords(scene, next, dial) {
  const { stops, sizes } = scene;
  if (dial === "epoch") return "to the next epoch";
  if (dial === "100") return "100 epochs at once";
  if (dial === "sample") return "one sample of the batch";
  if (next == null) return scene.run.answer.batch.length > 1 ? "the next epoch or batch" : "the next sample";
  const { id, phase, layer, unit } = stops[next];
  if (dial === "phase" && (phase === "forward" || phase === "backward")) return `all of ${phase}`;
  if (id === "loss") return "the loss";
  if (id === "up") return `all ${count(scene.answer.state.parameters.length, "weight")}`;
  if (id === "check") return "did it help?";
  const who = unit == null ? layerName(sizes, layer) : ordinalUnit(sizes, layer, unit);
  if (dial === "layer" && id[0] === "g") return `δ and gradients, ${who}`;
  return { f: who, d: `δ of ${who}`, g: `gradients, ${who}` }[id[0]];
}
