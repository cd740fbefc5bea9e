/**
 * The tokens. The parser, the formatter and the TextMate grammar (textmate.ts) all read these definitions.
 *
 * Words come in two kinds. Reserved words can't be names. The others (`block`, `stage`, `input`, ...) mean something
 * only where a statement or declaration begins, and are names everywhere else: they belong to the category Name.
 */
import { createToken, Lexer, type TokenType } from "chevrotain";

export const PATTERNS = {
  docComment: /\/\/\/(?!\/)[^\n\r]*/,
  comment: /\/\/[^\n\r]*/,
  string: /"(?:[^"\\\n\r]|\\[^\n\r])*"/,
  // A symbol in a size has no small x in it: 3xHxW is three sizes.
  dimensions: /\d+(?:x(?:\d+|[A-Z][A-Za-wyz0-9_]*))+(?!\w)/,
  number: /\d+(?:\.\d+)?(?:[eE][+-]?\d+|[kM])?(?!\w)/,
  name: /[A-Za-z_]\w*/,
} as const;

/** Every token: what the parser passes over where nothing fits. */
export const Anything = createToken({ name: "Anything", pattern: Lexer.NA });

export const Name = createToken({ name: "Name", pattern: PATTERNS.name, label: "a name", categories: [Anything] });

/** Also `let`, but that is reserved. */
export const DeclarationWord = createToken({ name: "DeclarationWord", pattern: Lexer.NA, categories: [Name] });

export const Reserved = createToken({ name: "Reserved", pattern: Lexer.NA });

/** Everything that can stand between two operands. */
export const InfixOperator = createToken({ name: "InfixOperator", pattern: Lexer.NA });

const titleCase = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

function wordToken(word: string, categories: TokenType[]): TokenType {
  return createToken({ name: titleCase(word), pattern: word, label: `\`${word}\``, longer_alt: Name, categories });
}
const reserved = (word: string, ...categories: TokenType[]): TokenType =>
  wordToken(word, [Anything, Reserved, ...categories]);
const contextual = (word: string): TokenType => wordToken(word, [Name]);

const declares = (word: string): TokenType => wordToken(word, [DeclarationWord]);

/** The words that begin a declaration, but for `let`. */
export const DECLARATION_WORDS = [
  "block",
  "shortcut",
  "network",
  "detector",
  "recipe",
  "preprocess",
  "weights",
  "dialect",
] as const;
const declarationTokens = DECLARATION_WORDS.map(declares);

export const Import = contextual("import");
export const From = contextual("from");
export const As = contextual("as");
export const Stage = contextual("stage");
export const Head = contextual("head");
export const Input = contextual("input");

export const Let = reserved("let");
export const Assert = reserved("assert");
export const If = reserved("if");
export const Then = reserved("then");
export const Else = reserved("else");
export const For = reserved("for");
export const In = reserved("in");
export const On = reserved("on");
export const X = reserved("x");
export const And = reserved("and", InfixOperator);
export const Or = reserved("or", InfixOperator);
export const Not = reserved("not");
export const True = reserved("true");
export const False = reserved("false");

/** A word that another begins with would hide it: `as` before `assert`. */
const longestFirst = (a: TokenType, b: TokenType): number => String(b.PATTERN).length - String(a.PATTERN).length;

export const CONTEXTUAL_TOKENS = [...declarationTokens, Import, From, As, Stage, Head, Input];
export const RESERVED_TOKENS = [Let, Assert, If, Then, Else, For, In, On, X, And, Or, Not, True, False];
export const RESERVED_WORDS: ReadonlySet<string> = new Set(RESERVED_TOKENS.map((token) => String(token.PATTERN)));

const punctuation = (name: string, text: string, categories: TokenType[] = []): TokenType =>
  createToken({ name, pattern: text, label: `\`${text}\``, categories: [Anything, ...categories] });

const infix = (name: string, text: string): TokenType => punctuation(name, text, [InfixOperator]);

export const Minus = infix("Minus", "-");
export const Slash = infix("Slash", "/");
export const Range = infix("Range", "..");
export const INFIX_TOKENS = [
  infix("EqualTo", "=="),
  infix("NotEqual", "!="),
  infix("AtMost", "<="),
  infix("AtLeast", ">="),
  infix("Below", "<"),
  infix("Above", ">"),
  Range,
  infix("Plus", "+"),
  Minus,
  infix("Star", "*"),
  Slash,
  infix("Percent", "%"),
];

export const Equals = punctuation("Equals", "=");
export const Dot = punctuation("Dot", ".");
export const Comma = punctuation("Comma", ",");
export const Colon = punctuation("Colon", ":");
export const LeftParen = punctuation("LeftParen", "(");
export const RightParen = punctuation("RightParen", ")");
export const LeftBracket = punctuation("LeftBracket", "[");
export const RightBracket = punctuation("RightBracket", "]");
export const LeftBrace = punctuation("LeftBrace", "{");
export const RightBrace = punctuation("RightBrace", "}");

export const Dimensions = createToken({
  name: "Dimensions",
  pattern: PATTERNS.dimensions,
  label: "a size",
  categories: [Anything],
});
export const NumberToken = createToken({
  name: "Number",
  pattern: PATTERNS.number,
  label: "a number",
  categories: [Anything],
});
export const StringToken = createToken({
  name: "String",
  pattern: PATTERNS.string,
  label: "a string",
  categories: [Anything],
});

/** A number with letters stuck to it, and a string without its end: reported by the lexer, then taken for what they resemble. */
export const BadNumber = createToken({ name: "BadNumber", pattern: /\d+(?:\.\d+)?\w+/, categories: [NumberToken] });
export const UnterminatedString = createToken({
  name: "UnterminatedString",
  pattern: /"(?:[^"\\\n\r]|\\[^\n\r])*\\?/,
  categories: [StringToken],
});

/** What C writes for a word: reported by the lexer, then taken for the word. */
const written = (name: string, pattern: RegExp, word: TokenType): TokenType =>
  createToken({ name, pattern, categories: [Anything, Reserved, word, ...(word.CATEGORIES ?? [])] });
export const SYMBOLS_OF_C: ReadonlyMap<TokenType, string> = new Map([
  [written("Ampersands", /&&?/, And), "and"],
  [written("Bars", /\|\|?/, Or), "or"],
  [written("Exclamation", /!/, Not), "not"],
]);

export const WhiteSpace = createToken({ name: "WhiteSpace", pattern: /\s+/, group: Lexer.SKIPPED, line_breaks: true });
/** Not in the language: reported by the lexer and passed over. */
export const BlockComment = createToken({
  name: "BlockComment",
  pattern: /\/\*[^]*?\*\//,
  group: "blockComments",
  line_breaks: true,
});
export const DocComment = createToken({ name: "DocComment", pattern: PATTERNS.docComment, group: "comments" });
export const Comment = createToken({ name: "Comment", pattern: PATTERNS.comment, group: "comments" });

/** In the order in which the lexer tries them: longer before shorter. */
export const TOKENS: TokenType[] = [
  WhiteSpace,
  BlockComment,
  DocComment,
  Comment,
  ...[...CONTEXTUAL_TOKENS, ...RESERVED_TOKENS].sort(longestFirst),
  Name,
  Dimensions,
  NumberToken,
  BadNumber,
  StringToken,
  UnterminatedString,
  ...INFIX_TOKENS,
  ...SYMBOLS_OF_C.keys(),
  Equals,
  Dot,
  Comma,
  Colon,
  LeftParen,
  RightParen,
  LeftBracket,
  RightBracket,
  LeftBrace,
  RightBrace,
  DeclarationWord,
  Reserved,
  InfixOperator,
  Anything,
];
