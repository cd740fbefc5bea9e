import type { Span } from "../../grammar/ast.js";
import { CODES, type Code } from "./codes.js";
import type { Diagnostic, Frame, Note } from "./diagnostic.js";

export interface Details {
  readonly notes?: readonly Note[];
  readonly help?: string | undefined;
  readonly fix?: string | undefined;
  readonly chain?: readonly Frame[];
}

/** Collects diagnostics. A block repeated 36 times makes the same mistake 36 times: it is reported once. */
export class Reporter {
  readonly #reported: Diagnostic[] = [];
  /** Texts that were parsed with something before what the user typed. */
  readonly #shifts = new Map<string, number>();
  readonly #seen = new Set<string>();
  /** Places that could not be parsed. */
  readonly #broken: Span[] = [];

  /** What could not be parsed; what it seems to mean is not reported as well. */
  reportSyntax(code: Code, span: Span, message: string, details: Details = {}): void {
    this.report(code, span, message, details);
    this.#broken.push(span);
  }

  /** Whether this was said of this place: what a message needs need not be computed again. */
  hasReported(code: Code, span: Span): boolean {
    return this.#seen.has(placeKey(code, span));
  }

  report(code: Code, span: Span, message: string, details: Details = {}): void {
    const key = placeKey(code, span);
    if (this.#seen.has(key) || this.#broken.some((place) => touches(span, place))) return;
    this.#seen.add(key);
    this.#reported.push({
      code,
      severity: CODES[code].severity,
      message,
      span,
      notes: details.notes ?? [],
      chain: details.chain ?? [],
      ...(details.help === undefined ? {} : { help: details.help }),
      ...(details.fix === undefined ? {} : { fix: details.fix }),
    });
  }

  /** Places in this file are shown so much further: a target is parsed as part of a declaration that nobody typed. */
  shift(file: string, by: number): void {
    this.#shifts.set(file, by);
  }

  /** In the order in which they were found. */
  get diagnostics(): Diagnostic[] {
    if (this.#shifts.size === 0) return [...this.#reported];
    const move = (span: Span): Span => {
      const by = this.#shifts.get(span.file) ?? 0;
      return { file: span.file, start: Math.max(0, span.start + by), end: Math.max(0, span.end + by) };
    };
    return this.#reported.map((diagnostic) => ({
      ...diagnostic,
      span: move(diagnostic.span),
      notes: diagnostic.notes.map((note) => (note.span ? { ...note, span: move(note.span) } : note)),
      chain: diagnostic.chain.map((link) => ({ ...link, span: move(link.span) })),
    }));
  }

  get errorCount(): number {
    return this.#reported.filter((diagnostic) => diagnostic.severity === "error").length;
  }

  hasCode(code: Code): boolean {
    return this.#reported.some((diagnostic) => diagnostic.code === code);
  }

  get hasErrors(): boolean {
    return this.errorCount > 0;
  }
}

function placeKey(code: Code, span: Span): string {
  return `${code} ${span.file} ${span.start} ${span.end}`;
}

/** Whether the span has the place in it, or ends just before it: `conv 3x3, }` lacks what the error is about. */
function touches(span: Span, place: Span): boolean {
  const slack = 2;
  return span.file === place.file && span.start <= place.end && place.start <= span.end + slack;
}
