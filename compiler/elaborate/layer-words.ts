/** Everything that stands among layers by a word of the language, and what is done for it. */
import { LAYERS } from "../ops/index.js";
import type { Operator } from "../ops/operator.js";
import { applyLayer, applyMerge, applyNothing, applyResidual, RESIDUAL_ARGUMENTS } from "./layers.js";
import { applyLoss } from "./losses.js";
import { defineShared } from "./shared.js";
import type { LayerWord } from "./values.js";

/** Words that are no operators. */
const STRUCTURE: readonly LayerWord[] = [
  {
    name: "residual",
    doc: "The braces plus a shortcut round them: y = F(x) + shortcut(x), equations (1) and (2).",
    source: "arXiv:1512.03385",
    arguments: RESIDUAL_ARGUMENTS,
    braces: "layers",
    apply: applyResidual,
  },
  {
    name: "nothing",
    doc: "In a shortcut declaration: no shortcut at all, as in the plain networks.",
    arguments: {},
    apply: applyNothing,
  },
  {
    name: "shared",
    doc: "A part that is used by its label, several times with the same weights: `head = shared { ... }`.",
    arguments: {},
    braces: "layers",
    defines: true,
    apply: defineShared,
  },
];

function ofOperator(operator: Operator): LayerWord {
  const { name, doc, layer } = operator;
  const word = { name, doc, arguments: layer?.arguments ?? {} };
  if (layer?.loss)
    return { ...word, isAside: true, apply: (use, context, given) => applyLoss(use, operator, context, given) };
  if (!layer?.merges) return { ...word, apply: (use, context, given) => applyLayer(use, operator, context, given) };
  return { ...word, braces: "layers", apply: (use, context, given) => applyMerge(use, operator, context, given) };
}

/** By name. */
export const LAYER_WORDS: Readonly<Record<string, LayerWord>> = Object.fromEntries(
  [...[...LAYERS.values()].map(ofOperator), ...STRUCTURE].map((word) => [word.name, word]),
);
