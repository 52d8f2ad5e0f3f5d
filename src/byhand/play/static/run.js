// A run: an experiment and where it is. Plain data but for `answer`, and never changed in place but for its curve,
// so a step back just puts an older state back.

const MAX_CURVE = 2000;

export function newRun(config) {
  return { config, initial: null, codeStart: null, state: null, recent: [], curve: newCurve(), past: [], answer: null, data: null, lit: null };
}

export const newCurve = () => ({ stride: 1, epochs: [], train: [], test: [] });

/** The selection, or what is next to it when the network has become smaller. */
export function within({ layer, unit, weight }, { data, model: { hidden } }) {
  const sizes = [...hidden, data.kind === "digits" ? 10 : 1];
  if (layer < sizes.length && unit < sizes[layer]) return { layer, unit, weight };
  const nearest = Math.min(layer, sizes.length - 1);
  return { layer: nearest, unit: Math.min(unit, sizes[nearest] - 1), weight: null };
}

/** Add what the engine has gone through to the curve; in a long run only one epoch in 2, 4, 8, … is kept. */
export function record(run, before, answer) {
  const { curve } = run;
  dropAfter(curve, before);
  if (curve.epochs.at(-1) === before) { curve.epochs.pop(); curve.train.pop(); curve.test.pop(); }
  const add = (epoch, train, test) => { curve.epochs.push(epoch); curve.train.push(train); curve.test.push(test); };
  answer.losses.forEach((loss, i) => {
    if ((before + i) % curve.stride === 0) add(before + i, loss, i ? answer.test_losses[i - 1] ?? null : curve.lastTest ?? null);
  });
  curve.lastTest = answer.test_losses.at(-1) ?? answer.test_loss;
  add(answer.state.epoch, answer.train_loss, answer.test_loss);
  while (curve.epochs.length > MAX_CURVE) {
    curve.stride *= 2;
    const keep = (_, i) => curve.epochs[i] % curve.stride === 0 || i === curve.epochs.length - 1;
    const kept = [curve.epochs, curve.train, curve.test].map((values) => values.filter(keep));
    [curve.epochs, curve.train, curve.test] = kept;
  }
}

export function dropAfter(curve, epoch) {
  const count = curve.epochs.filter((e) => e <= epoch).length;
  for (const values of [curve.epochs, curve.train, curve.test]) values.length = count;
}

export const snapshot = ({ config, initial, codeStart, state, recent, curve, data, lit }, preset) => ({ config, initial, codeStart, state, recent, curve, data, lit, preset });

/** The curve with fewer points and digits, for an address. */
export function thinned(curve, most = 100) {
  const every = Math.ceil(curve.epochs.length / most);
  const keep = (_, i) => i % every === 0 || i === curve.epochs.length - 1;
  const short = (values) => values.filter(keep).map((v) => (v == null ? null : Number(v.toPrecision(5))));
  return { ...curve, stride: curve.stride * every, epochs: curve.epochs.filter(keep), train: short(curve.train), test: short(curve.test) };
}

/** A run from an address, which may come from anybody: config and state are the engine's to check. */
export function readRun({ config, initial, codeStart, state, recent, curve, lit }) {
  const isNumbers = (values) => Array.isArray(values) && values.every((value) => value === null || typeof value === "number");
  const columns = [curve?.epochs, curve?.train, curve?.test];
  const isCurve = columns.every(isNumbers) && new Set(columns.map(({ length }) => length)).size === 1 && curve.stride >= 1;
  if (!isNumbers(initial.parameters) || !isNumbers(codeStart.parameters) || !isNumbers(recent)) throw new Error();
  return {
    ...newRun(config), initial, codeStart, state, recent, curve: isCurve ? curve : newCurve(),
    lit: ["forward", "backward", "update"].includes(lit) ? lit : null,
  };
}
