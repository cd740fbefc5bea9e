/** From text to a syntax tree and the errors in it. */
import type { IToken } from "chevrotain";
import type { SourceFile } from "./ast.js";
import { matchBraces } from "./braces.js";
import { parser } from "./build-expressions.js";
import { TreeBuilder, type FileParts } from "./build.js";
import { isStackOverflow, isTooDeep, MAX_NESTING, tooDeeplyNested } from "./depth.js";
import { attachDocs } from "./docs.js";
import { ErrorList, withoutEchoes, type SyntaxError } from "./errors.js";
import { Gaps } from "./gaps.js";
import { endOf, startOf, tokenize, type Lexed } from "./lexer.js";
import type { Vocabulary } from "./vocabulary.js";

export { SYNTAX_ERROR_CODES, type Related, type SyntaxError, type SyntaxErrorCode } from "./errors.js";

/** Characters of a file: a hundred times the longest of the standard library. */
export const LONGEST_TEXT = 2_000_000;

/** What {@link parse} gives. */
export interface ParseResult {
  /** As much of the file as could be understood. */
  readonly file: SourceFile;
  /** In the order of the text; empty exactly where the text follows the grammar. */
  readonly errors: readonly SyntaxError[];
}

/**
 * Parses a file. Never throws: whatever the text is, there is a tree, and an error for everything that is wrong.
 *
 * @param path stands in every span.
 * @param vocabulary the words of the language.
 */
export function parse(text: string, path: string, vocabulary: Vocabulary): ParseResult {
  const errors = new ErrorList(path);
  const nothing: SourceFile = {
    kind: "file",
    path,
    imports: [],
    declarations: [],
    comments: [],
    span: errors.span(0, text.length),
  };
  if (text.length > LONGEST_TEXT) {
    errors.add("too-large", 0, 0, `a source of ${text.length} characters: ${LONGEST_TEXT} at most`);
    return { file: nothing, errors: errors.all };
  }
  try {
    return parseText(text, path, errors, vocabulary);
  } catch (error) {
    if (!isStackOverflow(error)) throw error;
    errors.add("nesting-too-deep", 0, 0, "this is nested more deeply than the stack of this machine allows");
    return { file: nothing, errors: withoutEchoes(errors.all, text) };
  }
}

function parseText(text: string, path: string, errors: ErrorList, vocabulary: Vocabulary): ParseResult {
  const lexed = tokenize(text, errors);
  const span = errors.span(0, text.length);
  const { imports, declarations } = buildTree(text, lexed, errors, vocabulary);
  const documented = attachDocs(declarations, lexed.tokens, lexed.comments, (start, end) => errors.span(start, end));
  const file: SourceFile = { kind: "file", path, imports, ...documented, span };
  if (isTooDeep(file)) {
    errors.add("nesting-too-deep", 0, 0, "expressions too long and too deeply nested");
    return { file: { ...file, imports: [], declarations: [] }, errors: errors.all };
  }
  return { file, errors: withoutEchoes(errors.all, text) };
}

function buildTree(text: string, lexed: Lexed, errors: ErrorList, vocabulary: Vocabulary): FileParts {
  const deep = tooDeeplyNested(lexed.tokens);
  if (deep !== undefined) {
    errors.add("nesting-too-deep", startOf(deep), endOf(deep), `nested more than ${MAX_NESTING} deep`);
    return { imports: [], declarations: [] };
  }
  const tokens: IToken[] = matchBraces(lexed.tokens, errors);
  const tree = parser.parse(tokens, vocabulary);
  // The grammar accepts every sequence of tokens, so these should be none; if there are any, they are still reported.
  for (const { token, message } of parser.errors) {
    const known = !Number.isNaN(token.startOffset);
    const [start, end] = known ? [startOf(token), endOf(token)] : [text.length, text.length];
    errors.add("syntax-error", start, end, message);
  }
  return new TreeBuilder(new Gaps(text, tokens, errors), vocabulary).visit(tree) as FileParts;
}
