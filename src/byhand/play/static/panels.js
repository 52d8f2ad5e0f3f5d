// What stands around the pictures: readout, findings, story, settings and notes.

import { $, el, number, setText, words } from "byhand/dom";
import { boot, recording } from "byhand/engine";

/** Write everything of the shown run; `on` has find(run, layer, unit) and say(text). */
export function showPanels(runs, view, on) {
  const run = runs[view.shown];
  showReadout(runs, run);
  showFindings(runs, on);
  showStory(run, view);
  showSettings(run, runs, view);
  showNotes(run, runs, view);
}

function showReadout(runs, { answer, state, data }) {
  const batches = answer.batch.length < data.train.x.length;
  const entries = [["Epoch", state.epoch.toLocaleString("en")]];
  if (state.position || batches) entries.push(["Samples done", `${state.position} of ${data.train.x.length}`]);
  runs.forEach((run, i) => {
    const name = runs.length > 1 ? ` ${"AB"[i]}` : "";
    entries.push([`Loss${name}`, number(run.answer.train_loss), run.answer.train_loss]);
    if (run.answer.test_loss != null) entries.push([`Test loss${name}`, number(run.answer.test_loss), run.answer.test_loss]);
    const share = run.answer.test_right ?? run.answer.train_right;
    if (share != null) entries.push([`Right${name}${run.answer.test_right != null ? " (test)" : ""}`, `${number(100 * share, 3)} %`]);
  });
  const list = $("readout");
  if (list.children.length !== entries.length) list.replaceChildren(...entries.map(() => el("div", {}, el("dt"), el("dd"))));
  entries.forEach(([name, value, exact], i) => {
    setText(list.children[i].firstChild, name);
    setText(list.children[i].lastChild, value);
    list.children[i].title = exact == null ? "" : String(exact);
  });
  for (const id of ["forward", "backward"]) $(id).classList.toggle("now", state.phase === id);
}

export const FINDINGS = {
  "dead-relu-output": "Dead output", "dead-relu-hidden": "Dead hidden units", "saturated-units": "Saturated", "symmetric-initialization": "Symmetric",
  "learning-rate-too-high": "Diverging", "linear-collapse": "Linear collapse", "target-outside-range": "Targets out of reach",
  "zero-gradient": "No gradient", "tiny-initialization": "Weights too small", "stuck-at-constant": "Stuck",
};
let findingsShown = "";

function showFindings(runs, on) {
  const items = runs.flatMap((run, i) => [
    ...run.answer.findings.map((finding) => ({ ...finding, run: i })),
    ...(run.answer.stopped ? [{ id: "learning-rate-too-high", message: `${run.answer.stopped}.`, units: [], run: i }] : []),
  ]);
  const key = JSON.stringify(items);
  if (key === findingsShown) return;
  const titles = items.map((item) => `${runs.length > 1 ? `Run ${"AB"[item.run]}: ` : ""}${FINDINGS[item.id] ?? words(item.id.replace(/-/g, " "))}`);
  const before = findingsShown ? JSON.parse(findingsShown).map(({ id, run }) => `${id}${run}`) : [];
  const fresh = titles.filter((_, i) => !before.includes(`${items[i].id}${items[i].run}`));
  findingsShown = key;
  $("findings").replaceChildren(...(items.length ? items.map((item, i) => el("li", { "data-finding": item.id },
    el("b", {}, titles[i]), `${item.message[0].toUpperCase()}${item.message.slice(1)}`,
    item.layer && item.units.length ? el("div", {}, el("button", { type: "button", click: () => on.find(item.run, item.layer - 1, item.units[0]) }, "Show it")) : null))
    : [el("li", { class: "fine" }, el("b", {}, "Nothing wrong found"), "No dead, saturated or identical units; not diverging, not stuck.")]));
  if (fresh.length) on.say(fresh.join(". "));
}

function showStory({ answer, config }, view) {
  const preset = boot.presets.find(({ id }) => id === view.preset);
  setText($("story-title"), recording ? recording.title : preset ? preset.title : "Your own experiment");
  const { hidden, activations } = config.model;
  setText($("story-text"), recording ? recording.look_for : preset ? preset.look_for
    : `${[answer.n_inputs, ...hidden, answer.layers.at(-1).z.length].join("-")}, ${[...new Set(activations)].map(words).join(" and ")}. Step through it, look at any number, or start from one of the stories.`);
  if ($("preset").value !== view.preset) $("preset").value = view.preset;
}

export function showSettings({ config }, runs, view) {
  const set = (id, value) => { const field = $(id); if (document.activeElement !== field || field.tagName === "SELECT") field.value = value ?? ""; };
  const { data, model, training } = config;
  set("data-kind", data.kind);
  set("data-n", data.n);
  set("data-noise", data.noise);
  set("data-seed", data.seed);
  set("data-test", String(data.test_share));
  const drawn = ["line", "circles", "moons", "spirals", "digits"].includes(data.kind);
  document.querySelector("[data-for=drawn]").hidden = !drawn;
  document.querySelector("[data-for=noise]").hidden = data.kind === "digits";
  document.querySelector("[data-for=seeded]").hidden = !drawn && data.kind !== "own";
  document.querySelector("[data-for=split]").hidden = data.kind === "xor" || data.kind === "and";
  set("initializer", model.initializer);
  set("seed", model.seed);
  set("loss", training.loss);
  set("optimizer", training.optimizer);
  set("learning-rate", training.learning_rate);
  if (training.batch_size && !$("batch").querySelector(`[value="${training.batch_size}"]`)) $("batch").append(el("option", { value: training.batch_size }, String(training.batch_size)));
  set("batch", training.batch_size ? String(training.batch_size) : "");
  for (const [name, value] of [["edges", view.edges], ["layout", view.layout], ["scale", view.log ? "log" : "linear"], ["adding", view.adding], ["run", String(view.shown)]]) {
    const radio = document.querySelector(`input[name=${name}][value="${value}"]`);
    if (radio && !radio.checked) radio.checked = true;
  }
  $("hide").setAttribute("aria-pressed", String(view.hide));
  $("compare").setAttribute("aria-pressed", String(runs.length > 1));
  $("compare").textContent = runs.length > 1 ? "End comparison" : "Compare two runs";
  $("runs").hidden = runs.length < 2;
}

function showNotes(run, runs, view) {
  const { answer, curve } = run;
  const target = answer.y.length > 1 ? answer.y.indexOf(1) : number(answer.y[0]);
  const y = answer.layers.at(-1).a;
  const output = view.hide ? "?" : y.length > 1 ? y.indexOf(Math.max(...y)) : number(y[0]);
  const x = answer.x.length > 10 ? "" : `x = (${answer.x.map((v) => number(v)).join(", ")}), `;
  setText($("sample-name"), `Sample ${answer.sample + 1} of ${answer.batch.length}: ${x}y = ${target}, ŷ = ${output}`);
  const kept = [`Steps back: ${run.past.length} of at most ${view.maxStepsBack}.`];
  if (curve.stride > 1) kept.push(`The curve keeps one epoch in ${curve.stride}.`);
  setText($("loss-note"), view.recorded ? `Step ${view.frame + 1} of ${recording.frames.length}: ${recording.frames[view.frame].what}.` : kept.join(" "));
  const isClasses = answer.threshold != null;
  const legend = isClasses ? "Blue squares are class 1, orange circles class 0" : "Points are the samples";
  setText($("output-note"), answer.surfaces ? `${legend}${run.data.test.x.length ? "; hollow ones are the test set" : ""}. ${isClasses && answer.surfaces.up > 1 ? `The line is where ŷ = ${answer.threshold}. ` : ""}The ring is the sample whose numbers are shown.` : "");
  $("adding").hidden = !answer.surfaces || view.recorded;
  const line = answer.surfaces?.up === 1;
  setText(document.querySelector("input[name=adding][value='0'] + span"), line ? "a point" : "0");
  document.querySelector("input[name=adding][value='1']").parentElement.hidden = line;
  setText($("squares"), answer.surfaces ? `Each square shows what its unit gives over the ${answer.surfaces.up === 1 ? "input" : "plane of the inputs"}.`
    : answer.n_inputs === 64 ? "Squares of layer 1 show its weights, one for each pixel; the others a." : "Squares show a.");
  setText($("difference"), runs.length > 1 ? difference(...runs) : "");
}

function difference(a, b) {
  const names = { learning_rate: "learning rate", batch_size: "batch" };
  const parts = [];
  for (const part of ["model", "training"]) {
    for (const key of Object.keys(a.config[part])) {
      const [was, is] = [a, b].map((run) => run.config[part][key]);
      const text = (value) => (Array.isArray(value) ? value.map(words).join(", ") : value == null ? "all" : words(String(value)));
      if (JSON.stringify(was) !== JSON.stringify(is)) parts.push(`${names[key] ?? key}: A ${text(was)}, B ${text(is)}`);
    }
  }
  return parts.length ? `They differ in ${parts.join("; ")}.` : "Both are still the same: change an activation, or how run B learns.";
}
