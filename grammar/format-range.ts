/** Formatting of a selection: the statements that it touches, and nothing else. */
import type { Body, Declaration, Import, SourceFile, Statement } from "./ast.js";
import { bodiesOf } from "./bodies.js";
import { format, type FormatResult } from "./format.js";
import { parse } from "./parse.js";
import type { Vocabulary } from "./vocabulary.js";
import { LAYOUT, type Layout } from "./printer/file.js";

export interface TextRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

export interface FormattedRange {
  readonly text: string;
  /** What was replaced, in the text as it was. */
  readonly before: TextRange;
  /** What stands there now. */
  readonly after: TextRange;
}

/**
 * Formats the innermost statements that cover a range, or the declarations, as they are formatted with the whole file,
 * and the space around them; all else stays as it is. Where that would lose a comment or double it, since formatting
 * moves it over the border, what is around them is formatted too.
 */
export function formatRange(
  text: string,
  range: TextRange,
  vocabulary: Vocabulary,
  path = "<text>",
  layout: Layout = LAYOUT,
): FormattedRange | Extract<FormatResult, { errors: unknown }> {
  const formatted = format(text, vocabulary, path, layout);
  if ("errors" in formatted) return formatted;
  const [old, now] = [parse(text, path, vocabulary).file, parse(formatted.text, path, vocabulary).file];
  for (const route of routes(old, text, trimmed(text, range))) {
    const [before, after] = [regionAt(route, old, text), regionAt(route, now, formatted.text)];
    if (commentsIn(old, text, before) !== commentsIn(now, formatted.text, after)) continue;
    const changed = formatted.text.slice(after.start, after.end);
    return {
      text: text.slice(0, before.start) + changed + text.slice(before.end),
      before,
      after: { start: before.start, end: before.start + changed.length },
    };
  }
  const [before, after] = [
    { start: 0, end: text.length },
    { start: 0, end: formatted.text.length },
  ];
  return { text: formatted.text, before, after };
}

function trimmed(text: string, { start, end }: TextRange): TextRange {
  const selected = text.slice(start, end);
  if (selected.trim() === "") return { start, end };
  return { start: end - selected.trimStart().length, end: start + selected.trimEnd().length };
}

// The same tree before and after: a place in it is the way that leads there.

type Element = Import | Declaration | Statement;

/** A list of elements, one below the other, and where it begins and ends. */
interface Container extends TextRange {
  readonly elements: readonly Element[];
}

interface Route {
  /** From the file: the element, and which of its bodies. */
  readonly steps: readonly (readonly [element: number, body: number])[];
  /** Elements of the container at the end of the way: from the first to before the last; none is a gap. */
  readonly first: number;
  readonly last: number;
}

/** From the innermost to the outermost. */
function routes(file: SourceFile, text: string, range: TextRange): Route[] {
  const found: Route[] = [];
  const steps: (readonly [number, number])[] = [];
  let container: Container | undefined = ofFile(file, text);
  while (container !== undefined) {
    const { elements }: Container = container;
    const first = elements.filter(({ span }) => span.end <= range.start).length;
    const last = Math.max(
      first,
      elements.filter(({ span }) => span.start < Math.max(range.end, range.start + 1)).length,
    );
    found.unshift({ steps: [...steps], first, last });
    if (last - first !== 1) break;
    const bodies = bodiesOf(elements[first]!);
    const inside = bodies.findIndex(({ span }) => span.start < range.start && range.end < span.end);
    if (inside >= 0) steps.push([first, inside]);
    container = inside < 0 ? undefined : ofBody(bodies[inside]!);
  }
  return found;
}

/** From the end of what stands before the elements to the beginning of what stands after them. */
function regionAt({ steps, first, last }: Route, file: SourceFile, text: string): TextRange {
  let container = ofFile(file, text);
  for (const [element, body] of steps) container = ofBody(bodiesOf(container.elements[element]!)[body]!);
  const { elements, start, end } = container;
  return { start: elements[first - 1]?.span.end ?? start, end: elements[last]?.span.start ?? end };
}

function ofFile({ imports, declarations }: SourceFile, text: string): Container {
  const elements = [...imports, ...declarations].sort((a, b) => a.span.start - b.span.start);
  return { elements, start: 0, end: text.length };
}

function ofBody({ statements, span }: Body): Container {
  return { elements: statements, start: span.start + 1, end: span.end - 1 };
}

/** What the comments in a region say; how many slashes they begin with changes where they are no doc comments. */
function commentsIn(file: SourceFile, text: string, { start, end }: TextRange): string {
  const docs = file.declarations.flatMap(({ docSpan }) => docSpan ?? []);
  const all = [...file.comments.map(({ span }) => span), ...docs].sort((a, b) => a.start - b.start);
  return all
    .filter((span) => span.start >= start && span.end <= end)
    .flatMap((span) => text.slice(span.start, span.end).split("\n"))
    .map((line) => line.trim().replace(/^\/+\s*/, ""))
    .join("\n");
}
