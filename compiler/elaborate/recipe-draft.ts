/** What a recipe's statements say, each bound to its words, before it is made a record. */
import type { Body, Span, Use } from "../../grammar/ast.js";
import { didYouMean } from "../diagnostics/suggest.js";
import type { Preprocess } from "../model.js";
import { channelsOf, counted, forChannels } from "../preprocess.js";
import type { TransformSettings } from "../recipe.js";
import { bind, type Bound } from "./bind.js";
import { fail, type Site } from "./evaluate.js";
import { RECIPE_BODIES, RECIPE_SETTINGS, REPEATED_WORDS, TRANSFORM_SETTINGS } from "./recipe-words.js";
import { readStatements, type SettingsBody } from "./settings.js";

/** One statement: `batch 128, accumulate: 4`. */
export interface Given {
  readonly values: Readonly<Record<string, Bound>>;
  readonly span: Span;
}

export interface RecipeDraft {
  /** By word: all statements of those that add up, the last one of the others. */
  readonly settings: Map<string, Given[]>;
  readonly transforms: Map<string, readonly TransformSettings[]>;
  /** False after an error, which is reported. */
  ok: boolean;
}

export function readDraft(opened: SettingsBody, site: Site): RecipeDraft {
  const draft: RecipeDraft = { settings: new Map(), transforms: new Map(), ok: true };
  readStatements(opened, site, (use, here) => {
    const word = use.target.map((part) => part.text).join(".");
    if ((RECIPE_BODIES as readonly string[]).includes(word)) {
      const read = readTransforms(use, opened.environment, here);
      if (read) draft.transforms.set(word, read);
      else draft.ok = false;
    } else if (Object.hasOwn(RECIPE_SETTINGS, word)) {
      const values = bind(`\`${word}\``, RECIPE_SETTINGS[word]!, use.arguments, use.span, here);
      const before = REPEATED_WORDS.has(word) ? draft.settings.get(word) : undefined;
      if (!values) draft.ok = false;
      else if (before) before.push({ values, span: use.span });
      else draft.settings.set(word, [{ values, span: use.span }]);
    } else {
      draft.ok = false;
      const words = [...Object.keys(RECIPE_SETTINGS), ...RECIPE_BODIES];
      const help = (): string => didYouMean(word, words) ?? `it has ${words.join(", ")}`;
      fail(here, "misplaced-statement", use.span, `\`${word}\` does not belong in a recipe`, { help });
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
    const word = transform.target.map((part) => part.text).join(".");
    const specs = Object.hasOwn(TRANSFORM_SETTINGS, word) ? TRANSFORM_SETTINGS[word] : undefined;
    if (!specs) {
      ok = false;
      const help = (): string =>
        didYouMean(word, Object.keys(TRANSFORM_SETTINGS)) ?? `there are ${Object.keys(TRANSFORM_SETTINGS).join(", ")}`;
      fail(here, "misplaced-statement", transform.span, `\`${word}\` is not a transform`, { help });
      return;
    }
    const bound = bind(`\`${word}\``, specs, transform.arguments, transform.span, here);
    if (bound && areForColour(bound, transform.span, here)) {
      found.push({ kind: word, ...(bound as Omit<TransformSettings, "kind">) });
    } else ok = false;
  });
  return ok ? found : undefined;
}

/** `normalize(color: grey)` has one mean; without a colour, as many as fit some. */
function areForColour(bound: Readonly<Record<string, Bound>>, span: Span, site: Site): boolean {
  const { color } = bound as { readonly color?: Preprocess["color"] };
  if (color === undefined) return true;
  const channels = channelsOf({ color });
  for (const name of ["mean", "std"] as const) {
    const numbers = bound[name] as readonly number[] | undefined;
    if (!numbers || forChannels(numbers, channels)) continue;
    fail(site, "channel-mismatch", span, `\`${name}\` has ${counted(numbers)}, \`color: ${color}\` takes ${channels}`);
    return false;
  }
  return true;
}
