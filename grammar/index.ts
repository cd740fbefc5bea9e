/** Text only: from characters to a syntax tree, and back to formatted text. */
export type * from "./ast.js";
export { parse, type ParseResult, type SyntaxError } from "./parse.js";
export { format } from "./format.js";
export { WORDS, takesBareArguments, type Word, type WordContext } from "./words.js";
