/** Settings of a recipe that contradict each other, each of which is allowed by itself. */
import type { Span } from "../../grammar/ast.js";
import { subtractsImage } from "../recipe.js";
import { goTogether } from "./bind.js";
import { statements, type RecipeDraft } from "./recipe-draft.js";
import { recipeWord, type RecipeWordName } from "./recipe-words.js";
import { fail, type Site } from "./site.js";

/** False after an error, which is reported. */
export function checkRecipe(draft: RecipeDraft, recipe: Span, site: Site): boolean {
  let ok = true;
  const last = <N extends RecipeWordName>(word: N) => statements(draft, word).at(-1)?.values;
  const spanOf = (word: RecipeWordName): Span => draft.settings.get(word)?.at(-1)?.span ?? recipe;
  const refuse = (code: "missing-argument" | "out-of-range" | "conflicting-settings") => {
    return (span: Span, message: string, help?: string): void => {
      ok = false;
      fail(site, code, span, message, { help });
    };
  };
  const [lacks, conflict, wrong] = [
    refuse("missing-argument"),
    refuse("conflicting-settings"),
    refuse("out-of-range"),
  ] as const;

  for (const [name, all] of draft.settings) {
    for (const { values, span } of all) if (!goTogether(recipeWord(name)!, values, span, site)) ok = false;
  }
  if (last("stop")?.min_delta !== undefined && last("stop")?.patience === undefined) {
    lacks(spanOf("stop"), "`min_delta` of `stop` needs `patience`", "write `patience: 10`");
  }
  if (last("learning_rate")?.schedule?.form === "one_cycle" && last("warm_up")) {
    conflict(spanOf("warm_up"), "`warm_up` does not go with `one_cycle`, which begins with a warm-up of its own");
  }
  const freezes = statements(draft, "freeze");
  const thaws = freezes.filter(({ values: { epochs, steps } }) => epochs !== undefined || steps !== undefined);
  for (const { values, span } of thaws) {
    if (values.batch_norm) conflict(span, "`batch_norm` of `freeze` can't be thawed: write it by itself");
    if (values.stages === undefined) lacks(span, "`freeze` needs the stages that are to be thawed");
  }
  const odd = thaws.find(({ values }) => (values.epochs === undefined) !== (thaws[0]!.values.epochs === undefined));
  if (odd) conflict(odd.span, "one `freeze` ends after `epochs`, another after `steps`: count both in the same");
  if (last("sampling")?.kind === "balanced" && last("class_weights")?.weights === "balanced") {
    conflict(
      spanOf("class_weights"),
      "`class_weights balanced` does not go with `sampling balanced`: rare classes would count twice over",
    );
  }
  if (last("validate")?.raw && !last("ema")) {
    lacks(spanOf("validate"), "`raw` of `validate` needs `ema`: without it only the weights as they are exist");
  }
  const scales = last("test_scales")?.sides;
  if (scales && (scales.length === 0 || !scales.every(Number.isInteger))) {
    wrong(spanOf("test_scales"), "`test_scales` are whole numbers of pixels, one or more");
  } else if (scales && [...draft.transforms.values()].flat().some(subtractsImage)) {
    const help = "write `subtract_mean(per: channel)`, or `normalize`";
    conflict(spanOf("test_scales"), "`test_scales` need a mean that fits every size", help);
  }
  return ok;
}
