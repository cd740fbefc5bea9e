/**
 * Text only: from characters to a syntax tree, and back to formatted text. It is the grammar (grammar/), told the words
 * of the language.
 *
 * @module resnetc/grammar
 */
import { format as formatText, type FormatResult } from "../grammar/format.js";
import { parse as parseText, type ParseResult } from "../grammar/parse.js";
import type { Layout } from "../grammar/printer/file.js";
import { GROUPS, VOCABULARY, type WordGroup } from "./vocabulary.js";

/**
 * Parses a file. Never throws: whatever the text is, there is a tree, and an error for everything that is wrong.
 *
 * @param path stands in every span.
 */
export function parse(text: string, path: string): ParseResult {
  return parseText(text, path, VOCABULARY);
}

/**
 * The text in the one style of the language (docs/language.md, "The one style"): 2 spaces, 100 columns. Formatting twice
 * changes nothing more, and the tree stays the same. A text with syntax errors is not formatted.
 *
 * @param path stands in the spans of errors.
 */
export function format(text: string, path?: string, layout?: Layout): FormatResult {
  return formatText(text, VOCABULARY, path, layout);
}

/** Every word of the language, in groups that stand together: what a page, hover or completion says of it. */
export const WORDS: Readonly<Record<string, WordGroup>> = GROUPS;

export type { WordGroup } from "./vocabulary.js";
export type { FormatResult } from "../grammar/format.js";
export type { Layout } from "../grammar/printer/file.js";
export type * from "../grammar/ast.js";
export { DECLARATION_WORDS } from "../grammar/tokens.js";
export {
  SYNTAX_ERROR_CODES,
  type ParseResult,
  type Related,
  type SyntaxError,
  type SyntaxErrorCode,
} from "../grammar/parse.js";
