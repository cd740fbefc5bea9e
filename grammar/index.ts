/** Text only: from characters to a syntax tree, and back to formatted text. */
export { format, type FormatResult } from "./format.js";
export type { Layout } from "./printer/file.js";
export type * from "./ast.js";
export {
  parse,
  SYNTAX_ERROR_CODES,
  type ParseResult,
  type Related,
  type SyntaxError,
  type SyntaxErrorCode,
} from "./parse.js";
export { WORDS, takesBareArguments, type Word, type WordContext } from "./words.js";
