// Where everything of a network lies in the picture. Pure: from sizes and the kind of screen to boxes and paths.

import { isSmall } from "byhand/stops";

/** `screen` is "desk", "present" or "phone". Boxes are {x, y, w, h} with x, y their middle. */
export function planOf(sizes, screen) {
  if (isSmall(sizes)) return screen === "phone" ? uprightPlan(sizes) : smallPlan(sizes, screen);
  return screen === "phone" ? listPlan(sizes) : rowsPlan(sizes, screen);
}

const evenly = (count, from, to) => Array.from({ length: count }, (_, i) => (count === 1 ? (from + to) / 2 : from + (to - from) * i / (count - 1)));
const sideways = (a, b, bend) => `M${a[0]} ${a[1]}C${a[0] + bend} ${a[1]} ${b[0] - bend} ${b[1]} ${b[0]} ${b[1]}`;

function smallPlan(sizes, screen) {
  const wide = screen === "present";
  const [width, height] = wide ? [930, 612] : [832, 560];
  const [w, h] = wide ? [206, 190] : [182, 176];
  const pill = { w: wide ? 150 : 122, h: wide ? 32 : 28, below: wide ? 28 : 25 };
  const hasHidden = sizes.length === 3;
  const [top, bottom] = wide ? [176, 488] : [148, 440];
  const middle = wide ? 282 : 250;
  const inputs = evenly(sizes[0], top, bottom).map((y) => ({ x: 58, y: sizes[0] === 1 ? (hasHidden ? 294 : middle) : y, w: 94, h: 78 }));
  const hidden = hasHidden ? evenly(sizes[1], top, bottom).map((y) => ({ x: wide ? 380 : 346, y, w, h })) : null;
  const output = [{ x: hasHidden ? (wide ? 806 : 722) : width * 0.68, y: middle, w, h }];
  const layers = hasHidden ? [hidden, output] : [output];
  const links = [];
  layers.forEach((units, layer) => {
    const from = layer ? layers[layer - 1] : inputs;
    units.forEach((to, unit) => {
      from.forEach((box, input) => {
        const spread = 40 * (input - (from.length - 1) / 2);
        const start = [box.x + box.w / 2, box.y + (layer ? 0 : 16 * (unit - (units.length - 1) / 2))];
        const path = sideways(start, [to.x - to.w / 2, to.y + spread], 60);
        links.push({ layer, unit, input, path, at: layer || unit === input ? 0.5 : 0.64, pill });
      });
      const x = to.x - 44;
      const y = to.y - h / 2 - 42;
      const aside = layer < layers.length - 1;
      links.push({
        layer, unit, input: from.length, bias: true, path: `M${x} ${y + 13}V${to.y - h / 2}`, one: { x, y }, pill,
        place: { x: x + 22 + pill.w / 2, y },
        second: aside ? { x: x + 22 + pill.w * 1.5 - 2, y, w: pill.w - 12, h: pill.h } : { x: x + 22 + pill.w / 2, y: y - 23, w: pill.w - 1, h: 36, above: true },
      });
    });
  });
  const loss = { x: output[0].x, y: wide ? 520 : 476, w, h: 118 };
  return { kind: "small", width, height, inputs, layers, links, loss, wire: `M${output[0].x} ${output[0].y + h / 2}V${loss.y - loss.h / 2}` };
}

/** A phone: the network stands upright, a pill shows one number, biases have none. */
function uprightPlan(sizes) {
  const [w, h] = [162, 92];
  const at = (count) => (count === 1 ? [180] : [92, 268]);
  const inputs = at(sizes[0]).map((x) => ({ x, y: 22, w: 96, h: 38 }));
  const hasHidden = sizes.length === 3;
  const output = [{ x: 130, y: hasHidden ? 303 : 200, w, h }];
  const layers = hasHidden ? [at(sizes[1]).map((x) => ({ x, y: 158, w, h })), output] : [output];
  const links = [];
  layers.forEach((units, layer) => {
    const from = layer ? layers[layer - 1] : inputs;
    units.forEach((to, unit) => from.forEach((box, input) => {
      const start = [box.x + (layer ? 0 : 22 * (unit - (units.length - 1) / 2)), box.y + box.h / 2];
      const end = [to.x + 56 * (input - (from.length - 1) / 2), to.y - to.h / 2];
      const crossing = !layer && unit !== input && units.length > 1;
      const path = `M${start[0]} ${start[1]}C${start[0]} ${start[1] + 26} ${end[0]} ${end[1] - 26} ${end[0]} ${end[1]}`;
      const place = layer ? { x: box.x + (to.x - box.x) * 0.35 + (input ? 16 : -46), y: 230 } : crossing ? { x: unit ? 137 : 223, y: 94 } : { x: box.x + (input ? 40 : -40), y: 66 };
      links.push({ layer, unit, input, path, place, pill: { w: 78, h: 28, below: 0 } });
    }));
  });
  const loss = { x: 292, y: output[0].y, w: 112, h: 92 };
  return { kind: "upright", width: 360, height: hasHidden ? 354 : 260, inputs, layers, links, loss, wire: `M${output[0].x + w / 2} ${output[0].y}H${loss.x - loss.w / 2}` };
}

const MOST_LINKS = 400;

function rowsPlan(sizes, screen) {
  const [width, height] = [832, 566];
  const hiddenLayers = sizes.length - 2;
  const single = sizes.at(-1) === 1;
  const picture = sizes[0] > 12;
  const outputWidth = single ? 194 : 172;
  const inputBox = picture ? { w: 112, h: 112 } : { w: 84, h: Math.min(72, (height - 20) / sizes[0] - 8) };
  const inputs = picture ? [{ x: 68, y: height / 2, ...inputBox, picture: true }]
    : evenly(sizes[0], sizes[0] === 2 ? 205 : 40, sizes[0] === 2 ? 375 : height - 40).map((y) => ({ x: 56, y, ...inputBox }));
  const left = inputs[0].x + inputBox.w / 2;
  const right = width - 8 - outputWidth;
  const room = (right - left) / Math.max(1, hiddenLayers);
  const rowWidth = Math.min(234, room - (hiddenLayers > 1 ? 44 : 90));
  const layers = sizes.slice(1, -1).map((count, l) => {
    const h = Math.min(48, (height - 16) / count - 6);
    const x = left + room * (l + 0.5) + (hiddenLayers === 1 ? -10 : 0);
    const step = Math.min(h + 22, (height - 16) / count);
    return evenly(count, height / 2 - step * (count - 1) / 2, height / 2 + step * (count - 1) / 2).map((y) => ({ x, y, w: rowWidth, h }));
  });
  const x = width - 8 - outputWidth / 2;
  if (single) layers.push([{ x, y: 214, w: outputWidth, h: 176 }]);
  else {
    const count = sizes.at(-1);
    const step = Math.min(48, (height - 130) / count);
    layers.push(evenly(count, 24, 24 + step * (count - 1)).map((y) => ({ x, y, w: outputWidth, h: step - 5 })));
  }
  const loss = { x, y: single ? 404 : height - 58, w: outputWidth, h: 108 };
  const links = [];
  layers.forEach((units, layer) => {
    const from = layer ? layers[layer - 1] : inputs;
    if (from.length * units.length > MOST_LINKS || (picture && !layer)) return;
    units.forEach((to, unit) => from.forEach((box, input) => {
      const reach = Math.max(20, (to.x - to.w / 2 - box.x - box.w / 2) * 0.5);
      const end = [to.x - to.w / 2, to.y + (from.length <= 3 ? (input - (from.length - 1) / 2) * Math.min(14, to.h / 4) : 0)];
      links.push({ layer, unit, input, path: sideways([box.x + box.w / 2, box.y], end, reach) });
    }));
  });
  const output = layers.at(-1);
  const wire = single ? `M${x} ${output[0].y + 88}V${loss.y - loss.h / 2}` : `M${x} ${output.at(-1).y + output.at(-1).h / 2}V${loss.y - loss.h / 2}`;
  return { kind: "rows", screen, width, height, inputs, layers, links, loss, wire, isPicture: picture, narrow: rowWidth < 190 };
}

/** A phone with a larger network: all units in two columns, without links. */
function listPlan(sizes) {
  const picture = sizes[0] > 12;
  const columns = 2;
  const inputs = picture ? [{ x: 40, y: 40, w: 72, h: 72, picture: true }]
    : Array.from({ length: sizes[0] }, (_, i) => ({ x: 4 + 110 / 2 + (i % 3) * 119, y: 24 + Math.floor(i / 3) * 44, w: 110, h: 40 }));
  let y = inputs.at(-1).y + inputs[0].h / 2 + 8;
  const layers = sizes.slice(1).map((count, l) => {
    const output = l === sizes.length - 2;
    const h = output ? 50 : 44;
    const units = Array.from({ length: count }, (_, u) => ({ x: 4 + 86 + (u % columns) * 180, y: y + h / 2 + Math.floor(u / columns) * (h + 5), w: 172, h }));
    y = units.at(-1).y + h / 2 + 8;
    return units;
  });
  const last = layers.at(-1);
  const beside = last.length % columns === 1;
  const loss = { x: 270, y: beside ? last.at(-1).y : y + 25, w: 172, h: 50 };
  return { kind: "list", width: 360, height: Math.max(last.at(-1).y, loss.y) + 30, inputs, layers, links: [], loss, wire: null, isPicture: picture, narrow: false };
}
