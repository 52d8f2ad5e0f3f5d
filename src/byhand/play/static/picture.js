// The network as a picture: what is known of it at a stop. It draws what an answer holds and computes nothing of it.

import { diverging, el, narrow, number, svg, tint, tone } from "byhand/dom";
import { planOf } from "byhand/geometry";
import { ordinalUnit, parameterIndex, parameterName, spoken, unitName } from "byhand/names";
import { endPulses, pulsesOf, run as runPulses } from "byhand/pulses";
import { isSmall } from "byhand/stops";

const decoded = new WeakMap();

export function bytesOf(surface) {
  let bytes = decoded.get(surface);
  if (!bytes) {
    bytes = Uint8Array.from(atob(surface.values), (c) => c.charCodeAt(0));
    decoded.set(surface, bytes);
  }
  return bytes;
}

/** A surface as a canvas, or for one input its curve; one value has one colour, whatever the rest is. */
export function paint(canvas, surface, { across, up }) {
  const bytes = bytesOf(surface);
  const context = canvas.getContext("2d");
  const colours = diverging();
  const valueOf = (byte) => surface.low + (surface.high - surface.low) * byte / 255;
  if (up === 1) {
    canvas.width = canvas.height = 48;
    const [r, g, b] = colours.subarray(4 * 510);
    context.lineWidth = 3;
    context.strokeStyle = `rgb(${r} ${g} ${b})`;
    context.beginPath();
    const flat = surface.high - surface.low < 1e-9;
    bytes.forEach((byte, i) => context.lineTo((i / (across - 1)) * 48, flat ? 24 : 44 - (byte / 255) * 40));
    context.stroke();
    return;
  }
  canvas.width = across;
  canvas.height = up;
  const image = context.createImageData(across, up);
  const pixels = new Uint32Array(image.data.buffer);
  const packed = new Uint32Array(colours.buffer);
  const table = Uint32Array.from({ length: 256 }, (_, byte) => packed[tone(valueOf(byte))]);
  for (let row = 0; row < up; row++) {
    for (let i = 0; i < across; i++) pixels[(up - 1 - row) * across + i] = table[bytes[row * across + i]];
  }
  context.putImageData(image, 0, 0);
}

/** A picture of 8 × 8 pixels. */
function paintDigit(canvas, x) {
  canvas.width = canvas.height = 8;
  const image = canvas.getContext("2d").createImageData(8, 8);
  x.forEach((value, i) => image.data.set([255 * (1 - value), 255 * (1 - value), 255 * (1 - value), 255], 4 * i));
  canvas.getContext("2d").putImageData(image, 0, 0);
}

const screenOf = (present) => (narrow.matches ? "phone" : present ? "present" : "desk");
const set = (element, attributes) => { for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value); };
const show = (element, yes) => { element.style.visibility = yes ? "" : "hidden"; };
const rect = ({ x, y, w, h }, rx, extra) => svg("rect", { x: x - w / 2, y: y - h / 2, width: w, height: h, rx, ...extra });

/** A symbol as SVG text, such as w₁₂. */
function label(name, x, y, extra = {}) {
  const { base, sub, sup } = name;
  const text = svg("text", { x, y, ...extra, class: `m ${extra.class ?? ""}` }, base);
  if (sup) text.append(svg("tspan", { dy: -7 }, sup));
  if (sub) text.append(svg("tspan", { dy: sup ? 11 : 4, dx: sup ? -14 : 0 }, sub));
  return text;
}

export class Picture {
  /** `on` has select(layer, unit, weight) and drag(index, value). */
  constructor(container, activations, on) {
    this.container = container;
    this.activations = Object.fromEntries(activations.map((activation) => [activation.name, activation]));
    this.on = on;
    this.key = null;
  }

  /** Draw a scene; `fresh` lets what the step brings move in. */
  render(scene, view, fresh) {
    const screen = screenOf(view.present);
    const key = JSON.stringify([scene.sizes, scene.run.config.model.activations, screen, scene.run.data.id]);
    if (key !== this.key) this.build(scene, screen);
    this.key = key;
    this.scene = scene;
    this.hide = view.hide;
    this.slots.forEach((slot) => this.fillSlot(slot, fresh));
    this.drawUnits();
    this.drawLinks(fresh);
    this.dim();
    if (fresh) this.move(view.pace); else endPulses(this.over);
  }

  // Building

  build({ sizes, run }, screen) {
    this.plan = planOf(sizes, screen);
    this.small = isSmall(sizes);
    this.slots = [];
    this.units = [];
    this.links = [];
    const { plan } = this;
    const root = svg("svg", { viewBox: `0 0 ${plan.width} ${plan.height}`, class: `net ${plan.kind}`, role: "group", "aria-label": `The network: ${sizes.join("-")}` });
    const [links, boxes, pills] = [svg("g"), svg("g"), svg("g")];
    this.over = svg("g", { "aria-hidden": "true" });
    if (plan.wire) {
      this.wire = svg("path", { class: "wire", d: plan.wire });
      links.append(this.wire);
    }
    plan.links.forEach((link) => this.buildLink(link, sizes, links, pills));
    plan.inputs.forEach((box, i) => boxes.append(this.buildInput(box, i, run)));
    plan.layers.forEach((layer, l) => layer.forEach((box, u) => {
      const big = this.small || (box.h > 150);
      boxes.append(big ? this.buildBig(box, l, u, sizes, run.config) : this.buildRow(box, l, u, sizes, run));
    }));
    boxes.append(this.buildLoss(sizes));
    root.append(links, boxes, pills, this.over);
    this.container.replaceChildren(root);
  }

  /** A place for a number: {text, key, of(scene) → value or undefined while it is unknown}. */
  slot(text, key, of, { blank = "·" } = {}) {
    text.dataset.k = key;
    this.slots.push({ text, key, of, blank });
    return text;
  }

  buildInput(box, i, run) {
    const group = svg("g", { class: "g box-g", "data-k": `a:-1:${i}`, transform: `translate(${box.x - box.w / 2} ${box.y - box.h / 2})` });
    if (box.picture) {
      this.digit = el("canvas", { class: "digit", role: "img", "aria-label": "The digit that goes in" });
      group.append(svg("foreignObject", { x: 0, y: 0, width: box.w, height: box.h }, this.digit));
      return group;
    }
    const stripe = svg("rect", { x: 7, y: 8, width: 8, height: box.h - 16, rx: 4 });
    const low = box.h < 56;
    group.append(svg("rect", { class: "box", width: box.w, height: box.h, rx: 12 }), stripe,
      label({ base: "x", sub: `${i + 1}` }, low ? 22 : box.w / 2 - 4, low ? box.h / 2 + 5 : box.h * 0.36),
      this.slot(svg("text", { class: "n", x: low ? box.w - 28 : box.w / 2 + 4, y: low ? box.h / 2 + 6 : box.h * 0.78 }), `a:-1:${i}`, ({ answer }) => answer.x[i]));
    this.units.push({ layer: -1, unit: i, group, draw: ({ answer }) => { stripe.style.fill = tint(answer.x[i]); } });
    return group;
  }

  /** A unit that wears its curve: the dot is where it is, the tangent is its slope, what backward multiplies by. */
  buildBig(box, layer, unit, sizes, config) {
    const { w, h } = box;
    const upright = this.plan.kind === "upright";
    const group = this.unitGroup(box, layer, unit, sizes, "unit");
    const frame = upright ? { x: 8, y: 15, w: 56, h: 62 } : { x: 14, y: 12, w: w - 28, h: 66 };
    const { low, high, curve } = this.activations[config.model.activations[layer]];
    const [bottom, top] = [low ?? -3, high ?? 3];
    const across = (z) => frame.x + frame.w * (Math.max(-5, Math.min(5, z)) + 5) / 10;
    const up = (a) => frame.y + frame.h * (1 - (Math.max(bottom, Math.min(top, a)) - bottom) / (top - bottom));
    const path = curve.map((a, i) => [-5 + i / 10, a]).filter(([, a]) => a >= bottom - 0.05 && a <= top + 0.05).map(([z, a], i) => `${i ? "L" : "M"}${across(z).toFixed(1)} ${up(a).toFixed(1)}`).join("");
    const area = svg("rect", { class: "area", x: frame.x, width: frame.w, y: up(0), height: 0, rx: 3 });
    const dot = svg("circle", { class: "dot", r: upright ? 5 : 7 });
    const tangent = svg("line", { class: "tangent" });
    group.append(svg("rect", { class: "box", width: w, height: h, rx: 16 }),
      svg("line", { class: "axis", x1: frame.x, x2: frame.x + frame.w, y1: up(0), y2: up(0) }), svg("line", { class: "axis", x1: across(0), x2: across(0), y1: frame.y, y2: frame.y + frame.h }),
      area, svg("path", { class: "curve", d: path }), tangent, dot);
    const delta = this.deltaBox(group, upright ? { x: 66, y: 62, w: w - 71, h: 25 } : { x: 10, y: h - 34, w: w - 20, h: 28 }, layer, unit, sizes, !upright);
    const [z, a] = [this.unitSlot("z", layer, unit), this.unitSlot("a", layer, unit)];
    if (upright) {
      [[z, "z", 28], [a, "a", 54]].forEach(([text, symbol, y]) => {
        set(text, { x: w - 8, y, class: "n end" });
        group.append(label(unitName(sizes, symbol, layer, unit), 70, y), text);
      });
    } else {
      const y = frame.y + frame.h + 26;
      group.append(svg("line", { class: "axis", x1: w / 2, x2: w / 2, y1: y - 18, y2: y + 32 }));
      [[z, "z", w / 4], [a, "a", 3 * w / 4]].forEach(([text, symbol, x]) => {
        set(text, { x, y: y + 28, class: "n" });
        group.append(label(unitName(sizes, symbol, layer, unit), x, y, { class: "mid" }), text);
      });
    }
    const draw = ({ answer, knows }) => {
      const { z: zs, a: as, slope } = answer.layers[layer];
      const known = knows.forward(layer, unit) && !this.hide;
      const value = as[unit] ?? 0;
      const at = known ? [across(zs[unit] ?? 0), up(value)] : [across(-5), up(0)];
      dot.style.opacity = known ? 1 : 0;
      dot.style.transform = `translate(${at[0]}px, ${at[1]}px)`;
      area.style.fill = tint(value);
      area.style.y = `${Math.min(at[1], up(0))}px`;
      area.style.height = `${known ? Math.abs(at[1] - up(0)) : 0}px`;
      const back = known && knows.delta(layer, unit) && !knows.updated;
      const s = slope[unit] ?? 0;
      const [dx, dy] = [across(1) - across(0), frame.h * -s / (top - bottom)];
      const n = Math.hypot(dx, dy) / (upright ? 20 : 40);
      set(tangent, { x1: at[0] - dx / n, y1: at[1] - dy / n, x2: at[0] + dx / n, y2: at[1] + dy / n });
      tangent.style.opacity = back ? 1 : 0;
      delta(knows.delta(layer, unit));
      group.setAttribute("aria-label", this.unitLabel(layer, unit));
    };
    this.units.push({ layer, unit, group, draw });
    return group;
  }

  /** A unit in a row: what it gives over the plane, a and δ. */
  buildRow(box, layer, unit, sizes, run) {
    const { w, h } = box;
    const list = this.plan.kind === "list";
    const output = layer === sizes.length - 2;
    const group = this.unitGroup(box, layer, unit, sizes, "row");
    const hasSurface = Boolean(run.answer.surfaces);
    const side = Math.min(h - 8, list ? 30 : 38);
    const canvas = el("canvas");
    group.append(svg("rect", { class: "box", width: w, height: h, rx: Math.min(12, h / 3) }));
    if (hasSurface) group.append(svg("foreignObject", { x: 5, y: (h - side) / 2, width: side, height: side, class: "thumb" }, canvas));
    else group.append(svg("rect", { class: "stripe", x: 6, y: 5, width: 8, height: h - 10, rx: 3 }));
    const start = hasSurface ? side + 12 : 22;
    const y = h / 2 + 6;
    const a = this.unitSlot("a", layer, unit);
    const single = this.plan.narrow && !output && w < 190;
    if (w < 190 && !list) group.classList.add("narrow");
    const half = single ? w - 8 : list ? 90 : w * (this.plan.screen === "present" ? 0.53 : 0.585);
    set(a, { x: half - 2, y, class: "n end" });
    const name = output && sizes.at(-1) > 1 ? { base: `${unit}`, sub: "" } : unitName(sizes, "a", layer, unit);
    if (!list && (!single || w > 118)) group.append(label(name, start, y));
    else if (list && output && sizes.at(-1) > 1) group.append(label(name, 22, y));
    group.append(a);
    const delta = single ? this.deltaOver(group, a, box, layer, unit) : this.deltaBox(group, { x: half + 5, y: 5, w: w - half - 11, h: h - 10 }, layer, unit, sizes, false);
    const mark = svg("g", { class: "mark-ill", transform: `translate(${w - 3} 4)` }, svg("circle", { r: 9 }), svg("text", { y: 5 }, "!"));
    group.append(mark);
    const draw = ({ answer, knows }) => {
      if (hasSurface) paint(canvas, answer.surfaces.units[layer][unit], answer.surfaces);
      else group.querySelector(".stripe").style.fill = knows.forward(layer, unit) ? tint(answer.layers[layer].a[unit]) : "none";
      delta(knows.delta(layer, unit));
      const ill = answer.findings.some((f) => f.layer === layer + 1 && f.units.includes(unit));
      show(mark, ill);
      group.classList.toggle("target", output && sizes.at(-1) > 1 && answer.y[unit] === 1);
      group.setAttribute("aria-label", `${this.unitLabel(layer, unit)}${ill ? ", something is wrong with it" : ""}`);
    };
    this.units.push({ layer, unit, group, draw });
    return group;
  }

  unitGroup(box, layer, unit, sizes, kind) {
    return svg("g", {
      class: `g box-g ${kind}`, "data-k": `u:${layer}:${unit}`, "data-unit": `${layer},${unit}`, tabindex: 0, role: "button",
      transform: `translate(${box.x - box.w / 2} ${box.y - box.h / 2})`,
      click: () => this.on.select(layer, unit, null), keydown: (event) => this.pressed(event, () => this.on.select(layer, unit, null)),
    });
  }

  pressed(event, act) {
    if (event.key !== "Enter") return;
    event.preventDefault();
    act();
  }

  unitSlot(symbol, layer, unit) {
    return this.slot(svg("text"), `${symbol}:${layer}:${unit}`, ({ answer, knows }) => (knows.forward(layer, unit) ? answer.layers[layer][symbol][unit] : undefined));
  }

  unitLabel(layer, unit) {
    const { answer, knows, sizes } = this.scene;
    const name = ordinalUnit(sizes, layer, unit);
    if (!knows.forward(layer, unit) || this.hide) return `${name[0].toUpperCase()}${name.slice(1)}`;
    const { z, a, grad_z } = answer.layers[layer];
    return `${name[0].toUpperCase()}${name.slice(1)}: z ${number(z[unit])}, a ${number(a[unit])}${knows.delta(layer, unit) ? `, δ ${number(grad_z[unit])}` : ""}`;
  }

  /** The place of δ; gives a function that shows it or not. */
  deltaBox(group, { x, y, w, h }, layer, unit, sizes, dashed) {
    const box = svg("rect", { class: "delta-box", x, y, width: w, height: h, rx: 8 });
    const name = h > 24 && dashed ? label(unitName(sizes, "δ", layer, unit), x + 10, y + h / 2 + 6, { class: "delta" }) : null;
    const text = this.slot(svg("text", { class: "n delta end", x: x + w - (dashed ? w / 2 - 42 : 6), y: y + h / 2 + 6 }), `d:${layer}:${unit}`,
      ({ answer, knows }) => (knows.delta(layer, unit) ? answer.layers[layer].grad_z[unit] : undefined), { blank: "" });
    if (dashed) group.append(svg("rect", { class: "slot", x, y, width: w, height: h, rx: 8 }));
    group.append(box, ...(name ? [name] : []), text);
    return (known) => { show(box, known); if (name) show(name, known); };
  }

  /** Where there is room for one number, δ takes the place of a. */
  deltaOver(group, a, box, layer, unit) {
    const text = this.slot(svg("text", { class: "n delta end", x: box.w - 10, y: box.h / 2 + 6 }), `d:${layer}:${unit}`,
      ({ answer, knows }) => (knows.delta(layer, unit) ? answer.layers[layer].grad_z[unit] : undefined), { blank: "" });
    group.append(text);
    return (known) => show(a, !known);
  }

  buildLoss(sizes) {
    const { loss, kind } = this.plan;
    const { w, h } = loss;
    const group = svg("g", { class: "g box-g", "data-k": "L", transform: `translate(${loss.x - w / 2} ${loss.y - h / 2})` }, svg("rect", { class: "box", width: w, height: h, rx: 14 }));
    const target = ({ answer }) => (answer.y.length > 1 ? answer.y.indexOf(1) : answer.y[0]);
    const value = ({ answer, knows }) => (knows.checked ? answer.next_batch_loss : knows.loss ? answer.sample_loss : undefined);
    const put = (key, name, word, y, of) => {
      const text = this.slot(svg("text", { class: "n end", x: w - 14, y }), key, of);
      group.append(label({ base: name, sub: "" }, 14, y), ...(word ? [svg("text", { class: "small", x: 36, y }, word)] : []), text);
    };
    const low = h < 60;
    if (low) {
      put("y", "y", "", h / 2 - 4, target);
      put("L", "L", "", h / 2 + 18, value);
    } else {
      const words = kind !== "upright";
      put("y", "y", words ? (sizes.at(-1) > 1 ? "class" : "target") : "", h * 0.39, target);
      group.append(svg("line", { class: "axis", x1: 14, x2: w - 14, y1: h * 0.53, y2: h * 0.53 }));
      put("L", "L", words ? "loss" : "", h * 0.78, value);
    }
    this.lossGroup = group;
    return group;
  }

  buildLink(link, sizes, links, pills) {
    const { layer, unit, input } = link;
    const index = parameterIndex(sizes, layer, unit, input);
    const key = `w:${layer}:${unit}:${input}`;
    const name = parameterName(sizes, layer, unit, input);
    const stroke = svg("path", { class: "w", d: link.path });
    const hit = svg("path", { class: "hit", d: link.path });
    const group = svg("g", { class: `g link${link.pill ? "" : " thin"}`, "data-k": `${key} g:${layer}:${unit}:${input}` }, hit, stroke);
    links.append(group);
    const part = { ...link, index, name, key, group, path: stroke };
    this.links.push(part);
    this.draggable(group, part);
    if (link.one) links.append(svg("rect", { class: "box", x: link.one.x - 13, y: link.one.y - 15, width: 26, height: 28, rx: 7 }), svg("text", { class: "small mid", x: link.one.x, y: link.one.y + 5 }, "1"));
    if (link.pill) this.buildPill(part, stroke, pills);
  }

  buildPill(part, stroke, pills) {
    const { pill, layer, unit, input, key, name } = part;
    const at = part.place ?? stroke.getPointAtLength(part.at * stroke.getTotalLength());
    const upright = this.plan.kind === "upright";
    const second = part.second ?? { x: at.x, y: at.y + pill.h / 2 + pill.below / 2 - 4, w: pill.w - 1, h: pill.below + 9 };
    const box = rect({ x: at.x, y: at.y, w: pill.w, h: pill.h }, 9, { class: "pill" });
    const back = upright ? null : rect(second, 9, { class: "second" });
    const text = svg("text", { class: "weight end", x: at.x + pill.w / 2 - 9, y: at.y + 6.5, "data-k": key });
    const below = upright ? null : svg("text", { class: "gradient mid", x: second.x, y: part.second ? second.y + (part.second.above ? 0 : 6.5) : second.y + 10, "data-k": `g:${layer}:${unit}:${input}` });
    const group = svg("g", {
      class: "g link pill-g", "data-k": key, "data-weight": part.index, tabindex: 0, role: "slider", "aria-valuemin": -10, "aria-valuemax": 10,
      keydown: (event) => this.nudged(event, part),
    });
    if (back) group.append(back, below);
    group.append(box, ...(upright ? [] : [label(name, at.x - pill.w / 2 + 9, at.y + 6)]), text);
    this.draggable(group, part);
    pills.append(group);
    Object.assign(part, { pillGroup: group, back, text, below });
  }

  /** A weight is dragged sideways; a click selects it. */
  draggable(group, part) {
    let from = null;
    group.addEventListener("pointerdown", (event) => {
      from = { x: event.clientX, value: this.scene.answer.state.parameters[part.index], moved: false };
      group.setPointerCapture(event.pointerId);
    });
    group.addEventListener("pointermove", (event) => {
      if (!from) return;
      const by = event.clientX - from.x;
      if (!from.moved && Math.abs(by) < 4) return;
      from.moved = true;
      this.on.drag(part.index, Math.round((from.value + by / 50) * 100) / 100);
    });
    group.addEventListener("pointerup", () => {
      if (from && !from.moved) this.on.select(part.layer, part.unit, part.input);
      from = null;
    });
    group.addEventListener("pointercancel", () => { from = null; });
  }

  nudged(event, part) {
    const by = { ArrowUp: 0.1, ArrowDown: -0.1, PageUp: 1, PageDown: -1 }[event.key];
    if (event.key === "Enter") return this.pressed(event, () => this.on.select(part.layer, part.unit, part.input));
    if (!by) return undefined;
    event.preventDefault();
    const now = this.wanted?.index === part.index ? this.wanted.value : this.scene.answer.state.parameters[part.index];
    const value = Math.round((now + by) * 100) / 100;
    this.wanted = { index: part.index, value };
    return this.on.drag(part.index, value);
  }

  // Drawing

  fillSlot({ text, of, blank, key }, fresh) {
    const value = of(this.scene);
    const known = value !== undefined;
    const hidden = this.hide && known && !key.startsWith("a:-1") && key !== "y";
    const shown = hidden ? "?" : known ? number(value) : blank;
    if (text.textContent !== shown) text.textContent = shown;
    text.classList.toggle("none", !known);
    text.classList.toggle("long", shown.length > 6 && !this.small);
    const arrives = fresh && known && arrivesAt(key, this.scene.stop);
    text.classList.toggle("fresh", arrives);
    text.classList.toggle("late", arrives && key.startsWith("a"));
  }

  drawUnits() {
    const { scene } = this;
    if (this.digit) paintDigit(this.digit, scene.answer.x);
    for (const { layer, unit, group, draw } of this.units) {
      draw(scene);
      const chosen = !this.small && scene.selected.layer === layer && scene.selected.unit === unit;
      group.classList.toggle("chosen", chosen);
      if (layer >= 0) group.setAttribute("aria-pressed", String(chosen));
    }
  }

  drawLinks(fresh) {
    const { answer, knows, selected } = this.scene;
    const width = this.small ? (w) => Math.min(16, 1 + 3.5 * Math.abs(w)) : (w) => Math.min(12, 0.5 + 2.4 * Math.abs(w));
    for (const part of this.links) {
      const { index, layer, unit, input, group, path } = part;
      const [old, next] = [answer.state.parameters[index], answer.next_parameters[index]];
      const value = knows.updated && next != null ? next : old;
      const wide = width(value);
      path.style.strokeWidth = wide;
      path.style.strokeDasharray = value < 0 ? `${7 + wide} ${5 + 0.8 * wide}` : "";
      path.style.strokeLinecap = value < 0 ? "butt" : "round";
      path.classList.toggle("minus", value < 0);
      group.classList.toggle("written", fresh && this.scene.stop.id === "up");
      if (!this.small) group.classList.toggle("near", selected.layer === layer ? selected.unit === unit : selected.layer === layer - 1 && selected.unit === input);
      if (part.pillGroup) this.drawPill(part, { old, value }, fresh);
    }
  }

  drawPill({ index, layer, name, pillGroup, back, text, below }, { old, value }, fresh) {
    const { answer, knows, stop } = this.scene;
    const known = knows.gradient(layer);
    const gradient = answer.sample_gradients[index];
    const over = !back && known && !knows.updated && stop.phase === "backward";
    text.textContent = this.hide && (knows.updated || over) ? "?" : number(over ? gradient : value);
    text.classList.toggle("delta", over);
    pillGroup.classList.toggle("upd", knows.updated);
    if (back) {
      show(back, known);
      below.textContent = !known ? "" : knows.updated ? `was ${number(old)}` : this.hide ? "?" : `∂ ${number(gradient)}`;
      below.classList.toggle("fresh", fresh && arrivesAt(`g:${layer}`, stop));
    }
    pillGroup.setAttribute("aria-label", spoken(name));
    pillGroup.setAttribute("aria-valuenow", String(value));
    pillGroup.setAttribute("aria-valuetext", `${number(value)}${known && !this.hide ? `, gradient ${number(gradient)}` : ""}`);
    if (this.wanted?.index === index && this.wanted.value === old) this.wanted = null;
  }

  /** What the step does not involve is dimmed; whose numbers come is ringed. */
  dim() {
    const { stop, sizes } = this.scene;
    const involved = involvedIn(stop, sizes);
    const acts = (layer, unit) => ["f", "d"].includes(stop.id[0]) && stop.layer === layer && (stop.unit == null || stop.unit === unit);
    for (const { layer, unit, group } of this.units) {
      group.classList.toggle("dim", !involved.unit(layer, unit));
      group.classList.toggle("act", acts(layer, unit));
    }
    for (const part of this.links) for (const group of [part.group, part.pillGroup]) group?.classList.toggle("dim", !involved.link(part));
    this.lossGroup.classList.toggle("dim", !involved.loss);
    this.lossGroup.classList.toggle("act", stop.id === "loss" || stop.id === "check");
  }

  move(pace) {
    const pulses = pulsesOf(this.scene)(this.links);
    runPulses(this.over, pulses.map((pulse) => ({ ...pulse, path: pulse.link === "wire" ? this.wire : pulse.link.path })).filter(({ path }) => path), pace, { small: this.small });
  }
}

/** Whether a number comes with this stop. */
function arrivesAt(key, stop) {
  const [kind, layer, unit] = key.split(":");
  const here = (wanted) => stop.id[0] === wanted && Number(layer) === stop.layer && (stop.unit == null || unit == null || Number(unit) === stop.unit);
  if (kind === "z" || kind === "a") return here("f");
  if (kind === "d") return here("d");
  if (kind === "g") return here("g");
  return kind === "L" && (stop.id === "loss" || stop.id === "check");
}

function involvedIn(stop, sizes) {
  const last = sizes.length - 2;
  const { layer, unit } = stop;
  const all = { unit: () => true, link: () => true, loss: true };
  const one = (u) => unit == null || u === unit;
  if (stop.id === "loss") return { unit: (l) => l === last, link: () => false, loss: true };
  switch (stop.id[0]) {
    case "f": return { unit: (l, u) => l === layer - 1 || (l === layer && one(u)), link: (k) => k.layer === layer && one(k.unit), loss: false };
    case "d": return layer === last
      ? { unit: (l) => l === last, link: () => false, loss: true }
      : { unit: (l, u) => l === layer + 1 || (l === layer && one(u)), link: (k) => k.layer === layer + 1 && one(k.input) && !k.bias, loss: false };
    case "g": return { unit: (l) => l === layer || l === layer - 1, link: (k) => k.layer === layer, loss: false };
    default: return all;
  }
}
