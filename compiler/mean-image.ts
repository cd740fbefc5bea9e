/** The model that subtracts a mean image itself, so that its file alone classifies. */
import { constant } from "./ir/build.js";
import type { Model } from "./model.js";
import { node } from "./ops/node.js";
import { rewrite } from "./passes/rewrite.js";

/** Subtracted from the input before the first layer, after the preprocessing: float32[1, channels, height, width]. */
export interface MeanImage {
  readonly data: Float32Array;
  readonly shape: readonly [1, number, number, number];
}

export function subtractingMean(model: Model, { data, shape }: MeanImage): Model {
  const { graph } = model;
  const image = graph.inputs[0]!.value;
  const mean = constant(data, shape, "mean_image");
  const [first] = graph.nodes;
  const subtract = node("minus", [image, mean.value], {}, "subtract_mean", first!.span);
  const rest = rewrite(graph, () => undefined, { values: new Map([[image.id, subtract.outputs[0]!]]) });
  return { ...model, graph: { ...rest, nodes: [subtract, ...rest.nodes], constants: [...rest.constants, mean] } };
}
