import type { Operator } from "./operator.js";
import { featureMap, reshaped } from "./shapes.js";

/** A pool over the whole map: [N, C, H, W] to [N, C, 1, 1]. */
export function globalPool(
  definition: Pick<Operator, "name" | "doc" | "fullPrecision" | "quantized"> & {
    readonly label: string;
    readonly onnx: string;
    readonly gradient: NonNullable<Operator["gradient"]>;
  },
): Operator {
  const { name, doc, label, onnx, fullPrecision, quantized, gradient } = definition;
  return {
    name,
    doc,
    layer: { arguments: {} },
    infer([x]) {
      const map = featureMap(x, name);
      return [reshaped(x, [map.batch, map.channels, 1, 1])];
    },
    ...(fullPrecision && { fullPrecision }),
    ...(quantized && { quantized }),
    label: () => label,
    gradient,
    lower: (node, emit) => emit.node(onnx, [emit.name(node.inputs[0]!)], [emit.name(node.outputs[0]!)]),
  };
}
