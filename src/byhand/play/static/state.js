// What the page holds, and how it changes: one pure function from a state and an event to the next state.

import { within } from "byhand/run";
import { indexOf, knowledge, sizesOf, stopsOf } from "byhand/stops";

export const MAX_BACK = 200;

export const initialState = {
  /** What steps, stories and settings change: what "back" brings back. */
  model: {
    tab: "walk", preset: "walk", runs: [], shown: 0, stop: 0, leapt: 0, sample: 0,
    selected: { layer: 0, unit: 0, weight: null }, story: null,
  },
  past: [],
  /** How it is looked at. */
  view: { panel: "explain", hide: false, scale: "auto", layout: "W x + b", dial: "unit", adding: "", present: false, pace: "normal", plane: [0, 1], overPlane: false, landscape: null },
  notice: "",
  waiting: false,
  playing: false,
};

export function reduce(state, event) {
  switch (event.type) {
    case "changed": // the model, in one move; `keep` makes it one that "back" undoes
      return {
        ...state, model: { ...state.model, ...event.model }, notice: "",
        past: event.keep === false ? state.past : [...state.past, state.model].slice(-MAX_BACK),
        view: event.view ? { ...state.view, ...event.view } : state.view,
      };
    case "back":
      if (!state.past.length) return state;
      return { ...state, model: state.past.at(-1), past: state.past.slice(0, -1), notice: "" };
    case "guessed": {
      const { story } = state.model;
      if (!story || story.open) return state;
      return { ...state, model: { ...state.model, story: { ...story, guesses: { ...story.guesses, [story.index]: event.guess } } } };
    }
    case "selected": return { ...state, model: { ...state.model, selected: event.selected } };
    case "shown": return { ...state, model: { ...state.model, shown: event.run } };
    case "view": return { ...state, view: { ...state.view, ...event.view } };
    case "told": return { ...state, notice: event.notice };
    case "waiting": return state.waiting === event.waiting ? state : { ...state, waiting: event.waiting };
    case "playing": return state.playing === event.playing ? state : { ...state, playing: event.playing };
    default: throw new Error(`no such event: ${event.type}`);
  }
}

/** What is to be seen: the run that is shown, at its stop, with what is known there; null before the first answer. */
export function sceneOf({ model }) {
  const { story } = model;
  if (story) return storyScene(story);
  const run = model.runs[model.shown];
  if (!run?.answer) return null;
  return scene(run, model.stop, { leapt: model.leapt, selected: within(model.selected, run.config) });
}

function storyScene({ data, index, open }) {
  const beat = data.beats[index];
  const frame = open ? beat.frame : index ? data.beats[index - 1].frame : data.start;
  const { answer, config, curve } = frame;
  const stops = stopsOf(sizesOf(answer));
  const stop = indexOf(stops, open ? frame.stop : beat.before ?? frame.stop);
  const [layer, unit] = frame.selected;
  const run = { config, answer, state: answer.state, explained: explainedIn(answer), data: { id: data.id, train: data.train, test: data.test }, known: saidIn(answer, stops, stop), curve: { stride: 1, ...curve, test: [], trail: [] } };
  return scene(run, stop, { leapt: 0, selected: { layer, unit, weight: null } });
}

/** What the network said to the sample, once the output is known. */
function saidIn({ layers, batch, sample }, stops, stop) {
  const last = layers.length - 1;
  return knowledge(stops, stop).forward(last, 0) && layers[last].a.length === 1 ? { [batch[sample]]: layers[last].a[0] } : {};
}

/** Which units a story's formulas are of: all of a small network's, in order. */
const explainedIn = ({ layers, formulas }) => (formulas.length
  ? layers.flatMap(({ z }, layer) => z.map((_, unit) => ({ layer, unit, weight: null }))) : []);

function scene(run, stop, rest) {
  const sizes = sizesOf(run.answer);
  const stops = stopsOf(sizes);
  return { ...rest, run, answer: run.answer, sizes, stops, at: stop, stop: stops[stop], phase: stops[stop].phase, knows: knowledge(stops, stop) };
}

/** Why no step leads on, or "". */
export function blocked({ model }) {
  if (model.story) return "";
  const run = model.runs[model.shown];
  if (!run?.answer) return "";
  return run.answer.stopped ?? (run.answer.next_parameters.some((value) => value == null) && run.answer.max_epochs
    ? "the next update would leave numbers that are not finite" : "");
}
