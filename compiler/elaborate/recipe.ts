/** `recipe` declarations to records. */
import type { Use } from "../../grammar/ast.js";
import { recipeProblems } from "../recipe-rules.js";
import type { Recipe } from "../recipe.js";
import { completed } from "../words/schema.js";
import { open } from "./declarations.js";
import { checkRecipe } from "./recipe-checks.js";
import { readDraft, type RecipeDraft } from "./recipe-draft.js";
import { applyOverrides } from "./recipe-overrides.js";
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
  applyOverrides(draft, changes, { ...site, environment: opened.environment });
  const { settings, transforms } = draft;
  const { name } = opened.declaration;
  const words: readonly RecipeWord[] = Object.values(RECIPE_WORDS);
  for (const { name: word, example } of words) {
    if (example === undefined || settings.has(word) || !draft.ok) continue;
    draft.ok = false;
    fail(site, "missing-argument", name.span, `recipe ${name.text} needs \`${word}\``, {
      help: `write \`${example}\``,
    });
  }
  if (draft.ok && !checkRecipe(draft, name.span, site)) return undefined;
  if (!draft.ok) return undefined;
  const recipe = {
    name: value.alias ?? value.declaration.name.text,
    ...Object.assign({}, ...words.map((word) => partOf(word, draft))),
    train: transforms.get("train") ?? [],
    evaluate: transforms.get("evaluate") ?? [],
  } as Recipe;
  for (const { code, word, message, help } of recipeProblems(recipe)) {
    fail(site, code, settings.get(word)?.at(-1)?.span ?? name.span, message, { help });
  }
  return recipe;
}

/** What a word makes of the recipe, whether it stands there or not. */
function partOf(word: RecipeWord, { settings }: RecipeDraft): Partial<Recipe> {
  const statements = settings.get(word.name)?.map(({ values }) => completed(word.arguments, values));
  if (!statements) return word.absent ?? {};
  return word.gives(...(word.repeats ? statements : statements.slice(-1)));
}
