import type { Span } from "../../grammar/ast.js";
import { Budget, type Cancellation } from "../budget.js";
import { LIMITS } from "../limits.js";
import { CODES, type Code } from "./codes.js";
import type { Diagnostic, Frame, Note } from "./diagnostic.js";
import { Places } from "./places.js";
import { shortened } from "./text.js";

export interface Details {
  readonly notes?: readonly Note[];
  /** A function where it takes work to find: it is called only if the diagnostic is kept. */
  readonly help?: string | (() => string | undefined) | undefined;
  readonly fix?: string | undefined;
  readonly chain?: readonly Frame[];
  /** Kept however many there are: it says why the run ends. */
  readonly always?: true;
}

/**
 * Collects diagnostics. A block repeated 36 times makes the same mistake 36 times: it is reported once. Of very many the
 * first are kept, and the others counted.
 */
export class Reporter {
  /** What the run that is reported of may still take. */
  readonly budget: Budget;
  readonly #reported: Diagnostic[] = [];
  /** Texts that were parsed with something before what the user typed. */
  readonly #shifts = new Map<string, number>();
  readonly #seen = new Set<string>();
  /** Kept of each severity and file. */
  readonly #kept = new Map<string, number>();
  /** Places that could not be parsed. */
  readonly #broken = new Places();
  readonly #counts = { error: 0, warning: 0 };
  #failures = 0;

  constructor(cancellation: Cancellation = {}) {
    this.budget = new Budget(
      (span, message, details) => this.report("too-large", span, message, details),
      cancellation,
    );
  }

  /** What could not be parsed; what it seems to mean is not reported as well. */
  reportSyntax(code: Code, span: Span, message: string, details: Details = {}): void {
    this.report(code, span, message, details);
    this.#broken.add(span);
  }

  report(code: Code, place: Span, message: string, details: Details = {}): void {
    const { severity } = CODES[code];
    if (severity === "error") this.#failures++;
    const span = usersPlace(place, details.chain ?? []);
    const inside: readonly Note[] = span === place ? [] : [{ message: "in the standard library", span: place }];
    const ofChain = (details.chain ?? []).flatMap(({ note, span: at }) =>
      note === undefined ? [] : [{ message: note, span: at }],
    );
    const key = [code, ...[place, span].map(({ file, start, end }) => `${file} ${start} ${end}`)].join(" ");
    // `conv 3x3, }` lacks just behind it what the error is about.
    if (this.#seen.has(key) || this.#broken.touches(place, 2)) return;
    this.#seen.add(key);
    this.#counts[severity]++;
    if (!this.#hasRoom(`${severity} ${span.file}`) && !details.always) return;
    const help = typeof details.help === "function" ? details.help() : details.help;
    this.#reported.push({
      code,
      severity,
      message: shortened(message),
      span,
      notes: [...(details.notes ?? []), ...ofChain, ...inside].map((note) => ({
        ...note,
        message: shortened(note.message),
      })),
      chain: (details.chain ?? []).map(({ label, span: at }) => ({
        label: shortened(label, LONGEST_LABEL),
        span: at,
      })),
      ...(help === undefined ? {} : { help: shortened(help) }),
      ...(details.fix === undefined ? {} : { fix: details.fix }),
    });
  }

  /** Warnings take no room from errors. */
  #hasRoom(kind: string): boolean {
    const kept = this.#kept.get(kind) ?? 0;
    if (kept >= LIMITS.problemsPerFile || this.#reported.length >= LIMITS.problems) return false;
    this.#kept.set(kind, kept + 1);
    return true;
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

  /** All that were found, also those that were not kept. */
  get errorCount(): number {
    return this.#counts.error;
  }

  get warningCount(): number {
    return this.#counts.warning;
  }

  /** How often an error was met, those included that were told before or are the echo of others. */
  get failures(): number {
    return this.#failures;
  }

  get hasErrors(): boolean {
    return this.errorCount > 0;
  }
}

/** The standard library's files begin so. */
const STANDARD = "std/";

/** What goes wrong in the standard library was asked for elsewhere: the last line of the user's on the way there. */
function usersPlace(place: Span, chain: readonly Frame[]): Span {
  if (!place.file.startsWith(STANDARD)) return place;
  return chain.findLast(({ span }) => !span.file.startsWith(STANDARD))?.span ?? place;
}

/** Characters of one link of a chain. */
const LONGEST_LABEL = 120;
