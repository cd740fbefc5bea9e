import { int, size2 } from "../attributes.js";
import { sizes } from "../formula.js";
import { dilate } from "../gradients/dilate.js";
import type { Operator } from "../operator.js";
import { inputNames, steps, type Steps } from "./steps.js";

/** Values apart by a stride in the blocked layout, zeros between and after. */
export const blockedDilate: Operator = {
  name: "blocked_dilate",
  doc: "Rows and columns apart by a stride in the blocked layout.",
  infer: (inputs, attributes) => dilate.infer(inputs, attributes),
  lower(node, emit) {
    const [x, y] = [sizes(node.inputs[0]!), node.outputs[0]!];
    const stride = size2(node.attributes, "stride");
    const name = emit.name(y);
    writeBlockedDilation(
      inputNames(node, emit)[0]!,
      x,
      sizes(y),
      stride,
      int(node.attributes, "block"),
      steps(emit),
      name,
    );
  },
};

/** [N, C, H, W] blocked to the same at every n-th row and column of a larger map, blocked. */
export function writeBlockedDilation(
  x: string,
  [batch, channels, height, width]: readonly number[],
  to: readonly number[],
  [sh, sw]: readonly [number, number],
  block: number,
  s: Steps,
  output?: string,
): string {
  const planes = (batch! * channels!) / block;
  /** Zeros at the end of the last axis. */
  const longer = (values: string, shape: readonly number[], more: number): string => {
    if (more === 0) return values;
    const sides = s.vector([...shape.map(() => 0), ...shape.slice(1).map(() => 0), more]);
    return s.onnx("Pad", [s.reshape(values, shape), sides], { mode: "constant" });
  };
  // Columns, then rows: zeros after each, fewer or more after the last.
  const line = to[3]! * block;
  const columns = longer(x, [planes * height! * width!, block], (sw - 1) * block);
  const wide = longer(columns, [planes * height!, width! * sw * block], line - width! * sw * block);
  const rows = longer(wide, [planes * height!, line], (sh - 1) * line);
  const whole = longer(rows, [planes, height! * sh * line], (to[2]! - height! * sh) * line);
  return s.reshape(whole, to, output);
}
