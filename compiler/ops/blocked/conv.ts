/** Convolutions of blocked maps, and the gradient of their input. */
import { flag, int, size2 } from "../attributes.js";
import { conv } from "../conv.js";
import { sizes } from "../formula.js";
import { convInputGradient } from "../gradients/conv_input_gradient.js";
import type { Node, Operator } from "../operator.js";
import { onnxPads } from "../windows.js";
import {
  pickTaps,
  writeExchangedFilter,
  writeExchangedTaps,
  writeFilter,
  writeTaps,
  type FilterShape,
} from "./filters.js";
import { interleave } from "./interleave.js";
import { phasesOf } from "./phases.js";
import { inputNames, steps } from "./steps.js";
import { gainsByWinograd, writeWinograd, type WinogradShape } from "./winograd.js";

/**
 * x, blocked, or plain with fewer channels than a block; the weight and the bias as those of `conv`; and perhaps a map to
 * add, blocked. Gives conv(x) (+ map), rectified if `relu`, blocked.
 */
export const blockedConv: Operator = {
  name: "blocked_conv",
  doc: "A convolution that gives its map in the blocked layout.",
  infer: (inputs, attributes) => conv.infer(inputs, attributes),
  lower(node, emit) {
    const { attributes } = node;
    const s = steps(emit);
    const [x, weight, ...others] = inputNames(node, emit);
    const shape = filterShape(node);
    const winograd = winogradShape(node);
    if (others.length === 0 && !flag(attributes, "relu") && winograd !== undefined) {
      const taps = { name: writeTaps(weight!, shape, s), isReversed: false };
      return writeWinograd(x!, taps, winograd, s, emit.name(node.outputs[0]!));
    }
    const filter = s.reshape(writeFilter(weight!, shape, s), sizes(node.inputs[1]!));
    const [bias, addend] = flag(attributes, "bias") ? others : ["", ...others];
    const inputs = [x!, filter, ...(addend === undefined ? (bias === "" ? [] : [bias!]) : [bias!, addend])];
    const written = {
      kernel_shape: size2(attributes, "kernel"),
      strides: size2(attributes, "stride"),
      pads: onnxPads(size2(attributes, "pad")),
      dilations: size2(attributes, "dilation"),
      group: 1,
      ...(flag(attributes, "relu") && { activation: "Relu" }),
    };
    s.blocked("Conv", inputs, written, emit.name(node.outputs[0]!));
  },
};

/** dy, blocked, and the weight to dx, blocked: a convolution of each phase of the stride. */
export const blockedConvInputGradient: Operator = {
  name: "blocked_conv_input_gradient",
  doc: "Gradient of a convolution's input in the blocked layout.",
  infer: (inputs, attributes) => convInputGradient.infer(inputs, attributes),
  lower(node, emit) {
    const s = steps(emit);
    const [dy, weight] = inputNames(node, emit);
    const shape = filterShape(node);
    const output = emit.name(node.outputs[0]!);
    const winograd = winogradShape(node);
    if (winograd !== undefined) {
      const taps = { name: writeExchangedTaps(weight!, shape, s), isReversed: true };
      return writeWinograd(dy!, taps, winograd, s, output);
    }
    const filter = writeExchangedFilter(weight!, shape, s);
    const [rows, columns] = phasesOf(node);
    const [, kw] = size2(node.attributes, "kernel");
    const parts = rows.map((row) =>
      columns.map((column) => {
        if (row.taps.length === 0 || column.taps.length === 0) return undefined;
        const taps = row.taps.flatMap((i) => column.taps.map((j) => i * kw + j));
        const kernel = [row.taps.length, column.taps.length];
        const picked = s.reshape(pickTaps(filter, shape, taps, s), [shape.channels, shape.out, ...kernel]);
        const attributes = {
          kernel_shape: kernel,
          strides: [1, 1],
          pads: [row.before, column.before, row.after, column.after],
          dilations: [1, 1],
          group: 1,
        };
        const only = rows.length === 1 && columns.length === 1;
        return s.blocked("Conv", [dy!, picked], attributes, only ? output : undefined);
      }),
    );
    if (parts.length === 1 && parts[0]!.length === 1) return;
    interleave(parts, sizes(node.outputs[0]!), shape.block, s, output);
  },
};

function filterShape({ attributes, inputs }: Node): FilterShape {
  const [out, channels, kh, kw] = sizes(inputs[1]!) as [number, number, number, number];
  return { out, channels, taps: kh * kw, block: int(attributes, "block") };
}

/** Of a convolution, or of the gradient of its input, from one map to another; undefined where it is not written so. */
function winogradShape({ attributes, inputs, outputs }: Node): WinogradShape | undefined {
  const is = (name: string, value: number): boolean => size2(attributes, name).every((each) => each === value);
  if (!is("kernel", 3) || !is("stride", 1) || !is("pad", 1) || !is("dilation", 1)) return undefined;
  const [batch, channels, height, width] = sizes(inputs[0]!) as [number, number, number, number];
  const out = sizes(outputs[0]!)[1]!;
  const shape = { batch, channels, out, size: [height, width], block: int(attributes, "block") } as const;
  return gainsByWinograd(shape) ? shape : undefined;
}
