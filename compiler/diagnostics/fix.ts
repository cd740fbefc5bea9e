/** Mending sources by what diagnostics know: `fix` replaces the span. */
import { SYNTAX_ERROR_CODES } from "../../grammar/parse.js";
import type { Diagnostic } from "./diagnostic.js";

const UNKNOWN = new Set<string>(["unknown-name", "unknown-argument", "unknown-import", "unknown-member"]);

/** What can stand in the span's place: the fix, or for a name that is unknown the one that is suggested, if it is no single letter. */
export function fixOf({ code, fix, help, span }: Diagnostic, text: string): string | undefined {
  if (fix !== undefined || !UNKNOWN.has(code)) return fix;
  const near = /^did you mean `(\w{3,})`\?$/.exec(help ?? "")?.[1];
  return /^\w+$/.test(text.slice(span.start, span.end)) ? near : undefined;
}

/**
 * The text with the fixes of its diagnostics in it. Of fixes that overlap, the first in the text is made: the others may
 * be found again when the result is checked.
 */
export function applyFixes(text: string, diagnostics: readonly Diagnostic[]): { text: string; made: number } {
  const fixes = diagnostics
    .map((diagnostic) => ({ span: diagnostic.span, fix: fixOf(diagnostic, text) }))
    .filter(({ fix, span }) => fix !== undefined && span.start <= span.end && span.end <= text.length)
    .sort((a, b) => a.span.start - b.span.start || a.span.end - b.span.end);
  const parts: string[] = [];
  let end = 0;
  let made = 0;
  let last = -1;
  for (const { fix, span } of fixes) {
    if (span.start < end || span.start === last) continue;
    parts.push(text.slice(end, span.start), fix!);
    end = span.end;
    last = span.start;
    made++;
  }
  return { text: parts.join("") + text.slice(end), made };
}

/** How bad a state of sources is, the worst first: what hides other problems counts before those. */
export type Badness = readonly [syntaxErrors: number, errors: number, problems: number];

export function badness(diagnostics: readonly Diagnostic[]): Badness {
  const codes = new Set<string>(SYNTAX_ERROR_CODES);
  const syntax = diagnostics.filter(({ code }) => codes.has(code)).length;
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  return [syntax, errors, diagnostics.length];
}

/** Whether the first is better than the second. */
export function isBetter(a: Badness, b: Badness): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! < b[i]!;
  return false;
}
