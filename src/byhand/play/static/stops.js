// The grammar of steps: at which stops a round over one sample halts, and where a press leads from there. Pure.

/** Units per layer, the inputs first. */
export const sizesOf = ({ n_inputs, layers }) => [n_inputs, ...layers.map(({ z }) => z.length)];

/** Whether each unit can be drawn large, with its curve, and each link with its weight. */
export const isSmall = (sizes) => sizes.length <= 3 && sizes.every((size) => size <= 2) && sizes.at(-1) === 1;

export const PHASES = ["look", "forward", "loss", "backward", "update", "check"];

/** The stops in order: {id, phase, layer, unit, endsLayer, endsPhase}; `unit` is null where a layer is one stop. */
export function stopsOf(sizes) {
  const small = isSmall(sizes);
  const last = sizes.length - 2;
  const stops = [{ id: "look", phase: "look", layer: null, unit: null }];
  const units = (layer) => (small && sizes[layer + 1] > 1 ? Array.from({ length: sizes[layer + 1] }, (_, unit) => unit) : [null]);
  const add = (kind, phase, layer) => {
    for (const unit of units(layer)) stops.push({ id: unit == null ? `${kind}:${layer}` : `${kind}:${layer}:${unit}`, phase, layer, unit });
  };
  for (let layer = 0; layer <= last; layer++) add("f", "forward", layer);
  stops.push({ id: "loss", phase: "loss", layer: null, unit: null });
  for (let layer = last; layer >= 0; layer--) {
    add("d", "backward", layer);
    if (small) stops.push({ id: `g:${layer}`, phase: "backward", layer, unit: null });
  }
  stops.push({ id: "up", phase: "update", layer: null, unit: null }, { id: "check", phase: "check", layer: null, unit: null });
  return stops.map((stop, i) => {
    const next = stops[i + 1];
    const endsPhase = !next || next.phase !== stop.phase;
    return { ...stop, endsPhase, endsLayer: endsPhase || next.layer !== stop.layer };
  });
}

export const indexOf = (stops, id) => stops.findIndex((stop) => stop.id === id);

/** Where a press leads: the index of the next stop, or null past the last one, where the next batch begins. */
export function nextStop(stops, from, dial) {
  for (let i = from + 1; i < stops.length; i++) {
    if (dial === "unit" || (dial === "layer" && stops[i].endsLayer) || stops[i].endsPhase) return i;
  }
  return null;
}

/** The last stop at which the weights are still the old ones. */
export const lastBefore = (stops) => indexOf(stops, "up") - 1;

/** Which numbers are known at a stop: z and a, the loss, δ, the gradients into a layer, the new weights. */
export function knowledge(stops, at) {
  const reached = (id) => { const i = indexOf(stops, id); return i >= 0 && i <= at; };
  const unitOrLayer = (kind) => (layer, unit) => reached(`${kind}:${layer}:${unit}`) || reached(`${kind}:${layer}`);
  const hasGradientStops = stops.some(({ id }) => id.startsWith("g:"));
  return {
    forward: unitOrLayer("f"),
    delta: unitOrLayer("d"),
    gradient: (layer) => reached(hasGradientStops ? `g:${layer}` : `d:${layer}`),
    loss: reached("loss"), updated: reached("up"), checked: reached("check"),
  };
}
