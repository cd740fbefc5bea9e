/** From characters to tokens. Characters that begin no token are reported and passed over. */
import { Lexer, tokenMatcher, type IToken } from "chevrotain";
import { quote, type ErrorList } from "./errors.js";
import { BadNumber, DocComment, Name, SYMBOLS_OF_C, TOKENS, UnterminatedString } from "./tokens.js";

export interface Lexed {
  readonly tokens: IToken[];
  /** Doc comments among them. */
  readonly comments: readonly IToken[];
}

/** A name this long is no name; paths are made of many. */
const LONGEST_NAME = 200;

export const startOf = (token: IToken): number => token.startOffset;
/** Exclusive, as in a Span; Chevrotain's own is inclusive. */
export const endOf = (token: IToken): number => (token.endOffset ?? token.startOffset - 1) + 1;
export const isDocComment = (comment: IToken): boolean => tokenMatcher(comment, DocComment);

// The definitions are validated by a test, not at every start.
const lexer = new Lexer(TOKENS, { positionTracking: "full", ensureOptimizations: true, skipValidations: true });

export function tokenize(text: string, errors: ErrorList): Lexed {
  const result = lexer.tokenize(text);
  for (const { offset, length } of result.errors) {
    const characters = text.slice(offset, offset + length);
    const help = helpFor(characters);
    errors.add("unexpected-character", offset, offset + length, `unexpected ${describe(characters)}`, {
      ...(help === undefined ? {} : { help }),
    });
  }
  for (const comment of result.groups["blockComments"] ?? []) {
    errors.add("syntax-error", startOf(comment), startOf(comment) + 2, "comments begin with `//`");
  }
  for (const token of result.tokens) {
    const word = SYMBOLS_OF_C.get(token.tokenType);
    if (word !== undefined) {
      errors.add("unexpected-character", startOf(token), endOf(token), `unexpected ${quote(token.image)}`, {
        help: `write \`${word}\``,
      });
      token.image = word;
      continue;
    }
    if (token.tokenType === UnterminatedString) {
      errors.add("unterminated-string", startOf(token), endOf(token), 'a string without its closing `"`');
    } else if (token.image.length > LONGEST_NAME && tokenMatcher(token, Name)) {
      const message = `a name of ${token.image.length} letters: ${LONGEST_NAME} are enough`;
      errors.add("too-large", startOf(token), endOf(token), message);
    } else if (token.tokenType === BadNumber) {
      const size = /^\d+x/.test(token.image);
      errors.add("syntax-error", startOf(token), endOf(token), `${quote(token.image)} is neither a number nor a size`, {
        help: size ? "in a size the symbols begin with a capital: `3xHxW`" : "a number ends in a digit, `k` or `M`",
      });
    }
  }
  return { tokens: result.tokens, comments: result.groups["comments"] ?? [] };
}

function describe(characters: string): string {
  const [first = ""] = characters;
  const code = first.codePointAt(0) ?? 0;
  if (code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0xd800 && code < 0xe000) || code === 0xfffd) {
    return `character U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  }
  return quote(characters);
}

/** What people used to other languages meant. */
const HABITS: readonly (readonly [pattern: RegExp, help: string])[] = [
  [/^;/, "statements need no separator"],
  [/^'/, 'strings stand in double quotes: "..."'],
  [/^[“”„]/u, 'strings stand in straight quotes: "..."'],
  [/^#/, "comments begin with `//`"],
  [/^×/u, "write `x`"],
  [/^\?/, "write `if a then b else c`"],
  [/^\^/, "there are no powers: write `a * a`"],
];

function helpFor(characters: string): string | undefined {
  return HABITS.find(([pattern]) => pattern.test(characters))?.[1];
}
