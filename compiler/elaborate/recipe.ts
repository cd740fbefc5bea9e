/** `recipe` declarations to records. */
import type { Span, Use } from "../../grammar/ast.js";
import { phaseProblems, settingProblems } from "../recipe-rules.js";
import type { Recipe } from "../recipe.js";
import { completed } from "../words/schema.js";
import { open } from "./declarations.js";
import { checkRecipe } from "./recipe-checks.js";
import { readDraft, type RecipeDraft } from "./recipe-draft.js";
import { applyOverrides } from "./recipe-overrides.js";
import { readPhases, type Complete } from "./recipe-phases.js";
import { RECIPE_WORDS, type RecipeWord } from "./recipe-words.js";
import { fail, type Site } from "./site.js";
import type { DeclarationValue } from "./values.js";

/**
 * Undefined after an error, which is reported.
 *
 * @param changes statements that are given beside the recipe ({@link parseOverrides}) and come after its own
 */
export function readRecipe(value: DeclarationValue, site: Site, changes: readonly Use[] = []): Recipe | undefined {
  const opened = open(value, site);
  if (!opened) return undefined;
  const draft = readDraft(opened, site);
  const inside = { ...site, environment: opened.environment };
  const name = value.alias ?? value.declaration.name.text;
  const { span } = opened.declaration.name;
  if (draft.phases.length === 0) {
    applyOverrides(draft, changes, inside);
    const recipe = completeRecipe(draft, "recipe", name, span, site);
    return recipe && checked(recipe, draft, span, site);
  }
  const complete: Complete = (each, called, at) => completeRecipe(each, "phase", called, at, site);
  const phases = readPhases(draft, changes, inside, complete);
  return phases && checked({ ...phases.at(-1)!, name, phases }, draft, span, site);
}

/** With what phases say of one another reported. */
function checked(recipe: Recipe, { settings, phases }: RecipeDraft, span: Span, site: Site): Recipe {
  for (const { code, word, phase, message, help } of phaseProblems(recipe)) {
    const own = phases.find(({ name }) => name === phase)?.span;
    fail(site, code, own ?? settings.get(word)?.at(-1)?.span ?? span, message, { help });
  }
  return recipe;
}

function completeRecipe(
  draft: RecipeDraft,
  keyword: "recipe" | "phase",
  name: string,
  span: Span,
  site: Site,
): Recipe | undefined {
  const { settings, transforms } = draft;
  const words: readonly RecipeWord[] = Object.values(RECIPE_WORDS);
  for (const { name: word, example } of words) {
    if (example === undefined || settings.has(word) || !draft.ok) continue;
    draft.ok = false;
    fail(site, "missing-argument", span, `${keyword} ${name} needs \`${word}\``, { help: `write \`${example}\`` });
  }
  if (draft.ok && !checkRecipe(draft, span, site)) return undefined;
  if (!draft.ok) return undefined;
  const recipe = {
    name,
    ...Object.assign({}, ...words.map((word) => partOf(word, draft))),
    train: transforms.get("train") ?? [],
    evaluate: transforms.get("evaluate") ?? [],
  } as Recipe;
  for (const { code, word, message, help } of settingProblems(recipe)) {
    fail(site, code, settings.get(word)?.at(-1)?.span ?? span, message, { help });
  }
  return recipe;
}

/** What a word makes of the recipe, whether it stands there or not. */
function partOf(word: RecipeWord, { settings }: RecipeDraft): Partial<Recipe> {
  const statements = settings.get(word.name)?.map(({ values }) => completed(word.arguments, values));
  if (!statements) return word.absent ?? {};
  return word.gives(...(word.repeats ? statements : statements.slice(-1)));
}
