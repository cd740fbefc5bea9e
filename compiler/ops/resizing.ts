import type { OnnxAttribute } from "../emit/lowering.js";

/**
 * How ONNX's Resize is told to find values between: `nearest` takes the one at floor(i / factor), as torch's interpolate
 * does; `bilinear` goes between the middles of pixels, edges continued outwards.
 */
export const RESIZING: Readonly<Record<string, Readonly<Record<string, OnnxAttribute>>>> = {
  nearest: { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" },
  bilinear: { mode: "linear", coordinate_transformation_mode: "half_pixel" },
};
