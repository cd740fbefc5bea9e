/** Everything that stands among layers by a word of the language, and what is done for it. */
import type { Use } from "../../grammar/ast.js";
import { LAYERS } from "../ops/index.js";
import type { Operator } from "../ops/operator.js";
import type { Word } from "../words/schema.js";
import { declaration } from "./declared.js";
import { applyLayer, applyMerge, applyNothing, applyResidual } from "./layers.js";
import { applyLoss } from "./losses.js";
import type { Context } from "./context.js";
import { defineShared } from "./shared.js";
import type { LayerArguments } from "./values.js";

/** A word among layers. */
export interface LayerWord extends Word {
  /** It adds no layer where it stands, so that nothing has to flow there. */
  readonly defines?: true;
  /** It stands beside the flow, which goes on as it came. */
  readonly isAside?: true;
  /** @param given arguments that are not among those of the statement: of `norm`, where that is `group_norm(32)`. */
  apply(use: Use, context: Context, given: LayerArguments): void;
}

/** What `residual` takes. */
export const RESIDUAL_ARGUMENTS = {
  shortcut: declaration("In place of the network's.", "shortcut", { optional: true }),
};

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
