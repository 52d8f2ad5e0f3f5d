// What the numbers of a network are called: symbols with an index below and, in deeper networks, the layer above.

/** {base, sub, sup} of a parameter; `input` is the number of inputs for the bias. */
export function parameterName(sizes, layer, unit, input) {
  const bias = input === sizes[layer];
  if (sizes.length === 2 && sizes[1] === 1) return bias ? { base: "b", sub: "" } : { base: "w", sub: `${input + 1}` };
  if (isPlain(sizes)) {
    if (layer === 1) return bias ? { base: "c", sub: "" } : { base: "v", sub: `${input + 1}` };
    return bias ? { base: "b", sub: `${unit + 1}` } : { base: "w", sub: pair(unit, input) };
  }
  return bias ? { base: "b", sub: `${unit + 1}`, sup: `(${layer + 1})` } : { base: "w", sub: pair(unit, input), sup: `(${layer + 1})` };
}

/** {base, sub, sup} of z, a or δ of a unit; layer −1 are the inputs. */
export function unitName(sizes, symbol, layer, unit) {
  if (layer < 0) return { base: "x", sub: `${unit + 1}` };
  const last = layer === sizes.length - 2;
  const base = symbol === "a" && last ? "ŷ" : symbol;
  if (last && sizes.at(-1) === 1) return { base, sub: "", sup: isPlain(sizes) || sizes.length === 2 || base === "ŷ" ? undefined : `(${layer + 1})` };
  if (last && base === "ŷ") return { base, sub: `${unit + 1}` };
  return { base, sub: `${unit + 1}`, sup: isPlain(sizes) ? undefined : `(${layer + 1})` };
}

const isPlain = (sizes) => sizes.length === 3 && sizes[2] === 1;
const pair = (unit, input) => (unit > 8 || input > 8 ? `${unit + 1},${input + 1}` : `${unit + 1}${input + 1}`);

/** The same as plain text, for labels that are read aloud. */
export const spoken = ({ base, sub, sup }) => `${base}${sub ? ` ${sub}` : ""}${sup ? ` of layer ${sup.slice(1, -1)}` : ""}`;

export const ordinalUnit = (sizes, layer, unit) => (layer === sizes.length - 2
  ? (sizes.at(-1) === 1 ? "the output" : `output ${unit}`)
  : `hidden unit ${sizes.length > 3 ? `${unit + 1} of layer ${layer + 1}` : unit + 1}`);

export const layerName = (sizes, layer) => (layer === sizes.length - 2
  ? (sizes.at(-1) === 1 ? "the output" : "the outputs") : sizes.length > 3 ? `hidden layer ${layer + 1}` : "the hidden layer");

/** Where a parameter stands in the vector of all: layer by layer, W row by row and then b. */
export function parameterIndex(sizes, layer, unit, input) {
  let start = 0;
  for (let l = 0; l < layer; l++) start += sizes[l + 1] * (sizes[l] + 1);
  return input === sizes[layer] ? start + sizes[layer + 1] * sizes[layer] + unit : start + unit * sizes[layer] + input;
}

export const countParameters = (sizes) => sizes.slice(1).reduce((sum, size, l) => sum + size * (sizes[l] + 1), 0);
