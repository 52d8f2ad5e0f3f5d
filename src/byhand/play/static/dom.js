// Small tools for the page: elements, numbers as text, colours.

export const $ = (id) => document.getElementById(id);

/** Whether the picture stands above the panel, as in style.css. */
export const narrow = matchMedia("(max-width: 56.25em)");

/** An element with attributes (functions are listeners, `false` and null are left out) and children. */
export function el(tag, attributes = {}, ...children) {
  return furnish(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return furnish(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function furnish(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/** Change a text only where it is another: it is cheaper, and keeps a selection. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A number: three decimals, four where it is small, then powers of ten; exactly 0 is "0". */
export function number(value) {
  if (value == null) return "not finite";
  if (value === 0) return "0";
  const size = Math.abs(value);
  let text;
  if (size >= 1e5 || size < 5e-5) {
    const power = Math.floor(Math.log10(size));
    text = `${(size / 10 ** power).toFixed(1).replace(/\.0$/, "")}·10${raised(power)}`;
  } else text = trimmed(size.toFixed(size >= 100 ? 1 : size >= 0.0095 ? 3 : 4));
  return (value < 0 ? "−" : "") + text;
}

const trimmed = (text) => (text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text);
const raised = (power) => String(power).replace(/[-\d]/g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]));

/** With so many significant digits: for axes and tables. */
export const significant = (value, digits) => (value == null ? "not finite" : Number(value.toPrecision(digits)).toString().replace("e+", "e").replace(/-/g, "−"));

/** What somebody typed as a number, with a comma or a true minus sign if they like; NaN if it is none. */
export function parseNumber(text) {
  const plain = text.trim().replace(/−/g, "-").replace(/^([-+]?\d*),(\d+)$/, "$1.$2");
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(plain) ? Number(plain) : NaN;
}

export const subscript = (i) => String(i).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);
export const words = (name) => name.replace(/_/g, " ");

/** One of the colours of style.css, as the theme has it now. */
export function colour(name) {
  const probe = el("span");
  probe.style.color = `var(--${name})`;
  probe.style.forcedColorAdjust = "none";  // or with forced colours all values would be of one
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

let palette = null;

/** 511 colours of the values from −1 over 0 (the card's colour) to 1, as bytes: fixed, whatever the numbers are. */
export function diverging() {
  if (palette) return palette;
  const rgb = (name) => colour(name).match(/[\d.]+/g).slice(0, 3).map(Number);
  const [zero, positive, negative] = [rgb("card"), rgb("pos"), rgb("neg")];
  palette = new Uint8ClampedArray(511 * 4);
  for (let i = 0; i < 511; i++) {
    const strength = 0.88 * Math.abs(i - 255) / 255;
    const end = i < 255 ? negative : positive;
    for (let c = 0; c < 3; c++) palette[4 * i + c] = zero[c] + (end[c] - zero[c]) * strength;
    palette[4 * i + 3] = 255;
  }
  return palette;
}

const ROUND_OFF = 1e-9;

/** Where a value stands among the colours: clamped at ±1, and what is round-off is 0. */
export const tone = (value) => (value == null || Math.abs(value) < ROUND_OFF ? 255 : Math.round(255 + 255 * Math.max(-1, Math.min(1, value))));

/** The same as a CSS colour. */
export const tint = (value) => {
  const share = (tone(value) - 255) / 255;
  return `color-mix(in oklab, var(--${share < 0 ? "neg" : "pos"}) ${Math.round(78 * Math.abs(share))}%, var(--card))`;
};

export const forgetColours = () => { palette = null; };
