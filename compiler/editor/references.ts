/** Where something is declared, where it is used, and giving it another name. */
import type { Span } from "../../grammar/ast.js";
import { RESERVED_WORDS } from "../../grammar/tokens.js";
import { LAYER_WORDS } from "../elaborate/layer-words.js";
import { own } from "../../grammar/own.js";
import { isStandard, type Editor } from "./editor.js";
import { occurrenceAt, occurrencesIn, type Definition, type Occurrence } from "./occurrences.js";
import type { Parsed } from "../workspace/parses.js";

/** A text in place of another. */
export interface Edit {
  readonly span: Span;
  readonly text: string;
}

/** A place where something is named. */
export interface Reference {
  readonly span: Span;
  /** It gets its name there. */
  readonly isDefinition: boolean;
}

const isSame = (a: Definition, b: Definition): boolean => a.span.file === b.span.file && a.span.start === b.span.start;

/** Where what is named at a place gets its name; of the path of an import the beginning of that file. */
export function definitionAt(editor: Editor, path: string, offset: number): Span | undefined {
  const parsed = editor.parsed(path);
  if (!parsed) return undefined;
  const item = parsed.file.imports.find(({ from }) => from.span.start <= offset && offset <= from.span.end);
  const file = item && editor.importedBy(parsed, item);
  if (file) return { file: file.path, start: 0, end: 0 };
  const meaning = occurrenceAt(editor, parsed, offset)?.meaning;
  return meaning?.kind === "name" ? meaning.target.span : undefined;
}

/** Every place where what is named at a place is named, in all files; those in this file alone for highlights. */
export function referencesAt(editor: Editor, path: string, offset: number, inFile = false): Reference[] {
  const parsed = editor.parsed(path);
  const here = parsed && occurrenceAt(editor, parsed, offset);
  if (!here) return [];
  const { meaning } = here;
  if (meaning.kind !== "name") {
    // A word is everywhere; in this file it can be shown.
    const isIt = (other: Occurrence): boolean =>
      other.meaning.kind === meaning.kind && other.meaning.word === meaning.word;
    return inFile ? occurrencesIn(editor, parsed).filter(isIt) : [];
  }
  const paths = inFile ? [path] : [...new Set([path, meaning.target.span.file, ...editor.allFiles()])];
  return paths.flatMap((each) => {
    const file = editor.parsed(each);
    return file ? occurrencesIn(editor, file).filter((one) => targets(one, meaning.target)) : [];
  });
}

function targets({ meaning }: Occurrence, target: Definition): boolean {
  return meaning.kind === "name" && isSame(meaning.target, target);
}

/** What can be renamed at a place; or why it can't. */
export function renameable(editor: Editor, path: string, offset: number): Span | { readonly problem: string } {
  const parsed = editor.parsed(path);
  const here = parsed && occurrenceAt(editor, parsed, offset);
  if (!here) return { problem: "nothing here has a name" };
  const { meaning, span } = here;
  if (meaning.kind !== "name") return { problem: `\`${meaning.word.name}\` is a word of the language` };
  if (meaning.called.what === "given") return { problem: "this name is given by the language" };
  if (isStandard(path)) return { problem: "the standard library can't be changed" };
  // What is imported from there can have another name here.
  if (isStandard(meaning.called.span.file) && !importOf(parsed, meaning.called)) {
    return { problem: `it is declared in ${meaning.called.span.file}, and the standard library can't be changed` };
  }
  return span;
}

/** The edits that give another name to what is named at a place, in all files; or why it can't have that name. */
export function renameAt(
  editor: Editor,
  path: string,
  offset: number,
  name: string,
): readonly Edit[] | { readonly problem: string } {
  const place = renameable(editor, path, offset);
  if ("problem" in place) return place;
  if (!/^[A-Za-z_]\w*$/.test(name)) return { problem: `\`${name}\` is no name: letters, digits and _, no digit first` };
  if (RESERVED_WORDS.has(name) || name === "none") return { problem: `\`${name}\` is a reserved word` };
  const parsed = editor.parsed(path)!;
  const { meaning } = occurrenceAt(editor, parsed, offset)!;
  if (meaning.kind !== "name") return { problem: "nothing here has a name" };
  const { called } = meaning;
  const isValue = called.what === "parameter" || called.what === "let" || called.what === "variable";
  if (!isValue && own(LAYER_WORDS, name)) return { problem: `\`${name}\` is a layer's word` };
  const edits = isStandard(called.span.file)
    ? aliased(editor, parsed, called, name)
    : [...new Set([called.span.file, path, ...editor.allFiles()])].flatMap((each) =>
        renamedIn(editor, each, called, name),
      );
  return brokenBy(editor, edits) ?? edits;
}

function renamedIn(editor: Editor, path: string, called: Definition, name: string): Edit[] {
  const file = isStandard(path) ? undefined : editor.parsed(path);
  if (!file) return [];
  return occurrencesIn(editor, file)
    .filter(({ meaning }) => meaning.kind === "name" && isSame(meaning.called, called))
    .map(({ span }) => ({ span, text: name }));
}

function importOf(
  { file }: Parsed,
  { name, what }: Definition,
): { readonly name: { readonly span: Span } } | undefined {
  if (what !== "declaration") return undefined;
  return file.imports.flatMap(({ names }) => names).find((each) => !each.alias && each.name.text === name);
}

/** `bottleneck as narrow`: what the standard library declares has another name in this file. */
function aliased(editor: Editor, parsed: Parsed, called: Definition, name: string): Edit[] {
  const imported = importOf(parsed, called)!.name.span;
  return renamedIn(editor, parsed.path, called, name).map(({ span, text }) =>
    span.start === imported.start ? { span, text: `${called.name} as ${text}` } : { span, text },
  );
}

/** Where the texts would have errors that they have not now: another thing is called so, or the text did not tell of a use. */
function brokenBy(editor: Editor, edits: readonly Edit[]): { readonly problem: string } | undefined {
  const changed = new Map<string, string>();
  for (const file of new Set(edits.map(({ span }) => span.file))) {
    const ofFile = edits.filter(({ span }) => span.file === file);
    changed.set(file, applied(editor.source(file) ?? "", ofFile));
  }
  const paths = [...new Set([...changed.keys(), ...editor.openFiles])];
  const before = editor.errorsOf(paths, new Map());
  const after = editor.errorsOf(paths, changed);
  if (after.length <= before.length) return undefined;
  const messages = new Set(before.map(({ code, message }) => `${code} ${message}`));
  const [found] = after.filter(({ code, message }) => !messages.has(`${code} ${message}`));
  return found && { problem: `with that name ${found.span.file} would have an error: ${found.message}` };
}

/** The text with the edits in it, which do not overlap. */
export function applied(text: string, edits: readonly Edit[]): string {
  let [made, end] = ["", 0];
  for (const { span, text: now } of [...edits].sort((a, b) => a.span.start - b.span.start)) {
    if (span.start < end) continue;
    made += text.slice(end, span.start) + now;
    end = span.end;
  }
  return made + text.slice(end);
}
