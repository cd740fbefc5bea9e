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

export interface RecipeDraft {
  /** By word: all statements of those that add up, the last one of the others. */
  readonly settings: Map<string, Statement[]>;
  readonly transforms: Map<string, readonly TransformSettings[]>;
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

export function readDraft(opened: SettingsBody, site: Site): RecipeDraft {
  const draft: RecipeDraft = { settings: new Map(), transforms: new Map(), ok: true };
  readStatements(opened, site, (use, here) => {
    const name = use.target.map((part) => part.text).join(".");
    const word = recipeWord(name);
    if (Object.hasOwn(RECIPE_BODIES, name)) {
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
