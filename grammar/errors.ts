import type { Identifier, Span } from "./ast.js";

/** Every code that a syntax error can have; the compiler's diagnostics use the same ones. */
export const SYNTAX_ERROR_CODES = [
  "syntax-error",
  "unexpected-character",
  "unterminated-string",
  "bad-escape",
  "nesting-too-deep",
  "too-large",
] as const;

/** One of {@link SYNTAX_ERROR_CODES}. */
export type SyntaxErrorCode = (typeof SYNTAX_ERROR_CODES)[number];

/** A second place that explains the first: the brace that was left open. */
export interface Related {
  readonly message: string;
  readonly span: Span;
}

/** What is wrong with a text. `span` lies inside the text; it is empty where something is missing. */
export interface SyntaxError {
  readonly code: SyntaxErrorCode;
  /** One line: lower case, no full stop. */
  readonly message: string;
  readonly span: Span;
  /** What to try: "did you mean `network`?" */
  readonly help?: string;
  /** Text that can replace the span to mend it, where one is known. */
  readonly fix?: string;
  readonly related?: readonly Related[];
  /** The word whose arguments it is about: where nothing is called so, that is what is wrong. */
  readonly word?: Identifier;
}

/** Text of the source in a message, cut where it is long. */
export const quote = (text: string): string => `\`${text.length > 40 ? `${text.slice(0, 40)}...` : text}\``;

export type ErrorDetails = Pick<SyntaxError, "help" | "fix" | "related" | "word">;

/** Collects the errors of one file. */
export class ErrorList {
  readonly all: SyntaxError[] = [];
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  span(start: number, end: number): Span {
    return { file: this.#path, start, end };
  }

  add(code: SyntaxErrorCode, start: number, end: number, message: string, details: ErrorDetails = {}): void {
    this.all.push({ code, message, span: this.span(start, end), ...details });
  }
}

/**
 * The errors that are worth showing, in order: the first of each line, since what follows it there is mostly its echo.
 * What is wrong with a single token comes before what the parser made of it, unless that says what to write.
 */
export function withoutEchoes(errors: readonly SyntaxError[], text: string): SyntaxError[] {
  const sorted = [...errors].sort((a, b) => a.span.start - b.span.start || a.span.end - b.span.end);
  const kept: SyntaxError[] = [];
  let lineEnd = -1;
  for (const error of sorted) {
    const last = kept.at(-1);
    if (last === undefined || error.span.start > lineEnd) {
      kept.push(error);
      const newline = text.indexOf("\n", error.span.start);
      lineEnd = newline < 0 ? text.length : newline;
    } else if (last.code === "syntax-error" && last.help === undefined && error.code !== "syntax-error") {
      kept[kept.length - 1] = error;
    }
  }
  return kept;
}
