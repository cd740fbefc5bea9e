/** The model that subtracts a mean image itself, so that its file alone classifies. */
import { constant } from "./ir/build.js";
import { formatDim, isSymbolic } from "./ir/dim.js";
import type { Model } from "./model.js";
import { node } from "./ops/node.js";
import { bindSizes } from "./passes/bind-sizes.js";
import { rewrite } from "./passes/rewrite.js";

/** Subtracted from the input before the first layer, after the preprocessing: float32[1, channels, height, width]. */
export interface MeanImage {
  readonly data: Float32Array;
  readonly shape: readonly [1, number, number, number];
  /** It was moved with the middle of the image, so that it fits no other view. */
  readonly views?: "center";
}

/**
 * The network behind the subtraction. Where it takes images of any size, the model takes those of the mean image's
 * ({@link sizeOfMean} says so).
 *
 * @throws {RangeError} where it takes another size
 */
export function subtractingMean(model: Model, { data, shape, views }: MeanImage): Model {
  const [input] = model.graph.inputs;
  const [batch, ...sides] = input!.value.type.shape;
  if (sides.some((side, axis) => !isSymbolic(side) && side !== shape[axis + 1])) {
    throw new RangeError(
      `a mean image ${shape.slice(1).join("x")} is subtracted, which does not fit the input ${sides.map(formatDim).join("x")}`,
    );
  }
  const graph = bindSizes.run(model.graph, { inputShapes: { [input!.name]: [batch!, ...shape.slice(1)] } });
  const image = graph.inputs[0]!.value;
  const mean = constant(data, shape, "mean_image");
  const [first] = graph.nodes;
  const subtract = node("minus", [image, mean.value], {}, "subtract_mean", first!.span);
  const rest = rewrite(graph, () => undefined, { values: new Map([[image.id, subtract.outputs[0]!]]) });
  return {
    ...model,
    graph: { ...rest, nodes: [subtract, ...rest.nodes], constants: [...rest.constants, mean] },
    ...(views && { views }),
  };
}

/** That the model will take images of one size where its network takes any: one line, else undefined. */
export function sizeOfMean({ name, graph }: Model, { shape }: MeanImage): string | undefined {
  const sides = graph.inputs[0]!.value.type.shape.slice(1);
  if (!sides.some(isSymbolic)) return undefined;
  const [declared, taken] = [sides.map(formatDim).join("x"), shape.slice(1).join("x")];
  return `${name}: a mean image is subtracted, so the model's input is ${taken} in place of ${declared}`;
}
