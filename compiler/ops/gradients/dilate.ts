import type { Lowering } from "../lowering.js";
import { size2 } from "../attributes.js";
import { sizes } from "../formula.js";
import type { Operator } from "../operator.js";
import { known, reshaped } from "../shapes.js";
import { ints } from "../tensor/shape.js";

/** Values apart by a stride, zeros between: the gradient of keeping every n-th row and column. `size`: [H, W] of the result. */
export const dilate: Operator = {
  name: "dilate",
  doc: "Rows and columns apart by a stride, zeros between and after.",
  infer: ([x], attributes) => [reshaped(x, [...known(x).shape.slice(0, 2), ...ints(attributes, "size")])],
  blocked: { op: "blocked_dilate", inputs: [0], outputs: [0], taken: "always" },
  lower(node, emit) {
    const [x, y] = [node.inputs[0]!, node.outputs[0]!];
    const size = ints(node.attributes, "size");
    writeDilation(emit.name(x), sizes(x), size2(node.attributes, "stride"), emit, size, emit.name(y));
  },
};

/**
 * Each row and column followed by stride - 1 of zeros, cut to `size` (default: at the last value). An axis of its own
 * for the zeros, so that padding puts them there.
 */
export function writeDilation(
  x: string,
  shape: readonly number[],
  stride: readonly number[],
  emit: Lowering,
  size: readonly number[] = [0, 1].map((axis) => (shape[2 + axis]! - 1) * stride[axis]! + 1),
  output: string = emit.temporary("dilated"),
): string {
  const [batch, channels, height, width] = shape as readonly [number, number, number, number];
  const [sh, sw] = stride as readonly [number, number];
  const vector = (...values: readonly number[]): string => emit.constant(values, "int64");
  const [apart, padded] = [emit.temporary("apart"), emit.temporary("spaced")];
  const planes = batch * channels;
  emit.node("Reshape", [x, vector(planes, height, 1, width, 1)], [apart]);
  emit.node("Pad", [apart, vector(0, 0, 0, 0, 0, 0, 0, sh - 1, 0, sw - 1)], [padded], { mode: "constant" });
  const whole = [height * sh, width * sw];
  const target = vector(batch, channels, ...whole);
  const excess = whole.map((full, axis) => full - size[axis]!);
  if (excess.every((rows) => rows === 0)) {
    emit.node("Reshape", [padded, target], [output]);
    return output;
  }
  const flat = emit.temporary("rows");
  emit.node("Reshape", [padded, target], [flat]);
  if (excess.every((rows) => rows >= 0)) {
    emit.node("Slice", [flat, vector(0, 0), vector(...size), vector(2, 3)], [output]);
  } else {
    // Rows beyond the last stride: negative padding cuts, positive adds.
    emit.node("Pad", [flat, vector(0, 0, 0, 0, 0, 0, -excess[0]!, -excess[1]!)], [output], { mode: "constant" });
  }
  return output;
}
