/** The phases of a recipe: each is the recipe with its own settings behind it. */
import type { Span, Use } from "../../grammar/ast.js";
import { didYouMean } from "../diagnostics/suggest.js";
import type { Recipe } from "../recipe.js";
import { readDraft, type PhaseBody, type RecipeDraft } from "./recipe-draft.js";
import { applyOverrides } from "./recipe-overrides.js";
import { fail, type Site } from "./site.js";

/** Makes a record of what was read; undefined after an error, which is reported. */
export type Complete = (draft: RecipeDraft, name: string, span: Span) => Recipe | undefined;

/**
 * Undefined after an error, which is reported.
 *
 * @param whole what the recipe says outside of its phases
 * @param changes statements that come behind those of all phases, or behind those of one: `rpn.stop=100`
 */
export function readPhases(
  whole: RecipeDraft,
  changes: readonly Use[],
  site: Site,
  complete: Complete,
): readonly Recipe[] | undefined {
  const names = whole.phases.map(({ name }) => name);
  const read = whole.phases.map((phase, index) => {
    const { name, span } = phase;
    const draft = draftOf(phase, whole);
    applyOverrides(draft, forPhase(changes, name, names), site);
    if (names.indexOf(name) < index) {
      fail(phase.site, "duplicate-name", span, `two phases are called \`${name}\``);
      return undefined;
    }
    return checkPhase(draft, phase, names.slice(0, index), names) ? complete(draft, name, span) : undefined;
  });
  return read.every((phase) => phase !== undefined) ? read : undefined;
}

function draftOf({ body, site }: PhaseBody, whole: RecipeDraft): RecipeDraft {
  return readDraft({ declaration: { keyword: "recipe" }, body, environment: site.environment }, site, whole);
}

/** Those that hold for this phase, as its statements would be written. */
function forPhase(changes: readonly Use[], name: string, names: readonly string[]): readonly Use[] {
  return changes.flatMap((use) => {
    const [first, ...target] = use.target;
    if (first === undefined || target.length === 0 || !names.includes(first.text)) return [use];
    return first.text === name ? [{ ...use, target }] : [];
  });
}

/** False after an error, which is reported. */
function checkPhase(
  { settings }: RecipeDraft,
  { name, body, site }: PhaseBody,
  before: readonly string[],
  all: readonly string[],
): boolean {
  const seed = settings.get("seed")?.at(-1);
  if (seed && seed.span.start >= body.span.start && seed.span.end <= body.span.end) {
    fail(site, "misplaced-statement", seed.span, "a phase has the seed of its recipe", {
      help: "write `seed` in the recipe",
    });
    return false;
  }
  const proposals = settings.get("proposals")?.at(-1);
  const [from] = (proposals?.values["of"] ?? []) as readonly string[];
  if (!proposals || from === undefined || before.includes(from)) return true;
  if (all.includes(from)) {
    const message =
      from === name ? `phase ${name} can't learn from its own proposals` : `phase ${from} comes after ${name}`;
    fail(site, "conflicting-settings", proposals.span, message, { help: "name one that is over before it begins" });
  } else {
    const help = (): string => didYouMean(from, all) ?? `there are ${all.join(", ")}`;
    fail(site, "unknown-name", proposals.span, `there is no phase \`${from}\``, { help });
  }
  return false;
}
