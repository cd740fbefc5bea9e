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

/** A diagnostic, and where it was met: what goes wrong in the standard library is told at the user's last line before. */
export interface Reported {
  readonly place: Span;
  readonly diagnostic: Diagnostic;
}

/**
 * Collects diagnostics. A block repeated 36 times makes the same mistake 36 times: it is reported once. Of very many the
 * first are kept, and the others counted.
 */
export class Reporter {
  /** What the run that is reported of may still take. */
  readonly budget: Budget;
  readonly #reported: Reported[] = [];
  /** Texts that were parsed with something before what the user typed. */
  readonly #shifts = new Map<string, number>();
  readonly #seen = new Set<string>();
  /** Kept of each severity and file. */
  readonly #kept = new Map<string, number>();
  /** Places that could not be parsed. */
  readonly #broken: Places;
  readonly #counts = { error: 0, warning: 0 };
  #failures = 0;
  #omitted = false;

  /**
   * @param around of a part of its run: what could not be parsed there is known here
   * @param steps of the budget
   */
  constructor(cancellation: Cancellation = {}, around?: Reporter, steps?: number) {
    this.#broken = around ? around.#broken : new Places();
    this.budget = new Budget(
      (span, message, details) => this.report("too-large", span, message, details),
      cancellation,
      steps,
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
    // `conv 3x3, }` lacks just behind it what the error is about.
    if (this.#broken.touches(place, 2) || !this.#isNew(code, place, span, details.always)) return;
    const help = typeof details.help === "function" ? details.help() : details.help;
    const diagnostic: Diagnostic = {
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
    };
    this.#reported.push({ place, diagnostic });
  }

  /** Reports what another reporter has met, as if it had been met here. */
  absorb(reported: readonly Reported[]): void {
    for (const { place, diagnostic } of reported) {
      const { code, severity, span } = diagnostic;
      if (severity === "error") this.#failures++;
      if (this.#isNew(code, place, span)) this.#reported.push({ place, diagnostic });
    }
  }

  /** Counts what was not met before; false where there is no room for it, or it is known. */
  #isNew(code: Code, place: Span, span: Span, always = false): boolean {
    const key = [code, ...[place, span].map(({ file, start, end }) => `${file} ${start} ${end}`)].join(" ");
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    const { severity } = CODES[code];
    this.#counts[severity]++;
    if (this.#hasRoom(`${severity} ${span.file}`) || always) return true;
    this.#omitted = true;
    return false;
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
    const reported = this.#reported.map(({ diagnostic }) => diagnostic);
    if (this.#shifts.size === 0) return reported;
    const move = (span: Span): Span => {
      const by = this.#shifts.get(span.file) ?? 0;
      return { file: span.file, start: Math.max(0, span.start + by), end: Math.max(0, span.end + by) };
    };
    return reported.map((diagnostic) => ({
      ...diagnostic,
      span: move(diagnostic.span),
      notes: diagnostic.notes.map((note) => (note.span ? { ...note, span: move(note.span) } : note)),
      chain: diagnostic.chain.map((link) => ({ ...link, span: move(link.span) })),
    }));
  }

  /** The same with the places where they were met, not moved by {@link shift}. */
  get reported(): readonly Reported[] {
    return this.#reported;
  }

  /** Whether some were counted alone. */
  get hasOmitted(): boolean {
    return this.#omitted;
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
