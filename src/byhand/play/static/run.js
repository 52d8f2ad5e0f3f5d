// A run: an experiment and where it is. Plain data, never changed in place, so a step back just puts an older one back.

const MAX_CURVE = 2000;

export function newRun(config) {
  return { config, initial: null, codeStart: null, state: null, recent: [], curve: emptyCurve, answer: null, explained: [], data: null, known: {} };
}

export const emptyCurve = { stride: 1, epochs: [], train: [], test: [], trail: [] };

/** The selection, or what is next to it when the network has become smaller. */
export function within({ layer, unit, weight }, { data, model: { hidden } }) {
  const sizes = [...hidden, data.kind === "digits" ? 10 : 1];
  if (layer < sizes.length && unit < sizes[layer]) return { layer, unit, weight };
  const nearest = Math.min(layer, sizes.length - 1);
  return { layer: nearest, unit: Math.min(unit, sizes[nearest] - 1), weight: null };
}

/**
 * The curve with what the engine has gone through; in a long run only one epoch in 2, 4, 8, … is kept.
 * `trail` has the weights where they are known: after each answer.
 */
export function extended(curve, before, answer) {
  const kept = curve.epochs.findLastIndex((epoch) => epoch < before) + 1;
  const columns = { epochs: curve.epochs.slice(0, kept), train: curve.train.slice(0, kept), test: curve.test.slice(0, kept), trail: curve.trail.slice(0, kept) };
  const add = (epoch, train, test, parameters) => { columns.epochs.push(epoch); columns.train.push(train); columns.test.push(test); columns.trail.push(parameters); };
  answer.losses.forEach((loss, i) => {
    const test = i ? answer.test_losses[i - 1] ?? null : curve.test.at(-1) ?? null;
    if ((before + i) % curve.stride === 0) add(before + i, loss, test, i ? null : curve.trail[kept] ?? null);
  });
  add(answer.state.epoch, answer.train_loss, answer.test_loss, answer.state.parameters);
  let { stride } = curve;
  while (columns.epochs.length > MAX_CURVE) {
    stride *= 2;
    const keep = (_, i) => columns.epochs[i] % stride === 0 || i === columns.epochs.length - 1;
    for (const [name, values] of Object.entries(columns).reverse()) columns[name] = values.filter(keep);
  }
  return { stride, ...columns };
}

/** The curve with fewer points and digits, for an address. */
export function thinned(curve, most = 100) {
  const every = Math.ceil(curve.epochs.length / most);
  const keep = (_, i) => i % every === 0 || i === curve.epochs.length - 1;
  const short = (values) => values.filter(keep).map((v) => (v == null ? null : Number(v.toPrecision(5))));
  return { stride: curve.stride * every, epochs: curve.epochs.filter(keep), train: short(curve.train), test: short(curve.test) };
}

/** A run from an address, which may come from anybody: config and state are the engine's to check. */
export function readRun({ config, initial, codeStart, state, recent, curve, known }) {
  const isNumbers = (values) => Array.isArray(values) && values.every((value) => value === null || typeof value === "number");
  const columns = [curve?.epochs, curve?.train, curve?.test];
  const isCurve = columns.every(isNumbers) && new Set(columns.map(({ length }) => length)).size === 1 && curve.stride >= 1;
  if (!isNumbers(initial.parameters) || !isNumbers(codeStart.parameters) || !isNumbers(recent)) throw new Error();
  const isKnown = known && Object.values(known).every((value) => typeof value === "number");
  return {
    ...newRun(config), initial, codeStart, state, recent, known: isKnown ? known : {},
    curve: isCurve ? { ...curve, trail: curve.epochs.map(() => null) } : emptyCurve,
  };
}
