// The page: its state, its steps, and what is drawn of them. All numbers come from the engine.

import { $, el, forgetColours, number, parseNumber, setText, words } from "byhand/dom";
import { boot, listing, recording, step } from "byhand/engine";
import { pack, unpack } from "byhand/link";
import { formatTable, parseTable } from "byhand/table";
import { Diagram } from "byhand/diagram";
import { LossChart, OutputPlot, gradientBars, histograms } from "byhand/charts";
import { wireKeys, wireTables, wireTheme } from "byhand/inputs";
import { Numbers } from "byhand/numbers";
import { FINDINGS, showPanels, showSettings } from "byhand/panels";
import { dropAfter, newCurve, newRun, readRun, record, snapshot, thinned, within } from "byhand/run";

const MAX_STEPS_BACK = 200;
const CHUNK = 100;
const PICTURE = matchMedia("(prefers-reduced-motion: reduce)");

let runs = [];
let dataCount = 0;
const view = {
  shown: 0, sample: 0, selected: { layer: 0, unit: 0, weight: null }, edges: "weight", layout: "W x + b", log: false,
  hide: false, adding: "", preset: "", recorded: Boolean(recording), frame: 0, maxStepsBack: MAX_STEPS_BACK,
};
let going = null; // "play" or "many" while epochs run by themselves
let busy = false;
let inHash = "";

const shown = () => runs[view.shown];

// The engine's answers

async function ask(run, action, epochs = 1) {
  const needsData = !run.data;
  view.selected = within(view.selected, run.config);
  const answer = await step({
    config: run.config, state: run.state, action, epochs, sample: view.sample, losses: run.recent, with_data: needsData,
    surface: 48, explain: [view.selected], layout: view.layout,
  });
  const before = run.state?.epoch ?? 0;
  run.answer = answer;
  run.state = answer.state;
  if (needsData) run.data = { id: ++dataCount, train: answer.train, test: answer.test };
  run.recent = [...run.recent, ...answer.losses].slice(-100);
  record(run, before, answer);
}

function remember() {
  for (const run of runs) {
    run.past.push(snapshot(run, view.preset));
    if (run.past.length > MAX_STEPS_BACK) run.past.shift();
  }
}

/** Do something with the engine, one thing at a time; where it refuses, all is put back as it was. */
async function attempt(work, { keep = true, leavesStory = false } = {}) {
  if (busy || view.recorded) return false;
  busy = true;
  const before = runs.map((run) => ({ ...run, past: [...run.past] }));
  const { preset } = view;
  if (keep) remember();
  if (leavesStory) view.preset = "";
  try {
    await work();
    tell("");
    return true;
  } catch (error) {
    runs = before;
    view.preset = preset;
    tell(error.message);
    return false;
  } finally {
    busy = false;
    redraw();
  }
}

function tell(message) {
  $("error").hidden = !message;
  setText($("error"), message);
}

// Steps

async function act(action, epochs = 1) {
  pause();
  await attempt(async () => {
    for (const run of runs) {
      await ask(run, action, epochs);
      run.lit = { forward: "forward", backward: "backward", update: "update", sample: run.answer.batch_done ? "backward" : "update" }[action] ?? null;
    }
    view.sample = runs[view.shown].answer.sample;
  });
  announceState();
}

async function goOn(kind) {
  if (going) return pause();
  if (view.recorded) return playRecording();
  going = kind;
  showGoing();
  const count = Number($("many-count").value);
  let left = kind === "many" ? count : Infinity;
  const size = kind === "many" ? CHUNK : Math.max(1, count / 10);
  let first = true;
  let told = performance.now();
  while (going === kind && left > 0) {
    const started = performance.now();
    const epochs = Math.min(left, size, CHUNK, ...runs.map((run) => run.answer.max_epochs));
    const went = await attempt(async () => {
      for (const run of runs) { await ask(run, "epochs", epochs); run.lit = null; }
    }, { keep: first || kind === "play" });
    if (!went || runs.every((run) => run.answer.stopped)) break;
    first = false;
    left -= epochs;
    if (performance.now() - told > 4000) { told = performance.now(); announceState(); }
    const pace = kind === "many" ? 0 : PICTURE.matches ? 500 : 66;
    await new Promise((resume) => setTimeout(() => requestAnimationFrame(resume), Math.max(0, pace - (performance.now() - started))));
  }
  going = null;
  showGoing();
  announceState();
  saveSoon();
}

function pause() {
  going = null;
  showGoing();
}

function showGoing() {
  const isGoing = Boolean(going);
  $("play").setAttribute("aria-pressed", String(isGoing));
  $("play-icon").setAttribute("d", isGoing ? "M3 2h3.5v12H3zM9.5 2H13v12H9.5z" : "M4 2v12l8.5-6z");
  $("play").querySelector("span").textContent = isGoing ? "Pause" : "Play";
}

async function back() {
  pause();
  if (view.recorded) return showFrame(view.frame - 1);
  if (!shown().past.length) return say("This is as far back as it goes.");
  await attempt(async () => {
    for (const run of runs) {
      const { lit, preset, ...before } = run.past.pop();
      Object.assign(run, before);
      view.preset = preset;
      view.selected.weight = null;
      dropAfter(run.curve, run.state.epoch);
      await ask(run, "look");
      run.lit = lit;
    }
  }, { keep: false });
  announceState("Step back.");
}

async function rewind() {
  pause();
  if (view.recorded) return showFrame(0);
  await attempt(async () => { for (const run of runs) await restart(run, run.initial); });
  announceState("Rewound to the initial weights.");
}

/** Begin again at epoch 0: from these parameters, or from new ones as the config draws them. */
async function restart(run, initial) {
  Object.assign(run, { state: initial && { parameters: initial.parameters }, codeStart: initial, recent: [], curve: newCurve(), lit: null });
  await ask(run, "look");
  run.initial = initial ?? { parameters: run.state.parameters, drawn: true };
  run.codeStart = { ...run.initial, epoch: 0 };
}

// Settings

const withConfig = (config, part, change) => ({ ...config, [part]: { ...config[part], ...change } });

/** Change the data or the network of all runs: new weights are drawn, the same for both. */
async function changeAll(change, leavesStory) {
  pause();
  await attempt(async () => {
    let initial = null;
    view.sample = 0;
    view.selected.weight = null;
    for (const run of runs) {
      run.config = change(run.config);
      run.data = null;
      await restart(run, initial);
      initial = run.initial;
    }
  }, { leavesStory });
  announceState("New start.");
}

/** Change the activations of the run that is shown: it begins again with the same initial weights. */
async function changeActivation(layer, name) {
  pause();
  await attempt(async () => {
    const run = shown();
    run.config = withConfig(run.config, "model", { activations: run.config.model.activations.map((old, l) => (l === layer ? name : old)) });
    await restart(run, run.initial);
  }, { leavesStory: true });
  announceState("Begun again with the same initial weights.");
}

/** Change how the shown run goes on: from its weights as they are now, with a fresh optimizer. */
async function changeTraining(change) {
  pause();
  const run = shown();
  await attempt(async () => {
    run.config = withConfig(run.config, "training", change);
    if (run.state.epoch === 0 && run.state.position === 0) return restart(run, run.initial);
    run.state = { parameters: run.state.parameters, epoch: run.state.epoch };
    run.codeStart = { parameters: run.state.parameters, drawn: false, epoch: run.state.epoch };
    run.recent = [];
    run.lit = null;
    await ask(run, "look");
  }, { leavesStory: "loss" in change || "optimizer" in change });
}

async function editWeight(index, value) {
  pause();
  const run = shown();
  await attempt(async () => {
    const parameters = run.state.parameters.with(index, value);
    run.state = { parameters, epoch: run.state.epoch };
    run.codeStart = { parameters, drawn: false, epoch: run.state.epoch };
    if (run.state.epoch === 0) run.initial = { parameters, drawn: false };
    run.recent = [];
    run.lit = "update";
    await ask(run, "look");
  });
  announceState("Weight changed.");
}

function hiddenLayers(change) {
  const { hidden } = shown().config.model;
  if ((change < 0 && !hidden.length) || (change > 0 && hidden.length >= boot.maxHiddenLayers)) return;
  changeAll((config) => {
    const { activations } = config.model;
    const inner = activations.slice(0, -1);
    return withConfig(config, "model", {
      hidden: change > 0 ? [...config.model.hidden, config.model.hidden.at(-1) ?? 4] : config.model.hidden.slice(0, -1),
      activations: [...(change > 0 ? [...inner, inner.at(-1) ?? "tanh"] : inner.slice(0, -1)), activations.at(-1)],
    });
  }, true);
}

function hiddenUnits(layer, change) {
  const units = shown().config.model.hidden[layer] + change;
  if (units < 1 || units > boot.maxUnits) return;
  changeAll((config) => withConfig(config, "model", { hidden: config.model.hidden.with(layer, units) }), true);
}

/** Another data set may need another loss and output, and samples as many as it has a use for. */
function changeData(change) {
  changeAll((config) => {
    let next = withConfig(config, "data", change);
    const digits = next.data.kind === "digits";
    if (digits !== (config.data.kind === "digits")) {
      next = withConfig(next, "training", digits
        ? { loss: "cross_entropy_from_logits", optimizer: "adam", learning_rate: 0.01, batch_size: 32 }
        : { loss: "sum_of_squares", optimizer: "gradient_descent", learning_rate: 0.1, batch_size: null });
      next = withConfig(next, "model", digits
        ? { hidden: [16], activations: ["relu", "identity"], initializer: "he_normal" }
        : { hidden: [10], activations: ["sigmoid", "sigmoid"] });
      if (digits) next = withConfig(next, "data", { n: Math.max(next.data.n, 300), test_share: 0.3 });
    }
    if (change.kind === "line" && config.data.kind !== "line") {
      next = withConfig(next, "training", { loss: "mean_squared_error" });
      next = withConfig(next, "model", { activations: [...next.model.activations.slice(0, -1), "identity"] });
    }
    if (["circles", "moons", "spirals"].includes(change.kind) && change.kind !== config.data.kind) {
      // a mean, so that the learning rate fits any number of points
      next = withConfig(next, "training", { loss: "binary_cross_entropy_from_logits" });
      next = withConfig(next, "model", { activations: [...next.model.activations.slice(0, -1), "identity"] });
    }
    return next;
  }, true);
}

async function startPreset(id) {
  const preset = boot.presets.find((p) => p.id === id) ?? boot.presets[0];
  pause();
  const went = await attempt(async () => {
    const run = newRun(preset.config);
    run.past = shown() ? [...shown().past, snapshot(shown(), view.preset)].slice(-MAX_STEPS_BACK) : [];
    Object.assign(view, { shown: 0, sample: 1, preset: preset.id, log: preset.log_scale });
    view.selected = { layer: 0, unit: 0, weight: null };
    runs = [run];
    await restart(run, null);
    if (run.answer.findings[0]?.units.length) {
      const [finding] = run.answer.findings;
      view.selected = { layer: finding.layer - 1, unit: finding.units[0], weight: null };
      await ask(run, "look");
    }
    $("many-count").value = String(preset.many);
  }, { keep: false });
  if (went) announceState(`${preset.title}.`);
}

async function compare() {
  pause();
  if (runs.length === 2) {
    runs = [shown()];
    view.shown = 0;
    redraw();
    return say("One run again.");
  }
  await attempt(async () => {
    const [a] = runs;
    await restart(a, a.initial);
    const b = newRun(a.config);
    b.data = a.data;
    await restart(b, a.initial);
    a.past = [];  // steps back move both runs, so they begin together
    runs = [a, b];
    view.shown = 1;
  });
  say("Two runs from the same initial weights. Run B is shown: change its activations, optimizer or learning rate; steps move both.");
}

// Selection

async function select(layer, unit, weight) {
  view.selected = { layer, unit, weight };
  if (view.recorded) return showFrame(view.frame);
  return look();
}

async function look() {
  if (busy) return redraw();
  await attempt(async () => {
    for (const run of runs) await ask(run, "look");
  }, { keep: false });
}

async function chooseSample(place) {
  const { answer } = shown();
  const count = view.recorded ? recording.frames[view.frame].answers.length : answer.batch.length;
  view.sample = (place + count) % count;
  if (view.recorded) showFrame(view.frame);
  else await look();
  const { x, y } = shown().answer;
  say(`Sample ${view.sample + 1}: x = ${x.length > 10 ? "a picture" : x.map((v) => number(v)).join(", ")}, y = ${y.map((v) => number(v)).join(", ")}`);
}

function choosePoint(index) {
  if (view.adding) return false;
  const place = shown().answer.batch.indexOf(index);
  if (place < 0 || (view.recorded && place >= recording.frames[view.frame].answers.length)) say("This point is in another batch.");
  else chooseSample(place);
  return true;
}

function addPoint(x, y) {
  if (!view.adding) return;
  const round = (value) => Number(value.toPrecision(4));
  const line = shown().answer.surfaces.up === 1;
  usePoints([...allPoints(), line ? [round(x), round(y)] : [round(x), round(y), Number(view.adding)]]);
}

function allPoints() {
  const { train, test } = shown().data;
  return [...train.x, ...test.x].map((x, i) => [...x, ...([...train.y, ...test.y][i])]);
}

function usePoints(points) {
  if (points.length > boot.maxPoints) return tell(`There is room for ${boot.maxPoints} points.`);
  return changeData({ kind: "own", points });
}

// Drawing

const diagram = new Diagram($("diagram"), boot, { select, activation: changeActivation, units: hiddenUnits, layers: hiddenLayers });
const numbers = new Numbers({ select, edit: editWeight, say: (text, loud) => { say(text); if (loud) tell(text); } });
const lossChart = new LossChart($("loss-chart"));
const plotListener = { point: choosePoint, place: addPoint };
const plots = ["Run A", "Run B"].map((title) => new OutputPlot(title, plotListener));

function redraw() {
  const run = shown();
  if (!run?.answer) return;
  const started = performance.now();
  for (const other of runs) if (view.recorded) other.lit = recording.frames[view.frame].lit;
  diagram.render(run, view);
  numbers.render(run, view);
  const shownPlots = plots.slice(0, runs.length);
  if ($("output").childElementCount !== shownPlots.length) $("output").replaceChildren(...shownPlots.map((plot) => plot.element));
  runs.forEach((each, i) => plots[i].render(each, view, runs.length > 1));
  $("output").classList.toggle("adding", Boolean(view.adding));
  lossChart.render(runs.map((each) => ({ ...each.curve, hasTest: each.answer.test_loss != null })), view, run.config.training.loss);
  gradientBars($("gradient-chart"), run.answer, view.hide);
  histograms($("histogram"), run.answer);
  showPanels(runs, view, { find: (shownRun, layer, unit) => { view.shown = shownRun; select(layer, unit, null); }, say });
  performance.measure("redraw", { start: started });
  performance.clearMeasures("redraw");
  page.redrawMilliseconds = performance.now() - started;
  saveSoon();
}

function say(text) {
  setText($("live"), "");
  setText($("live"), text);
}

function announceState(start = "") {
  const run = shown();
  if (!run?.answer) return;
  const loss = runs.map((each, i) => `loss${runs.length > 1 ? ` ${"AB"[i]}` : ""} ${number(each.answer.train_loss)}`).join(", ");
  const found = run.answer.findings.map(({ id }) => FINDINGS[id] ?? id).join(", ");
  const phase = run.state.phase === "ready" ? "" : `, after the ${run.state.phase} pass`;
  say(`${start} Epoch ${run.state.epoch}${phase}, ${loss}.${found ? ` ${found}.` : ""}`.trim());
}

// The address

let saveTimer = null;

function saveSoon() {
  if (view.recorded || going) return;
  clearTimeout(saveTimer);
  saveTimer = setTimeout(save, 300);
}

async function save() {
  if (busy || going || !shown()?.answer) return;
  const everything = {
    v: 1,
    view: { ...view, recorded: undefined, frame: undefined, maxStepsBack: undefined, adding: "" },
    many: $("many-count").value,
    runs: runs.map(({ config, initial, codeStart, state, recent, curve, lit }) => ({ config, initial, codeStart, state, recent, curve: thinned(curve), lit })),
  };
  inHash = `#s=${await pack(everything)}`;
  if (location.hash !== inHash) history.replaceState(null, "", inHash);
}

async function open() {
  const [, kind, value] = location.hash.match(/^#(s|preset)=(.*)$/) ?? [];
  if (kind !== "s") return startPreset(value);
  let saved;
  try {
    saved = await unpack(value);
    if (saved.v !== 1 || !saved.runs.length) throw new Error();
    saved.runs = saved.runs.slice(0, 2).map(readRun);
  } catch {
    await startPreset();
    return tell("The address of this page is damaged or of another version, so this is the first story instead.");
  }
  pause();
  const went = await attempt(async () => {
    runs = saved.runs;
    readView(saved.view ?? {});
    if (saved.many) $("many-count").value = saved.many;
    for (const run of runs) {
      const { lit } = run;
      await ask(run, "look");
      run.lit = lit;
    }
  }, { keep: false });
  if (!went) {
    const { textContent } = $("error");
    await startPreset();
    tell(`The address of this page holds an experiment that cannot be opened (${textContent}), so this is the first story instead.`);
  }
}

function readView(saved) {
  for (const key of ["edges", "layout", "log", "hide", "preset"]) if (typeof saved[key] === typeof view[key]) view[key] = saved[key];
  const { layer = 0, unit = 0, weight = null } = saved.selected ?? {};
  const isCount = (value) => Number.isInteger(value) && value >= 0;
  view.selected = isCount(layer) && isCount(unit) ? { layer, unit, weight: isCount(weight) ? weight : null } : { layer: 0, unit: 0, weight: null };
  view.sample = isCount(saved.sample) ? Math.min(saved.sample, boot.maxPoints) : 0;
  view.shown = saved.shown === 1 && runs.length > 1 ? 1 : 0;
}

// A recorded run

function showFrame(index) {
  const frame = Math.max(0, Math.min(recording.frames.length - 1, index));
  view.frame = frame;
  const { answers, lit } = recording.frames[frame];
  view.sample = Math.min(view.sample, answers.length - 1);
  const answer = { ...answers[0], ...answers[view.sample] };
  const curve = newCurve();
  recording.frames.slice(0, frame + 1).forEach(({ answers: [first] }, i) => record({ curve }, recording.frames[Math.max(0, i - 1)].answers[0].state.epoch, first));
  const { layer, unit, weight } = view.selected;
  answer.formulas = [answer.formulas[recording.explained.findIndex((each) => each.layer === layer && each.unit === unit && (each.weight ?? null) === weight)] ?? []];
  const [run] = runs.length ? runs : [newRun(recording.config)];
  Object.assign(run, { answer, state: answer.state, curve, lit, data: { id: 1, train: recording.train, test: recording.test } });
  runs = [run];
  $("frame").value = String(frame);
  $("frame").setAttribute("aria-valuetext", `Step ${frame + 1} of ${recording.frames.length}: ${recording.frames[frame].what}`);
  redraw();
  announceState(`${recording.frames[frame].what}.`);
}

async function playRecording() {
  going = "play";
  showGoing();
  if (view.frame === recording.frames.length - 1) showFrame(0);
  while (going && view.frame < recording.frames.length - 1) {
    showFrame(view.frame + 1);
    await new Promise((resume) => setTimeout(resume, PICTURE.matches ? 1500 : 700));
  }
  pause();
}

// Wiring

function options(id, names, label = words) {
  $(id).replaceChildren(...names.map((name) => el("option", { value: name }, label(name))));
}

function on(id, event, handler) { $(id).addEventListener(event, handler); }

function onRadio(name, handler) {
  document.querySelectorAll(`input[name=${name}]`).forEach((radio) => radio.addEventListener("change", () => handler(radio.value)));
}

function onNumber(id, change, { integer = true } = {}) {
  on(id, "change", (event) => {
    const { min, max } = event.target;
    const value = parseNumber(event.target.value);
    const name = event.target.labels[0].firstChild.textContent.trim();
    if (!Number.isFinite(value) || (integer && !Number.isInteger(value)) || (min !== "" && value < Number(min)) || (max !== "" && value > Number(max))) {
      tell(`${name}: ${integer ? "a whole number" : "a number"} from ${min} to ${Number(max).toLocaleString("en")} is needed, not “${event.target.value}”.`);
      return showSettings(shown(), runs, view);
    }
    change(value);
  });
}

function wire() {
  $("preset").replaceChildren(...boot.presets.map(({ id, title }) => el("option", { value: id }, title)), el("option", { value: "", disabled: true, hidden: true }, "Your own"));
  options("initializer", boot.initializers, (name) => (name === "handout" ? "np.random.randn" : words(name)));
  options("loss", boot.losses);
  options("optimizer", boot.optimizers);

  on("preset", "change", (event) => startPreset(event.target.value));
  for (const [id, action] of [["forward", "forward"], ["backward", "backward"], ["update", "update"], ["one-sample", "sample"], ["one-epoch", "epochs"]]) on(id, "click", () => act(action));
  on("many", "click", () => goOn("many"));
  on("play", "click", () => goOn("play"));
  on("back", "click", back);
  on("rewind", "click", rewind);
  on("next", "click", () => { pause(); showFrame(view.frame + 1); });
  on("frame", "input", (event) => { pause(); showFrame(Number(event.target.value)); });

  on("data-kind", "change", (event) => {
    const kind = event.target.value;
    if (kind !== "own") return changeData({ kind, points: [] });
    if (shown().answer.surfaces) return usePoints(allPoints());
    showSettings(shown(), runs, view);
    return openData();
  });
  onNumber("data-n", (n) => changeData({ n }));
  onNumber("data-noise", (noise) => changeData({ noise }), { integer: false });
  onNumber("data-seed", (seed) => changeData({ seed }));
  on("data-test", "change", (event) => changeData({ test_share: Number(event.target.value) }));
  on("initializer", "change", (event) => changeAll((config) => withConfig(config, "model", { initializer: event.target.value })));
  onNumber("seed", (seed) => changeAll((config) => withConfig(config, "model", { seed })));
  on("new-seed", "click", () => changeAll((config) => withConfig(config, "model", { seed: (config.model.seed + 1) % 2 ** 32 })));
  on("loss", "change", (event) => changeTraining({ loss: event.target.value }));
  on("optimizer", "change", (event) => changeTraining({ optimizer: event.target.value }));
  on("batch", "change", (event) => changeTraining({ batch_size: event.target.value ? Number(event.target.value) : null }));
  on("learning-rate", "change", (event) => {
    const rate = parseNumber(event.target.value);
    if (!(rate > 0 && rate <= 1e6)) {
      tell(`A learning rate is a positive number, such as 0.1, not “${event.target.value}”.`);
      return showSettings(shown(), runs, view);
    }
    return changeTraining({ learning_rate: rate });
  });

  onRadio("edges", (value) => { view.edges = value; redraw(); });
  onRadio("scale", (value) => { view.log = value === "log"; redraw(); });
  onRadio("layout", (value) => { view.layout = value; look(); });
  onRadio("adding", (value) => { view.adding = value; redraw(); });
  onRadio("run", (value) => { view.shown = Number(value); redraw(); });
  onRadio("code", showCode);
  on("sample-before", "click", () => chooseSample(shown().answer.sample - 1));
  on("sample-after", "click", () => chooseSample(shown().answer.sample + 1));

  on("compare", "click", compare);
  on("hide", "click", () => { view.hide = !view.hide; redraw(); say(view.hide ? "Numbers hidden: fill them in." : "Numbers shown."); });
  on("help", "click", () => $("help-dialog").showModal());
  on("code", "click", openCode);
  on("code-copy", "click", () => copy($("code-text").textContent, $("code-copy")));
  on("link", "click", async () => { pause(); await save(); await copy(location.href, $("link")); });
  on("own-data", "click", openData);
  on("data-use", "click", useText);
  wireTheme(repaint);
  const anywhere = { p: () => goOn("play"), z: back, r: rewind, h: () => $("hide").click(), "?": () => $("help-dialog").showModal() };
  wireKeys(view.recorded ? { ...anywhere, n: () => $("next").click() } : {
    ...anywhere, f: () => act("forward"), b: () => act("backward"), u: () => act("update"), s: () => act("sample"),
    e: () => act("epochs"), m: () => goOn("many"),
  });
  if (!view.recorded) wireTables((text) => useTable(text, tell), tell);
  addEventListener("hashchange", () => { if (location.hash !== inHash) open(); });
}

function repaint() {
  forgetColours();
  lossChart.forgetColours();
  redraw();
}

function useTable(text, complain) {
  let points;
  try { points = parseTable(text, boot.maxPoints); } catch (error) { complain(error.message); return false; }
  usePoints(points);
  return true;
}

function openData() {
  $("data-text").value = shown().answer.n_inputs > 10 ? "" : formatTable(allPoints());
  $("data-error").hidden = true;
  $("data-dialog").showModal();
}

function useText() {
  const complain = (message) => { $("data-error").hidden = false; setText($("data-error"), message); $("data-text").focus(); };
  if (useTable($("data-text").value, complain)) $("data-dialog").close();
}

let code = null;

async function openCode() {
  const run = shown();
  const epochs = Math.max(1, run.state.epoch - (run.codeStart?.epoch ?? 0)) || 1;
  const isNew = view.recorded || run.state.epoch === (run.codeStart?.epoch ?? 0);
  try {
    code = recording ? recording.listing : await listing({
      config: run.config, parameters: run.codeStart.drawn ? null : run.codeStart.parameters,
      epochs: isNew ? Number($("many-count").value) : epochs, layout: view.layout,
    });
  } catch (error) {
    return tell(error.message);
  }
  const from = run.codeStart?.epoch ? `from the weights of epoch ${run.codeStart.epoch}, where you last changed something, ` : "";
  setText($("code-note"), isNew ? `It gives the losses of ${recording ? "this run" : "the next epochs"}, to the last digits.` : `It repeats ${from ? `the epochs ${from}` : "all epochs "}up to now, and gives the same losses.`);
  showCode(document.querySelector("input[name=code]:checked").value);
  return $("code-dialog").showModal();
}

function showCode(kind) { if (code) setText($("code-text"), code[kind]); }

async function copy(text, button) {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    say("Copied.");
  } catch {
    button.textContent = "Not allowed";
    say("The browser does not allow copying; select the text instead.");
  }
  setTimeout(() => { button.textContent = label; }, 1500);
}

/** For tests and the curious: what the page holds. */
const page = { get runs() { return runs; }, view, redrawMilliseconds: 0, get busy() { return busy || Boolean(going); } };
globalThis.byhand = page;

wire();
if (recording) {
  document.querySelectorAll("[data-live]").forEach((element) => { element.hidden = true; });
  document.querySelectorAll("[data-recorded]").forEach((element) => { element.hidden = false; });
  document.querySelector(".story-choice").hidden = true;
  $("frame").max = String(recording.frames.length - 1);
  document.documentElement.classList.add("is-recorded");
  view.log = recording.log_scale;
  view.selected = recording.selected;
  showFrame(0);
} else {
  await open();
}
page.ready = true;
