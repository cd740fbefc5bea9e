/** `check --fix`: fixes are made as long as the sources get better by them. */
import type { Findings, SourceText } from "../../compiler/analyze.js";
import { applyFixes, badness, fixOf, isBetter } from "../../compiler/diagnostics/fix.js";

export interface Fixed {
  readonly texts: readonly SourceText[];
  readonly findings: Findings;
  /** How many fixes were made in each file; files without any are left out. */
  readonly made: ReadonlyMap<string, number>;
}

const ROUNDS = 20;
/** Fixes that are tried one by one in a round, where all together make nothing better. */
const SINGLES = 50;

/** @param check what is wrong with sources */
export function fixSources(texts: readonly SourceText[], check: (texts: readonly SourceText[]) => Findings): Fixed {
  let state: Fixed = { texts, findings: check(texts), made: new Map() };
  let best = state;
  for (let round = 0; round < ROUNDS; round++) {
    const next = step(state, check);
    if (next === undefined) break;
    state = next;
    // One fix may bring to light what it takes another to mend; what ends no better than it began is not kept.
    if (isBetter(badness(state.findings.diagnostics), badness(best.findings.diagnostics))) best = state;
  }
  return best;
}

/** All fixes made together, or else the first that alone makes nothing worse. */
function step(state: Fixed, check: (texts: readonly SourceText[]) => Findings): Fixed | undefined {
  const sources = new Map(state.texts.map(({ path, text }) => [path, text]));
  const fixable = state.findings.diagnostics.filter((diagnostic) => {
    const text = sources.get(diagnostic.span.file);
    return text !== undefined && fixOf(diagnostic, text) !== undefined;
  });
  if (fixable.length === 0) return undefined;
  const before = badness(state.findings.diagnostics);
  for (const choice of [fixable, ...fixable.slice(0, SINGLES).map((one) => [one])]) {
    const made = new Map(state.made);
    const texts = state.texts.map(({ path, text }) => {
      const result = applyFixes(
        text,
        choice.filter(({ span }) => span.file === path),
      );
      if (result.made > 0) made.set(path, (made.get(path) ?? 0) + result.made);
      return { path, text: result.text };
    });
    const findings = check(texts);
    if (!isBetter(before, badness(findings.diagnostics))) return { texts, findings, made };
  }
  return undefined;
}
