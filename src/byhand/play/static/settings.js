// The settings: data, network, first weights, learning; what they are now, and what changes them.

import { $, el, number, parseNumber, significant, words } from "byhand/dom";
import { boot } from "byhand/engine";

const DRAWN = ["line", "circles", "moons", "spirals", "digits"];

/** Put what there is to choose into the fields; `on` has do(command), tell(text), openData(), ownPoints(). */
export function wireSettings(on) {
  const options = (id, names, label = words) => $(id).replaceChildren(...names.map((name) => el("option", { value: name }, label(name))));
  $("preset").replaceChildren(...boot.presets.map(({ id, title }) => el("option", { value: id }, title)), el("option", { value: "", disabled: true, hidden: true }, "Your own"));
  options("initializer", boot.initializers, (name) => (name === "handout" ? "np.random.randn" : words(name)));
  options("loss", boot.losses.map(({ name }) => name));
  options("optimizer", boot.optimizers);
  const listen = (id, handler) => $(id).addEventListener("change", (event) => handler(event.target.value));
  const whole = (id, use) => listenNumber(id, use, on, { integer: true });

  listen("preset", (preset) => on.do({ kind: "start", preset }));
  listen("data-kind", (kind) => (kind === "own" ? on.ownPoints() : on.do({ kind: "data", change: { kind, points: [] } })));
  whole("data-n", (n) => on.do({ kind: "data", change: { n } }));
  listenNumber("data-noise", (noise) => on.do({ kind: "data", change: { noise } }), on);
  whole("data-seed", (seed) => on.do({ kind: "data", change: { seed } }));
  listen("data-test", (share) => on.do({ kind: "data", change: { test_share: Number(share) } }));
  $("own-data").addEventListener("click", on.openData);
  listen("initializer", (initializer) => on.do({ kind: "model", change: { initializer } }));
  whole("seed", (seed) => on.do({ kind: "model", change: { seed } }));
  $("new-seed").addEventListener("click", () => on.do({ kind: "model", change: { seed: (Number($("seed").dataset.now) + 1) % 2 ** 32 } }));
  listen("loss", (loss) => on.do({ kind: "training", change: { loss } }));
  listen("optimizer", (optimizer) => on.do({ kind: "training", change: { optimizer } }));
  listen("batch", (size) => on.do({ kind: "training", change: { batch_size: size ? Number(size) : null } }));
  $("learning-rate").addEventListener("change", (event) => {
    const rate = parseNumber(event.target.value);
    if (rate > 0 && rate <= 1e6) return on.do({ kind: "training", change: { learning_rate: rate } });
    on.tell(`A learning rate is a positive number, such as 0.1, not “${event.target.value}”.`);
    return on.refresh();
  });
  $("add-layer").addEventListener("click", () => on.do({ kind: "layers", change: 1 }));
  $("remove-layer").addEventListener("click", () => on.do({ kind: "layers", change: -1 }));
  return new Layers(on);
}

function listenNumber(id, use, on, { integer = false } = {}) {
  $(id).addEventListener("change", (event) => {
    const { min, max } = event.target;
    const value = parseNumber(event.target.value);
    const name = event.target.labels[0].firstChild.textContent.trim();
    if (Number.isFinite(value) && (!integer || Number.isInteger(value)) && value >= Number(min) && value <= Number(max)) return use(value);
    on.tell(`${name}: ${integer ? "a whole number" : "a number"} from ${min} to ${Number(max).toLocaleString("en")} is needed, not “${event.target.value}”.`);
    return on.refresh();
  });
}

/** One line a layer: its units, its activation. */
class Layers {
  constructor(on) {
    this.on = on;
    this.key = null;
  }

  render({ config, answer }) {
    const { hidden, activations } = config.model;
    const key = JSON.stringify([hidden, activations.length, answer.layers.at(-1).z.length]);
    if (key !== this.key) {
      this.key = key;
      const focused = document.activeElement?.dataset.focus;
      $("layers").replaceChildren(...activations.map((_, layer) => this.line(layer, hidden[layer] ?? null, answer.layers.at(-1).z.length)));
      if (focused) document.querySelector(`[data-focus="${focused}"]`)?.focus();
    }
    activations.forEach((activation, layer) => { document.querySelector(`[data-focus="act${layer}"]`).value = activation; });
    $("remove-layer").setAttribute("aria-disabled", String(!hidden.length));
    $("add-layer").setAttribute("aria-disabled", String(hidden.length >= boot.maxHiddenLayers));
  }

  line(layer, units, outputs) {
    const title = units == null ? "Output" : `Layer ${layer + 1}`;
    const change = (by, sign, word) => el("button", { type: "button", "data-focus": `units${layer}${by}`, "aria-label": `${word} a unit of layer ${layer + 1}`, click: () => this.on.do({ kind: "units", layer, change: by }) }, sign);
    return el("div", { class: "layer-line" }, el("span", {}, title),
      units == null ? el("span", { class: "stepper" }, `${outputs} unit${outputs > 1 ? "s" : ""}`)
        : el("span", { class: "stepper" }, change(-1, "−", "Remove"), ` ${units} `, change(1, "+", "Add")),
      el("select", { "data-focus": `act${layer}`, "aria-label": `Activation of ${title.toLowerCase()}`, change: (event) => this.on.do({ kind: "activation", layer, name: event.target.value }) },
        ...boot.activations.map(({ name }) => el("option", { value: name }, words(name)))));
  }
}

/** Show the settings as they are; a field that somebody types in is left alone. */
export function showSettings({ config }, preset) {
  const set = (id, value) => { const field = $(id); if (document.activeElement !== field || field.tagName === "SELECT") field.value = value ?? ""; };
  const { data, model, training } = config;
  set("preset", preset);
  set("data-kind", data.kind);
  set("data-n", data.n);
  set("data-noise", data.noise);
  set("data-seed", data.seed);
  set("data-test", String(data.test_share));
  const drawn = DRAWN.includes(data.kind);
  const hide = (name, yes) => { document.querySelector(`[data-for=${name}]`).hidden = yes; };
  hide("drawn", !drawn);
  hide("noise", data.kind === "digits");
  hide("seeded", !drawn && data.kind !== "own");
  hide("split", data.kind === "xor" || data.kind === "and");
  set("initializer", model.initializer);
  set("seed", model.seed);
  $("seed").dataset.now = model.seed;
  set("loss", training.loss);
  set("optimizer", training.optimizer);
  set("learning-rate", training.learning_rate);
  if (training.batch_size && !$("batch").querySelector(`[value="${training.batch_size}"]`)) $("batch").append(el("option", { value: training.batch_size }, String(training.batch_size)));
  set("batch", training.batch_size ? String(training.batch_size) : "");
}

export const FINDINGS = {
  "dead-relu-output": "Dead output", "dead-relu-hidden": "Dead hidden units", "saturated-units": "Saturated", "symmetric-initialization": "Symmetric",
  "learning-rate-too-high": "Diverging", "linear-collapse": "Linear collapse", "target-outside-range": "Targets out of reach",
  "zero-gradient": "No gradient", "tiny-initialization": "Weights too small", "stuck-at-constant": "Stuck", "loss-rises": "Rising", "loss-flat": "Flat",
  "logits-squashed": "Loss and output don't fit", "one-output-softmax": "Loss and output don't fit", "classes-as-numbers": "Learned as numbers",
};

let findingsShown = "";

/** What is wrong with each run, or what was looked at; `on` has find(run, layer, unit). Gives what is new, as text. */
export function showFindings(runs, on) {
  const items = runs.flatMap(({ answer }, run) => [
    ...answer.findings.map((finding) => ({ ...finding, run })),
    ...(answer.stopped ? [{ id: "learning-rate-too-high", message: `${answer.stopped}.`, units: [], run }] : []),
  ]);
  const key = JSON.stringify([items, runs.map(({ answer }) => answer.looked)]);
  if (key === findingsShown) return "";
  const titles = items.map(({ id, run }) => `${runs.length > 1 ? `Run ${"AB"[run]}: ` : ""}${FINDINGS[id] ?? words(id.replace(/-/g, " "))}`);
  const before = findingsShown ? JSON.parse(findingsShown)[0].map(({ id, run }) => `${id}${run}`) : [];
  const fresh = titles.filter((_, i) => !before.includes(`${items[i].id}${items[i].run}`));
  findingsShown = key;
  $("findings").replaceChildren(...(items.length ? items.map((item, i) => el("li", { "data-finding": item.id },
    el("b", {}, titles[i]), `${item.message[0].toUpperCase()}${item.message.slice(1)}`,
    item.layer && item.units.length ? el("div", {}, el("button", { type: "button", click: () => on.find(item.run, item.layer - 1, item.units[0]) }, "Show it")) : null))
    : [el("li", { class: "looked" }, runs[0].answer.looked)]));
  const chip = $("found");
  chip.hidden = !items.length;
  chip.replaceChildren(items.length ? `! ${titles[0]}${items.length > 1 ? ` +${items.length - 1}` : ""}` : "");
  return fresh.join(". ");
}

/** How two runs differ, in words. */
export function difference([a, b]) {
  const names = { learning_rate: "learning rate", batch_size: "batch" };
  const text = (value) => (Array.isArray(value) ? value.map(words).join(", ") : value == null ? "all" : typeof value === "number" ? significant(value, 4) : words(String(value)));
  const parts = ["model", "training"].flatMap((part) => Object.keys(a.config[part])
    .filter((key) => JSON.stringify(a.config[part][key]) !== JSON.stringify(b.config[part][key]))
    .map((key) => `${names[key] ?? key}: A ${text(a.config[part][key])}, B ${text(b.config[part][key])}`));
  return parts.length ? `They differ in ${parts.join("; ")}.` : "Both are still the same: change an activation, or how run B learns.";
}

/** Loss and share of correct answers, for a caption. */
export function readout({ answer }) {
  const share = answer.test_right ?? answer.train_right;
  return `Loss ${number(answer.train_loss)}${answer.test_loss != null ? `, on the test set ${number(answer.test_loss)}` : ""}${share != null ? `; ${significant(100 * share, 3)} % correct${answer.test_right != null ? " on the test set" : ""}` : ""}.`;
}
