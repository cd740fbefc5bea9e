/**
 * The formatter as a plugin for Prettier 3. It prints the same document as `format`.
 */
import type { AstPath, Doc, Options, Parser, ParserOptions, Printer, SupportLanguage } from "prettier";
import type { SourceFile } from "./ast.js";
import { formatRange, type FormattedRange } from "./format-range.js";
import { parse } from "./parse.js";
import type { Vocabulary } from "./vocabulary.js";
import { fileDoc, LAYOUT, type Layout } from "./printer/file.js";

/** The one node that Prettier sees. */
interface Root {
  readonly file: SourceFile;
  readonly text: string;
}

/** A plugin, as Prettier wants it. */
export interface ResnetPlugin {
  /** Files that end in `.resnet`. */
  readonly languages: SupportLanguage[];
  /** The one style of the language: 100 columns, 2 spaces. */
  readonly defaultOptions: Options;
  /** The parser, by the name that Prettier calls it. */
  readonly parsers: Readonly<Record<"resnet", Parser>>;
  /** The printer, by the name of the tree that it prints. */
  readonly printers: Readonly<Record<"resnet", Printer>>;
}

const languages: SupportLanguage[] = [
  { name: "resnet", parsers: ["resnet"], extensions: [".resnet"], vscodeLanguageIds: ["resnet"] },
];

const defaultOptions: Options = { printWidth: LAYOUT.width, tabWidth: LAYOUT.indent };

const parserOf = (vocabulary: Vocabulary): Parser<Root> => ({
  astFormat: "resnet",
  /**
   * Prettier itself formats a part of a file for the languages that it knows alone. What it would then print for ours is
   * the text as it is, so the part is formatted here.
   */
  preprocess(text, options) {
    const { rangeStart, rangeEnd } = options;
    const cursorOffset = options["cursorOffset"] as number;
    if (!(rangeStart > 0 || rangeEnd < text.length)) return text;
    const range = { start: rangeStart, end: Math.min(rangeEnd, text.length) };
    const layout = { ...layoutOf(options), tabs: options.useTabs };
    const result = formatRange(text, range, vocabulary, "<text>", layout);
    // `parse` tells them.
    if ("errors" in result) return text;
    if (cursorOffset >= 0) options["cursorOffset"] = movedOffset(cursorOffset, text, result);
    return result.text;
  },
  parse(text) {
    const { file, errors } = parse(text, "<text>", vocabulary);
    const [error] = errors;
    if (error !== undefined) throw syntaxError(error.message, error.span.start, error.span.end, text);
    return { file, text };
  },
  hasPragma: (text) => pragma(text, /^@(?:format|prettier)$/),
  hasIgnorePragma: (text) => pragma(text, /^@(?:noformat|noprettier)$/),
  locStart: () => 0,
  locEnd: ({ text }) => text.length,
});

const layoutOf = ({ printWidth, tabWidth }: ParserOptions): Layout => ({ width: printWidth, indent: tabWidth });

/** Where the cursor is after as many characters as before, spaces aside. */
function movedOffset(offset: number, old: string, { text, before, after }: FormattedRange): number {
  if (offset <= before.start) return offset;
  if (offset >= before.end) return offset - before.end + after.end;
  const characters = old.slice(before.start, offset).replace(/\s/g, "").length;
  let place = after.start;
  for (let passed = 0; passed < characters && place < after.end; place++) if (/\S/.test(text[place]!)) passed++;
  // A cursor at the beginning of a word stays there.
  while (/\S/.test(old[offset]!) && place < after.end && /\s/.test(text[place]!)) place++;
  return place;
}

/** Whether one of the comments at the top of a file, before anything else, is a word such as `@format`. */
function pragma(text: string, word: RegExp): boolean {
  const [top = ""] = /^(?:\s*\/\/[^\n]*\n?)*/.exec(text) ?? [];
  return top.split("\n").some((line) => word.test(line.trim().replace(/^\/+\s*/, "")));
}

/** As Prettier wants it: with lines and columns from 1. */
function syntaxError(message: string, start: number, end: number, text: string): Error {
  const place = (offset: number): { line: number; column: number } => {
    const before = text.slice(0, offset).split("\n");
    return { line: before.length, column: (before.at(-1) ?? "").length + 1 };
  };
  const from = place(start);
  const error = new SyntaxError(`${message} (${from.line}:${from.column})`);
  return Object.assign(error, { loc: { start: from, end: place(end) } });
}

const printer: Printer<Root> = {
  print(path: AstPath<Root>, options: ParserOptions<Root>): Doc {
    const { file, text } = path.node;
    return fileDoc(file, text, layoutOf(options));
  },
  // What is inside is ours to print: Prettier would look in it for the node at the cursor.
  getVisitorKeys: () => [],
  insertPragma: (text) => `// @format\n\n${text}`,
};

/** What Prettier loads: for the language with these words. */
export function prettierPlugin(vocabulary: Vocabulary): ResnetPlugin {
  return { languages, defaultOptions, parsers: { resnet: parserOf(vocabulary) }, printers: { resnet: printer } };
}
