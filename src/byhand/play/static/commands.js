// Commands: everything that needs the engine. They are done one after the other, in the order in which they were given;
// of settings of one kind that wait next to each other the latest is done. Nothing else changes a run.

import { boot, recording } from "byhand/engine";
import { planeOf } from "byhand/landscape";
import { emptyCurve, extended, newRun, readRun, within } from "byhand/run";
import { indexOf, isSmall, lastBefore, nextStop, sizesOf, stopsOf } from "byhand/stops";
import { blocked } from "byhand/state";

const CHUNK = 500;
const WAIT_SHOWN = 150; // milliseconds until it is shown that an answer is awaited

export class Commands {
  /** `store` has state and dispatch(event); `engine` has step(request) and story(id). */
  constructor(store, engine) {
    this.store = store;
    this.engine = engine;
    this.queue = [];
    this.running = null;
    this.ahead = null;
  }

  get idle() { return !this.running && !this.queue.length; }

  /** Do a command when those before it are done; resolves then. */
  do(command) {
    const kind = latestWins(command);
    const waiting = this.queue.at(-1);
    if (kind && waiting?.kind === kind) {
      waiting.command = command;
      return waiting.done;
    }
    const entry = { kind, command };
    entry.done = new Promise((resolve) => { entry.resolve = resolve; });
    this.queue.push(entry);
    this.running ??= this.work();
    return entry.done;
  }

  /** Forget the steps that have not begun; settings stay. */
  halt() {
    const [steps, others] = [[], []];
    for (const entry of this.queue) (entry.command.kind === "press" ? steps : others).push(entry);
    this.queue = others;
    for (const { resolve } of steps) resolve();
  }

  async settled() { while (!this.idle) await (this.running ?? Promise.resolve()); }

  async work() {
    await null; // so that what is given in one go waits together
    const slow = setTimeout(() => this.store.dispatch({ type: "waiting", waiting: true }), WAIT_SHOWN);
    while (this.queue.length) {
      const { command, resolve } = this.queue.shift();
      try {
        const events = await this.perform(command);
        for (const event of [events ?? []].flat()) this.store.dispatch(event);
      } catch (error) {
        this.store.dispatch({ type: "told", notice: error.message });
      }
      resolve();
    }
    clearTimeout(slow);
    this.running = null;
    this.store.dispatch({ type: "waiting", waiting: false });
  }

  perform(command) {
    const work = HANDLERS[command.kind];
    if (!work) throw new Error(`no such command: ${command.kind}`);
    return work.call(this, this.store.state, command);
  }

  // The engine's answers

  async asked(run, view, model, { action = "look", epochs = 1, sample = 0 } = {}) {
    const selected = within(model.selected, run.config);
    const explained = explainedOf(run.config, selected);
    const request = {
      config: run.config, state: run.state, action, epochs, sample, losses: run.recent, with_data: !run.data,
      surface: run.answer?.layers.length > 3 ? 24 : 48, explain: explained, layout: view.layout,
    };
    const answer = await this.answer(request);
    const before = run.state?.epoch ?? 0;
    return {
      ...run, answer, explained, state: answer.state,
      data: run.data ?? { id: JSON.stringify(run.config.data), train: answer.train, test: answer.test },
      recent: [...run.recent, ...answer.losses].slice(-100),
      curve: answer.losses.length || !run.curve.epochs.length || answer.state.epoch === run.curve.epochs.at(-1) ? extended(run.curve, before, answer) : run.curve,
    };
  }

  /** Ask, unless the answer was fetched ahead. */
  async answer(request) {
    const key = JSON.stringify(request);
    const { ahead } = this;
    if (ahead?.key === key) return ahead.answer;
    return this.engine.step(request);
  }

  /** Fetch what the next update leads to while the weights are looked at. */
  fetchAhead(run, view, model) {
    const selected = within(model.selected, run.config);
    const request = {
      config: run.config, state: run.state, action: "update", epochs: 1, sample: 0, losses: run.recent, with_data: !run.data,
      surface: run.answer.layers.length > 3 ? 24 : 48, explain: explainedOf(run.config, selected), layout: view.layout,
    };
    const answer = this.engine.step(request);
    answer.catch(() => { this.ahead = null; });
    this.ahead = { key: JSON.stringify(request), answer };
  }

  async all(runs, work) {
    const done = [];
    for (const run of runs) done.push(await work.call(this, run));
    return done;
  }

  /** Begin again at epoch 0: from these parameters, or from new ones as the config draws them. */
  async restarted(run, initial, view, model) {
    const fresh = { ...run, state: initial && { parameters: initial.parameters }, recent: [], curve: emptyCurve, known: {} };
    const begun = await this.asked(fresh, view, model);
    const start = initial ?? { parameters: begun.state.parameters, drawn: true };
    return { ...begun, initial: start, codeStart: { ...start, epoch: 0 } };
  }
}

/** Settings of which only the latest counts, by what they set. */
function latestWins({ kind, change, index, layer }) {
  if (kind === "training" || kind === "data" || kind === "model") return `${kind} ${Object.keys(change).sort()}`;
  if (kind === "weight") return `weight ${index}`;
  if (kind === "activation") return `activation ${layer}`;
  return ["start", "open", "look", "sample", "story", "landscape"].includes(kind) ? kind : null;
}

/** Whose formulas to ask for: of all units where they are few, else of the one that is selected; and of one weight,
 * where it is selected or its update has more to tell than one line. */
export function explainedOf(config, { layer, unit, weight }) {
  const sizes = [...config.model.hidden, config.data.kind === "digits" ? 10 : 1];
  const units = sizes.reduce((a, b) => a + b) > 4 ? [{ layer, unit, weight: null }]
    : sizes.flatMap((size, l) => Array.from({ length: size }, (_, u) => ({ layer: l, unit: u, weight: null })));
  const plain = config.training.optimizer === "gradient_descent";
  return weight == null && plain ? units : [...units, { layer, unit, weight: weight ?? 0 }];
}

const shownRun = ({ runs, shown }) => runs[shown];
const stopsFor = (model) => stopsOf(sizesOf(shownRun(model).answer));
const withConfig = (config, part, change) => ({ ...config, [part]: { ...config[part], ...change } });

/** Where one looks after a leap: at a small network before anything is computed, at a larger one with all known. */
function landing(run) {
  const sizes = sizesOf(run.answer);
  return isSmall(sizes) ? 0 : lastBefore(stopsOf(sizes));
}

function knownAt(run, stops, stop) {
  const output = indexOf(stops, `f:${run.answer.layers.length - 1}`);
  if (stop < output || run.answer.layers.at(-1).a.length > 1) return run.known;
  return { ...run.known, [run.answer.batch[run.answer.sample]]: run.answer.layers.at(-1).a[0] };
}

const allKnown = (run) => ({ ...run, known: Object.fromEntries(run.answer.outputs.map(([value], i) => [i, value])) });

const HANDLERS = {
  /** One step, of the size that the dial says. */
  async press({ model, view }, { dial }) {
    if (model.story) return HANDLERS.beat.call(this, { model, view });
    if (recording) return recordedPress({ model }, dial);
    if (blocked({ model })) return { type: "told", notice: `There is no way on: ${blocked({ model })}.` };
    const stops = stopsFor(model);
    if (dial === "epoch" || dial === "100") return HANDLERS.leap.call(this, { model, view }, { epochs: dial === "100" ? 100 : 1 });
    if (dial === "sample") return sampleByItself.call(this, { model, view });
    const next = nextStop(stops, model.stop, dial);
    if (next != null) {
      if (stops[next].id === "up" && model.runs.length === 1) this.fetchAhead(shownRun(model), view, model);
      return { type: "changed", model: { stop: next, leapt: 0, runs: model.runs.map((run) => ({ ...run, known: knownAt(run, stops, next) })) } };
    }
    const runs = await this.all(model.runs, (run) => this.asked(run, view, model, { action: "update" }));
    return { type: "changed", model: { runs, stop: 0, leapt: 0, sample: 0 } };
  },

  /** Some epochs at once; what is open of the present one is finished first. */
  async leap({ model, view }, { epochs, keep = true }) {
    const runs = await this.all(model.runs, async (begun) => {
      let run = begun;
      let left = epochs;
      while (left > 0) {
        const part = Math.min(left, CHUNK, run.answer.max_epochs);
        run = await this.asked(run, view, model, { action: "epochs", epochs: part, sample: model.sample });
        left -= part;
        if (run.answer.stopped) break;
      }
      return allKnown(run);
    });
    return { type: "changed", keep, model: { runs, stop: landing(runs[model.shown]), leapt: epochs } };
  },

  /** To a stop of the rail. */
  go({ model }, { stop }) {
    if (model.story) return null;
    const stops = stopsFor(model);
    return { type: "changed", model: { stop, leapt: 0, runs: model.runs.map((run) => ({ ...run, known: knownAt(run, stops, stop) })) } };
  },

  back: () => ({ type: "back" }),

  async rewind({ model, view }) {
    if (model.story) return null;
    const runs = recording ? [recordedRun(0)] : await this.all(model.runs, (run) => this.restarted(run, run.initial, view, model));
    return { type: "changed", model: { runs, stop: 0, leapt: 0, frame: 0 } };
  },

  // Stories

  async story({ model }, { id }) {
    const data = await this.engine.story(id);
    return { type: "changed", model: { tab: "story", story: { data, index: 0, open: false, guesses: {} } }, keep: Boolean(model.runs.length || model.story) };
  },

  /** The step of a beat, or the next question; after the last one the run is the learner's own. */
  async beat({ model, view }) {
    const { story } = model;
    if (!story.open) return { type: "changed", model: { story: { ...story, open: true } } };
    if (story.index < story.data.beats.length - 1) return { type: "changed", model: { story: { ...story, index: story.index + 1, open: false } } };
    if (recording) return null;
    return HANDLERS.takeOver.call(this, { model, view });
  },

  async takeOver({ model, view }) {
    const { config, answer, selected: [layer, unit] } = model.story.data.beats.at(-1).frame;
    const selected = { layer, unit, weight: null };
    const { parameters, epoch } = answer.state;
    const start = { ...newRun(config), state: { parameters, epoch } };
    const run = await this.asked(start, view, { ...model, selected });
    const initial = { parameters, drawn: false };
    const own = { ...run, initial, codeStart: { ...initial, epoch } };
    const small = isSmall(sizesOf(run.answer));
    return { type: "changed", model: { tab: small && config.data.kind === "own" ? "walk" : "lab", preset: "", story: null, runs: [own], shown: 0, stop: landing(own), leapt: 0, sample: 0, selected }, view: { panel: "explain", dial: small ? "unit" : "layer" } };
  },

  // Where to begin

  async start({ model, view }, { preset: id }) {
    const preset = boot.presets.find((each) => each.id === id) ?? boot.presets[0];
    const selected = { layer: 0, unit: 0, weight: null };
    const initial = preset.parameters && { parameters: preset.parameters, drawn: false };
    const run = await this.restarted(newRun(preset.config), initial, view, { ...model, selected });
    const finding = run.answer.findings.find(({ units }) => units.length);
    const small = isSmall(sizesOf(run.answer));
    return {
      type: "changed", keep: Boolean(model.runs.length || model.story),
      model: {
        tab: preset.id === "walk" ? "walk" : "lab", preset: preset.id, story: null, runs: [run], shown: 0, stop: 0, leapt: 0, sample: 0,
        selected: finding ? { layer: finding.layer - 1, unit: finding.units[0], weight: null } : selected,
      },
      view: { dial: small ? "unit" : "layer" },
    };
  },

  async open({ view }, { saved }) {
    const begun = saved.runs.slice(0, 2).map(readRun);
    const isCount = (value) => Number.isInteger(value) && value >= 0;
    const { layer, unit } = saved.selected ?? {};
    const selected = isCount(layer) && isCount(unit) ? { layer, unit, weight: null } : { layer: 0, unit: 0, weight: null };
    const sample = isCount(saved.sample) ? Math.min(saved.sample, boot.maxPoints) : 0;
    const runs = await this.all(begun, (run) => this.asked(run, view, { selected }, { sample }));
    const stops = stopsOf(sizesOf(runs[0].answer));
    return {
      type: "changed", keep: false,
      model: {
        tab: saved.tab === "walk" ? "walk" : "lab", preset: "", story: null, runs, shown: saved.shown === 1 && runs.length > 1 ? 1 : 0,
        stop: isCount(saved.stop) ? Math.min(saved.stop, stops.length - 1) : 0, leapt: 0, sample, selected,
      },
      view: { dial: isSmall(sizesOf(runs[0].answer)) ? "unit" : "layer" },
    };
  },

  async compare({ model, view }) {
    if (model.runs.length === 2) return { type: "changed", model: { runs: [shownRun(model)], shown: 0 } };
    const a = await this.restarted(shownRun(model), shownRun(model).initial, view, model);
    return { type: "changed", model: { runs: [a, a], shown: 1, stop: 0, leapt: 0 } };
  },

  // Settings

  /** Change the data or the network of all runs: new weights are drawn, the same for both. */
  data({ model, view }, { change }) { return redrawn.call(this, { model, view }, (config) => withData(config, change)); },
  points({ model, view }, { points }) { return redrawn.call(this, { model, view }, (config) => withPoints(config, points)); },
  model({ model, view }, { change }) { return redrawn.call(this, { model, view }, (config) => withConfig(config, "model", change)); },
  layers({ model, view }, { change }) { return redrawn.call(this, { model, view }, (config) => withLayers(config, change)); },
  units({ model, view }, { layer, change }) {
    return redrawn.call(this, { model, view }, (config) => {
      const units = config.model.hidden[layer] + change;
      return units < 1 || units > boot.maxUnits ? config : withConfig(config, "model", { hidden: config.model.hidden.with(layer, units) });
    });
  },

  /** Change an activation of the run that is shown: it begins again with the same initial weights. */
  async activation({ model, view }, { layer, name }) {
    const run = shownRun(model);
    const activations = run.config.model.activations.with(layer, name);
    const changed = await this.restarted({ ...run, config: withConfig(run.config, "model", { activations }) }, run.initial, view, model);
    return { type: "changed", model: { runs: model.runs.with(model.shown, changed), stop: 0, leapt: 0, preset: "" } };
  },

  /** Change how the shown run goes on: from its weights as they are now, with a fresh optimizer. */
  async training({ model, view }, { change }) {
    const run = { ...shownRun(model), config: withConfig(shownRun(model).config, "training", change) };
    const begins = run.state.epoch === 0 && run.state.position === 0;
    const changed = begins ? await this.restarted(run, run.initial, view, model) : await goingOn.call(this, run, run.state.parameters, { view, model });
    return { type: "changed", model: { runs: model.runs.with(model.shown, changed), preset: "" } };
  },

  async weight({ model, view }, { index, value }) {
    const run = shownRun(model);
    const parameters = run.state.parameters.with(index, value);
    const changed = await goingOn.call(this, run, parameters, { view, model });
    if (run.state.epoch === 0 && run.state.position === 0) changed.initial = { parameters, drawn: false };
    const stops = stopsFor(model);
    return { type: "changed", model: { runs: model.runs.with(model.shown, changed), stop: Math.min(model.stop, lastBefore(stops)), leapt: 0 } };
  },

  // What is looked at

  async look({ model, view }) {
    if (model.story || !model.runs.length) return null;
    if (recording) return { type: "changed", keep: false, model: { runs: [recordedRun(model.frame ?? 0, model)] } };
    const runs = await this.all(model.runs, (run) => this.asked(run, view, model, { sample: run.answer.sample }));
    return { type: "changed", keep: false, model: { runs } };
  },

  /** The loss over two weights of the shown run, as it is now. */
  async landscape({ model }, { plane }) {
    if (model.story || !model.runs.length) return null;
    const request = planeOf(shownRun(model), plane);
    const { losses } = await this.engine.landscape(request);
    return { type: "view", view: { landscape: { request, losses } } };
  },

  async sample({ model, view }, { place }) {
    const run = shownRun(model);
    const count = recording ? recording.frames[model.frame ?? 0].answers.length : run.answer.batch.length;
    const sample = (place + count) % count;
    const runs = recording ? [recordedRun(model.frame ?? 0, { ...model, sample })] : await this.all(model.runs, (each) => this.asked(each, view, model, { sample }));
    return { type: "changed", keep: false, model: { runs, sample } };
  },
};

/** One sample of the batch forward and backward, its part of the gradient added; the batch's last one brings the update. */
async function sampleByItself({ model, view }) {
  const runs = await this.all(model.runs, (run) => this.asked(run, view, model, { action: "sample" }));
  const [{ answer }] = runs;
  return { type: "changed", model: { runs, sample: answer.sample, stop: answer.batch_done ? lastBefore(stopsFor(model)) : 0, leapt: 0 } };
}

async function goingOn(run, parameters, { view, model }) {
  const { epoch, position } = run.state;
  const inOrder = !run.config.training.shuffle && position;
  const state = inOrder ? { parameters, epoch, position } : { parameters, epoch };
  const codeStart = { parameters, drawn: false, epoch };
  return this.asked({ ...run, state, codeStart, recent: [] }, view, model, { sample: model.sample });
}

async function redrawn({ model, view }, change) {
  let initial = null;
  const runs = await this.all(model.runs, async (run) => {
    const changed = await this.restarted({ ...newRun(change(run.config)) }, initial, view, { ...model, selected: { ...model.selected, weight: null } });
    initial = changed.initial;
    return changed;
  });
  const small = isSmall(sizesOf(runs[0].answer));
  const selected = within({ ...model.selected, weight: null }, runs[0].config);
  const dial = !small && view.dial === "unit" ? "layer" : view.dial;
  return { type: "changed", model: { runs, stop: 0, leapt: 0, sample: 0, selected, preset: "" }, view: { dial } };
}

// Configs

/** Another kind of data brings a network and a training that are worth looking at. */
function withData(config, change) {
  if (change.kind && change.kind !== config.data.kind) return boot.defaults[change.kind];
  return withConfig(config, "data", change);
}

/** One's own points: with the network as it is if it can learn them, else with one that can. */
function withPoints(config, points) {
  const classes = points.every((point) => point.at(-1) === 0 || point.at(-1) === 1);
  const [last, loss] = [config.model.activations.at(-1), config.training.loss];
  const logits = loss === "binary_cross_entropy_from_logits";
  const fits = config.data.kind !== "digits" && (classes ? logits || last === "sigmoid" : last === "identity" && !logits);
  const next = fits ? config : boot.defaults[classes ? "classes" : "numbers"];
  return { ...next, data: { ...config.data, kind: "own", points, test_share: config.data.kind === "digits" ? 0 : config.data.test_share } };
}

function withLayers(config, change) {
  const { hidden, activations } = config.model;
  if ((change < 0 && !hidden.length) || (change > 0 && hidden.length >= boot.maxHiddenLayers)) return config;
  const inner = activations.slice(0, -1);
  return withConfig(config, "model", {
    hidden: change > 0 ? [...hidden, hidden.at(-1) ?? 4] : hidden.slice(0, -1),
    activations: [...(change > 0 ? [...inner, inner.at(-1) ?? "tanh"] : inner.slice(0, -1)), activations.at(-1)],
  });
}

// A recorded run

/** The run at a frame of the recording. */
export function recordedRun(frame, { sample = 0, selected = recording.selected } = {}) {
  const { answers } = recording.frames[frame];
  const shown = Math.min(sample, answers.length - 1);
  const answer = { ...answers[0], ...answers[shown] };
  const same = (one) => (each) => each.layer === one.layer && each.unit === one.unit && (each.weight ?? null) === one.weight;
  const explained = explainedOf(recording.config, { weight: null, ...selected });
  const [formulas, nudged] = ["formulas", "nudged"].map((kind) => explained.map((each) => answer[kind][recording.explained.findIndex(same(each))] ?? []));
  let curve = emptyCurve;
  recording.frames.slice(0, frame + 1).forEach(({ answers: [first] }, i) => {
    curve = extended(curve, recording.frames[Math.max(0, i - 1)].answers[0].state.epoch, first);
  });
  const initial = { parameters: recording.frames[0].answers[0].state.parameters, drawn: false };
  const run = { ...newRun(recording.config), answer: { ...answer, formulas, nudged }, explained, state: answer.state, curve, initial, codeStart: { ...initial, epoch: 0 }, data: { id: "recorded", train: recording.train, test: recording.test } };
  return allKnown(run);
}

function recordedPress({ model }, dial) {
  const stops = stopsFor(model);
  const leaps = dial === "epoch" || dial === "100";
  const next = leaps ? null : nextStop(stops, model.stop, dial);
  if (next != null) return { type: "changed", model: { stop: next, leapt: 0 } };
  const frame = Math.min((model.frame ?? 0) + 1, recording.frames.length - 1);
  if (frame === (model.frame ?? 0)) return { type: "told", notice: "The recording ends here." };
  const run = recordedRun(frame, model);
  return { type: "changed", model: { frame, runs: [run], stop: leaps ? landing(run) : 0, leapt: leaps ? run.state.epoch - shownRun(model).state.epoch : 0 } };
}
