// Keys, colours, and tables that are dropped or pasted.

import { $ } from "byhand/dom";

/** The choice of colours, which the browser remembers; `repaint` draws anew what has colours in it. Gives what turns it. */
export function wireTheme(repaint) {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let kept = null;
  try { kept = localStorage.getItem("byhand-theme"); } catch { /* a file: page may have no storage */ }
  if (kept) root.dataset.theme = kept;
  const turn = () => {
    const isDark = root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
    root.dataset.theme = isDark ? "light" : "dark";
    try { localStorage.setItem("byhand-theme", root.dataset.theme); } catch { /* it lasts for this visit */ }
    repaint();
  };
  $("theme").addEventListener("click", turn);
  dark.addEventListener("change", repaint);
  return turn;
}

/** Single keys, each with what it does; not while somebody types or a dialog is open. */
export function wireKeys(keys) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !$("keys-on").checked || document.querySelector("dialog[open]")) return;
    if (event.target.closest("input:not([type=radio], [type=checkbox]), select, textarea")) return;
    const key = event.key.toLowerCase();
    const onControl = event.target.closest("button, summary, input, [role=button], [role=slider]");
    if ((key === " " || key === "enter") && onControl) return;  // it presses that
    if (key.startsWith("arrow") && event.target.closest("input, .scroll, .scrolls")) return;
    if (!keys[key]) return;
    event.preventDefault();
    keys[key](event);
  });
}

/** Tables that are dropped or pasted on the page. */
export function wireTables(use, tell) {
  const root = document.documentElement;
  let depth = 0;
  const files = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragenter", (event) => { if (files(event)) { depth++; root.classList.add("dropping"); } });
  document.addEventListener("dragleave", (event) => { if (files(event) && --depth <= 0) { depth = 0; root.classList.remove("dropping"); } });
  document.addEventListener("dragover", (event) => { if (files(event)) event.preventDefault(); });
  document.addEventListener("drop", async (event) => {
    if (!files(event)) return;
    event.preventDefault();
    depth = 0;
    root.classList.remove("dropping");
    const [file] = event.dataTransfer.files;
    if (file.size > 1_000_000) return tell(`${file.name} has ${(file.size / 1e6).toFixed(1)} MB; this page takes small tables only.`);
    use(await file.text());
  });
  document.addEventListener("paste", (event) => {
    if (event.target.closest?.("input, textarea") || document.querySelector("dialog[open]")) return;
    const text = event.clipboardData.getData("text");
    if (text.trim()) use(text);
  });
}

/** Pointing at a term lights what it stands for, and the other way round. */
export function wireGlow() {
  const glow = (event) => {
    const keys = event.target.closest?.("[data-k]")?.dataset.k.split(" ") ?? [];
    document.querySelectorAll(".hot").forEach((element) => element.classList.remove("hot"));
    if (!keys.length) return;
    const all = new Set(keys.flatMap(related));
    document.querySelectorAll("[data-k]").forEach((element) => {
      if (element.dataset.k.split(" ").some((key) => all.has(key))) element.classList.add("hot");
    });
  };
  document.addEventListener("pointerover", glow);
  document.addEventListener("focusin", glow);
}

/** A unit's numbers light the unit, the unit lights them; inputs are a of layer −1. */
function related(key) {
  const [kind, ...rest] = key.split(":");
  const place = rest.join(":");
  if (kind === "u") return [key, ...["z", "a", "d"].map((symbol) => `${symbol}:${place}`)];
  return ["z", "a", "d"].includes(kind) ? [key, `u:${place}`] : [key];
}
