// The network as a picture: a button for each unit with what it gives over the plane, and the links between.

import { diverging, el, number, setText, subscript, svg, words } from "byhand/dom";

const decoded = new WeakMap();

export function bytesOf(surface) {
  let bytes = decoded.get(surface);
  if (!bytes) {
    const text = atob(surface.values);
    bytes = new Uint8Array(text.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
    decoded.set(surface, bytes);
  }
  return bytes;
}

/** Where an activation's output turns from "orange" to "blue". */
export const middleOf = (activation) => (activation === "sigmoid" ? 0.5 : 0);

/** Paint a surface, or for one input its curve, on a canvas. */
export function paint(canvas, surface, surfaces, middle) {
  const { across, up } = surfaces;
  const bytes = bytesOf(surface);
  const context = canvas.getContext("2d");
  const reach = Math.max(Math.abs(surface.low - middle), Math.abs(surface.high - middle)) || 1;
  const colours = diverging();
  const indexOf = (byte) => Math.round(255 + 255 * ((surface.low - middle) + (surface.high - surface.low) * byte / 255) / reach);
  if (up === 1) {
    canvas.width = canvas.height = 48;
    const [r, g, b] = colours.subarray(4 * 510);
    context.lineWidth = 3;
    context.strokeStyle = `rgb(${r} ${g} ${b})`;
    context.beginPath();
    bytes.forEach((byte, i) => context.lineTo((i / (across - 1)) * 48, surface.high > surface.low ? 44 - (byte / 255) * 40 : 24));
    context.stroke();
    return;
  }
  canvas.width = across;
  canvas.height = up;
  const image = context.createImageData(across, up);
  const table = new Uint16Array(256).map((_, byte) => indexOf(byte));
  const pixels = new Uint32Array(image.data.buffer);
  const packed = new Uint32Array(colours.buffer);
  for (let row = 0; row < up; row++) {
    for (let i = 0; i < across; i++) pixels[(up - 1 - row) * across + i] = packed[table[bytes[row * across + i]]];
  }
  context.putImageData(image, 0, 0);
}

/** A picture of 8 × 8 pixels. */
export function paintDigit(canvas, x) {
  canvas.width = canvas.height = 8;
  const image = canvas.getContext("2d").createImageData(8, 8);
  x.forEach((value, i) => image.data.set([255 * (1 - value), 255 * (1 - value), 255 * (1 - value), 255], 4 * i));
  canvas.getContext("2d").putImageData(image, 0, 0);
}

export class Diagram {
  /** `on` has select(layer, unit, weight), activation(layer, name), units(layer, change), layers(change). */
  constructor(container, boot, on) {
    // The width is read when it changes, not in each step: reading it makes the browser lay out the page at once.
    Object.assign(this, { container, boot, on, key: null, width: container.clientWidth });
    new ResizeObserver(() => {
      this.width = container.clientWidth;
      if (this.last) this.render(...this.last);
    }).observe(container);
    container.addEventListener("keydown", (event) => this.move(event));
  }

  render(run, view) {
    this.last = [run, view];
    const { hidden, activations } = run.config.model;
    const nOut = run.answer.layers.at(-1).z.length;
    const { width } = this;
    const key = JSON.stringify([run.answer.n_inputs, hidden, nOut, activations, width, view.recorded]);
    if (key !== this.key) this.build(run, view, width);
    this.key = key;
    this.update(run, view);
  }

  build(run, view, available) {
    const { hidden, activations } = run.config.model;
    const nIn = run.answer.n_inputs;
    const sizes = [nIn, ...hidden, run.answer.layers.at(-1).z.length];
    const picture = nIn > 10;
    const rows = Math.max(...sizes.slice(picture ? 1 : 0));
    const small = rows > 6;
    const bare = available < 132 * (sizes.length + 0.4);
    const square = small ? 34 : 44;
    const pitch = square + (small ? 10 : 16);
    const top = 84;
    const shares = [bare ? 0.8 : 0.75, ...sizes.slice(1).map(() => 1), bare ? 0 : 0.8];
    const total = shares.reduce((a, b) => a + b);
    const width = Math.max(available - 2, total * (bare ? 92 : 120));
    const height = top + Math.max(rows * pitch, picture ? 110 : 60) + 6;
    let edge = 0;
    const centres = shares.map((share) => { const at = (edge + share / 2) * width / total; edge += share; return at; });
    const middle = top + (height - top) / 2;
    const place = (count, i) => middle + (i - (count - 1) / 2) * pitch;
    const half = (bare ? square + 8 : square + (small ? 76 : 84)) / 2;
    const inputHalf = picture ? 46 : bare ? (square + 48) / 2 : half;

    this.drawing = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
    const inner = el("div", { class: "inner" });
    inner.style.width = `${width}px`;
    inner.style.height = `${height}px`;
    inner.append(this.drawing, this.columns(run, view, bare ? centres.slice(0, -1) : centres, sizes));
    this.nodes = [];
    this.links = [];

    const inputs = picture ? [this.pictureNode(centres[0], middle)] : sizes[0] <= 10
      ? Array.from({ length: nIn }, (_, i) => this.node(centres[0], place(nIn, i), square, { small, bare, input: i })) : [];
    this.inputs = inputs;
    inputs.forEach((node) => inner.append(node.element));
    for (let layer = 0; layer < sizes.length - 1; layer++) {
      const count = sizes[layer + 1];
      const nodes = Array.from({ length: count }, (_, unit) => this.node(centres[layer + 1], place(count, unit), square, { small, bare, layer, unit }));
      nodes.forEach((node) => inner.append(node.element));
      const from = layer === 0 ? inputs : this.nodes[layer - 1];
      this.links.push(nodes.map((node, unit) => from.map((source, i) =>
        this.link(source, node, layer === 0 ? inputHalf : half, half, layer, unit, picture && layer === 0 ? null : i))));
      this.nodes.push(nodes);
    }
    this.end = null;
    if (!bare) {
      this.end = el("div", { class: "node end" });
      this.end.style.left = `${centres.at(-1)}px`;
      this.end.style.top = `${middle}px`;
      this.endText = el("span", { class: "values" });
      this.end.append(this.endText);
      inner.append(this.end);
      this.nodes.at(-1).forEach((node) => this.drawing.prepend(svg("path", {
        class: "axis", fill: "none", d: curve(node.x + half, node.y, centres.at(-1) - 40, middle),
      })));
    }
    this.labels = svg("g");
    this.drawing.append(this.labels);
    const focus = this.container.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
    this.container.replaceChildren(inner);
    if (focus) this.container.querySelector(`[data-focus="${focus}"]`)?.focus();
  }

  columns(run, view, centres, sizes) {
    const { hidden, activations } = run.config.model;
    const row = el("div", { class: "columns" });
    centres.forEach((x, column) => {
      const box = el("div", { class: "column" });
      box.style.left = `${x}px`;
      const layer = column - 1;
      if (column === 0) {
        box.append(el("b", {}, "Inputs"));
        if (!view.recorded) {
          box.append(el("div", { class: "layers" }, ...[["−", -1, "Remove the last hidden layer"], ["+", 1, "Add a hidden layer"]].map(([sign, change, label]) =>
            el("button", { type: "button", "aria-label": label, title: label, "data-focus": `layers${change}`, "aria-disabled": String(change < 0 ? !hidden.length : hidden.length >= this.boot.maxHiddenLayers), click: () => this.on.layers(change) }, sign))), "layers");
        }
      } else if (layer < sizes.length - 1) {
        const last = layer === sizes.length - 2;
        box.append(el("b", {}, last ? "Output" : `Layer ${layer + 1}`));
        const select = view.recorded ? el("span", {}, words(activations[layer])) : el("select", { "aria-label": `Activation of layer ${layer + 1}`, "data-focus": `act${layer}`, change: (event) => this.on.activation(layer, event.target.value) },
          ...this.boot.activations.map((name) => el("option", { value: name, selected: name === activations[layer] }, words(name))));
        box.append(select);
        if (!last && !view.recorded) {
          const stepper = (change, sign, label) => el("button", { type: "button", "aria-label": `${label} of layer ${layer + 1}`, title: label, "data-focus": `units${layer}${change}`, "aria-disabled": String(change < 0 ? hidden[layer] <= 1 : hidden[layer] >= this.boot.maxUnits), click: () => this.on.units(layer, change) }, sign);
          box.append(el("span", { class: "stepper" }, stepper(-1, "−", "Remove a unit"), `${hidden[layer]} unit${hidden[layer] > 1 ? "s" : ""}`, stepper(1, "+", "Add a unit")));
        }
      } else {
        box.append(el("b", {}, "Loss"));
      }
      row.append(box);
    });
    return row;
  }

  node(x, y, square, { small, bare, input, layer, unit }) {
    const canvas = el("canvas", { width: 48, height: 48, "aria-hidden": "true" });
    canvas.style.width = canvas.style.height = `${square}px`;
    const isInput = input != null;
    const first = el("span", isInput ? {} : { class: "a" });
    const second = el("span", isInput ? {} : { class: "d" });
    const element = el(isInput ? "div" : "button", {
      class: `node${small ? " small" : ""}${bare ? " bare" : ""}${isInput ? " input" : ""}`, type: isInput ? null : "button",
      "data-focus": isInput ? null : `unit${layer},${unit}`, click: isInput ? null : () => this.on.select(layer, unit, null),
    }, canvas, el("span", { class: "values" }, first, second));
    element.style.left = `${x}px`;
    element.style.top = `${y}px`;
    return { element, canvas, first, second, x, y };
  }

  pictureNode(x, y) {
    const canvas = el("canvas", { class: "picture", role: "img", "aria-label": "The digit that is shown" });
    canvas.style.width = canvas.style.height = "84px";
    canvas.style.imageRendering = "pixelated";
    const element = el("div", { class: "node input" }, canvas);
    element.style.left = `${x}px`;
    element.style.top = `${y}px`;
    return { element, canvas, x, y, picture: true };
  }

  link(from, to, fromHalf, toHalf, layer, unit, weight) {
    const d = curve(from.x + fromHalf, from.y, to.x - toHalf, to.y);
    const path = svg("path", { class: "link", d });
    this.drawing.prepend(path);
    const touch = weight == null ? null : svg("path", { class: "touch", d, click: () => this.on.select(layer, unit, weight) });
    if (touch) this.drawing.append(touch);
    return { path, touch, from: [from.x + fromHalf, from.y], to: [to.x - toHalf, to.y] };
  }

  update(run, view) {
    const { answer, config } = run;
    const { activations } = config.model;
    const lit = run.lit;
    this.container.classList.toggle("lit-forward", lit === "forward");
    this.container.classList.toggle("lit-backward", lit === "backward");
    this.container.classList.toggle("lit-update", lit === "update");
    const ill = new Map();
    answer.findings.forEach((finding) => finding.layer && finding.units.forEach((unit) => ill.set(`${finding.layer - 1},${unit}`, finding.id)));

    this.inputs.forEach((node, i) => {
      if (node.picture) return paintDigit(node.canvas, answer.x);
      setText(node.first, `x${subscript(i + 1)}`);
      setText(node.second, number(answer.x[i], 3));
      if (answer.surfaces) paint(node.canvas, ramp(answer.surfaces, i), answer.surfaces, inputMiddle(answer.surfaces, i));
    });
    answer.layers.forEach((layer, l) => this.nodes[l].forEach((node, u) => {
      const chosen = view.selected.layer === l && view.selected.unit === u;
      node.element.setAttribute("aria-pressed", String(chosen));
      node.element.tabIndex = chosen ? 0 : -1;
      node.element.classList.toggle("ill", ill.has(`${l},${u}`));
      const a = view.hide ? "?" : number(layer.a[u], 3);
      const delta = view.hide ? "?" : lit === "forward" ? "·" : number(layer.grad_z[u], 2);
      setText(node.first, `a ${a}`);
      setText(node.second, `δ ${delta}`);
      const name = l === answer.layers.length - 1 && answer.layers[l].z.length === 1 ? "Output unit" : `Unit ${u + 1} of layer ${l + 1}`;
      node.element.setAttribute("aria-label", `${name}: ${view.hide ? "numbers hidden" : `a = ${a}, δ = ${delta}`}${ill.has(`${l},${u}`) ? `, ${words(ill.get(`${l},${u}`).replace(/-/g, " "))}` : ""}`);
      if (answer.surfaces) {
        const isOutput = l === answer.layers.length - 1 && answer.threshold != null;
        paint(node.canvas, answer.surfaces.units[l][u], answer.surfaces, isOutput ? answer.threshold : middleOf(activations[l]));
      } else if (l === 0 && answer.n_inputs === 64) {
        paintWeights(node.canvas, run.state.parameters.slice(64 * u, 64 * u + 64));
      } else {
        const level = Math.max(-1, Math.min(1, layer.a[u] ?? 0));
        const byte = String.fromCharCode(Math.round(127.5 + 127.5 * level));
        paint(node.canvas, { low: -1, high: 1, values: btoa(byte.repeat(4)) }, { across: 2, up: 2 }, 0);
      }
    }));
    if (this.end) {
      const target = answer.y.length === 1 ? `y ${number(answer.y[0], 3)}` : `y ${answer.y.indexOf(1)}`;
      this.endText.replaceChildren(el("span", {}, target), el("span", { class: "l" }, `L ${number(answer.train_loss, 3)}`));
    }
    this.updateLinks(run, view);
  }

  updateLinks(run, view) {
    const { answer } = run;
    const kind = run.lit === "backward" ? "gradient" : view.edges;
    const values = kind === "gradient" ? answer.gradients : run.state.parameters;
    let offset = 0;
    this.labels.replaceChildren();
    this.links.forEach((units, l) => {
      const nIn = l === 0 ? answer.n_inputs : answer.layers[l - 1].z.length;
      const nOut = answer.layers[l].z.length;
      const weights = values.slice(offset, offset + nIn * nOut);
      const largest = weights.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
      units.forEach((links, u) => links.forEach(({ path, from, to }, i) => {
        const one = links.length === 1 && nIn > 1;
        const w = one ? Math.hypot(...weights.slice(u * nIn, u * nIn + nIn)) / Math.sqrt(nIn) : weights[u * nIn + i];
        const chosen = view.selected.layer === l && view.selected.unit === u && view.selected.weight === i;
        path.setAttribute("class", `link ${w < 0 ? "minus" : "plus"}${chosen ? " chosen" : ""}`);
        path.setAttribute("stroke-width", (w === 0 ? 0.4 : 0.75 + 4.25 * Math.abs(w) / largest).toFixed(2));
        path.setAttribute("stroke-opacity", chosen ? 1 : (0.35 + 0.6 * Math.abs(w) / largest).toFixed(2));
        if (view.selected.layer === l && view.selected.unit === u && !one && this.end && !(view.hide && kind === "gradient")) {
          const t = nIn > 2 ? 0.22 : 0.3;
          this.labels.append(svg("text", { class: "weight-label w", x: bezier(from[0], to[0], t, true), y: bezier(from[1], to[1], t, false) + 4 }, number(w, 3)));
        }
      }));
      offset += nIn * nOut + nOut;
    });
  }

  /** Arrow keys go from unit to unit; Tab goes on to what comes after the network. */
  move(event) {
    const at = event.target.dataset?.focus?.match(/^unit(\d+),(\d+)$/);
    const step = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    if (!at || !step || event.altKey || event.ctrlKey || event.metaKey) return;
    const layer = Math.max(0, Math.min(this.nodes.length - 1, Number(at[1]) + step[0]));
    const unit = Math.max(0, Math.min(this.nodes[layer].length - 1, Number(at[2]) + step[1]));
    event.preventDefault();
    event.stopPropagation();
    this.on.select(layer, unit, null);
    this.nodes[layer][unit].element.focus();
  }
}

function curve(x1, y1, x2, y2) {
  const bend = (x2 - x1) * 0.4;
  return `M${x1.toFixed(1)} ${y1.toFixed(1)}C${(x1 + bend).toFixed(1)} ${y1.toFixed(1)} ${(x2 - bend).toFixed(1)} ${y2.toFixed(1)} ${x2.toFixed(1)} ${y2.toFixed(1)}`;
}

function bezier(p, q, t, along) {
  const [a, b] = along ? [p + (q - p) * 0.4, q - (q - p) * 0.4] : [p, q];
  return (1 - t) ** 3 * p + 3 * (1 - t) ** 2 * t * a + 3 * (1 - t) * t ** 2 * b + t ** 3 * q;
}

const ramps = new Map();

function ramp({ across, up, x_range, y_range }, input) {
  const key = [across, up, input, ...x_range, ...y_range].join();
  if (!ramps.has(key)) {
    if (ramps.size > 50) ramps.clear();
    const bytes = Array.from({ length: across * up }, (_, i) =>
      Math.round(255 * (input === 0 ? (i % across) / (across - 1) : Math.floor(i / across) / (up - 1))));
    const [low, high] = input === 0 ? x_range : y_range;
    ramps.set(key, { low, high, values: btoa(String.fromCharCode(...bytes)) });
  }
  return ramps.get(key);
}

const inputMiddle = ({ x_range, y_range }, input) => { const [low, high] = input === 0 ? x_range : y_range; return (low + high) / 2; };

function paintWeights(canvas, weights) {
  canvas.width = canvas.height = 8;
  canvas.style.imageRendering = "pixelated";
  const largest = Math.max(...weights.map(Math.abs)) || 1;
  const image = canvas.getContext("2d").createImageData(8, 8);
  const colours = diverging();
  weights.forEach((w, i) => image.data.set(colours.subarray(4 * Math.round(255 + 255 * w / largest), 4 * Math.round(255 + 255 * w / largest) + 4), 4 * i));
  canvas.getContext("2d").putImageData(image, 0, 0);
}
