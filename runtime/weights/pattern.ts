/**
 * Renames of a `weights` declaration: `conv{s}.{b}.conv{k}` is `layer{s - 1}.{b}.conv{k}` on the other side.
 *
 * A hole `{...}` stands for a number: a sum of variables and integers. `{b:a}` writes it as a letter, 0 as `a`. On our
 * side, which is matched, a hole has one variable, perhaps with an integer added; on theirs it may have any sum, so
 * that `features.{k + k + 8}` counts in twos.
 */
import { WeightsError } from "./source.js";

/** The other side's name for a path of ours; undefined where the pattern does not match it. */
export type Rename = (ours: string) => string | undefined;

/** Compiles both patterns once. Throws a WeightsError where one can't be understood. */
export function compileRename(ours: string, theirs: string): Rename {
  const from = parsePattern(ours);
  const to = parsePattern(theirs);
  const bound = new Set<string>();
  for (const hole of holesOf(from)) {
    const [variable, second] = hole.variables;
    if (variable === undefined || second !== undefined) {
      throw new WeightsError(
        `in the rename ${quote(ours)}: {${hole.text}} has to be one variable, perhaps plus a number`,
      );
    }
    bound.add(variable);
  }
  for (const hole of holesOf(to)) {
    const unknown = hole.variables.find((variable) => !bound.has(variable));
    if (unknown !== undefined) {
      throw new WeightsError(`in the rename ${quote(theirs)}: ${unknown} does not occur in ${quote(ours)}`);
    }
  }
  const expression = new RegExp(
    `^${from.map((part) => (typeof part === "string" ? escape(part) : part.letter ? "([a-z])" : "([0-9]{1,6})")).join("")}$`,
  );
  return (path) => {
    const match = expression.exec(path);
    if (!match) return undefined;
    const values = new Map<string, number>();
    for (const [index, hole] of holesOf(from).entries()) {
      const text = match[index + 1] ?? "";
      const value = (hole.letter ? text.charCodeAt(0) - LETTER_A : Number(text)) - hole.constant;
      const variable = hole.variables[0] ?? "";
      if ((values.get(variable) ?? value) !== value) return undefined;
      values.set(variable, value);
    }
    return render(to, values);
  };
}

/** Whether a name fits a pattern in which `*` stands for any text. */
export function compileWildcard(pattern: string): (name: string) => boolean {
  const pieces = pattern.split("*");
  const [first = "", last = ""] = [pieces[0], pieces.at(-1)];
  return (name) => {
    if (pieces.length === 1) return name === pattern;
    if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
    // Each piece at its first place after the one before: with `*` around, nothing is lost by that.
    let position = first.length;
    for (const piece of pieces.slice(1, -1)) {
      const at = name.indexOf(piece, position);
      if (at < 0) return false;
      position = at + piece.length;
    }
    return position <= name.length - last.length;
  };
}

const LETTER_A = "a".charCodeAt(0);

interface Hole {
  readonly text: string;
  /** Each occurrence that is added; a variable may occur twice. */
  readonly variables: readonly string[];
  readonly constant: number;
  readonly letter: boolean;
}

type Pattern = readonly (string | Hole)[];

function holesOf(pattern: Pattern): Hole[] {
  return pattern.filter((part): part is Hole => typeof part !== "string");
}

function parsePattern(pattern: string): Pattern {
  const parts: (string | Hole)[] = [];
  let position = 0;
  for (const match of pattern.matchAll(/\{([^{}]*)\}/g)) {
    parts.push(pattern.slice(position, match.index), parseHole(match[1] ?? "", pattern));
    position = match.index + match[0].length;
  }
  parts.push(pattern.slice(position));
  if (parts.some((part) => typeof part === "string" && /[{}]/.test(part))) {
    throw new WeightsError(`in the rename ${quote(pattern)}: a brace has no partner`);
  }
  return parts.filter((part) => part !== "");
}

function parseHole(text: string, pattern: string): Hole {
  const [sum = "", format] = text.split(":", 2);
  const terms = /^\s*[+-]/.test(sum) ? sum : `+${sum}`;
  const variables: string[] = [];
  let constant = 0;
  let position = 0;
  for (const match of terms.matchAll(/\s*([+-])\s*(?:([0-9]{1,6})|([a-z_][a-z0-9_]*))\s*/gy)) {
    const sign = match[1] === "-" ? -1 : 1;
    if (match[2] !== undefined) constant += sign * Number(match[2]);
    else if (sign > 0) variables.push(match[3] ?? "");
    else break;
    position = match.index + match[0].length;
  }
  if (position < terms.length || (format !== undefined && format.trim() !== "a")) {
    throw new WeightsError(
      `in the rename ${quote(pattern)}: {${text}} is no sum of variables and numbers, with or without :a`,
    );
  }
  return { text, variables, constant, letter: format !== undefined };
}

function render(pattern: Pattern, values: ReadonlyMap<string, number>): string | undefined {
  let text = "";
  for (const part of pattern) {
    if (typeof part === "string") {
      text += part;
      continue;
    }
    const value = part.variables.reduce((sum, variable) => sum + (values.get(variable) ?? 0), part.constant);
    if (value < 0 || (part.letter && value > 25)) return undefined;
    text += part.letter ? String.fromCharCode(LETTER_A + value) : String(value);
  }
  return text;
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function quote(text: string): string {
  return JSON.stringify(text);
}
