// The bar: back, the rail of stops, how large a step is, and the one button.

import { $, el, setText } from "byhand/dom";
import { recording } from "byhand/engine";
import { PHASE_WORDS, nextWords } from "byhand/explain";
import { nextStop } from "byhand/stops";
import { blocked } from "byhand/state";

const DIAL = { unit: "unit", layer: "layer", phase: "phase", sample: "sample", epoch: "epoch", 100: "×100" };

/** Which step sizes make sense for a scene. */
export function dialsFor(scene) {
  const small = scene.stops.some(({ id }) => id.startsWith("g:"));
  return [...(small ? ["unit"] : []), "layer", "phase", ...(scene.answer.batch.length > 1 && !recording ? ["sample"] : []), "epoch", "100"];
}

export class Bar {
  /** `on` has go(stop) and dial(name). */
  constructor(on) {
    this.on = on;
    this.railKey = this.dialKey = null;
  }

  render(scene, state, words) {
    const { view, model, past, waiting, playing } = state;
    const { story } = model;
    const why = blocked(state);
    const next = story ? null : nextStop(scene.stops, scene.at, view.dial);
    const leaps = ["epoch", "100", "sample"].includes(view.dial);
    const phase = story || leaps || next == null ? "look" : scene.stops[next].phase;
    const button = $("step");
    button.dataset.phase = phase;
    setText(button.querySelector("b"), words?.verb ?? "Step");
    setText(button.querySelector(".text > span"), why ? `stopped: ${why}` : words?.next ?? nextWords(scene, next, view.dial));
    setText(button.querySelector("em"), { forward: "→", backward: "←", update: "↻" }[phase] ?? "→");
    button.setAttribute("aria-disabled", String(Boolean(why)));
    button.title = why || "Step (Space or →)";
    button.classList.toggle("waiting", waiting);
    $("back").setAttribute("aria-disabled", String(!past.length));
    $("play").setAttribute("aria-pressed", String(playing));
    $("play").title = playing ? "Pause (Enter)" : "Let epochs run by themselves";
    $("play").hidden = Boolean(story);
    $("rewind").hidden = Boolean(story);
    this.drawRail(scene, Boolean(story));
    this.drawDial(scene, view.dial, Boolean(story));
  }

  drawRail({ stops, at }, still) {
    const key = JSON.stringify([stops.map(({ id }) => id), still]);
    if (key !== this.railKey) {
      this.railKey = key;
      const groups = [...new Set(stops.map(({ phase }) => phase))];
      $("rail").replaceChildren(...groups.map((phase) => {
        const own = stops.map((stop, i) => ({ ...stop, i })).filter((stop) => stop.phase === phase);
        const group = el("div", { class: `rail-group p-${phase}` },
          el("div", { class: "dots" }, ...own.map(({ i }, n) => el("button", {
            type: "button", "data-stop": i, disabled: still, "aria-label": `${PHASE_WORDS[phase]}${own.length > 1 ? `, stop ${n + 1} of ${own.length}` : ""}`, click: () => this.on.go(i),
          }))),
          el("span", { class: "name", "aria-hidden": "true" }, PHASE_WORDS[phase]));
        group.style.flexGrow = own.length + 1.3;
        return group;
      }));
    }
    document.querySelectorAll("#rail button").forEach((button) => {
      const i = Number(button.dataset.stop);
      button.className = i < at ? "done" : i === at ? "current" : "";
      if (i === at) button.setAttribute("aria-current", "step"); else button.removeAttribute("aria-current");
      if (i === at) document.querySelectorAll(".rail-group").forEach((group) => group.classList.toggle("on", group.contains(button)));
    });
  }

  drawDial(scene, dial, hidden) {
    const names = dialsFor(scene);
    const key = names.join();
    $("dial").hidden = hidden;
    if (key !== this.dialKey) {
      this.dialKey = key;
      $("dials").replaceChildren(...names.map((name) => el("label", {},
        el("input", { type: "radio", name: "dial", value: name, change: () => this.on.dial(name) }), el("span", {}, DIAL[name]))));
    }
    const chosen = document.querySelector(`input[name=dial][value="${dial}"]`);
    if (chosen && !chosen.checked) chosen.checked = true;
  }
}
