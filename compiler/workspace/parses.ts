/**
 * Files as they were parsed last: a text that has not changed is not parsed again, and a declaration that has not changed
 * keeps its number, by which whatever was found out of it is known to hold still.
 */
import type { Declaration, SourceFile } from "../../grammar/ast.js";
import { own } from "../../grammar/own.js";
import { STANDARD_FILES } from "../std/files.generated.js";
import { parse, type SyntaxError } from "../syntax.js";
import { mentionsOf } from "./mentions.js";

/** What is written in a declaration: as long as that is the same, this is. */
interface Written {
  readonly text: string;
  /** Errors in it and right beside it. */
  readonly errors: string;
  /** Where all braces of a file match, the text says by itself what it means; else the tree has to be the same, too. */
  readonly isWhole: boolean;
  readonly tree: () => string;
  /** No other declaration ever has it. */
  readonly number: number;
  /** Every name that stands in it, whatever it means there; found when first asked for. */
  readonly mentions: () => ReadonlySet<string>;
}

/** A declaration of a parsed file. */
export interface ParsedDeclaration {
  readonly declaration: Declaration;
  readonly written: Written;
}

/** A text and what the parser made of it. */
export interface Parsed {
  readonly path: string;
  readonly text: string;
  readonly file: SourceFile;
  readonly errors: readonly SyntaxError[];
  /** By name, the first of each. */
  readonly declared: ReadonlyMap<string, ParsedDeclaration>;
}

const standard = new Map<string, Parsed>();
let numbers = 0;

export class Parses {
  readonly #files = new Map<string, Parsed>();

  /** The file, parsed; as it was before where its text is. */
  get(path: string, text: string): Parsed {
    const before = this.#files.get(path);
    if (before?.text === text) return before;
    const isStandard = text === own(STANDARD_FILES, path);
    // The standard library's files are parsed once in a process: trees never change.
    const known = isStandard ? standard.get(path) : undefined;
    const parsed = known ?? read(path, text, before);
    if (isStandard) standard.set(path, parsed);
    this.#files.set(path, parsed);
    return parsed;
  }

  /** The path is no longer of interest. */
  forget(path: string): void {
    this.#files.delete(path);
  }
}

function read(path: string, text: string, before: Parsed | undefined): Parsed {
  const { file, errors } = parse(text, path);
  const isWhole = errors.length === 0;
  const known = new Map([...(before?.declared.values() ?? [])].map(({ written }) => [written.text, written]));
  const declared = new Map<string, ParsedDeclaration>();
  for (const declaration of file.declarations) {
    const { text: name } = declaration.name;
    if (name === "" || declared.has(name)) continue;
    const { start, end } = declaration.span;
    const now = newlyWritten(text.slice(start, end), declaration, errors);
    const old = known.get(now.text);
    const isSame = old?.errors === now.errors && ((isWhole && old.isWhole) || old.tree() === now.tree());
    declared.set(name, { declaration, written: isSame ? old : now });
  }
  return { path, text, file, errors, declared };
}

function newlyWritten(text: string, declaration: Declaration, all: readonly SyntaxError[]): Written {
  const { start, end } = declaration.span;
  const near = all.filter(({ span }) => span.start <= end + 2 && span.end >= start - 2);
  let mentions: ReadonlySet<string> | undefined;
  let tree: string | undefined;
  return {
    text,
    number: ++numbers,
    errors: near.length === 0 ? "" : relative(near, start),
    isWhole: all.length === 0,
    mentions: () => (mentions ??= mentionsOf(declaration)),
    tree: () => (tree ??= relative(declaration, start)),
  };
}

/** As text, with places from a beginning, and without what is said of a declaration. */
function relative(value: unknown, start: number): string {
  return JSON.stringify(value, (key, part: unknown) => {
    if ((key === "start" || key === "end") && typeof part === "number") return part - start;
    return key === "doc" || key === "docSpan" ? undefined : part;
  });
}
