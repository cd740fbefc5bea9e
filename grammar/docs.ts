/** Doc comments: which `///` lines belong to which declaration. */
import type { IToken } from "chevrotain";
import type { Comment, Declaration, Span } from "./ast.js";
import { endOf, isDocComment, startOf } from "./lexer.js";

/**
 * A declaration's doc comment is the last run of `///` lines, without a blank line among them, between it and what
 * stands before it. All other comments are given back as such.
 */
export function attachDocs(
  declarations: readonly Declaration[],
  ends: readonly number[],
  comments: readonly IToken[],
  spanOf: (start: number, end: number) => Span,
): { declarations: Declaration[]; comments: Comment[] } {
  const used = new Set<IToken>();
  let next = 0;
  const documented = declarations.map((declaration): Declaration => {
    const { start } = declaration.span;
    const previousEnd = lastBefore(ends, start);
    const gap: IToken[] = [];
    for (let comment = comments[next]; comment !== undefined && startOf(comment) < start; comment = comments[++next]) {
      if (startOf(comment) >= previousEnd) gap.push(comment);
    }
    const lines = lastRun(gap);
    const [first, last] = [lines[0], lines.at(-1)];
    if (first === undefined || last === undefined) return declaration;
    for (const line of lines) used.add(line);
    const doc = lines.map(({ image }) => image.slice(3).replace(/^ /, "").trimEnd()).join("\n");
    return { ...declaration, doc, docSpan: spanOf(startOf(first), endOf(last)) };
  });
  return {
    declarations: documented,
    comments: comments
      .filter((comment) => !used.has(comment))
      .map((comment) => ({ text: comment.image.trimEnd(), span: spanOf(startOf(comment), endOf(comment)) })),
  };
}

function lastRun(gap: readonly IToken[]): IToken[] {
  const end = gap.findLastIndex(isDocComment);
  let start = end;
  while (start > 0) {
    const [before, first] = [gap[start - 1], gap[start]];
    const follows = (first?.startLine ?? 0) - (before?.startLine ?? 0) === 1;
    if (before === undefined || !isDocComment(before) || !follows) break;
    start--;
  }
  return end < 0 ? [] : gap.slice(start, end + 1);
}

/** The greatest of the ascending numbers that is at most `limit`, or 0. */
function lastBefore(ascending: readonly number[], limit: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] ?? 0) <= limit) low = middle + 1;
    else high = middle;
  }
  return ascending[low - 1] ?? 0;
}
