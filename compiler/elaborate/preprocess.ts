/** `preprocess` declarations to records. */
import type { Span } from "../../grammar/ast.js";
import type { Preprocess } from "../model.js";
import { channelsOf, counted, forChannels, orderProblem, type Normalization } from "../preprocess.js";
import { PREPROCESS_WORDS, type TransformSettings } from "../words/transforms.js";
import { open } from "./declarations.js";
import { readSettings, type NamedSetting } from "./settings.js";
import { fail, type Site } from "./site.js";
import type { DeclarationValue } from "./values.js";

/** The record of a `preprocess` declaration. Undefined after an error. */
export function readPreprocess(value: DeclarationValue, site: Site): Preprocess | undefined {
  const opened = open(value, site);
  if (!opened) return undefined;
  const { inOrder } = readSettings(opened, PREPROCESS_WORDS, site);
  const read = inOrder.map((setting) => settingsOf(setting, site));
  const transforms = read.filter((each) => each !== undefined);
  if (transforms.length < read.length) return undefined;
  const problem = orderProblem(transforms);
  if (problem) fail(site, "misplaced-statement", inOrder[problem.at]!.span, problem.message);
  return problem ? undefined : { name: value.alias ?? value.declaration.name.text, transforms };
}

function settingsOf(setting: NamedSetting<typeof PREPROCESS_WORDS>, site: Site): TransformSettings | undefined {
  const { word, values, span } = setting;
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  const settings = { kind: word, ...(Object.fromEntries(given) as Omit<TransformSettings, "kind">) };
  if (word !== "normalize") return settings;
  const numbers = forColour(setting.values, span, site);
  return numbers && { ...settings, ...numbers };
}

/**
 * The numbers of `normalize` for each channel of its colour: grey has one of each.
 *
 * @returns undefined where there are others, which is reported
 */
export function forColour(
  { color = "rgb", mean, std }: Partial<Normalization>,
  span: Span,
  site: Site,
): Partial<Pick<Normalization, "mean" | "std">> | undefined {
  const channels = channelsOf({ color });
  const fit: { mean?: readonly number[]; std?: readonly number[] } = {};
  for (const [name, numbers] of Object.entries({ mean, std }) as ["mean" | "std", readonly number[] | undefined][]) {
    if (numbers === undefined) continue;
    fit[name] = forChannels(numbers, channels);
    if (fit[name] !== undefined) continue;
    fail(site, "channel-mismatch", span, `\`${name}\` has ${counted(numbers)}, \`color: ${color}\` takes ${channels}`);
    return undefined;
  }
  return fit;
}
