/** What can be written at a place. */
import { DECLARATION_WORDS } from "../../grammar/tokens.js";
import { own } from "../../grammar/own.js";
import type { Expression, Identifier, Span } from "../../grammar/ast.js";
import { TENSOR_MEMBERS } from "../elaborate/evaluate.js";
import { FUNCTIONS } from "../elaborate/functions.js";
import { LAYER_WORDS } from "../elaborate/layer-words.js";
import { STANDARD_FILES } from "../std/files.generated.js";
import { GROUPS, GROUPS_OF } from "../vocabulary.js";
import { isBare, type Word, type Words } from "../words/schema.js";
import { signature, takes } from "../words/describe.js";
import { wordsOf } from "../words/values.js";
import type { Parsed } from "../workspace/parses.js";
import { cursorAt, type Callee, type Cursor } from "./cursor.js";
import { isStandard, type Editor } from "./editor.js";
import { autoImport, importPath } from "./imports.js";
import { namesOf } from "./occurrences.js";
import type { Edit } from "./references.js";
import { DECLARATION_SNIPPETS, STATEMENT_SNIPPETS } from "./snippets.js";
import { followed, membersOf, parametersOf, type Static } from "./static.js";
import { argumentText, declarationText, presence, wordText } from "./text.js";

/** What is offered: what icon stands beside it. */
export type ItemKind =
  | "layer"
  | "setting"
  | "block"
  | "shortcut"
  | "network"
  | "value"
  | "function"
  | "argument"
  | "choice"
  | "label"
  | "stage"
  | "keyword"
  | "file";

/** Something that can be written at a place. */
export interface Item {
  readonly label: string;
  readonly kind: ItemKind;
  /** Beside it: its arguments, its file. */
  readonly detail: string;
  /** Markdown. */
  readonly documentation?: string;
  /** What is written; `$1`, `$0` are places to go on at. */
  readonly snippet?: string;
  /** Those that are likelier come first. */
  readonly rank: number;
  /** Further edits: the import of what is declared elsewhere. */
  readonly edits?: readonly Edit[];
}

/** All that can be written at a place. */
export interface Completion {
  /** What is replaced. */
  readonly span: Span;
  readonly items: readonly Item[];
}

const RANK = { argument: 0, choice: 1, local: 2, word: 3, known: 4, elsewhere: 6 } as const;

/** What can be written at a place of a text, whole or half-written; of other files what they declare, with its import. */
export function completionAt(editor: Editor, path: string, offset: number): Completion {
  const parsed = editor.parsed(path);
  const nothing = { span: { file: path, start: offset, end: offset }, items: [] };
  if (!parsed) return nothing;
  const cursor = cursorAt(parsed.text, offset);
  const span = { file: path, start: cursor.start, end: cursor.end };
  const items = itemsFor(editor, parsed, cursor);
  const seen = new Set<string>();
  return { span, items: items.filter(({ label }) => !seen.has(label) && seen.add(label)) };
}

function itemsFor(editor: Editor, parsed: Parsed, cursor: Cursor): Item[] {
  switch (cursor.kind) {
    case "file":
      return declarationItems();
    case "path":
      return pathItems(editor, parsed);
    case "import":
      return importItems(editor, parsed, cursor.from ?? "");
    case "member":
      return memberItems(editor, parsed, cursor);
    case "statement":
      return [...statementItems(cursor), ...nameItems(parsed, cursor), ...elsewhereItems(editor, parsed, cursor)];
    case "expression": {
      const inside = cursor.callees.at(-1);
      const given = inside ? argumentItems(editor, parsed, cursor, inside) : [];
      // No word takes a layer; blocks do.
      const layers = inside && wordOf(cursor, inside) ? [] : layerItems();
      return [
        ...given,
        ...nameItems(parsed, cursor),
        ...valueItems(),
        ...layers,
        ...elsewhereItems(editor, parsed, cursor),
      ];
    }
    default:
      return [];
  }
}

function declarationItems(): Item[] {
  return [...DECLARATION_WORDS, "let", "import"].map((label) => ({
    label,
    kind: "keyword",
    detail: "",
    rank: RANK.word,
    ...snippetOf(DECLARATION_SNIPPETS, label),
  }));
}

function pathItems(editor: Editor, parsed: Parsed): Item[] {
  const standard = Object.keys(STANDARD_FILES).map((file) => file.replace(/\.resnet$/, ""));
  const others = editor.allFiles().filter((path) => path !== parsed.path && !isStandard(path));
  return [...others.map((path) => importPath(parsed.path, path)), ...standard].map((label) => ({
    label,
    kind: "file",
    detail: "",
    rank: label.startsWith("std/") ? RANK.known : RANK.local,
  }));
}

function importItems(editor: Editor, parsed: Parsed, from: string): Item[] {
  const written = parsed.file.imports.find((item) => item.from.value === from);
  const file = written && editor.importedBy(parsed, written);
  if (!file) return [];
  return [...file.declared].map(([label, { declaration }]) => ({
    label,
    kind: kindOf(declaration.keyword),
    detail: declaration.keyword,
    documentation: declarationText(declaration, file.text),
    rank: RANK.local,
  }));
}

/** The members of what stands before the dot; a half-written text's names are found in what was there before. */
function memberItems(editor: Editor, parsed: Parsed, { object, start }: Cursor): Item[] {
  const expression = Array.isArray(object)
    ? expressionOf(object as readonly Identifier[])
    : (object as Expression | undefined);
  const value = expression && staticAt(editor, parsed, expression);
  const items: Item[] = (value ? membersOf(editor, value) : []).map(({ definition: { name, what } }) => ({
    label: name,
    kind: what === "stage" ? "stage" : "label",
    detail: what,
    rank: RANK.local,
  }));
  // A network has stages; what it gave, and all else that has members, is a tensor.
  if (value && !value.isResult) return items;
  const item = (label: string, detail: string, rank: number): Item => ({ label, kind: "value", detail, rank });
  const isImage = /\bimage\s*\.\s*$/.test(parsed.text.slice(0, start));
  return [
    ...items,
    ...(isImage ? ["labels", "objects", "info"] : []).map((label) => item(label, "of the image", RANK.local)),
    ...Object.keys(TENSOR_MEMBERS).map((label) => item(label, "of a tensor", RANK.word)),
  ];
}

function expressionOf([first, ...members]: readonly Identifier[]): Expression | undefined {
  if (!first) return undefined;
  let expression: Expression = { kind: "name", text: first.text, span: first.span };
  for (const member of members) expression = { kind: "member", object: expression, member, span: member.span };
  return expression;
}

/** A name of the marked text, looked up where it stands in the text as it is. */
function staticAt(editor: Editor, parsed: Parsed, expression: Expression): Static | undefined {
  return followed(editor, parsed, expression) ?? byName(editor, parsed, expression);
}

/** Where a text is half-written, the name may mean nothing yet: the last thing of that name before it is meant. */
function byName(editor: Editor, parsed: Parsed, expression: Expression): Static | undefined {
  const text = expression.kind === "name" ? expression.text : undefined;
  if (text === undefined) return undefined;
  const { names } = namesOf(parsed);
  const starts = [...names.keys()].filter(
    (start) => parsed.text.startsWith(text, start) && start <= expression.span.start,
  );
  for (const start of starts.sort((a, b) => b - a)) {
    const span = { file: parsed.path, start, end: start + text.length };
    const found = followed(editor, parsed, { kind: "name", text, span });
    if (found) return found;
  }
  return undefined;
}

/** The words of the braces around, and those that begin a statement in any. */
function statementItems({ declaration, around }: Cursor): Item[] {
  if (!declaration || declaration.keyword === "let") return [];
  const groups = GROUPS_OF[declaration.keyword];
  const inside = around
    .flatMap((word) => groups.flatMap(({ words }) => own<Word>(words, word) ?? []))
    .flatMap(({ braces }) => (typeof braces === "object" ? [braces] : []))
    .at(-1);
  const isFlow = groups.includes(GROUPS.layers);
  const isOwn = around.length === 0 && (declaration.keyword === "network" || declaration.keyword === "detector");
  const words = inside
    ? wordItems(inside, "layer")
    : groups.flatMap(({ words: all, kind, of }) => (of === GROUPS.network.of && !isOwn ? [] : wordItems(all, kind)));
  const keywords = isFlow
    ? [...(isOwn ? (["stage", "head", "input"] as const) : []), "let", "if", "for", "assert"]
    : ["let", "if", "for", "assert"];
  return [
    ...words,
    ...keywords.map((label) => ({
      label,
      kind: "keyword" as const,
      detail: "",
      rank: RANK.known,
      ...snippetOf(STATEMENT_SNIPPETS, label),
    })),
  ];
}

function snippetOf(snippets: Readonly<Record<string, string>>, label: string): { snippet?: string } {
  const snippet = own(snippets, label);
  return snippet === undefined ? {} : { snippet };
}

function wordItems(words: Words, kind: "layer" | "setting"): Item[] {
  return Object.values<Word>(words).map((word) => ({
    label: word.name,
    kind,
    detail: signature(word),
    documentation: wordText(word),
    rank: RANK.word,
    ...(word.braces ? { snippet: `${word.name} { $0 }` } : isBare(word) ? { snippet: `${word.name} $0` } : {}),
  }));
}

/** The names that are known there: parameters, labels and values before the place, what the file declares and imports. */
function nameItems(parsed: Parsed, { start, kind }: Cursor): Item[] {
  const { scopes, declared } = namesOf(parsed);
  const items: Item[] = [];
  for (const { span, names } of scopes) {
    if (start < span.start || start > span.end) continue;
    for (const [label, name] of names) {
      const own = declared.get(name);
      const isOfFile = name.what === "import" || name.what === "declaration";
      if (own && !isOfFile && name.what !== "stage" && own.span.end > start) continue;
      if (!own && kind === "statement" && label !== "input") continue;
      const declaration = name.what === "declaration" ? parsed.declared.get(label)?.declaration : undefined;
      items.push({
        label,
        kind: declaration ? kindOf(declaration.keyword) : (KINDS[name.what] ?? "value"),
        detail: declaration ? declaration.keyword : name.what,
        ...(declaration && { documentation: declarationText(declaration, parsed.text) }),
        rank: isOfFile ? RANK.known : RANK.local,
      });
    }
  }
  // What is nearest comes first, and hides what is called the same outside.
  return items.reverse();
}

const KINDS: Readonly<Record<string, ItemKind>> = { label: "label", stage: "stage", import: "block" };

function kindOf(keyword: string): ItemKind {
  if (keyword === "block" || keyword === "shortcut") return keyword;
  return keyword === "network" || keyword === "detector" ? "network" : "value";
}

function valueItems(): Item[] {
  const functions = Object.entries(FUNCTIONS).map(([label, { doc }]) => ({
    label,
    kind: "function" as const,
    detail: "",
    documentation: doc,
    snippet: `${label}($0)`,
    rank: RANK.known,
  }));
  const words = ["none", "true", "false"].map((label) => ({
    label,
    kind: "keyword" as const,
    detail: "",
    rank: RANK.known + 1,
  }));
  return [...functions, ...words];
}

/** Layers as values. */
function layerItems(): Item[] {
  return Object.values(LAYER_WORDS)
    .filter(({ braces, defines }) => !braces && !defines)
    .map((word) => ({
      label: word.name,
      kind: "layer" as const,
      detail: signature(word),
      documentation: wordText(word),
      rank: RANK.known + 1,
    }));
}

/** The arguments that are not given yet, and the words that this one can be. */
function argumentItems(editor: Editor, parsed: Parsed, cursor: Cursor, callee: Callee): Item[] {
  const given = new Set(callee.arguments.flatMap(({ name }) => name?.text ?? []));
  const word = wordOf(cursor, callee);
  if (word) {
    const names = Object.entries(word.arguments);
    const places = callee.arguments
      .slice(0, callee.index)
      .filter(({ name, strideShorthand }) => !name && !strideShorthand).length;
    const current = callee.name === undefined ? names[places] : names.find(([name]) => name === callee.name);
    const free = callee.name === undefined ? names.filter(([name], i) => i >= places && !given.has(name)) : [];
    const choices = current ? [...wordsOf(current[1].type), ...formsOf(current[1].type)] : [];
    return [
      ...choices.map((label) => ({
        label,
        kind: "choice" as const,
        detail: current![0],
        documentation: argumentText(word, current![0]),
        rank: RANK.choice,
      })),
      ...free.map(([name, argument]) => ({
        label: name,
        kind: "argument" as const,
        detail: takes(argument) + presence(argument),
        documentation: argumentText(word, name),
        snippet: `${name}: $0`,
        rank: RANK.argument,
      })),
    ];
  }
  const [first] = callee.names;
  const value = first && staticAt(editor, parsed, { kind: "name", text: first.text, span: first.span });
  const parameters = value && callee.name === undefined ? parametersOf(editor, value)?.free : undefined;
  return (parameters ?? [])
    .filter(({ name }) => !given.has(name.text))
    .map(({ name, default: without }) => ({
      label: name.text,
      kind: "argument" as const,
      detail: without ? `= ${value!.parsed.text.slice(without.span.start, without.span.end)}` : "required",
      snippet: `${name.text}: $0`,
      rank: RANK.argument,
    }));
}

const formsOf = (type: Word["arguments"][string]["type"]): readonly string[] =>
  type.kind === "form" ? Object.keys(type.forms) : [];

/** The word that takes the argument: of the braces around, or a form of the word around that. */
export function wordOf({ declaration, around, callees }: Cursor, callee: Callee): Word | undefined {
  const [first] = callee.names;
  if (!first || callee.names.length > 1) return undefined;
  const groups = declaration && declaration.keyword !== "let" ? GROUPS_OF[declaration.keyword] : [GROUPS.layers];
  const outer = callees[callees.indexOf(callee) - 1];
  const form = outer && wordOf({ declaration, around, callees } as Cursor, outer);
  for (const { type } of Object.values(form?.arguments ?? {})) {
    const found = type.kind === "form" ? own(type.forms, first.text) : undefined;
    if (found) return found;
  }
  const inside = around
    .flatMap((name) => groups.flatMap(({ words }) => own<Word>(words, name) ?? []))
    .flatMap(({ braces }) => (typeof braces === "object" ? [braces] : []))
    .at(-1);
  return (
    (inside && own<Word>(inside, first.text)) ??
    groups.map(({ words }) => own<Word>(words, first.text)).find((word) => word)
  );
}

/** Whether a name begins like what was typed, and has its letters in this order. */
export function hasLetters(name: string, typed: string): boolean {
  const [letters, wanted] = [name.toLowerCase(), typed.toLowerCase()];
  let at = 0;
  for (const letter of letters) if (letter === wanted[at]) at++;
  return at === wanted.length && letters[0] === wanted[0];
}

/** What other files declare: chosen, it is imported. */
function elsewhereItems(editor: Editor, parsed: Parsed, { kind, prefix }: Cursor): Item[] {
  // Of everything there is only what begins so; an empty place would show it all.
  if (prefix === "") return [];
  const known = new Set([
    ...parsed.declared.keys(),
    ...parsed.file.imports.flatMap(({ names }) => names.map(({ name, alias }) => (alias ?? name).text)),
  ]);
  const files = [...editor.allFiles().filter((path) => path !== parsed.path), ...Object.keys(STANDARD_FILES)];
  return [...new Set(files)].flatMap((path) => {
    const file = editor.parsed(path);
    return [...(file?.declared ?? [])].flatMap(([label, { declaration }]) => {
      if (known.has(label) || !hasLetters(label, prefix)) return [];
      const isLayer = declaration.keyword === "block" || declaration.keyword === "network";
      if (kind === "statement" && !isLayer) return [];
      const from = importPath(parsed.path, path);
      return [
        {
          label,
          kind: kindOf(declaration.keyword),
          detail: `import from "${from}"`,
          documentation: declarationText(declaration, file!.text),
          rank: RANK.elsewhere,
          edits: [autoImport(parsed, label, from)],
        },
      ];
    });
  });
}
