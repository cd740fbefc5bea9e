/** Diagnostics for people: a code frame with the place underlined, the notes, the chain and the help. */
import type { Span } from "../../grammar/ast.js";
import type { Diagnostic } from "./diagnostic.js";
import { fixOf } from "./fix.js";
import { visible, visibleLine } from "./text.js";

interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
  readonly lineText: string;
}

function place(text: string, starts: readonly number[], offset: number): Position {
  const at = Math.max(0, Math.min(offset, text.length));
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle]! <= at) low = middle + 1;
    else high = middle;
  }
  const lineStart = starts[low - 1]!;
  const lineEnd = starts[low] === undefined ? text.length : starts[low]! - 1;
  return { line: low, column: at - lineStart + 1, lineText: text.slice(lineStart, lineEnd).replace(/\r$/, "") };
}

function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) starts.push(i + 1);
  return starts;
}

/** Where lines begin, found once for all diagnostics and nodes of the same sources. */
const knownLines = new WeakMap<ReadonlyMap<string, string>, Map<string, Lines>>();

interface Lines {
  readonly text: string;
  readonly starts: readonly number[];
}

function positionIn(sources: ReadonlyMap<string, string>, file: string, offset: number): Position | undefined {
  const text = sources.get(file);
  if (text === undefined) return undefined;
  let files = knownLines.get(sources);
  if (!files) knownLines.set(sources, (files = new Map<string, Lines>()));
  let lines = files.get(file);
  if (lines?.text !== text) files.set(file, (lines = { text, starts: lineStartsOf(text) }));
  return place(text, lines.starts, offset);
}

/** `conv.resnet:18:5` */
export function formatPlace(span: Span, sources: ReadonlyMap<string, string>): string {
  const position = positionIn(sources, span.file, span.start);
  return position ? `${span.file}:${position.line}:${position.column}` : span.file;
}

/** Wraps a text in what makes it coloured. */
export type Paint = (text: string) => string;

/** The colours of a rendered diagnostic, part by part. */
export interface Palette {
  readonly error: Paint;
  readonly warning: Paint;
  readonly place: Paint;
  readonly dim: Paint;
  readonly help: Paint;
}

const plain: Paint = (text) => text;
/** Plain text. */
export const NO_COLORS: Palette = { error: plain, warning: plain, place: plain, dim: plain, help: plain };

const ansi =
  (open: number, close: number): Paint =>
  (text) =>
    `\u001b[${open}m${text}\u001b[${close}m`;
/** Colours of terminals: ANSI escape sequences. */
export const ANSI_COLORS: Palette = {
  error: ansi(31, 39),
  warning: ansi(33, 39),
  place: ansi(36, 39),
  dim: ansi(2, 22),
  help: ansi(32, 39),
};

/** Of a chain that is longer the first and last links are shown, of notes the first. */
const MOST_LINKS = 8;
const MOST_NOTES = 4;
/** Characters of a line that are shown, round the place. */
const WIDEST_LINE = 160;

/**
 * What comes from sources (names, lines, messages) is shown with control characters as escapes, and cut where it is long.
 *
 *     net.resnet:18:5 - error shape-mismatch: adds [N, 64, 56, 56] to [N, 256, 56, 56]
 *       18 |     residual { conv 1x1, 64 }
 *          |     ^^^^^^^^
 *       in network ResNet50 (net.resnet:3:1) > stage conv2 > block bottleneck
 *       help: ...
 */
export function renderDiagnostic(
  diagnostic: Diagnostic,
  sources: ReadonlyMap<string, string>,
  palette: Palette = NO_COLORS,
): string {
  const paint = diagnostic.severity === "error" ? palette.error : palette.warning;
  const lines = [
    `${palette.place(visiblePlace(diagnostic.span, sources))} - ${paint(diagnostic.severity)} ${palette.dim(`${diagnostic.code}:`)} ${visibleLine(diagnostic.message)}`,
    ...frame(diagnostic.span, sources, palette, paint),
  ];
  for (const note of diagnostic.notes.slice(0, MOST_NOTES)) {
    const message = visibleLine(note.message);
    if (note.span === undefined) lines.push(`  note: ${message}`);
    else {
      lines.push(`  note: ${message} ${palette.dim(`(${visiblePlace(note.span, sources)})`)}`);
      lines.push(...frame(note.span, sources, palette, palette.dim));
    }
  }
  if (diagnostic.chain.length > 0) {
    const links = diagnostic.chain.map(
      (link) => `${visibleLine(link.label)} ${palette.dim(`(${visiblePlace(link.span, sources)})`)}`,
    );
    const more = links.length - MOST_LINKS;
    if (more > 0) links.splice(MOST_LINKS / 2, more, palette.dim(`... ${more} more ...`));
    lines.push(`  in ${links.join(" > ")}`);
  }
  if (diagnostic.help !== undefined) lines.push(`  ${palette.help("help:")} ${visibleLine(diagnostic.help)}`);
  return lines.join("\n");
}

function visiblePlace(span: Span, sources: ReadonlyMap<string, string>): string {
  return visibleLine(formatPlace(span, sources));
}

function frame(span: Span, sources: ReadonlyMap<string, string>, palette: Palette, paint: Paint): string[] {
  const position = positionIn(sources, span.file, span.start);
  if (position === undefined) return [];
  const { line, column, lineText } = position;
  const number = String(line).padStart(4);
  // Of a long line what stands round the place.
  const from = lineText.length <= WIDEST_LINE ? 0 : Math.max(0, column - 1 - WIDEST_LINE / 4);
  const to = Math.min(lineText.length, from + WIDEST_LINE);
  const [at, end] = [column - 1, Math.min(to, Math.max(column, column - 1 + span.end - span.start))];
  const before = (from > 0 ? "..." : "") + visible(lineText.slice(from, at));
  const marked = visible(lineText.slice(at, end));
  const after = visible(lineText.slice(end, to)) + (to < lineText.length ? "..." : "");
  // A tab before the place keeps its width under the line.
  const indent = before.replace(/[^\t]/g, " ");
  return [
    `${palette.dim(`${number} |`)} ${before}${marked}${after}`,
    `${palette.dim(`${" ".repeat(number.length)} |`)} ${indent}${paint("^".repeat(Math.max(1, marked.length)))}`,
  ];
}

/** The machine-readable form, version 1: places are lines and columns from 1, and offsets in UTF-16 code units. */
export interface DiagnosticJson {
  readonly code: string;
  readonly severity: string;
  readonly message: string;
  readonly location: LocationJson;
  readonly notes: readonly { readonly message: string; readonly location?: LocationJson }[];
  readonly chain: readonly { readonly label: string; readonly location: LocationJson }[];
  readonly help?: string;
  readonly fix?: string;
}

/** A place in a source: lines and columns from 1, offset and length in UTF-16 code units. */
export interface LocationJson {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Where it ends: the first place that no longer belongs to it. */
  readonly endLine: number;
  readonly endColumn: number;
  readonly offset: number;
  readonly length: number;
}

/**
 * A diagnostic as plain data, for tools.
 *
 * @param sources text of each file, by which places are found: {@link Findings.sources}
 */
export function diagnosticToJson(diagnostic: Diagnostic, sources: ReadonlyMap<string, string>): DiagnosticJson {
  const place = (span: Span): LocationJson => {
    const { line, column } = positionIn(sources, span.file, span.start) ?? { line: 1, column: span.start + 1 };
    const end = positionIn(sources, span.file, span.end) ?? { line: 1, column: span.end + 1 };
    return {
      file: span.file,
      line,
      column,
      endLine: end.line,
      endColumn: end.column,
      offset: span.start,
      length: span.end - span.start,
    };
  };
  const fix = fixOf(diagnostic, sources.get(diagnostic.span.file) ?? "");
  return {
    code: diagnostic.code,
    severity: diagnostic.severity,
    message: diagnostic.message,
    location: place(diagnostic.span),
    notes: diagnostic.notes.map((note) =>
      note.span === undefined ? { message: note.message } : { message: note.message, location: place(note.span) },
    ),
    chain: diagnostic.chain.map((link) => ({ label: link.label, location: place(link.span) })),
    ...(diagnostic.help === undefined ? {} : { help: diagnostic.help }),
    ...(fix === undefined ? {} : { fix }),
  };
}
