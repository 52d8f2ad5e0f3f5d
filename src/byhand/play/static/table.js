// One's own points: a table as text, with any of the usual separators.

import { parseNumber } from "byhand/dom";

/** Rows of numbers; throws an Error that names the line where something is wrong. */
export function parseTable(text, maxPoints) {
  const lines = text.split(/\r?\n/).map((line, i) => [i + 1, line.trim()]).filter(([, line]) => line);
  if (!lines.length) throw new Error("There are no points: write one a line, such as 0.5, 1.2, 1.");
  const separator = [";", "\t", ","].find((s) => lines.every(([, line]) => line.includes(s))) ?? /\s+/;
  const split = (line) => line.split(separator).map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));
  if (split(lines[0][1]).every((cell) => Number.isNaN(parseNumber(cell)))) lines.shift();
  const points = lines.map(([number, line]) => split(line).map((cell) => {
    const value = parseNumber(cell);
    if (!Number.isFinite(value)) throw new Error(`Line ${number}: “${cell}” is not a number.`);
    if (Math.abs(value) > 1e12) throw new Error(`Line ${number}: ${cell} is too large; scale the column first.`);
    return value;
  }));
  if (points.length < 2) throw new Error("At least two points are needed.");
  if (points.length > maxPoints) throw new Error(`${points.length} points are too many for this page: at most ${maxPoints}.`);
  const width = points[0].length;
  if (width < 2 || width > 11) throw new Error(`Each line needs 1 to 10 inputs and a target, so 2 to 11 numbers, not ${width}.`);
  const odd = points.findIndex((point) => point.length !== width);
  if (odd >= 0) throw new Error(`Line ${lines[odd][0]} has ${points[odd].length} numbers, the first has ${width}.`);
  return points;
}

export const formatTable = (points) => points.map((point) => point.join(", ")).join("\n");
