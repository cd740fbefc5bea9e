/** Lists whose elements are separated by commas, and the comments between them. */
import { builders, type Doc } from "./doc.js";
import type { Comment, Span } from "../ast.js";
import type { Context } from "./context.js";

const { breakParent, fill, hardline, indent, line, lineSuffix, softline } = builders;

export const atLineEnd = (comment: Comment): Doc => [lineSuffix(` ${comment.text}`), breakParent];
export const onOwnLines = (comments: readonly Comment[]): Doc => comments.map(({ text }) => [text, hardline]);

export interface Item {
  readonly span: Span;
  readonly print: () => Doc;
}

/** Where the elements stand: between an opening and a closing mark, or after a word, without marks. */
export interface Enclosure {
  readonly open?: number;
  readonly close?: number;
  /** As many as fit in each line, or one a line where not all fit in one. */
  readonly layout: "filled" | "listed";
}

export interface Separated {
  /** A comment in the line of the opening mark, to be printed before that line ends. */
  readonly opening: Doc;
  readonly contents: Doc;
}

/** Elements with commas between them; nothing before the first and after the last. */
export function separated(items: readonly Item[], { open, close, layout }: Enclosure, context: Context): Separated {
  const { comments } = context;
  const parts: Doc[] = [];
  let opening: Doc = "";
  let end = open;
  items.forEach((item, index) => {
    const gap = end === undefined ? { own: [] } : comments.takeGap(end, item.span.start);
    const printed = item.print();
    // What stands inside an element where no line can end goes before it; of the first after a word, before the word.
    const inside = end === undefined ? [] : comments.take(item.span.start, item.span.end);
    const trailing = gap.trailing === undefined ? [] : [atLineEnd(gap.trailing)];
    if (index === 0) opening = trailing;
    else {
      const breaks = trailing.length + gap.own.length + inside.length > 0;
      parts.push([",", ...trailing, breaks ? hardline : line]);
    }
    parts.push([onOwnLines(gap.own), onOwnLines(inside), printed]);
    end = item.span.end;
  });
  const last = close === undefined || end === undefined ? { own: [] } : comments.takeGap(end, close);
  const isEmpty = items.length === 0;
  const ending = last.trailing === undefined ? "" : atLineEnd(last.trailing);
  const after = last.own.map(({ text }, i): Doc => (isEmpty && i === 0 ? [text, breakParent] : [hardline, text]));
  return {
    opening: isEmpty ? ending : opening,
    contents: [layout === "filled" ? fill(parts) : parts, isEmpty ? "" : ending, after],
  };
}

/** In brackets that stand on the lines before and after where the elements do not fit in one line. */
export function bracketed(
  opener: string,
  items: readonly Item[],
  closer: string,
  place: { readonly open: number; readonly close: number },
  layout: Enclosure["layout"],
  context: Context,
): Doc {
  if (items.length === 0 && !context.comments.any(place.open, place.close)) return opener + closer;
  const { opening, contents } = separated(items, { ...place, layout }, context);
  return builders.group([opener, opening, indent([softline, contents]), softline, closer]);
}
