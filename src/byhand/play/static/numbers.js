// The numbers as tables: all units, the chosen unit with its weights, and the formulas with the numbers put in.

import { $, el, number, parseNumber, setText, significant, words } from "byhand/dom";
import { parameterIndex } from "byhand/names";
import { inputName } from "byhand/charts";

export class Numbers {
  /** `on` has select(layer, unit, weight), edit(index, value), say(text). */
  constructor(on) {
    this.on = on;
    this.units = { element: $("units"), key: null };
    this.unit = { element: $("unit"), key: null };
    this.given = new Map();
    this.stateShown = null;
  }

  render(scene, view) {
    const { run, answer } = scene;
    if (run.state !== this.stateShown || answer.sample !== this.sampleShown) this.given.clear();
    this.stateShown = run.state;
    this.sampleShown = answer.sample;
    this.scene = scene;
    this.hide = view.hide;
    this.renderUnits(scene, view);
    this.renderUnit(scene, view);
    this.renderFormulas(scene, view);
    this.renderScore();
  }

  // All units

  renderUnits({ answer, run: { config, data }, selected, knows, stop }, view) {
    const sizes = answer.layers.map((layer) => layer.z.length);
    const key = JSON.stringify([sizes, config.model.activations, view.hide]);
    if (key !== this.units.key) {
      this.units.rows = [];
      const body = el("tbody");
      sizes.forEach((size, l) => {
        const name = l === sizes.length - 1 ? "Output" : `Layer ${l + 1}`;
        body.append(el("tr", { class: "section" }, el("th", { colspan: 5, scope: "rowgroup" }, `${name}: a = ${words(config.model.activations[l])}(z)`)));
        for (let u = 0; u < size; u++) {
          const button = el("button", { type: "button", click: () => this.on.select(l, u, null) }, `unit ${u + 1}`);
          const cells = ["z", "a", "δ"].map(() => el("td"));
          const active = el("td");
          const row = el("tr", {}, el("th", { scope: "row" }, button), ...cells, active);
          body.append(row);
          this.units.rows.push({ l, u, row, button, cells, active });
        }
      });
      this.units.element.replaceChildren(el("table", {}, el("caption", { class: "sr" }, "All units, for the sample that is shown"),
        el("thead", {}, el("tr", {}, ...["", "z", "a = f(z)", "δ = ∂L/∂z", "z > 0 on"].map((text) => el(text ? "th" : "td", text ? { scope: "col" } : {}, text)))), body));
    }
    this.units.key = key;
    for (const { l, u, row, button, cells, active } of this.units.rows) {
      const layer = answer.layers[l];
      const chosen = selected.layer === l && selected.unit === u;
      row.classList.toggle("chosen", chosen);
      button.setAttribute("aria-pressed", String(chosen));
      const label = (symbol) => `${symbol} of unit ${u + 1} of layer ${l + 1}`;
      const [forward, backward] = [knows.forward(l, u), knows.delta(l, u)];
      const comes = (kind) => stop.id[0] === kind && stop.layer === l && (stop.unit ?? u) === u;
      this.fill(cells[0], layer.z[u], label("z"), forward, comes("f"));
      this.fill(cells[1], layer.a[u], label("a"), forward, comes("f"));
      this.fill(cells[2], layer.grad_z[u], label("δ"), backward, comes("d"));
      setText(active, `${layer.active[u]} of ${data.train.x.length}`);
    }
  }

  // The chosen unit

  renderUnit({ answer, sizes, run: { state }, selected, knows, stop }, view) {
    const { layer, unit } = selected;
    const inputs = layer === 0 ? answer.x : answer.layers[layer - 1].a;
    const nIn = inputs.length;
    const nOut = answer.layers[layer].z.length;
    const indexOf = (i) => parameterIndex(sizes, layer, unit, i);
    const key = JSON.stringify([layer, unit, nIn, nOut, view.hide, view.recorded]);
    if (key !== this.unit.key) {
      const body = el("tbody");
      this.unit.rows = Array.from({ length: nIn + 1 }, (_, i) => {
        const name = i < nIn ? inputName(layer, i, answer.n_inputs > 10) : "bias b";
        const button = el("button", { type: "button", title: "Show its formulas", click: () => this.on.select(layer, unit, i) }, name);
        const input = el("td");
        const weight = el("td");
        const field = view.recorded ? null : el("input", { type: "text", inputmode: "decimal", autocomplete: "off", "aria-label": `Weight from ${name}`, change: (event) => this.edited(event.target) });
        if (field) weight.append(field);
        const cells = [el("td"), el("td")];
        const row = el("tr", {}, el("th", { scope: "row" }, button), input, weight, ...cells);
        body.append(row);
        return { i, name, row, button, input, weight, field, cells };
      });
      this.unit.caption = el("caption");
      this.unit.element.replaceChildren(el("table", {}, this.unit.caption,
        el("thead", {}, el("tr", {}, ...["from", "input", "weight", "∂L/∂w", "next w"].map((text) => el("th", { scope: "col" }, text)))), body));
    }
    this.unit.key = key;
    const output = layer === answer.layers.length - 1;
    setText(this.unit.caption, `Unit ${unit + 1} of ${output ? "the output layer" : `layer ${layer + 1}`}${view.recorded ? "" : ": edit its weights"}`);
    for (const { i, name, row, button, input, weight, field, cells } of this.unit.rows) {
      const index = indexOf(i);
      row.classList.toggle("chosen", selected.weight === i);
      button.setAttribute("aria-pressed", String(selected.weight === i));
      if (i === nIn) setText(input, "1");
      else if (layer > 0 && view.hide) setText(input, "?");
      else setText(input, number(inputs[i]));
      const value = state.parameters[index];
      if (field) {
        field.dataset.index = index;
        field.dataset.exact = value;
        if (document.activeElement !== field || field.dataset.shown !== String(value)) field.value = significant(value, 5);
        field.dataset.shown = value;
        field.title = String(value);
      } else setText(weight, number(value));
      const comes = ["d", "g"].includes(stop.id[0]) && stop.layer === layer;
      this.fill(cells[0], answer.gradients[index], `gradient of the weight from ${name}`, knows.gradient(layer), comes && knows.gradient(layer));
      this.fill(cells[1], answer.next_parameters[index], `next weight from ${name}`, knows.updated, stop.id === "up");
    }
  }

  edited(field) {
    const value = parseNumber(field.value);
    if (!Number.isFinite(value) || Math.abs(value) > 1e12) {
      this.on.say(`“${field.value}” is not a number; the weight is still ${number(Number(field.dataset.exact))}.`, true);
      field.value = significant(Number(field.dataset.exact), 5);
      return;
    }
    if (significant(value, 5) !== significant(Number(field.dataset.exact), 5)) this.on.edit(Number(field.dataset.index), value);
  }

  // Formulas

  renderFormulas({ answer, run, selected, knows }, view) {
    const { layer, unit, weight } = selected;
    const place = run.explained.findIndex((each) => each.layer === layer && each.unit === unit && each.weight === weight);
    const list = answer.formulas[place] ?? [];
    const general = (formula) => el("div", { class: "general" }, formula.general);
    const known = ({ name }) => (/^[za]\d/.test(name) ? knows.forward(layer, unit) : name === "L" ? knows.loss : name.startsWith("new") ? knows.updated : weight == null ? knows.delta(layer, unit) : knows.gradient(layer));
    const shown = list.filter(known);
    const key = JSON.stringify([selected, shown, view.hide]);
    if (key === this.formulasKey) return;
    this.formulasKey = key;
    const note = !list.length ? "The formulas of this one are not in the recording."
      : weight == null ? "Choose a weight in the table, or a link in the picture, to see how its gradient comes about."
        : !shown.length ? "Its gradient comes with the backward pass." : "";
    $("formulas").replaceChildren(
      el("h2", {}, weight == null ? `Unit ${unit + 1} of layer ${layer + 1}, with the numbers put in` : "This weight, with the numbers put in"),
      ...shown.map((formula) => el("div", { class: "formula" }, general(formula), view.hide
        ? el("div", {}, `${formula.name} = ?`)
        : el("div", {}, `${formula.name} = `, formula.terms && formula.terms !== formula.result ? `${formula.terms} = ` : "", el("span", { class: "result" }, formula.result)))),
      el("p", { class: "note" }, note),
    );
  }

  // A number, or a blank to fill in

  fill(cell, value, label, known, fresh) {
    cell.classList.toggle("lit", fresh && !this.hide);
    if (!known && !this.hide) {
      cell.replaceChildren("·");
      cell.className = "";
      cell.title = "";
      return;
    }
    if (!this.hide) {
      if (cell.firstElementChild) cell.replaceChildren();
      setText(cell, number(value));
      cell.title = value == null ? "" : String(value);  // all digits, where the pointer rests
      cell.classList.remove("right", "wrong");
      return;
    }
    cell.title = "";
    let field = cell.querySelector("input");
    if (!field) {
      field = el("input", { type: "text", inputmode: "text", autocomplete: "off", class: "blank", "aria-label": label, change: () => this.checked(field) });
      cell.replaceChildren(el("span", { class: "mark", "aria-hidden": "true" }), field);
    }
    field.dataset.answer = value;
    const given = this.given.get(label) ?? "";
    if (document.activeElement !== field) field.value = given;
    this.mark(cell, given, value);
  }

  mark(cell, given, value) {
    const right = given !== "" && isRight(given, value);
    cell.classList.toggle("right", right);
    cell.classList.toggle("wrong", given !== "" && !right);
    setText(cell.querySelector(".mark"), given === "" ? "" : right ? "✓" : "✗");
    cell.querySelector("input").setAttribute("aria-invalid", String(given !== "" && !right));
    return right;
  }

  checked(field) {
    const given = field.value.trim();
    const label = field.getAttribute("aria-label");
    if (given) this.given.set(label, given); else this.given.delete(label);
    const right = this.mark(field.parentElement, given, Number(field.dataset.answer));
    if (given) this.on.say(right ? `Correct: ${label} is ${number(Number(field.dataset.answer))}.` : Number.isNaN(parseNumber(given)) ? `“${given}” is not a number.` : `Not yet: ${label}.`);
    this.renderScore();
  }

  renderScore() {
    const score = $("score");
    score.hidden = !this.hide;
    if (!this.hide) return;
    const cells = document.querySelectorAll("#units td input.blank, #unit td input.blank");
    const right = document.querySelectorAll("#units td.right, #unit td.right").length;
    const wrong = document.querySelectorAll("#units td.wrong, #unit td.wrong").length;
    setText(score, `Work the numbers out and fill them in; three significant digits are enough. ${right} of ${cells.length} correct${wrong ? `, ${wrong} not yet` : ""}.`);
  }
}

/** Within half a percent, or rightly rounded to the digits that were given (if that is within 5 %). */
function isRight(given, exact) {
  const value = parseNumber(given);
  const decimals = given.replace(",", ".").split("e")[0].split(".")[1]?.length ?? 0;
  const rounded = Math.min(0.5 * 10 ** -decimals, 0.05 * Math.abs(exact));
  return Math.abs(value - exact) <= Math.max(0.005 * Math.abs(exact), rounded, 1e-9);
}
