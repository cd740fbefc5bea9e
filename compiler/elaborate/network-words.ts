/** Statements that say something of a network rather than add a layer: `shortcuts`, `preprocess`, `output`, ... */
import type { Use } from "../../grammar/ast.js";
import { completed, label, texts, type Schema, type Values, type Word } from "../words/schema.js";
import { bind } from "./bind.js";
import { declaration, declarations } from "./declared.js";
import { siteOf, type NetworkState, type Context } from "./context.js";
import { fail } from "./site.js";

/** A setting of a network's own body: what it takes, and what it changes. */
export interface NetworkWord<S extends Schema = Schema> extends Word<string, S> {
  apply(values: Values<S>, network: NetworkState): void;
}

function setting<const S extends Schema>(word: NetworkWord<S>): NetworkWord {
  return word;
}

/** By name. */
export const NETWORK_WORDS: Readonly<Record<string, NetworkWord>> = Object.fromEntries(
  [
    setting({
      name: "shortcuts",
      doc: "The kind of shortcut that every residual below uses.",
      arguments: { kind: declaration("A shortcut declaration.", "shortcut") },
      apply: ({ kind }, network) => void (network.shortcut = kind),
    }),
    setting({
      name: "preprocess",
      doc: "How an image becomes this network's input.",
      arguments: { how: declaration("A preprocess declaration.", "preprocess") },
      apply: ({ how }, network) => void (network.preprocess = how),
    }),
    setting({
      name: "labels",
      doc: "The names of the classes.",
      arguments: { names: texts("In the order of the network's outputs; `none`: it has none.", { optional: true }) },
      apply: ({ names }, network) => void (network.labels = names),
    }),
    setting({
      name: "weights",
      doc: "The name maps by which other people's weights load into this network; the first that fits is used.",
      arguments: { maps: declarations("Weights declarations.", "weights", { many: true }) },
      apply: ({ maps }, network) => void (network.weights = maps),
    }),
    setting({
      name: "output",
      doc: "The tensors that the network gives.",
      arguments: {
        tensors: label("Labels or members of tensors, or of lists of them, in order; outputs are called like them.", {
          many: true,
        }),
      },
      apply: ({ tensors }, network) => void (network.outputs = tensors),
    }),
    setting({
      name: "dialect",
      doc: "The rules of boxes, anchors and suppression that a detector follows.",
      arguments: { rules: declaration("A dialect declaration.", "dialect") },
      apply: ({ rules }, network) => void (network.dialect = rules),
    }),
  ].map((word) => [word.name, word]),
);

/** Carries out `shortcuts X` and its like. */
export function applyNetworkWord(use: Use, word: NetworkWord, context: Context): void {
  const site = siteOf(context);
  if (context.kind !== "network") {
    fail(site, "misplaced-statement", use.span, `\`${word.name}\` stands in a network's own body`);
    return;
  }
  const given = bind(`\`${word.name}\``, word.arguments, use.arguments, use.span, site);
  if (given) word.apply(completed(word.arguments, given), context.network);
}
