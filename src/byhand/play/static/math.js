// MathML with the numbers put in. Every term carries the key of what it stands for, so that it can light it.

import { number } from "byhand/dom";

const escape = (text) => text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

/** A sign; parentheses grow with what they hold only where that is a fraction. */
export const op = (sign, tall = false) => `<mo${/[()|]/.test(sign) && !tall ? ' stretchy="false"' : ""}>${escape(sign)}</mo>`;
export const dot = '<mo lspace="0.15em" rspace="0.15em">·</mo>';

/** A letter, with its hat if it has one. */
function letter(base) {
  const [plain, hat] = base.normalize("NFD");
  const body = `<mi>${escape(plain)}</mi>`;
  return hat ? `<mover accent="true">${body}<mo stretchy="false">^</mo></mover>` : body;
}

/** A symbol such as w₁₂. */
export function symbol({ base, sub, sup }) {
  const body = letter(base);
  const index = sub ? `<mn>${escape(sub)}</mn>` : "";
  if (index && sup) return `<msubsup>${body}${index}<mn>${escape(sup)}</mn></msubsup>`;
  return index ? `<msub>${body}${index}</msub>` : sup ? `<msup>${body}<mn>${escape(sup)}</mn></msup>` : body;
}

/** Something that stands for a part of the picture. */
export const term = (key, inner) => `<mrow class="t" data-k="${key}">${inner}</mrow>`;

const digits = (value) => {
  const text = number(value);
  const [, mantissa, power] = text.match(/^(.*)·10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)$/) ?? [];
  return power ? `<mn>${mantissa}·10${power}</mn>` : value == null ? `<mtext>${text}</mtext>` : `<mn>${text}</mn>`;
};

/** A number that stands for a part of the picture; in parentheses if it is negative and `wrap` is set. */
export const value = (key, v, wrap = false) => term(key, v < 0 && wrap ? `${op("(")}${digits(v)}${op(")")}` : digits(v));
export const result = (key, v) => `<mrow class="t res" data-k="${key}">${digits(v)}</mrow>`;
export const plainNumber = (v) => digits(v);

export const row = (...cells) => `<mtr>${cells.map((cell) => `<mtd>${cell}</mtd>`).join("")}</mtr>`;
export const table = (rows, kind = "") => `<math display="block" class="${kind}"><mtable>${rows.join("")}</mtable></math>`;
export const line = (...parts) => `<math display="block"><mrow>${parts.join("")}</mrow></math>`;
export const partial = (name) => `<mfrac><mrow><mo>∂</mo><mi>L</mi></mrow><mrow><mo>∂</mo>${symbol(name)}</mrow></mfrac>`;
export const flatPartial = (by) => `<mrow><mo>∂</mo><mi>L</mi><mo lspace="0" rspace="0">/</mo><mo>∂</mo>${by}</mrow>`;
export const slope = (activation, of) => `${functionName(activation)}<mo lspace="0" rspace="0">′</mo>${op("(")}${of}${op(")")}`;
export const functionName = (activation) => (activation === "sigmoid" ? "<mi>σ</mi>" : `<mi mathvariant="normal">${activation.replace(/_/g, "&#xA0;")}</mi>`);

const WIDTH = 26;

/** A long formula in lines that fit the panel: broken before a sign or after a comma that is in no parentheses. */
export function inLines(text) {
  const pieces = [""];
  let depth = 0;
  for (const piece of text.split(/(?<=,) |(?= [+−] )/)) {
    pieces[pieces.length - 1] += depth ? piece : ` ${piece.trim()}`;
    depth += piece.split("(").length - piece.split(")").length;
    if (depth === 0) pieces.push("");
  }
  const lines = [""];
  for (const piece of pieces) {
    if (lines.at(-1) && (lines.at(-1) + piece).length > WIDTH) lines.push("");
    lines[lines.length - 1] += piece;
  }
  return lines.map((each) => each.trim());
}

/** A symbol with its hat and index, a function such as max, or a word. */
function word(token, isFunction) {
  const [, plain, sub] = token.normalize("NFC").match(/^([\p{L}_]+\u0302?)([₀-₉]*)/u);
  if (/\p{L}{2}/u.test(plain)) return isFunction ? `<mi mathvariant="normal">${escape(plain.replace(/_/g, " "))}</mi>` : `<mtext>&#xA0;${escape(plain)}&#xA0;</mtext>`;
  return sub ? `<msub>${letter(plain)}<mn>${[...sub].map((digit) => "₀₁₂₃₄₅₆₇₈₉".indexOf(digit)).join("")}</mn></msub>` : letter(plain);
}

/** A formula that the engine wrote as text, such as 1/(1 + e^(−0.1)) or (0.33 − 0)², typeset. */
export function fromText(text) {
  const tokens = text.match(/[\d.]+(?:e[−+-]?\d+)?|[\p{L}_]+[\u0302′₀-₉]*|./gu)?.filter((t) => t !== " ") ?? [];
  let at = 0;
  const atom = () => {
    const before = tokens[at - 1];
    const token = tokens[at++];
    let body;
    if (token === "(") {
      const inner = sum(")");
      at++;
      body = { inner, wrapped: true };
    } else if (/^[\d.]/.test(token)) body = { inner: token.includes("e") ? digits(Number(token.replace("−", "-"))) : `<mn>${token}</mn>` };
    else if (token === "√") body = { inner: `<msqrt>${atom().bare}</msqrt>` };
    else if (token === "Σ") body = { inner: op(token), sign: true };
    else if (/^[\p{L}_]/u.test(token)) body = { inner: word(token, tokens[at] === "(") };
    else body = { inner: op(token), sign: true };
    const tall = body.inner.includes("mfrac");
    const isArgument = /^[(,]$/.test(before) && /^[),]$/.test(tokens[at]);  // max((−1), 0) is max(−1, 0)
    let shown = body.wrapped && !isArgument ? `<mrow>${op("(", tall)}${body.inner}${op(")", tall)}</mrow>` : body.inner;
    if (tokens[at] === "²") { at++; shown = `<msup>${shown}<mn>2</mn></msup>`; }
    if (tokens[at] === "^") { at++; shown = `<msup>${shown}<mrow>${atom().bare}</mrow></msup>`; }
    return { shown, bare: body.wrapped ? body.inner : shown, sign: body.sign };
  };
  const sum = (end) => {
    let out = "";
    while (at < tokens.length && tokens[at] !== end) {
      const part = atom();
      if (tokens[at] === "/") { at++; out += `<mfrac><mrow>${part.bare}</mrow><mrow>${atom().bare}</mrow></mfrac>`; } else out += part.shown;
    }
    return out;
  };
  return `<mrow>${sum(null)}</mrow>`;
}
