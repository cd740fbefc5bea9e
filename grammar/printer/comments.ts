/**
 * Comments while a file is printed. Each is taken once: by the gap between two statements or list elements in which it
 * stands, or, where it stands inside one of these, by that as a whole, which puts it before itself.
 */
import type { Comment, SourceFile } from "../ast.js";

export interface Gap {
  /** A comment that ends the line on which something else stands. */
  readonly trailing?: Comment;
  /** Comments on lines of their own. */
  readonly own: readonly Comment[];
}

export class Comments {
  readonly #text: string;
  readonly #all: readonly Comment[];
  readonly #taken = new Set<Comment>();

  constructor(file: SourceFile, text: string) {
    this.#text = text;
    const docs = file.declarations.flatMap(({ docSpan }) =>
      docSpan === undefined ? [] : linesOf(docSpan.start, docSpan.end),
    );
    this.#all = [...file.comments, ...docs].sort((a, b) => a.span.start - b.span.start);

    function linesOf(start: number, end: number): Comment[] {
      return [...text.slice(start, end).matchAll(/\/\/[^\n\r]*/g)].map(({ 0: line, index }) => {
        const at = start + index;
        return { text: line.trimEnd(), span: { file: file.path, start: at, end: at + line.length } };
      });
    }
  }

  /** Whether anything between two places is still to be printed. */
  any(start: number, end: number): boolean {
    return this.#between(start, end).length > 0;
  }

  /** Takes what stands between two places. */
  take(start: number, end: number): Comment[] {
    const comments = this.#between(start, end);
    for (const comment of comments) this.#taken.add(comment);
    return comments;
  }

  takeGap(start: number, end: number): Gap {
    const [first, ...rest] = this.take(start, end);
    if (first === undefined) return { own: [] };
    return this.#isOnOwnLine(first) ? { own: [first, ...rest] } : { trailing: first, own: rest };
  }

  #isOnOwnLine({ span }: Comment): boolean {
    const lineStart = this.#text.lastIndexOf("\n", span.start - 1) + 1;
    return this.#text.slice(lineStart, span.start).trim() === "";
  }

  #between(start: number, end: number): Comment[] {
    const found: Comment[] = [];
    for (let i = this.#firstFrom(start); i < this.#all.length; i++) {
      const comment = this.#all[i];
      if (comment === undefined || comment.span.start >= end) break;
      if (!this.#taken.has(comment)) found.push(comment);
    }
    return found;
  }

  #firstFrom(offset: number): number {
    let low = 0;
    let high = this.#all.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#all[middle]?.span.start ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
