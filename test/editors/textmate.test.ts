import { readdirSync, readFileSync } from "node:fs";
import * as prettier from "prettier";
import type { IGrammar } from "vscode-textmate";
import { beforeAll, describe, expect, test } from "vitest";
import { ErrorList } from "../../grammar/errors.js";
import { tokenize as lex } from "../../grammar/lexer.js";
import { textmateGrammar } from "../../grammar/textmate.js";
import { CONTEXTUAL_TOKENS, RESERVED_WORDS } from "../../grammar/tokens.js";
import { VOCABULARY } from "../../compiler/vocabulary.js";
import { loadGrammar, syntaxes, tokenize } from "./highlight.js";
import { SCOPES } from "./scopes.js";

let grammar: IGrammar;
beforeAll(async () => {
  grammar = await loadGrammar("source.resnet");
});

const root = new URL("../../", import.meta.url);
const sources = readdirSync(new URL("stdlib/", root))
  .filter((name) => name.endsWith(".resnet"))
  .map((name) => [name, readFileSync(new URL(`stdlib/${name}`, root), "utf8")] as const);

/** The innermost scope of every piece. */
const scopesOf = (text: string): string[] =>
  tokenize(grammar, text).map((piece) => `${piece.text} ${piece.scopes[0] ?? ""}`);

/** The scope of a piece of the text, wherever it stands. */
function scopeOf(text: string, piece: string): string | undefined {
  return tokenize(grammar, text).find((candidate) => candidate.text === piece)?.scopes[0];
}

test("the file in the extension is what the token definitions give: npm run generate", async () => {
  const file = new URL("resnet.tmLanguage.json", syntaxes);
  const options = await prettier.resolveConfig(file);
  const generated = await prettier.format(JSON.stringify(textmateGrammar(VOCABULARY)), { ...options, parser: "json" });
  expect(readFileSync(file, "utf8")).toBe(generated);
});

test("a block, piece by piece", () => {
  const text = [
    "/// Figure 5.",
    "block bottleneck(width, stride = 1) { // right",
    "  residual {",
    "    conv 1x1, 4 * width, /stride   bn",
    "  }",
    "}",
  ].join("\n");
  expect(scopesOf(text)).toEqual([
    "/// Figure 5. comment.line.documentation",
    "block storage.type",
    "bottleneck entity.name.type",
    "( punctuation.definition.begin.parameters",
    "width variable.parameter",
    ", punctuation.separator",
    "stride variable.parameter",
    "= keyword.operator.assignment",
    "1 constant.numeric",
    ") punctuation.definition.end.parameters",
    "{ punctuation.definition.begin.body",
    "// right comment.line.double-slash",
    "residual support.function.layer",
    "{ punctuation.definition.begin.body",
    "conv support.function.layer",
    "1x1 constant.numeric.dimensions",
    ", punctuation.separator",
    "4 constant.numeric",
    "* keyword.operator",
    "width variable.other",
    ", punctuation.separator",
    "/ keyword.operator.stride",
    "stride variable.other",
    "bn support.function.layer",
    "} punctuation.definition.end.body",
    "} punctuation.definition.end.body",
  ]);
});

describe("scopes", () => {
  test.each(SCOPES)("%j: `%s` is %s", (text, piece, expected) => expect(scopeOf(text, piece)).toBe(expected));

  test("an open string ends with its line", () => {
    expect(scopeOf('let a = "open\nlet b = 3', "b")).toBe("variable.other.constant");
  });
});

test("every word of the language has a scope of its own where a statement begins", () => {
  const scopes = { layer: "support.function.layer", setting: "keyword.other.setting" };
  for (const [keyword, context] of Object.entries(VOCABULARY)) {
    for (const [word, { kind, inside }] of context) {
      expect(scopeOf(`${keyword} A {\n  ${word} a\n}`, word), word).toBe(scopes[kind]);
      for (const [inner, form] of inside ?? []) {
        expect(scopeOf(`${keyword} A {\n  ${word} { ${inner} }\n}`, inner), inner).toBe(scopes[form.kind]);
      }
    }
  }
});

test("a word of one declaration is a name in another", () => {
  expect(scopeOf("network A { learning_rate a }", "learning_rate")).toBe("variable.other");
  expect(scopeOf("recipe a { conv a }", "conv")).toBe("variable.other");
  expect(scopeOf("recipe a = b(1)\nnetwork A { conv a }", "conv")).toBe("support.function.layer");
});

test("every reserved word and every word that begins something is known", () => {
  const json = JSON.stringify(textmateGrammar(VOCABULARY));
  for (const { LABEL = "" } of CONTEXTUAL_TOKENS)
    expect(json).toMatch(new RegExp(`\\b${LABEL.replaceAll("`", "")}\\b`));
  expect(RESERVED_WORDS.size).toBeGreaterThan(10);
  for (const word of RESERVED_WORDS) {
    expect(scopeOf(`let a = b ${word} c`, word), word).toMatch(/^(keyword|constant|storage)\./);
  }
});

describe("the standard library: highlighting agrees with the lexer", () => {
  const EXPECTED: Readonly<Record<string, RegExp>> = {
    Number: /^constant\.numeric$/,
    Dimensions: /^constant\.numeric\.dimensions$/,
    Comma: /^punctuation\.separator$/,
    LeftBrace: /^punctuation\.(definition\.begin\.body|section)$/,
    If: /^keyword\.control/,
    X: /^keyword\.operator\.repeat$/,
    Let: /^storage\.type$/,
    Slash: /^keyword\.operator(\.stride)?$/,
  };

  test.each(sources)("%s", (_, text) => {
    const lines = text.split("\n");
    const starts: number[] = [];
    lines.reduce((at, line, i) => ((starts[i] = at), at + line.length + 1), 0);
    // The scope at every place of the text.
    const scopes: string[][] = [];
    let at = 0;
    for (const piece of tokenize(grammar, text)) {
      at = text.indexOf(piece.text, at);
      for (let i = at; i < at + piece.text.length; i++) scopes[i] = [...piece.scopes];
      at += piece.text.length;
    }
    const { tokens, comments } = lex(text, new ErrorList(""));
    let checked = 0;
    for (const token of tokens) {
      const all = scopes[token.startOffset] ?? [];
      if (token.tokenType.name === "String") expect(all, token.image).toContain("string.quoted.double");
      else expect(all.join(" "), token.image).not.toMatch(/string|comment/);
      const expected = EXPECTED[token.tokenType.name];
      if (expected === undefined) continue;
      expect(all[0], `${token.image} in line ${token.startLine}`).toMatch(expected);
      checked++;
    }
    for (const comment of comments) expect(scopes[comment.startOffset]?.[0]).toMatch(/^comment\.line/);
    expect(checked).toBeGreaterThan(3);
  });
});

test("code blocks in Markdown", async () => {
  const markdown = await loadGrammar("markdown.resnet.codeblock");
  const pieces = tokenize(markdown, "text\n```resnet\nblock a { relu }\n```\nblock b");
  expect(pieces.find(({ text }) => text === "relu")?.scopes).toEqual(
    expect.arrayContaining(["support.function.layer", "meta.embedded.block"]),
  );
  expect(pieces.at(-1)?.scopes).not.toContain("storage.type");
});
