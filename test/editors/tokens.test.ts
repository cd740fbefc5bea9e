/** Highlighting by meaning agrees with the TextMate grammar, on the cases that hold that one and on the standard library. */
import { readdirSync, readFileSync } from "node:fs";
import type { IGrammar } from "vscode-textmate";
import { beforeAll, describe, expect, it, test } from "vitest";
import { Editor, tokensOf, type SemanticToken } from "../../compiler/editor/index.js";
import { memoryHost } from "../../compiler/host.js";
import { loadGrammar, tokenize } from "./highlight.js";
import { SCOPES } from "./scopes.js";

let grammar: IGrammar;
beforeAll(async () => {
  grammar = await loadGrammar("source.resnet");
});

/** Names that are called like a word, where the word can't be: a line does not show that. */
const CALLED_SO = ["parameter", "variable", "label", "stage", "enumMember", "type"] as const;

/** What a piece can be, by its scope. TextMate does not know what a name stands for; what is a word has to be one there too. */
const AGREES: readonly (readonly [scope: RegExp, types: readonly SemanticToken["type"][]])[] = [
  [/^comment/, ["comment"]],
  [/^string|^constant\.(character|other)|^invalid/, ["string"]],
  [/^constant\.numeric/, ["number"]],
  [/^keyword\.control|^storage\.type|^keyword\.other(\.stage|\.input)?$/, ["keyword"]],
  [/^constant\.language/, ["keyword", "enumMember"]],
  [/^keyword\.operator/, ["operator"]],
  [/^support\.function\.layer/, ["layer", ...CALLED_SO]],
  [/^keyword\.other\.setting/, ["setting", ...CALLED_SO]],
  [/^entity\.name\.type/, ["type", "variable", "function"]],
  [/^entity\.name\.section/, ["stage"]],
  [/^entity\.name\.label/, ["label"]],
  // In parentheses a line begins with parameters, or with what is handed over.
  [/^variable\.parameter/, ["parameter", "type", "variable", "layer"]],
  [/^variable\.other\.constant/, ["variable", "function"]],
  [/^variable\.other\.tensor/, ["label", "variable"]],
  [
    /^entity\.name\.function|^variable\.other/,
    ["type", "function", "layer", "parameter", "variable", "label", "stage", "enumMember"],
  ],
];

function semantic(text: string): SemanticToken[] {
  const editor = new Editor(memoryHost({}));
  editor.write("/a.resnet", text);
  return tokensOf(editor, "/a.resnet");
}

/** Pieces of which the two say what does not go together. */
function disagreements(text: string): string[] {
  const scopes: string[] = [];
  let at = 0;
  for (const piece of tokenize(grammar, text)) {
    at = text.indexOf(piece.text, at);
    for (let i = at; i < at + piece.text.length; i++) scopes[i] ??= piece.scopes[0] ?? "";
    at += piece.text.length;
  }
  return semantic(text).flatMap(({ start, end, type }) => {
    const scope = scopes[start] ?? "";
    const allowed = AGREES.find(([pattern]) => pattern.test(scope))?.[1];
    return allowed?.includes(type) ? [] : [`${text.slice(start, end)}: ${type}, but ${scope}`];
  });
}

describe("agrees on the cases of the grammar", () => {
  test.each(SCOPES)("%j: `%s`", (text) => expect(disagreements(text)).toEqual([]));
});

const folder = new URL("../../stdlib/", import.meta.url);
it.each(readdirSync(folder))("agrees on %s", (name) => {
  const text = readFileSync(new URL(name, folder), "utf8");
  expect(disagreements(text)).toEqual([]);
  // Every place has one token at most.
  const tokens = semantic(text);
  expect(tokens.length).toBeGreaterThan(10);
  tokens.forEach(({ start }, i) => expect(start).toBeGreaterThanOrEqual(tokens[i - 1]?.end ?? 0));
});

it("knows what a line does not show", () => {
  const text =
    'import { basic } from "std/blocks"\nnetwork A(part = basic, n = 3) {\n  input image 3x8x8\n  a = part(n)\n  relu on a\n}';
  const types = semantic(text).map(({ start, end, type, modifiers }) =>
    [text.slice(start, end), type, ...modifiers].join(" "),
  );
  expect(types).toEqual(
    expect.arrayContaining([
      "basic type defaultLibrary",
      "part parameter declaration",
      "part parameter",
      "a label declaration",
      "a label",
      "relu layer defaultLibrary",
    ]),
  );
});
