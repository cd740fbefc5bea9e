/** Whatever the text is, the parser answers, soon, and says what is wrong with it. */
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parser } from "../../grammar/build-expressions.js";
import { ErrorList } from "../../grammar/errors.js";
import { tokenize } from "../../grammar/lexer.js";
import { parse } from "../../compiler/syntax.js";
import { processorTime } from "../support/processor-time.js";

const root = new URL("../../", import.meta.url);
const reference = readFileSync(new URL("docs/language.md", root), "utf8");
const seeds = [
  ...[...reference.matchAll(/```resnet\n([\s\S]*?)```/g)].map(([, text = ""]) => text),
  ...readdirSync(new URL("stdlib/", root), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".resnet"))
    .map((name) => readFileSync(new URL(`stdlib/${name}`, root), "utf8")),
];

function check(text: string): void {
  const worked = processorTime();
  const { file, errors } = parse(text, "fuzz");
  expect(worked()).toBeLessThan(2000);
  // The grammar accepts any tokens: had Chevrotain to recover, a case was forgotten.
  expect(parser.errors.map((error) => error.message)).toEqual([]);
  expect(file.span).toEqual({ file: "fuzz", start: 0, end: text.length });
  for (const { span, related = [] } of [...errors, ...errors.flatMap(({ related = [] }) => related)] as {
    span: { start: number; end: number };
    related?: readonly unknown[];
  }[]) {
    expect(related).toBeDefined();
    expect(Number.isInteger(span.start) && Number.isInteger(span.end)).toBe(true);
    expect(0 <= span.start && span.start <= span.end && span.end <= text.length).toBe(true);
  }
  checkSpans(file, 0, text.length);
  if (errors.length === 0) expect(JSON.stringify(file)).not.toContain('"kind":"missing"');
}

/** Every part lies inside the part that it belongs to. */
function checkSpans(part: object, start: number, end: number): void {
  const { span } = part as { span?: { start: number; end: number } };
  if (span !== undefined) {
    expect(start <= span.start && span.start <= span.end && span.end <= end, JSON.stringify(part)).toBe(true);
    [start, end] = [span.start, span.end];
  }
  for (const [key, value] of Object.entries(part) as [string, unknown][]) {
    if (key === "span" || key === "docSpan" || typeof value !== "object" || value === null) continue;
    checkSpans(value, start, end);
  }
}

type Mutation = "delete" | "double" | "swap" | "insert";
const inserted = [
  "{",
  "}",
  "(",
  ")",
  "[",
  "]",
  ",",
  "/",
  "=",
  ":",
  "..",
  "x",
  "on",
  "if",
  "let",
  "block",
  "stage",
  "\u0000",
  '"',
  "€",
  "\n",
];

const mutated = fc
  .tuple(
    fc.constantFrom(...seeds),
    fc.array(
      fc.tuple(fc.constantFrom<Mutation>("delete", "double", "swap", "insert"), fc.nat(), fc.constantFrom(...inserted)),
      { minLength: 1, maxLength: 6 },
    ),
  )
  .map(([text, mutations]) => {
    const { tokens, comments } = tokenize(text, new ErrorList(""));
    const pieces: string[] = [];
    let end = 0;
    for (const token of [...tokens, ...comments].sort((a, b) => a.startOffset - b.startOffset)) {
      pieces.push(text.slice(end, token.startOffset), token.image);
      end = token.startOffset + token.image.length;
    }
    for (const [kind, at, piece] of mutations) {
      const index = at % pieces.length;
      const other = (index + 2) % pieces.length;
      const here = pieces[index] ?? "";
      if (kind === "delete") pieces.splice(index, 1);
      else if (kind === "double") pieces.splice(index, 0, here, " ");
      else if (kind === "insert") pieces.splice(index, 0, piece);
      else [pieces[index], pieces[other]] = [pieces[other] ?? "", here];
    }
    return pieces.join("");
  });

const vocabulary = fc.constantFrom(
  ...[
    "block",
    "network",
    "let",
    "import",
    "from",
    "as",
    "stage",
    "head",
    "input",
    "assert",
    "if",
    "then",
    "else",
    "for",
  ],
  ...[
    "in",
    "on",
    "x",
    "and",
    "or",
    "not",
    "true",
    "conv",
    "relu",
    "fc",
    "a",
    "b",
    "3",
    "3x3",
    '"s"',
    "// c\n",
    "/// d\n",
  ],
  ...["{", "}", "(", ")", "[", "]", ",", ":", "=", "==", "..", ".", "+", "-", "*", "/", "<", "\n", "  "],
);

describe("the parser never throws, never hangs and places every error", () => {
  test("texts with tokens deleted, doubled, swapped and put in", () => {
    fc.assert(fc.property(mutated, check), { numRuns: 400 });
  });

  test("tokens in any order", () => {
    fc.assert(
      fc.property(
        fc.array(vocabulary, { maxLength: 60 }).map((words) => words.join(" ")),
        check,
      ),
      { numRuns: 1500 },
    );
  });

  test("any characters", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), check), { numRuns: 500 });
  });

  test("texts cut off anywhere", () => {
    fc.assert(
      fc.property(fc.constantFrom(...seeds), fc.nat(), (text, at) => check(text.slice(0, at % text.length))),
      { numRuns: 100 },
    );
  });

  test.each([
    "x ",
    "( ",
    "f( ",
    ") ",
    "{ ",
    "} ",
    "} {",
    "[ ",
    "] ",
    "if ",
    "a = ",
    "/ ",
    '" ',
    "3 ",
    ".. ",
    "block ",
    "conv ",
    "a ? ",
  ])("60 kB of %j", (piece) => {
    check(piece.repeat(60_000 / piece.length));
    check(`block a { ${piece.repeat(60_000 / piece.length)}`);
  });
});
