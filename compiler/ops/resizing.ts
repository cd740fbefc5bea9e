import type { OnnxAttribute } from "./lowering.js";
import type { Value } from "../ir/types.js";
import { formula, sizes } from "./formula.js";
import type { GraphBuilder } from "./operator.js";
import { choice } from "../words/schema.js";

export const MODE = choice("How values between are found.", ["nearest", "bilinear"], { default: "nearest" });

/**
 * How ONNX's Resize is told to find values between: `nearest` takes the one at floor(i / factor), as torch's interpolate
 * does; `bilinear` goes between the middles of pixels, edges continued outwards.
 */
export const RESIZING: Readonly<Record<string, Readonly<Record<string, OnnxAttribute>>>> = {
  nearest: { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" },
  bilinear: { mode: "linear", coordinate_transformation_mode: "half_pixel" },
};

/** The gradient of x [N, C, H, W] from dy [N, C, h, w]: linear along rows and along columns, so dy times both matrices. */
export function resizeGradient(builder: GraphBuilder, dy: Value, x: Value, mode: string): Value {
  const f = formula(builder);
  const [, , height, width] = sizes(x) as [number, number, number, number];
  const [, , rows, columns] = sizes(dy) as [number, number, number, number];
  const matrix = (from: number, to: number): Value => builder.constant(contributions(mode, from, to), [to, from]);
  return f.matmul(matrix(height, rows), f.matmul(dy, matrix(width, columns)), { left: true });
}

/** What each of `from` values contributes to each of the `to` that they become: [to, from], flat. */
function contributions(mode: string, from: number, to: number): Float32Array {
  const matrix = new Float32Array(to * from);
  for (let row = 0; row < to; row += 1) {
    const middle = Math.min(Math.max(((row + 0.5) * from) / to - 0.5, 0), from - 1);
    const at = mode === "nearest" ? Math.floor((row * from) / to) : middle;
    const below = Math.floor(at);
    const above = Math.min(below + 1, from - 1);
    matrix[row * from + below]! += 1 - (at - below);
    matrix[row * from + above]! += at - below;
  }
  return matrix;
}
