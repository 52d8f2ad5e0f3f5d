// What moves: forward along a link with what it carries, backward with δ; where both meet, the gradient appears.

import { svg } from "byhand/dom";

const MILLISECONDS = { slow: 1100, normal: 520, fast: 240 };
const still = matchMedia("(prefers-reduced-motion: reduce)");
let frame = 0;

/** The pulses of a stop: [{link or wire, from, to, phase, size}], where from and to are shares of the way. */
export function pulsesOf({ stop, answer }) {
  const { layer, unit } = stop;
  const carries = (l, i) => (l ? answer.layers[l - 1].a[i] : answer.x[i]) ?? 1;
  const along = (link, from, to, phase, amount) => ({ link, from, to, phase, amount });
  const into = (l, u) => (link) => link.layer === l && (u == null || link.unit === u);
  if (stop.id === "loss") return () => [along("wire", 0, 1, "fwd", 1)];
  const kind = stop.id[0];
  const last = answer.layers.length - 1;
  if (kind === "f") return (links) => links.filter(into(layer, unit)).map((link) => along(link, 0, 1, "fwd", carries(layer, link.input)));
  if (kind === "d" && layer === last) return () => [along("wire", 1, 0, "bwd", answer.layers[last].grad_z[0])];
  if (kind === "d") return (links) => links.filter((link) => link.layer === layer + 1 && (unit == null || link.input === unit) && !link.bias).map((link) => along(link, 1, 0, "bwd", answer.layers[layer + 1].grad_z[link.unit]));
  if (kind === "g") return (links) => links.filter(into(layer, null)).flatMap((link) => [along(link, 0, 0.48, "fwd", carries(layer, link.input)), along(link, 1, 0.52, "bwd", 0.2)]);
  return () => [];
}

export function endPulses(over) {
  cancelAnimationFrame(frame);
  over.replaceChildren();
}

/** Let them run; a press during motion ends it at once. */
export function run(over, jobs, pace, { small }) {
  endPulses(over);
  if (still.matches || document.hidden) return;
  const moving = jobs.filter(({ amount }) => amount !== 0).map((job) => {
    const radius = (small ? 6 + 7 * Math.sqrt(Math.min(1, Math.abs(job.amount))) : 3 + 5 * Math.sqrt(Math.min(1, Math.abs(job.amount))));
    const circle = svg("circle", { class: `pulse ${job.phase}`, r: radius });
    over.append(circle);
    return { ...job, circle, length: job.path.getTotalLength() };
  });
  const started = performance.now();
  const move = (now) => {
    const share = Math.min(1, Math.max(0, (now - started) / MILLISECONDS[pace]));
    const eased = share < 0.5 ? 2 * share * share : 1 - (2 - 2 * share) ** 2 / 2;
    for (const { circle, path, length, from, to } of moving) {
      const { x, y } = path.getPointAtLength(length * (from + (to - from) * eased));
      circle.setAttribute("cx", x);
      circle.setAttribute("cy", y);
      circle.setAttribute("opacity", share > 0.92 ? (1 - share) / 0.08 : 1);
    }
    if (share < 1) frame = requestAnimationFrame(move); else over.replaceChildren();
  };
  move(started);
}
