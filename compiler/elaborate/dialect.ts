/** `dialect` declarations to records. */
import type { Dialect } from "../detection/dialect.js";
import type { Bound, Spec } from "./bind.js";
import { fail, type Site } from "./evaluate.js";
import { readSettings, type SettingSpec } from "./settings.js";
import { open } from "./declarations.js";
import type { DeclarationValue } from "./values.js";

const words = (name: string, ...all: readonly string[]): Spec => ({ name, type: "word", words: all });
const number = (name: string, fallback: number): Spec => ({ name, type: "number", min: 0, default: fallback });
const yes = (name: string): Spec => ({ name, type: "boolean", default: false });

/** In a `dialect` declaration: every one has to be there, since a convention that is not said is one that is guessed. */
export const DIALECT_SETTINGS: Readonly<Record<string, SettingSpec>> = {
  box_rule: [words("edges", "inclusive", "exclusive"), yes("last_pixel")],
  delta_rule: [{ name: "regions", type: "numbers", min: 1e-6 }, number("clamp", 0)],
  anchor_rule: [
    words("rounding", "none", "corners", "base"),
    words("order", "by_ratio", "by_size"),
    words("step", "fixed", "grid"),
  ],
  objectness_rule: [words("kind", "softmax", "sigmoid")],
  proposal_rule: [words("rank", "before", "after"), number("min_size", 0), yes("scaled"), yes("strict")],
  background_rule: [words("place", "first", "last")],
  detection_rule: [
    words("coordinates", "input", "image"),
    number("threshold", 0),
    number("min_size", 0),
    yes("clip"),
    yes("ties"),
  ],
};

/** Undefined after an error, which is reported. */
export function readDialect(value: DeclarationValue, site: Site): Dialect | undefined {
  const opened = open(value, site);
  if (!opened) return undefined;
  const errors = site.reporter.errorCount;
  const settings = new Map(readSettings(opened, DIALECT_SETTINGS, site).map(({ word, values }) => [word, values]));
  const { name } = opened.declaration;
  for (const word of Object.keys(DIALECT_SETTINGS)) {
    if (settings.has(word) || site.reporter.errorCount > errors) continue;
    fail(site, "missing-argument", name.span, `dialect ${name.text} needs \`${word}\``);
  }
  const weights = settings.get("delta_rule")?.["regions"] as readonly number[] | undefined;
  if (weights && weights.length !== 4) {
    fail(site, "out-of-range", name.span, `\`regions\` of \`delta_rule\` are four numbers, not ${weights.length}`);
  }
  if (site.reporter.errorCount > errors) return undefined;
  const get = <T extends Bound>(word: string, key: string): T =>
    (settings.get(word)?.[key] ?? DIALECT_SETTINGS[word]?.find((spec) => spec.name === key)?.default) as T;
  return {
    name: value.alias ?? name.text,
    inclusive: get("box_rule", "edges") === "inclusive",
    lastPixel: get("box_rule", "last_pixel"),
    regionWeights: get("delta_rule", "regions"),
    clamp: get("delta_rule", "clamp"),
    anchors: {
      rounding: get<Dialect["anchors"]["rounding"]>("anchor_rule", "rounding"),
      order: get<Dialect["anchors"]["order"]>("anchor_rule", "order"),
      step: get<Dialect["anchors"]["step"]>("anchor_rule", "step"),
    },
    objectness: get<Dialect["objectness"]>("objectness_rule", "kind"),
    proposals: {
      rank: get<Dialect["proposals"]["rank"]>("proposal_rule", "rank"),
      minSize: get("proposal_rule", "min_size"),
      scaled: get("proposal_rule", "scaled"),
      strict: get("proposal_rule", "strict"),
    },
    background: get<Dialect["background"]>("background_rule", "place"),
    detections: {
      coordinates: get<Dialect["detections"]["coordinates"]>("detection_rule", "coordinates"),
      threshold: get("detection_rule", "threshold"),
      minSize: get("detection_rule", "min_size"),
      clip: get("detection_rule", "clip"),
      ties: get("detection_rule", "ties"),
    },
  };
}
