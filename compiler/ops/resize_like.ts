import { word } from "./attributes.js";
import { inputNames, steps } from "./blocked/steps.js";
import type { Operator } from "./operator.js";
import { resizeGradient, RESIZING } from "./resizing.js";
import { featureMap, reshaped } from "./shapes.js";

/**
 * Height and width of another map: [N, C, H, W], [N, D, h, w] to [N, C, h, w]. `nearest` takes the value at
 * floor(i * H / h), as torch's interpolate does; `bilinear` goes between the middles of pixels.
 */
export const resizeLike: Operator = {
  name: "resize_like",
  doc: "Enlarges or shrinks height and width to those of the second map.",
  infer([x, like]) {
    const [map, other] = [featureMap(x, "resize_like"), featureMap(like, "resize_like")];
    return [reshaped(x, [map.batch, map.channels, other.height, other.width])];
  },
  label: () => "upsample",
  lower(node, emit) {
    const { onnx, vector } = steps(emit);
    const [x, like] = inputNames(node, emit) as [string, string];
    const part = (of: string, from: number): string =>
      onnx("Slice", [onnx("Shape", [of]), vector([from]), vector([from + 2])]);
    const sizes = onnx("Concat", [part(x, 0), part(like, 2)], { axis: 0 });
    onnx("Resize", [x, "", "", sizes], RESIZING[word(node.attributes, "mode")], emit.name(node.outputs[0]!));
  },
  gradient: ({ inputs: [x], attributes }, [dy], builder) =>
    dy === undefined ? [] : [resizeGradient(builder, dy, x!, word(attributes, "mode"))],
};
