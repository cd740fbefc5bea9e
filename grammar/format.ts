/** The formatter. */
import { printer } from "prettier/doc";
import type { SyntaxError } from "./errors.js";
import { parse } from "./parse.js";
import type { Vocabulary } from "./vocabulary.js";
import { fileDoc, LAYOUT, type Layout } from "./printer/file.js";

/** The formatted text; or the errors of a text that can't be parsed. */
export type FormatResult = { readonly text: string } | { readonly errors: readonly SyntaxError[] };

/**
 * The text in the one style of the language (docs/language.md, "The one style"): 2 spaces, 100 columns. Formatting twice
 * changes nothing more, and the tree stays the same. A text with syntax errors is not formatted.
 *
 * @param vocabulary the words of the language.
 * @param path stands in the spans of errors.
 */
export function format(text: string, vocabulary: Vocabulary, path = "<text>", layout: Layout = LAYOUT): FormatResult {
  const { file, errors } = parse(text, path, vocabulary);
  if (errors.length > 0) return { errors };
  const { width, indent, tabs = false } = layout;
  const options = { printWidth: width, tabWidth: indent, useTabs: tabs };
  return { text: printer.printDocToString(fileDoc(file, text, layout), options).formatted };
}
