/**
 * What each piece of a text is, for highlighting by meaning. It agrees with the TextMate grammar, which sees lines alone, and
 * knows what that can't: which names are parameters, labels, blocks, and where they come from.
 */
import type { IToken } from "chevrotain";
import type { Declaration } from "../../grammar/ast.js";
import { ErrorList } from "../../grammar/errors.js";
import { endOf, startOf, tokenize } from "../../grammar/lexer.js";
import { RESERVED_WORDS } from "../../grammar/tokens.js";
import { isStandard, type Editor } from "./editor.js";
import { occurrencesIn, type Occurrence } from "./occurrences.js";
import { declarationAt, statementsIn } from "./syntax-at.js";
import { GROUPS, GROUPS_OF, type WordGroup } from "../vocabulary.js";
import { LAYER_WORDS } from "../elaborate/layer-words.js";
import type { Word } from "../words/schema.js";

/** What tokens can be. */
export const TOKEN_TYPES = [
  "comment",
  "string",
  "number",
  "keyword",
  "operator",
  "type",
  "function",
  "layer",
  "setting",
  "parameter",
  "variable",
  "label",
  "stage",
  "property",
  "enumMember",
] as const;
/** What is added to the type of a token. */
export const TOKEN_MODIFIERS = ["declaration", "readonly", "documentation", "defaultLibrary"] as const;

/** A piece of a text and what it means. */
export interface SemanticToken {
  readonly start: number;
  readonly end: number;
  readonly type: (typeof TOKEN_TYPES)[number];
  readonly modifiers: readonly (typeof TOKEN_MODIFIERS)[number][];
}

/** The tokens of a file in order, each with what it means. */
export function tokensOf(editor: Editor, path: string): SemanticToken[] {
  const parsed = editor.parsed(path);
  if (!parsed) return [];
  const found = new Map<number, SemanticToken>();
  const { tokens, comments } = tokenize(parsed.text, new ErrorList(path));
  for (const token of tokens) {
    const type = typeOf(token);
    if (type && token.image !== "")
      found.set(startOf(token), { start: startOf(token), end: endOf(token), type, modifiers: [] });
  }
  for (const comment of comments) {
    const modifiers = comment.tokenType.name === "DocComment" ? (["documentation"] as const) : [];
    found.set(startOf(comment), { start: startOf(comment), end: endOf(comment), type: "comment", modifiers });
  }
  const add = (
    span: { start: number; end: number },
    type: SemanticToken["type"],
    ...modifiers: SemanticToken["modifiers"]
  ): void => void found.set(span.start, { start: span.start, end: span.end, type, modifiers });
  for (const { keyword, span } of parsed.file.declarations)
    add({ start: span.start, end: span.start + keyword.length }, "keyword");
  for (const { span } of parsed.file.imports) add({ start: span.start, end: span.start + "import".length }, "keyword");
  for (const item of parsed.file.imports) {
    for (const { name, alias } of item.names) {
      add(name.span, "type");
      if (alias) add(alias.span, "type", "declaration");
    }
  }
  markWords(parsed.file.imports, tokens, add);
  for (const statement of statementsIn(parsed.file)) {
    const { start } = statement.span;
    if (statement.kind === "stage")
      add({ start, end: start + (parsed.text.startsWith("head", start) ? 4 : 5) }, "keyword");
    if (statement.kind === "input") add({ start, end: start + 5 }, "keyword");
  }
  for (const occurrence of occurrencesIn(editor, parsed)) {
    const { span } = occurrence;
    // Names in strings are no tokens of their own.
    if (!found.has(span.start) && inString(tokens, span.start)) continue;
    const type = meant(occurrence, declarationAt(parsed.file, span.start)?.keyword);
    if (!(type === "stage" && parsed.text.slice(span.start, span.end) === "head" && occurrence.isDefinition)) {
      add(span, type, ...modifiersOf(occurrence));
    }
  }
  return [...found.values()].sort((a, b) => a.start - b.start);
}

function markWords(
  imports: readonly { readonly span: { start: number; end: number } }[],
  tokens: readonly IToken[],
  add: (span: { start: number; end: number }, type: "keyword") => void,
): void {
  for (const token of tokens) {
    const isWord = token.image === "from" || token.image === "as";
    if (!isWord || !imports.some(({ span }) => span.start < startOf(token) && startOf(token) < span.end)) continue;
    add({ start: startOf(token), end: endOf(token) }, "keyword");
  }
}

function inString(tokens: readonly IToken[], offset: number): boolean {
  let [low, high] = [0, tokens.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (endOf(tokens[middle]!) <= offset) low = middle + 1;
    else high = middle;
  }
  return tokens[low]?.image.startsWith('"') === true && startOf(tokens[low]!) <= offset;
}

/** What a token is by itself. */
function typeOf({ image }: IToken): SemanticToken["type"] | undefined {
  if (image.startsWith('"')) return "string";
  if (/^\d/.test(image)) return "number";
  if (image === "true" || image === "false" || image === "none") return "keyword";
  if (RESERVED_WORDS.has(image))
    return image === "x" || image === "and" || image === "or" || image === "not" ? "operator" : "keyword";
  return /^[-+*/%<>=!.]+$/.test(image) && image !== "." ? "operator" : undefined;
}

/** Whether a word of a declaration is a layer or a setting; those that are the value of an argument, as `sgd`, are neither. */
function kindOf(word: Word, keyword: Declaration["keyword"] | undefined): "layer" | "setting" | "function" {
  const groups: readonly WordGroup[] =
    keyword === undefined || keyword === "let" ? [GROUPS.layers] : GROUPS_OF[keyword];
  const own = groups.find(({ words }) => words[word.name] === word);
  if (own) return own.kind;
  const isInside = groups.some(({ words }) =>
    Object.values<Word>(words).some(({ braces }) => typeof braces === "object" && braces[word.name] === word),
  );
  return isInside || word.name in LAYER_WORDS ? "layer" : "function";
}

function meant({ meaning }: Occurrence, keyword: Declaration["keyword"] | undefined): SemanticToken["type"] {
  if (meaning.kind === "word") return kindOf(meaning.word, keyword);
  if (meaning.kind !== "name") return meaning.kind === "argument" ? "parameter" : "enumMember";
  const { target, called } = meaning;
  switch (called.what === "import" ? target.what : called.what) {
    case "declaration":
    case "import":
      return target.declaration?.keyword === "let" ? (target.declaration.parameters ? "function" : "variable") : "type";
    case "parameter":
      return "parameter";
    case "label":
      return "label";
    case "stage":
    case "member":
      return "stage";
    default:
      return "variable";
  }
}

function modifiersOf({ meaning, isDefinition }: Occurrence): SemanticToken["modifiers"] {
  const modifiers: SemanticToken["modifiers"][number][] = [];
  if (isDefinition) modifiers.push("declaration");
  if (meaning.kind === "word") modifiers.push("defaultLibrary");
  if (meaning.kind === "name") {
    if (isStandard(meaning.target.span.file)) modifiers.push("defaultLibrary");
    if (meaning.called.what === "let" || meaning.target.declaration?.keyword === "let") modifiers.push("readonly");
  }
  return modifiers;
}
