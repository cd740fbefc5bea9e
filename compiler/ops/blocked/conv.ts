/** Convolutions of blocked maps, and the gradient of their input. */
import type { Lowering } from "../lowering.js";
import { flag, int, size2 } from "../attributes.js";
import { conv } from "../conv.js";
import { sizes } from "../formula.js";
import { convInputGradient } from "../gradients/conv_input_gradient.js";
import type { Node, Operator } from "../operator.js";
import { onnxPads } from "../windows.js";
import { writeBlockedDilation } from "./dilate.js";
import { pickTaps, writeExchangedFilter, writeFilter, type FilterShape } from "./filters.js";
import { phasesOf } from "./phases.js";
import { inputNames, steps, type Steps } from "./steps.js";

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
    const filter = s.reshape(writeFilter(weight!, filterShape(node), s), sizes(node.inputs[1]!));
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
    const filter = writeExchangedFilter(weight!, shape, s);
    const [rows, columns] = phasesOf(node);
    const output = emit.name(node.outputs[0]!);
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
    if (parts.length > 1 || parts[0]!.length > 1) interleave(parts, node, emit, s);
  },
};

/** Phases [a][b] of [N, C / block, H / stride, W / stride, block] to the map that they are of; zeros where there is none. */
function interleave(parts: readonly (readonly (string | undefined)[])[], node: Node, emit: Lowering, s: Steps): void {
  const [batch, channels, height, width] = sizes(node.outputs[0]!) as [number, number, number, number];
  const block = int(node.attributes, "block");
  const [sh, sw] = size2(node.attributes, "stride");
  const [rows, columns] = [(batch * channels * height) / block / sh, width / sw];
  const output = emit.name(node.outputs[0]!);
  if (parts.flat().filter((part) => part !== undefined).length === 1 && parts[0]![0] !== undefined) {
    // One phase alone: zeros after its rows and columns.
    const small = [batch, channels, height / sh, width / sw];
    writeBlockedDilation(parts[0]![0], small, [batch, channels, height, width], [sh, sw], block, s, output);
    return;
  }
  const zeros = (): string => s.onnx("Expand", [s.number(0), s.vector([rows, columns, block])]);
  const lines = parts.map((line) => {
    const flat = line.map((part) => s.reshape(part ?? zeros(), [rows * columns, block]));
    const woven = flat.length === 1 ? flat[0]! : s.onnx("Concat", flat, { axis: 1 });
    return s.reshape(woven, [rows, width * block]);
  });
  const woven = lines.length === 1 ? lines[0]! : s.onnx("Concat", lines, { axis: 1 });
  s.reshape(woven, [batch, channels, height, width], output);
}

function filterShape({ attributes, inputs }: Node): FilterShape {
  const [out, channels, kh, kw] = sizes(inputs[1]!) as [number, number, number, number];
  return { out, channels, taps: kh * kw, block: int(attributes, "block") };
}
