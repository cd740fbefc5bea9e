/** Diagnostics for people: a code frame with the place underlined, the notes, the chain and the help. */
import type { Span } from "../../grammar/ast.js";
import type { Diagnostic } from "./diagnostic.js";

export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
  readonly lineText: string;
}

export function positionOf(text: string, offset: number): Position {
  const at = Math.max(0, Math.min(offset, text.length));
  const lineStart = text.lastIndexOf("\n", at - 1) + 1;
  let lineEnd = text.indexOf("\n", at);
  if (lineEnd < 0) lineEnd = text.length;
  let line = 1;
  for (let i = text.indexOf("\n"); i >= 0 && i < at; i = text.indexOf("\n", i + 1)) line++;
  return { line, column: at - lineStart + 1, lineText: text.slice(lineStart, lineEnd).replace(/\r$/, "") };
}

/** `conv.resnet:18:5` */
export function formatPlace(span: Span, sources: ReadonlyMap<string, string>): string {
  const text = sources.get(span.file);
  if (text === undefined) return span.file;
  const { line, column } = positionOf(text, span.start);
  return `${span.file}:${line}:${column}`;
}

type Paint = (text: string) => string;
export interface Palette {
  readonly error: Paint;
  readonly warning: Paint;
  readonly place: Paint;
  readonly dim: Paint;
  readonly help: Paint;
}

const plain: Paint = (text) => text;
export const NO_COLORS: Palette = { error: plain, warning: plain, place: plain, dim: plain, help: plain };

const ansi =
  (open: number, close: number): Paint =>
  (text) =>
    `\u001b[${open}m${text}\u001b[${close}m`;
export const ANSI_COLORS: Palette = {
  error: ansi(31, 39),
  warning: ansi(33, 39),
  place: ansi(36, 39),
  dim: ansi(2, 22),
  help: ansi(32, 39),
};

/**
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
    `${palette.place(formatPlace(diagnostic.span, sources))} - ${paint(diagnostic.severity)} ${palette.dim(`${diagnostic.code}:`)} ${diagnostic.message}`,
    ...frame(diagnostic.span, sources, palette, paint),
  ];
  for (const note of diagnostic.notes) {
    if (note.span === undefined) lines.push(`  note: ${note.message}`);
    else {
      lines.push(`  note: ${note.message} ${palette.dim(`(${formatPlace(note.span, sources)})`)}`);
      lines.push(...frame(note.span, sources, palette, palette.dim));
    }
  }
  if (diagnostic.chain.length > 0) {
    const links = diagnostic.chain.map(
      (link) => `${link.label} ${palette.dim(`(${formatPlace(link.span, sources)})`)}`,
    );
    lines.push(`  in ${links.join(" > ")}`);
  }
  if (diagnostic.help !== undefined) lines.push(`  ${palette.help("help:")} ${diagnostic.help}`);
  return lines.join("\n");
}

function frame(span: Span, sources: ReadonlyMap<string, string>, palette: Palette, paint: Paint): string[] {
  const text = sources.get(span.file);
  if (text === undefined) return [];
  const { line, column, lineText } = positionOf(text, span.start);
  const number = String(line).padStart(4);
  const length = Math.max(1, Math.min(span.end - span.start, lineText.length - column + 1));
  // A tab before the place keeps its width under the line.
  const indent = lineText.slice(0, column - 1).replace(/[^\t]/g, " ");
  return [
    `${palette.dim(`${number} |`)} ${lineText}`,
    `${palette.dim(`${" ".repeat(number.length)} |`)} ${indent}${paint("^".repeat(length))}`,
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

export interface LocationJson {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly offset: number;
  readonly length: number;
}

export function diagnosticToJson(diagnostic: Diagnostic, sources: ReadonlyMap<string, string>): DiagnosticJson {
  const place = (span: Span): LocationJson => {
    const { line, column } = positionOf(sources.get(span.file) ?? "", span.start);
    return { file: span.file, line, column, offset: span.start, length: span.end - span.start };
  };
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
    ...(diagnostic.fix === undefined ? {} : { fix: diagnostic.fix }),
  };
}
