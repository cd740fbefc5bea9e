/** Doc comments: which `///` lines belong to which declaration. */
import type { IToken } from "chevrotain";
import type { Comment, Declaration, Span } from "./ast.js";
import { endOf, isDocComment, startOf } from "./lexer.js";

/**
 * A declaration's doc comment is the last run of `///` lines, without a blank line among them, between it and what
 * stands before it; one that follows something in its line is none. All other comments are given back as such.
 */
export function attachDocs(
  declarations: readonly Declaration[],
  tokens: readonly IToken[],
  comments: readonly IToken[],
  spanOf: (start: number, end: number) => Span,
): { declarations: Declaration[]; comments: Comment[] } {
  const used = new Set<IToken>();
  let next = 0;
  const documented = declarations.map((declaration): Declaration => {
    const { start } = declaration.span;
    const previous = lastBefore(tokens, start);
    const gap: IToken[] = [];
    for (let comment = comments[next]; comment !== undefined && startOf(comment) < start; comment = comments[++next]) {
      const follows = previous === undefined || (comment.startLine ?? 0) > (previous.endLine ?? 0);
      if (follows) gap.push(comment);
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

/** The last token that ends at a place or before it. */
function lastBefore(tokens: readonly IToken[], offset: number): IToken | undefined {
  let low = 0;
  let high = tokens.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const token = tokens[middle];
    if (token !== undefined && endOf(token) <= offset) low = middle + 1;
    else high = middle;
  }
  return tokens[low - 1];
}
