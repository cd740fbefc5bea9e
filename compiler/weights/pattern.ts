/**
 * Patterns of a name map: `conv{s}.{b}.conv{k}` is `layer{s - 1}.{b}.conv{k}` on the other side.
 *
 * A hole `{...}` stands for a number: a sum of products of integers and variables. `{b:a}` writes it as a letter, 0 as
 * `a`; `{*}` stands for any text. On our side, which is matched, a hole has one variable, with which the number is known
 * from it (`{s}`, `{2 * k + 1}`); on theirs it may have several, so that `features.{3 * k - 2}` counts in threes.
 */

/** The other side's name for one of ours; undefined where the pattern does not match it. */
export type Rename = (ours: string) => string | undefined;

/** A pattern that can't be understood. */
export class PatternError extends Error {
  /** Which of a rename's two it is. */
  readonly side: "ours" | "theirs";
  /** What of its text is meant, from here to there. */
  readonly start: number;
  readonly end: number;

  constructor(side: "ours" | "theirs", start: number, end: number, message: string) {
    super(message);
    this.side = side;
    this.start = start;
    this.end = end;
  }
}

/** Compiles both patterns once. Throws a PatternError where one can't be understood. */
export function compileRename(ours: string, theirs: string): Rename {
  const from = parsePattern(ours, "ours");
  const to = parsePattern(theirs, "theirs");
  requireInvertible(from, ours);
  const known = new Set(variablesOf(from));
  for (const hole of holesOf(to)) {
    const unknown = hole.kind === "text" ? undefined : variablesOf([hole]).find((name) => !known.has(name));
    const extra = hole.kind === "text" && !from.some((part) => typeof part !== "string" && part.kind === "text");
    if (unknown === undefined && !extra) continue;
    throw new PatternError(
      "theirs",
      hole.start,
      hole.end,
      `{${hole.text}}: ${extra ? "{*}" : unknown} does not occur in ${quote(ours)}`,
    );
  }
  return (name) => {
    const found = match(from, name);
    return found && render(to, found);
  };
}

/** The variables of a pattern. Throws a PatternError where it can't be understood. */
export function patternVariables(pattern: string, side: "ours" | "theirs"): readonly string[] {
  return variablesOf(parsePattern(pattern, side));
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
/** Of a pattern. */
const MOST_HOLES = 32;
/** Digits of a number in a name. */
const MOST_DIGITS = 6;

/** `2 * a * b` */
interface Term {
  readonly factor: number;
  readonly variables: readonly string[];
}

interface Hole {
  readonly kind: "number" | "letter" | "text";
  /** As it is written, without its braces. */
  readonly text: string;
  /** Where it stands in the pattern, with them. */
  readonly start: number;
  readonly end: number;
  /** What is added up. */
  readonly terms: readonly Term[];
}

type Pattern = readonly (string | Hole)[];

/** What the holes of a pattern stand for in a name. */
interface Found {
  readonly values: ReadonlyMap<string, number>;
  readonly text: string;
}

function holesOf(pattern: Pattern): Hole[] {
  return pattern.filter((part): part is Hole => typeof part !== "string");
}

function variablesOf(pattern: Pattern): string[] {
  return holesOf(pattern).flatMap(({ terms }) => terms.flatMap(({ variables }) => variables));
}

function parsePattern(pattern: string, side: "ours" | "theirs"): Pattern {
  const parts: (string | Hole)[] = [];
  let position = 0;
  const addText = (end: number): void => {
    const text = pattern.slice(position, end);
    const brace = text.search(/[{}]/);
    if (brace >= 0) {
      const at = position + brace;
      throw new PatternError(side, at, at + 1, `in ${quote(pattern)} a brace has no partner`);
    }
    if (text !== "") parts.push(text);
  };
  for (const match of pattern.matchAll(/\{([^{}]*)\}/g)) {
    addText(match.index);
    position = match.index + match[0].length;
    parts.push(parseHole(match[1] ?? "", match.index, side));
    if (holesOf(parts).length > MOST_HOLES) {
      throw new PatternError(side, match.index, position, `a pattern has ${MOST_HOLES} holes at most`);
    }
  }
  addText(pattern.length);
  return parts;
}

function parseHole(text: string, start: number, side: "ours" | "theirs"): Hole {
  const end = start + text.length + 2;
  if (text.trim() === "*") return { kind: "text", text, start, end, terms: [] };
  const [sum = "", format] = text.split(":", 2);
  const terms = parseSum(sum);
  if (!terms || (format !== undefined && format.trim() !== "a")) {
    const message = `{${text}} is no sum of variables and numbers such as {s}, {k - 1} or {2 * k + 1}, with :a for a letter; {*} is any text`;
    throw new PatternError(side, start, end, message);
  }
  return { kind: format === undefined ? "number" : "letter", text, start, end, terms };
}

/** `2 * k - s + 1`; undefined where it is none. */
function parseSum(text: string): readonly Term[] | undefined {
  const signed = /^\s*[+-]/.test(text) ? text : `+${text}`;
  const terms: Term[] = [];
  let position = 0;
  for (const match of signed.matchAll(/\s*([+-])\s*(\w+(?:\s*\*\s*\w+)*)\s*/gy)) {
    let factor = match[1] === "-" ? -1 : 1;
    const variables: string[] = [];
    for (const each of match[2]!.split("*").map((part) => part.trim())) {
      if (/^[0-9]{1,6}$/.test(each)) factor *= Number(each);
      else if (/^[a-z_][a-z0-9_]*$/.test(each)) variables.push(each);
      else return undefined;
    }
    terms.push({ factor, variables });
    position = match.index + match[0].length;
  }
  return position === signed.length ? terms : undefined;
}

/** The one variable of a hole, and the numbers with which the hole is `factor * variable + constant`. */
interface Linear {
  readonly variable: string;
  readonly factor: number;
  readonly constant: number;
}

function linear({ terms }: Hole): Linear | undefined {
  let [factor, constant] = [0, 0];
  let variable: string | undefined;
  for (const term of terms) {
    const [name, second] = term.variables;
    if (second !== undefined || (name !== undefined && variable !== undefined && name !== variable)) return undefined;
    if (name === undefined) constant += term.factor;
    else [variable, factor] = [name, factor + term.factor];
  }
  return variable === undefined || factor === 0 ? undefined : { variable, factor, constant };
}

/** On our side: names are matched, so every hole must say what its variable is. */
function requireInvertible(pattern: Pattern, text: string): void {
  let texts = 0;
  for (const [index, hole] of pattern.entries()) {
    if (typeof hole === "string") continue;
    const refuse = (message: string): never => {
      throw new PatternError("ours", hole.start, hole.end, message);
    };
    if (hole.kind === "text" && ++texts > 1) refuse(`${quote(text)} has more than one {*}`);
    if (hole.kind !== "text" && !linear(hole)) {
      refuse(`{${hole.text}} has to be one variable, perhaps times and plus a number`);
    }
    const before = pattern[index - 1];
    if (before === undefined || typeof before === "string" || before.kind === "letter" || hole.kind === "letter")
      continue;
    refuse(`{${before.text}} and {${hole.text}} have nothing between them that tells where one ends`);
  }
}

/** What the holes stand for; of several readings the one whose earlier holes are longer. */
function match(pattern: Pattern, name: string): Found | undefined {
  const texts: string[] = [];
  // Places from which the rest of the pattern was tried in vain.
  const failed = new Set<number>();
  const from = (index: number, position: number): boolean => {
    const part = pattern[index];
    if (part === undefined) return position === name.length;
    if (typeof part === "string") return name.startsWith(part, position) && from(index + 1, position + part.length);
    const key = index * (name.length + 1) + position;
    if (failed.has(key)) return false;
    for (let length = longest(part.kind, name, position); length > 0; length--) {
      if (from(index + 1, position + length)) {
        texts.unshift(name.slice(position, position + length));
        return true;
      }
    }
    failed.add(key);
    return false;
  };
  if (!from(0, 0)) return undefined;
  const values = new Map<string, number>();
  let text = "";
  for (const [index, hole] of holesOf(pattern).entries()) {
    const written = texts[index]!;
    const of = hole.kind === "text" ? undefined : linear(hole);
    if (!of) {
      text = written;
      continue;
    }
    const number = hole.kind === "letter" ? written.charCodeAt(0) - LETTER_A : Number(written);
    const value = (number - of.constant) / of.factor;
    if (!Number.isInteger(value) || (values.get(of.variable) ?? value) !== value) return undefined;
    values.set(of.variable, value);
  }
  return { values, text };
}

/** Characters that a hole can take at most. */
function longest(kind: Hole["kind"], name: string, position: number): number {
  if (kind === "text") return name.length - position;
  if (kind === "letter") return /[a-z]/.test(name[position] ?? "") ? 1 : 0;
  let length = 0;
  while (length < MOST_DIGITS && /[0-9]/.test(name[position + length] ?? "")) length++;
  return length;
}

/** Undefined where a number is below 0, or beyond the alphabet. */
function render(pattern: Pattern, { values, text }: Found): string | undefined {
  let result = "";
  for (const part of pattern) {
    if (typeof part === "string") result += part;
    else if (part.kind === "text") result += text;
    else {
      const value = part.terms.reduce(
        (sum, { factor, variables }) =>
          sum + variables.reduce((product, variable) => product * (values.get(variable) ?? 0), factor),
        0,
      );
      if (value < 0 || !Number.isSafeInteger(value) || (part.kind === "letter" && value > 25)) return undefined;
      result += part.kind === "letter" ? String.fromCharCode(LETTER_A + value) : String(value);
    }
  }
  return result;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
