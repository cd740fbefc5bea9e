/** `weights` declarations, the name maps, to records. */
import type { WeightMap } from "../model.js";
import { choice, number, size, text, words } from "../words/schema.js";
import { declaration } from "./declared.js";
import { open } from "./declarations.js";
import type { Site } from "./evaluate.js";
import { readPreprocess } from "./preprocess.js";
import { readSettings } from "./settings.js";
import type { DeclarationValue } from "./values.js";

/** The words of a `weights` declaration. */
export const WEIGHTS_WORDS = words({
  format: {
    doc: "How each layer's tensors are laid out and called.",
    arguments: { framework: choice("Whose.", ["pytorch", "caffe", "detectron2"]) },
  },
  rename: {
    doc: "Paths of our layers and what they call them; `{i}` and `{j + 1}` stand for numbers.",
    arguments: { ours: text("Pattern of our paths."), theirs: text("The same on their side.") },
  },
  ignore: {
    doc: "Tensors on their side that may be there and are not needed.",
    arguments: { pattern: text("A part of their names.") },
  },
  stride_in: {
    doc: "Which convolution of a bottleneck has its stride in these weights, which no shape tells.",
    arguments: { kernel: size("Its kernel: `1x1` or `3x3`.", { min: 1 }) },
  },
  epsilon: {
    doc: "What these weights' batch norms add to the variance; by default what ours do.",
    arguments: { value: number("Added to the variance.", { min: 0 }) },
  },
  trained_with: {
    doc: "The preprocessing that these weights were trained with.",
    arguments: { preprocess: declaration("A preprocess declaration.", "preprocess") },
  },
});

/** The record of a `weights` declaration. Undefined after an error. */
export function readWeightMap(value: DeclarationValue, site: Site): WeightMap | undefined {
  const opened = open(value, site);
  if (!opened) return undefined;
  const settings = readSettings(opened, WEIGHTS_WORDS, site);
  const strideIn = settings.last("stride_in")?.values.kernel;
  const epsilon = settings.last("epsilon")?.values.value;
  const trainedWith = settings.last("trained_with")?.values.preprocess;
  const preprocess = trainedWith && readPreprocess(trainedWith, site);
  return {
    name: value.alias ?? value.declaration.name.text,
    format: settings.last("format")?.values.framework ?? "pytorch",
    renames: settings.all("rename").map(({ values }) => values),
    ignore: settings.all("ignore").map(({ values }) => values.pattern),
    ...(strideIn ? { strideIn } : {}),
    ...(epsilon === undefined ? {} : { epsilon }),
    ...(preprocess ? { trainedWith: preprocess } : {}),
  };
}
