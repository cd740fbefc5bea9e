/** What a recipe's statements say, each bound to its words, before it is made a record. */
import type { Body, Span, Use } from "../../grammar/ast.js";
import { didYouMean } from "../diagnostics/suggest.js";
import type { Normalization } from "../preprocess.js";
import type { TransformSettings } from "../recipe.js";
import { bind } from "./bind.js";
import { own } from "../../grammar/own.js";
import type { Given as GivenOf, Schema, Words } from "../words/schema.js";
import { TRANSFORM_WORDS } from "../words/transforms.js";
import { forColour } from "./preprocess.js";
import { RECIPE_BODIES, RECIPE_WORDS, recipeWord, type RecipeWordName } from "./recipe-words.js";
import { readStatements, type SettingsBody } from "./settings.js";
import { fail, type Site } from "./site.js";

/** One statement: `batch 128, accumulate: 4`; what it leaves out is absent. */
export interface Statement<S extends Schema = Schema> {
  readonly values: Partial<GivenOf<S>>;
  readonly span: Span;
}

/** `phase rpn { ... }` */
export interface PhaseBody {
  readonly name: string;
  readonly body: Body;
  readonly span: Span;
  /** With the names that are known there. */
  readonly site: Site;
}

export interface RecipeDraft {
  /** By word: all statements of those that add up, the last one of the others. */
  readonly settings: Map<string, Statement[]>;
  readonly transforms: Map<string, readonly TransformSettings[]>;
  /** Parts that stand in it, not read yet. */
  readonly phases: readonly PhaseBody[];
  /** False after an error, which is reported. */
  ok: boolean;
}

/** The statements of one word. */
export function statements<N extends RecipeWordName>(
  { settings }: RecipeDraft,
  word: N,
): readonly Statement<(typeof RECIPE_WORDS)[N]["arguments"]>[] {
  return (settings.get(word) ?? []) as readonly Statement<(typeof RECIPE_WORDS)[N]["arguments"]>[];
}

/** @param before what the statements come behind: those of a phase are as if they stood at its recipe's end */
export function readDraft(opened: SettingsBody, site: Site, before?: RecipeDraft): RecipeDraft {
  const phases: PhaseBody[] = [];
  const draft: RecipeDraft = {
    settings: new Map([...(before?.settings ?? [])].map(([name, all]) => [name, [...all]])),
    transforms: new Map(before?.transforms),
    phases,
    ok: before?.ok ?? true,
  };
  readStatements(opened, site, (use, here) => {
    const name = use.target.map((part) => part.text).join(".");
    const word = recipeWord(name);
    if (name === RECIPE_BODIES.phase.name) {
      const read = readPhase(use, here, before !== undefined);
      if (read) phases.push(read);
      else draft.ok = false;
    } else if (Object.hasOwn(RECIPE_BODIES, name)) {
      const read = readTransforms(use, here.environment, here);
      if (read) draft.transforms.set(name, read);
      else draft.ok = false;
    } else if (word) {
      const values = bind(`\`${name}\``, word.arguments, use.arguments, use.span, here);
      const before = word.repeats ? draft.settings.get(name) : undefined;
      if (!values) draft.ok = false;
      else if (before) before.push({ values, span: use.span });
      else draft.settings.set(name, [{ values, span: use.span }]);
    } else {
      draft.ok = false;
      const words = Object.keys({ ...RECIPE_WORDS, ...RECIPE_BODIES });
      const help = (): string => didYouMean(name, words) ?? `it has ${words.join(", ")}`;
      fail(here, "misplaced-statement", use.span, `\`${name}\` does not belong in a recipe`, { help });
    }
  });
  return draft;
}

function readPhase(use: Use, site: Site, isInside: boolean): PhaseBody | undefined {
  if (isInside) {
    fail(site, "misplaced-statement", use.span, "a phase has no phases of its own", {
      help: "write them one after the other in the recipe",
    });
    return undefined;
  }
  const values = bind("`phase`", RECIPE_BODIES.phase.arguments, use.arguments, use.span, site);
  const [body] = use.bodies;
  const [name, ...others] = values?.name ?? [];
  if (!body) {
    fail(site, "missing-body", use.span, "`phase` needs its settings in braces", {
      help: `write \`phase ${name ?? "first"} { stop 10k }\``,
    });
  }
  if (!body || name === undefined || others.length > 0) return undefined;
  if (!/^[A-Za-z_]\w*$/.test(name) || recipeWord(name) || Object.hasOwn(RECIPE_BODIES, name)) {
    fail(site, "duplicate-name", use.span, `a phase can't be called \`${name}\``, {
      help: "a phase has a name of its own, which is no word of recipes and has no points in it",
    });
    return undefined;
  }
  return { name, body, span: use.span, site };
}

/** `train { pad 4   random_crop 32x32   flip_horizontal }` */
function readTransforms(use: Use, environment: Site["environment"], site: Site): TransformSettings[] | undefined {
  const [body] = use.bodies;
  if (!body) {
    fail(site, "missing-body", use.span, `\`${use.target[0]?.text ?? ""}\` needs its transforms in braces`);
    return undefined;
  }
  const found: TransformSettings[] = [];
  let ok = true;
  const inside = { declaration: { keyword: "recipe" }, body: body satisfies Body, environment };
  readStatements(inside, site, (transform, here) => {
    const name = transform.target.map((part) => part.text).join(".");
    const word = own<Words[string]>(TRANSFORM_WORDS, name);
    if (!word) {
      ok = false;
      const names = Object.keys(TRANSFORM_WORDS);
      const help = (): string => didYouMean(name, names) ?? `there are ${names.join(", ")}`;
      fail(here, "misplaced-statement", transform.span, `\`${name}\` is not a transform`, { help });
      return;
    }
    const bound = bind(`\`${name}\``, word.arguments, transform.arguments, transform.span, here);
    if (bound && areForColour(bound, transform.span, here)) found.push({ kind: name, ...bound });
    else ok = false;
  });
  return ok ? found : undefined;
}

/** `normalize(color: grey)` has one mean; without a colour, as many as fit some. */
function areForColour(bound: Partial<Normalization>, span: Span, site: Site): boolean {
  return bound.color === undefined || forColour(bound, span, site) !== undefined;
}
