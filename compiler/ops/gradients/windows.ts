/** Sliding windows taken apart and put together again: the gradients of pools are written with them. */
import { int, size2 } from "../attributes.js";
import { sizes } from "../formula.js";
import type { Attributes, Operator } from "../operator.js";
import { reshaped } from "../shapes.js";
import { ints } from "../tensor/shape.js";

/** A filter for each place in the window that lets this place through, flat: [kh * kw, 1, kh, kw]. */
export function oneHot(taps: number): readonly number[] {
  return Array.from({ length: taps * taps }, (_, index) => (Math.floor(index / taps) === index % taps ? 1 : 0));
}

/** Every value of each window: [N, C, H, W] to [N * C, kh * kw, H', W']; 0 where a window reaches out of the map. */
export const windows: Operator = {
  name: "windows",
  doc: "The values that each window sees, place by place.",
  infer([x], attributes) {
    const [batch, channels] = x!.shape as readonly number[];
    const [kh, kw] = size2(attributes, "kernel");
    return [reshaped(x, [batch! * channels!, kh * kw, ...ints(attributes, "output")])];
  },
  lower({ inputs, outputs, attributes }, emit) {
    const [batch, channels, height, width] = sizes(inputs[0]!);
    const [kh, kw] = size2(attributes, "kernel");
    const planes = emit.temporary("planes");
    const shape = emit.constant([batch! * channels!, 1, height!, width!], "int64");
    emit.node("Reshape", [emit.name(inputs[0]!), shape], [planes]);
    const filters = emit.constant(oneHot(kh * kw), inputs[0]!.type.dtype, [kh * kw, 1, kh, kw]);
    emit.node("Conv", [planes, filters], [emit.name(outputs[0]!)], {
      kernel_shape: [kh, kw],
      strides: size2(attributes, "stride"),
      pads: pads(attributes, [height!, width!]),
    });
  },
};

/**
 * The sum of what the windows give to each place: [N * C, kh * kw, H', W'], or [N * C, 1, H', W'] which every place of
 * the window gets, to [N, C, H, W] (`channels`, `input`).
 */
export const scatterWindows: Operator = {
  name: "scatter_windows",
  doc: "Windows added up where they lie.",
  infer([x], attributes) {
    const channels = int(attributes, "channels");
    return [reshaped(x, [(x!.shape[0] as number) / channels, channels, ...ints(attributes, "input")])];
  },
  lower({ inputs, outputs, attributes }, emit) {
    const [planes, taps, rows, columns] = sizes(inputs[0]!);
    const [kh, kw] = size2(attributes, "kernel");
    const stride = size2(attributes, "stride");
    const input = ints(attributes, "input");
    const { dtype } = inputs[0]!.type;
    const ones = Array.from({ length: kh * kw }, () => 1);
    const filters = emit.constant(taps === 1 ? ones : oneHot(kh * kw), dtype, [taps!, 1, kh, kw]);
    const [pad, kernel] = [size2(attributes, "pad"), [kh, kw]];
    // Rows and columns between the end of the last window and that of the map: cut off or added.
    const reach = [rows!, columns!].map((count, axis) => (count - 1) * stride[axis]! + kernel[axis]! - pad[axis]!);
    const beyond = reach.map((end, axis) => end - input[axis]!);
    const map = emit.temporary("map");
    emit.node("ConvTranspose", [emit.name(inputs[0]!), filters], [map], {
      kernel_shape: kernel,
      strides: stride,
      pads: [...pad, ...beyond.map((size) => Math.max(size, 0))],
      output_padding: beyond.map((size, axis) => Math.min(Math.max(-size, 0), stride[axis]! - 1)),
    });
    const made = reach.map((end, axis) =>
      Math.max(Math.min(end, input[axis]!), Math.min(input[axis]!, end + stride[axis]! - 1)),
    );
    let current = map;
    if (made.some((size, axis) => size < input[axis]!)) {
      // Where windows are further apart than they are wide, more may be missing than output_padding can add.
      current = emit.temporary("whole");
      const missing = made.map((size, axis) => input[axis]! - size);
      const sides = emit.constant([0, 0, 0, 0, 0, 0, ...missing], "int64");
      emit.node("Pad", [map, sides], [current], { mode: "constant" });
    }
    const shape = emit.constant(
      [planes! / int(attributes, "channels"), int(attributes, "channels"), ...input],
      "int64",
    );
    emit.node("Reshape", [current, shape], [emit.name(outputs[0]!)]);
  },
};

/** Padding with which exactly the windows of `output` lie on a map; rows that no window reaches are cut off at the end. */
function pads(attributes: Attributes, map: readonly number[]): readonly number[] {
  const [kernel, stride] = [size2(attributes, "kernel"), size2(attributes, "stride")];
  const pad = size2(attributes, "pad");
  const output = ints(attributes, "output");
  const after = output.map((count, axis) => (count - 1) * stride[axis]! + kernel[axis]! - pad[axis]! - map[axis]!);
  return [...pad, ...after.map((size) => Math.max(size, 0))];
}

/** 1 for each value that is in the map, 0 for padding: [1, kh * kw, H', W']. */
export function inside(attributes: Attributes, map: readonly number[], output: readonly number[]): Float32Array {
  const [kernel, stride, pad] = [size2(attributes, "kernel"), size2(attributes, "stride"), size2(attributes, "pad")];
  const mask = new Float32Array(kernel[0] * kernel[1] * output[0]! * output[1]!);
  let at = 0;
  for (let i = 0; i < kernel[0]; i += 1) {
    for (let j = 0; j < kernel[1]; j += 1) {
      for (let row = 0; row < output[0]!; row += 1) {
        for (let column = 0; column < output[1]!; column += 1) {
          const [y, x] = [row * stride[0] - pad[0] + i, column * stride[1] - pad[1] + j];
          mask[at] = y >= 0 && y < map[0]! && x >= 0 && x < map[1]! ? 1 : 0;
          at += 1;
        }
      }
    }
  }
  return mask;
}

/** How many values count in each window's average: [H', W'], flat. */
export function windowCounts(attributes: Attributes, map: readonly number[], output: readonly number[]): Float32Array {
  const [kernel, stride, pad] = [size2(attributes, "kernel"), size2(attributes, "stride"), size2(attributes, "pad")];
  const counting = attributes["count_padding"] === true;
  const along = (axis: 0 | 1, index: number): number => {
    const from = index * stride[axis] - pad[axis];
    const [low, high] = counting ? [-pad[axis], map[axis]! + pad[axis]] : [0, map[axis]!];
    return Math.min(from + kernel[axis], high) - Math.max(from, low);
  };
  return Float32Array.from({ length: output[0]! * output[1]! }, (_, at) => {
    return along(0, Math.floor(at / output[1]!)) * along(1, at % output[1]!);
  });
}
