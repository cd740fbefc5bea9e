/** Settings of a recipe that contradict each other, each of which is allowed by itself. */
import type { Span } from "../../grammar/ast.js";
import { subtractsImage } from "../recipe.js";
import type { Bound, Form } from "./bind.js";
import { fail, type Site } from "./evaluate.js";
import type { RecipeDraft } from "./recipe-draft.js";
import { ALTERNATIVES, ONE_NEEDED } from "./recipe-words.js";

/** False after an error, which is reported. */
export function checkRecipe(draft: RecipeDraft, recipe: Span, site: Site): boolean {
  let ok = true;
  const settings = new Map([...draft.settings].map(([word, given]) => [word, given.at(-1)!]));
  const value = (word: string, name: string): Bound | undefined => settings.get(word)?.values[name];
  const spanOf = (word: string): Span => settings.get(word)?.span ?? recipe;
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

  for (const [word, given] of draft.settings) {
    for (const { values, span } of given) {
      for (const [name, set] of givenIn(word, values, ALTERNATIVES)) {
        if (set.length > 1) conflict(span, `\`${set[0]!}\` of \`${name}\` does not go with \`${set[1]!}\``);
      }
      for (const [name, set] of givenIn(word, values, ONE_NEEDED)) {
        if (set.length === 0)
          lacks(span, `\`${name}\` needs ${ONE_NEEDED[name]!.map((each) => `\`${each}\``).join(" or ")}`);
      }
    }
  }
  if (value("stop", "min_delta") !== undefined && value("stop", "patience") === undefined) {
    lacks(spanOf("stop"), "`min_delta` of `stop` needs `patience`", "write `patience: 10`");
  }
  const schedule = value("learning_rate", "schedule") as Form | undefined;
  if (schedule?.name === "cosine_restarts" && !("steps" in schedule.values) && !("epochs" in schedule.values)) {
    lacks(spanOf("learning_rate"), "`cosine_restarts` needs the length of a cycle, in `steps` or `epochs`");
  }
  if (schedule?.name === "one_cycle" && settings.has("warm_up")) {
    conflict(spanOf("warm_up"), "`warm_up` does not go with `one_cycle`, which begins with a warm-up of its own");
  }
  for (const { values, span } of draft.settings.get("freeze") ?? []) {
    const thaws = values["epochs"] !== undefined || values["steps"] !== undefined;
    if (!thaws) continue;
    if (values["batch_norm"] === true) conflict(span, "`batch_norm` of `freeze` can't be thawed: write it by itself");
    if (values["stages"] === undefined) lacks(span, "`freeze` needs the stages that are to be thawed");
  }
  const thaws = (draft.settings.get("freeze") ?? []).filter(({ values }) => values["epochs"] ?? values["steps"]);
  const odd = thaws.find(
    ({ values }) => (values["epochs"] === undefined) !== (thaws[0]!.values["epochs"] === undefined),
  );
  if (odd) conflict(odd.span, "one `freeze` ends after `epochs`, another after `steps`: count both in the same");
  if (value("sampling", "kind") === "balanced" && value("class_weights", "weights") === "balanced") {
    conflict(
      spanOf("class_weights"),
      "`class_weights balanced` does not go with `sampling balanced`: rare classes would count twice over",
    );
  }
  if (value("validate", "raw") === true && !settings.has("ema")) {
    lacks(spanOf("validate"), "`raw` of `validate` needs `ema`: without it only the weights as they are exist");
  }
  const scales = value("test_scales", "sides") as readonly number[] | undefined;
  if (scales && (scales.length === 0 || !scales.every(Number.isInteger))) {
    wrong(spanOf("test_scales"), "`test_scales` are whole numbers of pixels, one or more");
  } else if (scales && [...draft.transforms.values()].flat().some(subtractsImage)) {
    const help = "write `subtract_mean(per: channel)`, or `normalize`";
    conflict(spanOf("test_scales"), "`test_scales` need a mean that fits every size", help);
  }
  return ok;
}

/** Of the setting and of each form in it that the table names: which of the arguments there say something. */
function givenIn(
  word: string,
  values: Readonly<Record<string, Bound>>,
  table: Readonly<Record<string, readonly string[]>>,
): readonly (readonly [name: string, given: readonly string[]])[] {
  const forms = Object.values(values).filter(
    (value): value is Form => typeof value === "object" && "kind" in value && value.kind === "form",
  );
  return [{ name: word, values }, ...forms].flatMap((each) => {
    if (!Object.hasOwn(table, each.name)) return [];
    return [[each.name, table[each.name]!.filter((name) => saysSomething(each.values[name]))] as const];
  });
}

function saysSomething(value: Bound | undefined): boolean {
  return value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
}
