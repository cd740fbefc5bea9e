/**
 * The formatter as a plugin for Prettier 3: `plugins: ["resnetc/prettier"]`. It prints the same document as `format`.
 */
import type { AstPath, Doc, Options, Parser, ParserOptions, Printer, SupportLanguage } from "prettier";
import type { SourceFile } from "./ast.js";
import { parse } from "./parse.js";
import { fileDoc, LAYOUT } from "./printer/file.js";

interface Root {
  readonly file: SourceFile;
  readonly text: string;
}

export const languages: SupportLanguage[] = [
  { name: "resnet", parsers: ["resnet"], extensions: [".resnet"], vscodeLanguageIds: ["resnet"] },
];

export const defaultOptions: Options = { printWidth: LAYOUT.width, tabWidth: LAYOUT.indent };

const parser: Parser<Root> = {
  astFormat: "resnet",
  parse(text) {
    const { file, errors } = parse(text, "<text>");
    const [error] = errors;
    if (error !== undefined) throw syntaxError(error.message, error.span.start, error.span.end, text);
    return { file, text };
  },
  locStart: () => 0,
  locEnd: ({ text }) => text.length,
};

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
    return fileDoc(file, text, { width: options.printWidth, indent: options.tabWidth });
  },
};

export const parsers = { resnet: parser };
export const printers = { resnet: printer };
