// Small tools for the page: elements, numbers as text, colours.

export const $ = (id) => document.getElementById(id);

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

/** A number with four significant digits, and a minus sign as long as the plus. */
export function number(value, digits = 4) {
  if (value == null) return "not finite";
  const text = value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5)
    ? value.toExponential(digits - 2).replace("e+", "e")
    : String(Number(value.toPrecision(digits)));
  return text.replace(/-/g, "−");
}

/** What somebody typed as a number, with a comma or a true minus sign if they like; NaN if it is none. */
export function parseNumber(text) {
  const plain = text.trim().replace(/−/g, "-").replace(/^([-+]?\d*),(\d+)$/, "$1.$2");
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(plain) ? Number(plain) : NaN;
}

export const subscript = (i) => String(i).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);
export const words = (name) => name.replace(/_/g, " ");

/** One of the colours of style.css, as the theme has it now. */
export function colour(name) {
  const probe = el("span", { style: null });
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

let palette = null;

/** 511 colours from orange (−1) over neutral (0) to blue (1), as bytes. */
export function diverging() {
  if (palette) return palette;
  const rgb = (name) => colour(name).match(/[\d.]+/g).slice(0, 3).map(Number);
  const dark = getComputedStyle(document.body).backgroundColor.match(/\d+/)[0] < 128;
  const [neutral, blue, orange] = [rgb("inset"), dark ? [38, 132, 190] : [0, 114, 178], [230, 159, 0]];
  palette = new Uint8ClampedArray(511 * 4);
  for (let i = 0; i < 511; i++) {
    const strength = Math.abs(i - 255) / 255;
    const end = i < 255 ? orange : blue;
    for (let c = 0; c < 3; c++) palette[4 * i + c] = neutral[c] + (end[c] - neutral[c]) * 0.92 * strength ** 0.8;
    palette[4 * i + 3] = 255;
  }
  return palette;
}

export const forgetColours = () => { palette = null; };
