// The wiring: events become commands, and each new state is drawn.

import { $, el, forgetColours, narrow, number, setText } from "byhand/dom";
import { boot, landscape, listing, onTheWay, recording, step, story } from "byhand/engine";
import { pack, unpack } from "byhand/link";
import { formatTable, parseTable } from "byhand/table";
import { Bar, dialsFor } from "byhand/bar";
import { Commands, recordedRun } from "byhand/commands";
import { LossChart, OutputPlot, gradientBars, histograms } from "byhand/charts";
import { showExplanation } from "byhand/explain";
import { Foot } from "byhand/foot";
import { parametersOf, planeOf, showLandscape } from "byhand/landscape";
import { wireGlow, wireKeys, wireTables, wireTheme } from "byhand/inputs";
import { Numbers } from "byhand/numbers";
import { Picture } from "byhand/picture";
import { thinned } from "byhand/run";
import { FINDINGS, difference, readout, showFindings, showSettings, wireSettings } from "byhand/settings";
import { blocked, initialState, MAX_BACK, reduce, sceneOf } from "byhand/state";
import { forgetBeat, showBeat, stepWords } from "byhand/story";

const root = document.documentElement;
const SLOW = 40; // milliseconds: what plays is to be seen at least eight times a second, on a busy machine too
const still = matchMedia("(prefers-reduced-motion: reduce)");

// The state, and who may change it

const store = {
  state: initialState,
  dispatch(event) {
    const before = this.state;
    this.state = reduce(before, event);
    if (this.state !== before) redraw(before, event);
  },
};
const commands = new Commands(store, { landscape, step, story });
const perform = (command) => commands.do(command);

// Drawing

const select = (layer, unit, weight) => {
  if (store.state.model.story) return;
  store.dispatch({ type: "selected", selected: { layer, unit, weight } });
  perform({ kind: "look" });
};
const isLive = () => !recording && !store.state.model.story;
const picture = new Picture($("network"), boot.activations, { select, drag: (index, value) => isLive() && perform({ kind: "weight", index, value }) });
const bar = new Bar({ go: (stop) => perform({ kind: "go", stop }), dial: (dial) => store.dispatch({ type: "view", view: { dial } }) });
const numbers = new Numbers({ select, edit: (index, value) => perform({ kind: "weight", index, value }), say: (text, loud) => { say(text); if (loud) tell(text); } });
const foot = new Foot();
const lossChart = new LossChart($("loss-chart"), { width: 400, height: 230, reading: true });
const plots = ["Run A", "Run B"].map((title) => new OutputPlot(title, { point: choosePoint, place: addPoint }));
const layers = wireSettings({ do: perform, tell, refresh: () => redrawSettings(), openData, ownPoints });
let drawnFor = null;

function redraw(before, event) {
  const { state } = store;
  const scene = sceneOf(state);
  showNotice(state.notice);
  if (!scene) return;
  const started = performance.now();
  const stepped = event.type === "changed" && event.keep !== false && !state.playing && drawnFor !== null;
  const { model, view } = state;
  const tab = model.tab;
  root.dataset.mode = tab;
  root.dataset.pace = view.pace;
  root.classList.toggle("present", view.present);
  root.classList.toggle("playing", state.playing);
  document.body.dataset.phase = scene.phase;
  picture.render(scene, view, stepped && !scene.leapt);
  bar.render(scene, state, model.story ? stepWords(model.story, Boolean(recording)) : null);
  showWhere(scene, state);
  showPages(scene, state, stepped);
  document.querySelectorAll("[data-tab]").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.tab === tab)));
  $("runs").hidden = model.runs.length < 2 || Boolean(model.story);
  const choice = document.querySelector(`input[name=run][value="${model.shown}"]`);
  if (!choice.checked) choice.checked = true;
  $("hide").setAttribute("aria-pressed", String(view.hide));
  $("compare").setAttribute("aria-pressed", String(model.runs.length > 1));
  setText($("compare"), model.runs.length > 1 ? "End comparison" : "Compare two runs");
  if (state.waiting === before.waiting && event.type !== "told") announce(scene, state, before);
  drawnFor = scene;
  page.redrawMilliseconds = performance.now() - started;
  saveSoon();
}

/** The page that the panel has open; what is not to be seen is not drawn. */
function showPages(scene, state, stepped) {
  const { model, view } = state;
  const open = model.story ? "story" : view.panel;
  document.querySelectorAll("[data-page]").forEach((each) => each.classList.toggle("open", each.dataset.page === open));
  document.querySelectorAll("[data-panel]").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.panel === open && button.id !== "found")));
  $("foot").classList.toggle("open", open === "explain" || open === "story");
  const runs = model.story ? [scene.run] : model.runs;
  const fresh = model.story ? "" : showFindings(runs, { find });
  if (fresh) say(fresh);
  if (open === "explain") showExplanation(scene, view, stepped, isLive() && model.preset === "walk" ? () => perform({ kind: "story", id: "delta" }) : null);
  if (open === "story") showBeat(model.story, { guess: (guess) => store.dispatch({ type: "guessed", guess }) });
  if (open === "explain" || open === "story") foot.render(scene, view, curvesOf(runs), Boolean(model.story));
  if (open === "numbers") { numbers.render(scene, view); nameSample(scene, view); }
  if (open === "charts") showCharts(scene, state, runs);
  if (open === "settings") redrawSettings();
  if ($("story").value !== (model.story?.data.id ?? "")) $("story").value = model.story?.data.id ?? "";
}

const curvesOf = (runs) => runs.map(({ curve }, i) => ({ ...curve, name: runs.length > 1 ? "AB"[i] : "" }));

function redrawSettings() {
  const { model } = store.state;
  const run = model.runs[model.shown];
  showSettings(run, model.preset);
  layers.render(run);
}

function showCharts({ answer, knows, sizes }, { model, view }, runs) {
  const shown = plots.slice(0, runs.length);
  if ($("output").childElementCount !== shown.length) $("output").replaceChildren(...shown.map((plot) => plot.element));
  runs.forEach((run, i) => plots[i].render(run, view, runs.length > 1));
  $("output").classList.toggle("adding", Boolean(view.adding));
  lossChart.render(curvesOf(runs), view.scale);
  gradientBars($("gradient-chart"), answer, knows.delta(0, sizes[1] - 1) && !view.hide);
  histograms($("histogram"), answer);
  const run = runs[model.shown] ?? runs[0];
  const kept = [readout(run)];
  if (run.curve.stride > 1) kept.push(`The curve keeps one epoch in ${run.curve.stride}.`);
  kept.push(recording ? `Frame ${(model.frame ?? 0) + 1} of ${recording.frames?.length}.` : `Steps back: ${store.state.past.length} of at most ${MAX_BACK}.`);
  setText($("loss-note"), kept.join(" "));
  noteOutput(run);
  if (view.overPlane && isLive()) showPlane(run, sizes, view);
  $("difference").hidden = runs.length < 2;
  setText($("difference"), runs.length > 1 ? difference(runs) : "");
}

let planeSizes = "";

/** The landscape, asked for anew where it is of another state. */
function showPlane(run, sizes, { plane, landscape: known }) {
  const parameters = parametersOf(sizes);
  if (planeSizes !== `${sizes}`) {
    planeSizes = `${sizes}`;
    for (const id of ["plane-first", "plane-second"]) $(id).replaceChildren(...parameters.map(({ index, name }) => el("option", { value: index }, name)));
  }
  if (!parameters.length) return setText($("landscape"), "This network has too many weights to name them.");
  const chosen = plane.map((index) => (index < parameters.length ? index : plane.indexOf(index)));
  [$("plane-first").value, $("plane-second").value] = chosen;
  const wanted = planeOf(run, chosen);
  if (known && JSON.stringify(known.request) === JSON.stringify(wanted)) return showLandscape(known, run, chosen.map((index) => parameters[index].name));
  if (!store.state.playing) return perform({ kind: "landscape", plane: chosen });
  return null;
}

function noteOutput({ answer, data }) {
  const isClasses = answer.threshold != null;
  const plane = answer.surfaces?.up > 1;
  const legend = isClasses ? "Filled squares are class 1, rings class 0" : "Points are the samples";
  setText($("output-note"), answer.surfaces ? `${legend}${data.test.x.length ? "; pale ones are the test set" : ""}. ${isClasses && plane ? `The dashed line is where ŷ = ${answer.threshold}. ` : ""}The blue ring is the sample whose numbers are shown. Bronze is positive, violet negative, full at ±1.` : "");
  $("adding").hidden = !answer.surfaces || !isLive();
  setText(document.querySelector("input[name=adding][value='0'] + span"), plane ? "0" : "a point");
  document.querySelector("input[name=adding][value='1']").parentElement.hidden = !plane;
}

function nameSample({ answer, knows }, view) {
  const target = answer.y.length > 1 ? answer.y.indexOf(1) : number(answer.y[0]);
  const y = answer.layers.at(-1).a;
  const output = view.hide ? "?" : !knows.forward(answer.layers.length - 1, y.length - 1) ? "·" : y.length > 1 ? y.indexOf(Math.max(...y)) : number(y[0]);
  const x = answer.x.length > 10 ? "" : `x = (${answer.x.map((v) => number(v)).join(", ")}), `;
  setText($("sample-name"), `Sample ${answer.sample + 1} of ${answer.batch.length}: ${x}y = ${target}, ŷ = ${output}`);
}

/** What seldom changes comes first, so that it keeps its place. */
function showWhere({ run, answer }, { model }) {
  const count = run.data.train.x.length;
  const one = answer.batch.length < count;
  const told = !one && (Object.keys(run.known ?? {}).length === count || run.state.epoch || model.story);
  const entries = [
    ["Rate η", number(run.config.training.learning_rate), "extra"],
    one ? ["Sample", `${run.state.position + 1} of ${count}`, "extra"] : null,
    ["Epoch", run.state.epoch.toLocaleString("en")],
    told ? ["Loss", number(answer.train_loss)] : null,
  ].filter(Boolean);
  $("where").replaceChildren(...entries.map(([name, value, kind]) => el("span", { class: kind ?? null }, `${name} `, el("b", {}, value))));
}

function showNotice(notice) {
  $("error").hidden = !notice;
  setText($("error"), notice);
}

function tell(notice) { store.dispatch({ type: "told", notice }); }

function say(text) {
  setText($("live"), "");
  setText($("live"), text);
}

/** What changed beyond what the explanation says by itself. */
function announce({ run, answer, leapt }, { model }, before) {
  if (model.story) return announceBeat(model.story, before.model.story);
  const was = before.model.runs[before.model.shown];
  if (!was?.answer || was.state === run.state || !(leapt || was.config !== run.config)) return;
  const found = answer.findings.map(({ id }) => FINDINGS[id] ?? id).join(", ");
  say(`Epoch ${run.state.epoch}, loss ${number(answer.train_loss)}.${found ? ` ${found}.` : ""}`);
}

function announceBeat({ data, index, open }, before) {
  if (before?.data.id === data.id && before.index === index && before.open === open) return;
  const { question, answer } = data.beats[index];
  say(open ? answer.replaceAll("**", "") : question);
}

function find(run, layer, unit) {
  store.dispatch({ type: "shown", run });
  store.dispatch({ type: "view", view: { panel: "explain" } });
  select(layer, unit, null);
}

// Steps

function press() {
  const { state } = store;
  if (state.playing) return pause();
  return perform({ kind: "press", dial: state.view.dial });
}

/** Let epochs run until it is paused; what is pressed or set meanwhile comes in between. */
async function play() {
  if (store.state.playing) return pause();
  store.dispatch({ type: "playing", playing: true });
  let first = true;
  let epochs = 1;
  while (store.state.playing) {
    const started = performance.now();
    if (recording) await perform({ kind: "press", dial: "epoch" });
    else await perform({ kind: "leap", epochs, keep: first });
    first = false;
    const took = performance.now() - started;
    epochs = Math.max(1, Math.min(store.state.view.dial === "100" ? 100 : 10, took > SLOW ? epochs / 2 : 2 * epochs) | 0);
    if (blocked(store.state) || store.state.notice || store.state.model.story) break;
    const pace = recording ? 700 : still.matches ? 500 : 66;
    await new Promise((resume) => setTimeout(() => requestAnimationFrame(resume), Math.max(0, pace - (performance.now() - started))));
  }
  return pause();
}

function pause() {
  store.dispatch({ type: "playing", playing: false });
  saveSoon();
}

function back() {
  pause();
  commands.halt();
  return store.state.past.length || !commands.idle ? perform({ kind: "back" }) : say("This is as far back as it goes.");
}

function changeDial(by) {
  const scene = sceneOf(store.state);
  if (!scene || store.state.model.story) return;
  const dials = dialsFor(scene);
  const dial = dials[Math.max(0, Math.min(dials.length - 1, dials.indexOf(store.state.view.dial) + by))];
  store.dispatch({ type: "view", view: { dial } });
}

function openTab(tab) {
  pause();
  const { model } = store.state;
  if (tab === model.tab) return null;
  if (tab === "story") return perform({ kind: "story", id: boot.stories[0].id });
  return perform({ kind: "start", preset: tab === "walk" ? "walk" : "sigmoid-learns" });
}

// Samples and points

const shown = () => store.state.model.runs[store.state.model.shown];

function chooseSample(by) {
  return perform({ kind: "sample", place: shown().answer.sample + by });
}

function choosePoint(index) {
  if (store.state.view.adding || store.state.model.story) return false;
  const place = shown().answer.batch.indexOf(index);
  if (place < 0 || (recording && place >= recording.frames[store.state.model.frame ?? 0].answers.length)) say("This point is in another batch.");
  else perform({ kind: "sample", place });
  return true;
}

function addPoint(x, y) {
  const { adding } = store.state.view;
  if (!adding) return;
  const round = (value) => Number(value.toPrecision(4));
  const line = shown().answer.surfaces.up === 1;
  usePoints([...allPoints(), line ? [round(x), round(y)] : [round(x), round(y), Number(adding)]]);
}

function allPoints() {
  const { train, test } = shown().data;
  return [...train.x, ...test.x].map((x, i) => [...x, ...([...train.y, ...test.y][i])]);
}

function usePoints(points) {
  if (points.length > boot.maxPoints) return tell(`There is room for ${boot.maxPoints} points.`);
  if (store.state.model.story) return tell("A story has its own points: open the larger network first.");
  return perform({ kind: "points", points });
}

function ownPoints() {
  if (shown().answer.surfaces) return usePoints(allPoints());
  redrawSettings();
  return openData();
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

// Code

let code = null;

async function openCode() {
  const { model, view } = store.state;
  const scene = sceneOf(store.state);
  const own = shown();
  const from = model.story ? { epoch: 0, drawn: false, parameters: scene.answer.state.parameters } : own.codeStart;
  const config = model.story ? scene.run.config : own.config;
  const gone = model.story ? 0 : own.state.epoch - from.epoch;
  const isNew = recording || gone < 1;
  try {
    code = recording?.listing ?? await listing({ config, parameters: from.drawn ? null : from.parameters, epochs: isNew ? 100 : gone, layout: view.layout });
  } catch (error) {
    return tell(error.message);
  }
  const place = from.epoch ? `from the weights of epoch ${from.epoch}, where you last changed something, ` : "";
  setText($("code-note"), isNew ? `It gives the losses of ${recording ? "this run" : "the next 100 epochs"}, to the last digits.` : `It repeats ${place ? `the epochs ${place}` : "all epochs "}up to now, and gives the same losses.`);
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

// The address

let inHash = "";
let saveTimer = null;

function saveSoon() {
  if (recording || store.state.playing) return;
  clearTimeout(saveTimer);
  saveTimer = setTimeout(save, 300);
}

async function save() {
  const { model, view } = store.state;
  if (!commands.idle || !sceneOf(store.state)) return;
  if (model.story) inHash = `#story=${model.story.data.id}`;
  else {
    const { layout, hide, scale } = view;
    const { tab, shown: which, stop, sample, selected } = model;
    const runs = model.runs.map(({ config, initial, codeStart, state, recent, curve, known }) => ({ config, initial, codeStart, state, recent, curve: thinned(curve), known }));
    inHash = `#s=${await pack({ v: 2, tab, shown: which, stop, sample, selected, view: { layout, hide, scale }, runs })}`;
  }
  if (location.hash !== inHash) history.replaceState(null, "", inHash);
}

async function open() {
  const [, kind, value] = location.hash.match(/^#(s|start|story)=(.*)$/) ?? [];
  pause();
  if (kind === "story" && boot.stories.some(({ id }) => id === value)) return openStory(value);
  if (kind === undefined && boot.site) return openStory(boot.stories[0].id);  // it is there at once, the engine is not
  if (kind !== "s") return perform({ kind: "start", preset: kind === "start" ? value : "walk" });
  let saved;
  try {
    saved = await unpack(value);
    if (saved.v !== 2 || !saved.runs.length) throw new Error();
    for (const key of ["layout", "hide", "scale"]) if (typeof saved.view?.[key] === typeof store.state.view[key]) store.dispatch({ type: "view", view: { [key]: saved.view[key] } });
  } catch {
    await perform({ kind: "start", preset: "walk" });
    return tell("The address of this page is damaged or of another version, so this is where the page begins instead.");
  }
  await perform({ kind: "open", saved });
  if (sceneOf(store.state)) return null;
  const { notice } = store.state;
  await perform({ kind: "start", preset: "walk" });
  return tell(`The address of this page holds an experiment that cannot be opened (${notice || "it is damaged"}), so this is where the page begins instead.`);
}

async function openStory(id) {
  if (!boot.site) await perform({ kind: "start", preset: "walk" });
  return perform({ kind: "story", id });
}

// Wiring

function on(id, handler, event = "click") { $(id).addEventListener(event, handler); }
function onRadio(name, handler) {
  document.querySelectorAll(`input[name=${name}]`).forEach((radio) => radio.addEventListener("change", () => handler(radio.value)));
}
/** Two different weights: the other one gives way. */
const apart = ([first, second], chosen) => (first !== second ? [first, second] : chosen ? [second ? 0 : 1, second] : [first, first ? 0 : 1]);
const setView = (view) => store.dispatch({ type: "view", view });
const present = (yes) => { setView({ present: yes, panel: "explain" }); };

function wire() {
  on("step", press);
  on("back", back);
  on("play", play);
  on("rewind", () => { pause(); perform({ kind: "rewind" }); });
  on("present", () => present(true));
  on("hide", () => { setView({ hide: !store.state.view.hide, panel: "numbers" }); say(store.state.view.hide ? "Numbers hidden: fill them in." : "Numbers shown."); });
  on("compare", () => { pause(); perform({ kind: "compare" }); setView({ panel: "charts" }); });
  on("code", openCode);
  on("code-copy", () => copy($("code-text").textContent, $("code-copy")));
  on("link", async () => { pause(); await commands.settled(); await save(); await copy(location.href, $("link")); });
  on("help", () => $("help-dialog").showModal());
  on("data-use", useText);
  on("pace", (event) => setView({ pace: event.target.value }), "change");
  on("over-plane", (event) => setView({ overPlane: event.target.open }), "toggle");
  ["plane-first", "plane-second"].forEach((id, i) => on(id, (event) => setView({ plane: apart(store.state.view.plane.with(i, Number(event.target.value)), i) }), "change"));
  on("sample-before", () => chooseSample(-1));
  on("sample-after", () => chooseSample(1));
  $("story").replaceChildren(...boot.stories.map(({ id, title }) => el("option", { value: id }, title)));
  on("story", (event) => perform({ kind: "story", id: event.target.value }), "change");
  document.querySelectorAll("[data-tab]").forEach((button) => button.addEventListener("click", () => openTab(button.dataset.tab)));
  document.querySelectorAll("[data-panel]").forEach((button) => button.addEventListener("click", () => setView({ panel: button.dataset.panel })));
  onRadio("scale", (scale) => setView({ scale }));
  onRadio("layout", (layout) => { setView({ layout }); perform({ kind: "look" }); });
  onRadio("adding", (adding) => setView({ adding }));
  onRadio("run", (run) => store.dispatch({ type: "shown", run: Number(run) }));
  onRadio("code", showCode);
  $("menu").addEventListener("click", (event) => { if (event.target.closest("div button")) $("menu").open = false; });
  document.addEventListener("click", (event) => { if (!event.target.closest("#menu")) $("menu").open = false; });
  wireGlow();
  wireAllKeys(wireTheme(repaint));
  if (!recording) wireTables((text) => useTable(text, tell), tell);
  addEventListener("hashchange", () => { if (location.hash !== inHash) open(); });
  narrow.addEventListener("change", repaint);
}

function wireAllKeys(turnTheme) {
  const steps = (event) => { if (!event.repeat || commands.idle) press(); };
  const guess = (i) => () => { if (store.state.model.story?.data.beats[store.state.model.story.index].options[i]) store.dispatch({ type: "guessed", guess: i }); };
  wireKeys({
    " ": steps, arrowright: steps, pagedown: steps, arrowleft: back, pageup: back, enter: play, r: () => $("rewind").click(),
    "+": () => changeDial(1), "=": () => changeDial(1), "-": () => changeDial(-1), "−": () => changeDial(-1),
    1: guess(0), 2: guess(1), 3: guess(2), 4: guess(3), t: turnTheme, h: () => $("hide").click(), "?": () => $("help-dialog").showModal(),
    p: () => present(!store.state.view.present), escape: () => { if (store.state.view.present) present(false); },
  });
}

function repaint() {
  forgetColours();
  forgetBeat();
  store.dispatch({ type: "view", view: {} });
}

/** For tests and the curious: what the page holds, and what makes it do something. */
const page = { get state() { return store.state; }, get scene() { return sceneOf(store.state); }, do: perform, settled: () => commands.settled(), redrawMilliseconds: 0, get busy() { return !commands.idle || store.state.playing; } };
globalThis.byhand = page;

wire();
onTheWay.tell = tell;
if (recording) {
  document.querySelectorAll("[data-live]").forEach((element) => { element.hidden = true; });
  root.classList.add("is-recorded");
  if (recording.story) await perform({ kind: "story", id: recording.story.id });
  else store.dispatch({ type: "changed", keep: false, model: { tab: "lab", frame: 0, runs: [recordedRun(0)], selected: recording.selected, preset: "" }, view: { dial: dialsFor(sceneOf({ model: { ...initialState.model, runs: [recordedRun(0)] } }))[0] } });
} else {
  await open();
}
page.ready = true;
