// Keys, colours, and tables that are dropped or pasted.

import { $ } from "byhand/dom";

/** The choice of colours, which the browser remembers; `repaint` draws anew what has colours in it. */
export function wireTheme(repaint) {
  const apply = (theme) => {
    if (theme) document.documentElement.dataset.theme = theme; else delete document.documentElement.dataset.theme;
    repaint();
  };
  let kept = "";
  try { kept = localStorage.getItem("byhand-theme") ?? ""; } catch { /* a file: page may have no storage */ }
  $("theme").value = kept;
  $("theme").addEventListener("change", (event) => {
    apply(event.target.value);
    try { localStorage.setItem("byhand-theme", event.target.value); } catch { /* it lasts for this visit */ }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  apply(kept);
}

/** Single keys, each with what it does; not while somebody types or a dialog is open. */
export function wireKeys(keys) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !$("keys-on").checked || document.querySelector("dialog[open]")) return;
    if (event.target.closest("input:not([type=radio], [type=checkbox]), select, textarea")) return;
    const key = event.key.toLowerCase();
    if (!keys[key]) return;
    event.preventDefault();
    keys[key]();
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
