import type { Diagnostic } from "../diagnostics/diagnostic.js";

/** What was found, and the text of every file that took part, for code frames. */
export interface Findings {
  /** Of very many the first (docs/language.md, limits). */
  readonly diagnostics: readonly Diagnostic[];
  /** How many were found, those that are not among them included. */
  readonly errorCount: number;
  readonly warningCount: number;
  readonly sources: ReadonlyMap<string, string>;
}

/** A file that need not exist: the text of an editor. */
export interface SourceText {
  readonly path: string;
  readonly text: string;
}
