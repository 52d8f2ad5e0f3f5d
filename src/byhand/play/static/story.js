// A story's beat: the question, the guess, and what the engine's numbers answered.

import { $, el } from "byhand/dom";

let drawn = null;

/** Text with **bold** parts as nodes. */
const rich = (text) => text.split("**").map((part, i) => (i % 2 ? el("b", {}, part) : part));

/** A question with what leads to it: its last sentence is what is asked. */
function asked(text) {
  const at = text.search(/(?<=[.?!:] )[^.?!]*(\.\d[^.?!]*)*\?$/);
  return at > 0 ? [el("span", { class: "lead" }, text.slice(0, at)), text.slice(at)] : [text];
}

/** Write the beat into the panel; `on` has guess(option). */
export function showBeat(story, on) {
  const { data, index, open } = story;
  const guess = story.guesses[index] ?? null;
  const key = JSON.stringify([data.id, index, open, guess]);
  if (key === drawn) return;
  drawn = key;
  const beat = data.beats[index];
  const focused = document.activeElement?.name === "guess";
  const last = index === data.beats.length - 1;
  $("beat").replaceChildren(
    el("div", { class: "pips", role: "img", "aria-label": `Question ${index + 1} of ${data.beats.length}` },
      ...data.beats.map((_, i) => el("i", { class: i < index ? "done" : i === index ? "current" : "" }))),
    el("h2", { id: "question" }, ...asked(beat.question)),
    el("div", { class: `options${open ? " answered" : ""}`, role: "radiogroup", "aria-labelledby": "question" },
      ...beat.options.map((option, i) => el("label", { class: [open && i === beat.right ? "right" : "", i === guess ? "mine" : ""].join(" ").trim() || null },
        el("input", { type: "radio", name: "guess", value: i, checked: guess === i, disabled: open, change: () => on.guess(i) }), el("span", {}, option),
        open && (i === beat.right || i === guess) ? el("em", {}, i === beat.right ? (i === guess ? "✓ your guess" : "✓ it is this") : "your guess") : null))),
    open ? el("p", { class: "answer" }, ...rich(beat.answer))
      : el("p", { class: "note" }, guess == null ? "Take a guess first; nobody keeps count." : "Now let the numbers answer."),
    ...(open && last ? [el("p", { class: "note" }, data.last)] : []),
  );
  $("beat").querySelector(open ? ".answer" : ".pips").scrollIntoView({ block: open ? "nearest" : "start" });  // on a phone they may lie apart
  if (focused) $("beat").querySelector("input:checked:not(:disabled)")?.focus();
}

/** What the button says. */
export function stepWords({ data, index, open, guesses }, recorded) {
  const last = index === data.beats.length - 1;
  if (!open) return { verb: guesses[index] == null ? "Step anyway" : "Step", next: data.beats[index].go };
  if (last && recorded) return { verb: "The end", next: "← goes back" };
  return last ? { verb: "Go on yourself", next: "from here on" } : { verb: "Next", next: "the next question" };
}

export const forgetBeat = () => { drawn = null; };
