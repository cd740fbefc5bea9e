import type { Lowering } from "../lowering.js";
import { int, size2, word } from "../attributes.js";
import { fitsPhases } from "../blocked/phases.js";
import { elements, sizes } from "../formula.js";
import type { Device } from "../../device.js";
import type { Algorithm, Node, Operator } from "../operator.js";
import { known, reshaped } from "../shapes.js";
import { ints } from "../tensor/shape.js";
import { isMisreadOnWebgpu, writeTransposed } from "../transposed.js";
import { writeDilation } from "./dilate.js";

/**
 * Gradient of a convolution's input: [N, O, H', W'], [O, C/groups, kh, kw] to [N, C, H, W]. The attributes are those
 * of the convolution, `input`: [H, W], and how it is written:
 *
 * - `transposed`: ONNX's ConvTranspose; `transposed_apart`: one for each group
 * - `convolution`: a convolution with the filters flipped and input and output channels exchanged, of the gradient
 *   with zeros between its values where the stride is above 1
 * - `pointwise`: of a 1x1 convolution: the zeros come after it, which saves work
 */
export const convInputGradient: Operator = {
  name: "conv_input_gradient",
  doc: "Gradient of a convolution's input, from the output's and the weight.",
  infer([dy, weight], attributes) {
    const [batch] = known(dy).shape;
    const channels = (known(weight).shape[1] as number) * int(attributes, "groups");
    return [reshaped(dy, [batch!, channels, ...ints(attributes, "input")])];
  },
  algorithms: (node, target) => inputGradientCosts(node, target),
  blocked: {
    op: "blocked_conv_input_gradient",
    inputs: [0],
    outputs: [0],
    taken: "chosen",
    fits: (node) => int(node.attributes, "groups") === 1 && fitsPhases(node),
  },
  lower(node, emit) {
    const algorithm = word(node.attributes, "algorithm");
    if (algorithm.startsWith("transposed")) {
      return writeTransposed(node, emit, geometry(node).rest, algorithm === "transposed_apart");
    }
    if (algorithm === "pointwise") return pointwise(node, emit);
    return convolution(node, emit);
  },
};

/** A convolution is about twice as fast as a ConvTranspose of as many multiply-adds (docs/algorithms.md). */
function inputGradientCosts(node: Node, target: Device): readonly Algorithm[] {
  const { attributes } = node;
  const [kernel, pad] = [size2(attributes, "kernel"), size2(attributes, "pad")];
  const [stride, dilation] = [size2(attributes, "stride"), size2(attributes, "dilation")];
  const macs = (elements(node.inputs[0]!) * elements(node.inputs[1]!)) / sizes(node.inputs[1]!)[0]!;
  const zeros = stride[0] * stride[1];
  const fits = kernel.every((size, axis) => dilation[axis]! * (size - 1) >= pad[axis]!);
  const pointwise = kernel.every((size) => size === 1) && pad.every((size) => size === 0);
  const apart = target === "webgpu" && isMisreadOnWebgpu(sizes(node.inputs[1]!), attributes);
  return [
    // cuDNN's gradient of a convolution's input is what ONNX Runtime's ConvTranspose is on CUDA.
    { name: apart ? "transposed_apart" : "transposed", seconds: macs / (target === "cuda" ? 1e12 : 3e10) },
    ...(fits ? [{ name: "convolution", seconds: (macs * zeros) / 5e10 }] : []),
    ...(pointwise ? [{ name: "pointwise", seconds: macs / 6e10 }] : []),
  ];
}

interface Geometry {
  readonly dy: readonly number[];
  readonly weight: readonly number[];
  readonly input: readonly number[];
  /** Input rows and columns beyond what the last window reaches, padding counted. */
  readonly rest: readonly number[];
}

function geometry(node: Node): Geometry {
  const { attributes } = node;
  const [dy, weight] = [sizes(node.inputs[0]!), sizes(node.inputs[1]!)];
  const [kernel, stride] = [size2(attributes, "kernel"), size2(attributes, "stride")];
  const [pad, dilation] = [size2(attributes, "pad"), size2(attributes, "dilation")];
  const input = ints(attributes, "input");
  const rest = input.map(
    (size, axis) =>
      size - ((dy[2 + axis]! - 1) * stride[axis]! - 2 * pad[axis]! + dilation[axis]! * (kernel[axis]! - 1) + 1),
  );
  return { dy, weight, input, rest };
}

function convolution(node: Node, emit: Lowering): void {
  const { attributes } = node;
  const { dy, rest } = geometry(node);
  const [kernel, stride] = [size2(attributes, "kernel"), size2(attributes, "stride")];
  const [pad, dilation] = [size2(attributes, "pad"), size2(attributes, "dilation")];
  const flipped = writeFlippedWeight(node, emit);
  let x = emit.name(node.inputs[0]!);
  if (stride.some((step) => step > 1)) x = writeDilation(x, dy, stride, emit);
  const before = kernel.map((size, axis) => dilation[axis]! * (size - 1) - pad[axis]!);
  emit.node("Conv", [x, flipped], [emit.name(node.outputs[0]!)], {
    kernel_shape: kernel,
    pads: [...before, ...before.map((size, axis) => size + rest[axis]!)],
    dilations: dilation,
    group: int(attributes, "groups"),
  });
}

function pointwise(node: Node, emit: Lowering): void {
  const { dy, weight, input } = geometry(node);
  const stride = size2(node.attributes, "stride");
  const flipped = writeFlippedWeight(node, emit);
  const groups = int(node.attributes, "groups");
  const strided = stride.some((step) => step > 1);
  const small = strided ? emit.temporary("small") : emit.name(node.outputs[0]!);
  emit.node("Conv", [emit.name(node.inputs[0]!), flipped], [small], { kernel_shape: [1, 1], group: groups });
  if (!strided) return;
  const shape = [dy[0]!, weight[1]! * groups, dy[2]!, dy[3]!];
  writeDilation(small, shape, stride, emit, input, emit.name(node.outputs[0]!));
}

/** [O, C/groups, kh, kw] to [C, O/groups, kh, kw], rows and columns in reverse order. */
function writeFlippedWeight(node: Node, emit: Lowering): string {
  const { weight } = geometry(node);
  const [out, perGroup, kh, kw] = weight as readonly [number, number, number, number];
  const groups = int(node.attributes, "groups");
  let current = emit.name(node.inputs[1]!);
  const step = (suffix: string, onnx: string, inputs: readonly string[], attributes = {}): void => {
    const next = emit.temporary(suffix);
    emit.node(onnx, [current, ...inputs], [next], attributes);
    current = next;
  };
  if (kh * kw > 1) {
    const vector = (...values: number[]): string => emit.constant(values, "int64");
    // From the last to before the first: a bound below -size means that.
    step("flipped", "Slice", [vector(-1, -1), vector(-kh - 1, -kw - 1), vector(2, 3), vector(-1, -1)]);
  }
  if (groups === 1) {
    step("exchanged", "Transpose", [], { perm: [1, 0, 2, 3] });
    return current;
  }
  step("grouped", "Reshape", [emit.constant([groups, out / groups, perGroup, kh, kw], "int64")]);
  step("exchanged", "Transpose", [], { perm: [0, 2, 1, 3, 4] });
  step("weight", "Reshape", [emit.constant([groups * perGroup, out / groups, kh, kw], "int64")]);
  return current;
}
