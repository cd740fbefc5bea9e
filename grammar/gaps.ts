/** What to say where something is missing or superfluous. */
import { tokenMatcher, type CstElement, type CstNode, type IToken } from "chevrotain";
import { quote, type ErrorDetails, type ErrorList } from "./errors.js";
import { asNode, endOfElement, inOrder, startOfElement, token, type Parts } from "./cst.js";
import { endOf, startOf } from "./lexer.js";
import { Reserved, RESERVED_WORDS } from "./tokens.js";

/** Brackets that are closed by the parser; braces.ts sees to braces. */
const BRACKETS = { RightParen: "LeftParen", RightBracket: "LeftBracket", RightBrace: "LeftBrace" } as const;
const TEXT = { RightParen: ")", RightBracket: "]", RightBrace: "}" } as const;

export function reservedWord(word: string): string {
  return `\`${word}\` is a reserved word and can't be a name`;
}

export class Gaps {
  readonly errors: ErrorList;
  readonly #text: string;
  readonly #tokens: readonly IToken[];

  constructor(text: string, tokens: readonly IToken[], errors: ErrorList) {
    this.#text = text;
    this.#tokens = tokens;
    this.errors = errors;
  }

  /** The text between two places, on one line and not too long for a message. */
  textOf(start: number, end: number): string {
    const line = this.#text.slice(start, Math.min(end, start + 60)).replace(/\s+/g, " ");
    return end > start + 60 ? `${line}...` : line;
  }

  /** The text of a line up to a place. */
  lineBefore(at: number): string {
    return this.#text.slice(this.#text.lastIndexOf("\n", at - 1) + 1, at);
  }

  /**
   * Something is missing after the place where the text before it ends. The token that stands there instead is
   * underlined if it is on the same line, else the place itself.
   */
  missing(what: string, after: number, details: ErrorDetails = {}): void {
    const next = this.nextToken(after);
    if (next === undefined || this.#text.slice(after, startOf(next)).includes("\n")) {
      const found = next === undefined ? ", found the end of the file" : "";
      this.errors.add("syntax-error", after, after, `expected ${what}${found}`, details);
      return;
    }
    this.errors.add("syntax-error", startOf(next), endOf(next), `expected ${what}, found ${quote(next.image)}`, {
      ...(tokenMatcher(next, Reserved) && what.includes("name") ? { help: reservedWord(next.image) } : {}),
      ...details,
    });
  }

  /** A punctuation mark is missing right after the place: that is where it belongs. */
  missingMark(mark: string, after: number, details: ErrorDetails = {}): void {
    this.errors.add("syntax-error", after, after, `expected ${mark} here`, details);
  }

  reserved(word: IToken | undefined): void {
    if (word === undefined) return;
    this.errors.add("syntax-error", startOf(word), endOf(word), reservedWord(word.image));
  }

  /** Reports the bracket that closes these parts if it is missing. */
  closed(parts: Parts, closer: keyof typeof BRACKETS, end: number, details: ErrorDetails = {}): void {
    const open = token(parts, BRACKETS[closer]);
    if (open === undefined || token(parts, closer) !== undefined) return;
    this.missingMark(`a \`${TEXT[closer]}\``, end, {
      fix: TEXT[closer],
      related: [{ message: `to close this \`${open.image}\``, span: this.errors.span(startOf(open), endOf(open)) }],
      ...details,
    });
  }

  /**
   * The items of a comma-separated list in brackets, with errors for commas missing or doubled. A comma may follow the
   * last item.
   */
  separated(parts: Parts, item: string, what: string): CstNode[] {
    const items: CstNode[] = [];
    let previous: { key: string; element: CstElement } | undefined;
    for (const entry of inOrder(parts, "Comma", item, "stray")) {
      const { key, element } = entry;
      const [start, end] = [startOfElement(element), endOfElement(element)];
      if (key === "stray") {
        const text = this.textOf(start, end);
        this.errors.add("syntax-error", start, end, `expected ${what}, found \`${text}\``, {
          ...(item === "parameter" && RESERVED_WORDS.has(text) && { help: reservedWord(text) }),
        });
      } else if (key === "Comma" && previous?.key !== item) {
        this.errors.add("syntax-error", start, end, `expected ${what} before this \`,\``, { fix: "" });
      } else if (key === item) {
        if (previous?.key === item) {
          this.missingMark("a `,`", endOfElement(previous.element), { fix: "," });
        }
        items.push(asNode(element));
      }
      // A stray token separates well enough, and a comma after it is none too many.
      if (key !== "stray") previous = entry;
      else previous = previous && { key: item, element };
    }
    return items;
  }

  /** The first token that begins at a place or after it. */
  nextToken(offset: number): IToken | undefined {
    let low = 0;
    let high = this.#tokens.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const candidate = this.#tokens[middle];
      if (candidate !== undefined && startOf(candidate) < offset) low = middle + 1;
      else high = middle;
    }
    while (this.#tokens[low]?.image === "") low++;
    return this.#tokens[low];
  }
}
