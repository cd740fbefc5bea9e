import type { Lowering } from "../lowering.js";
import { int, size2, word } from "../attributes.js";
import { fitsStripes } from "../blocked/stripes.js";
import { sizes } from "../formula.js";
import type { Device } from "../../device.js";
import type { Algorithm, Node, Operator, Value } from "../operator.js";
import { reshaped } from "../shapes.js";
import { oneHot } from "./windows.js";

/**
 * Gradient of a convolution's weight: x [N, C, H, W], dy [N, O, H', W'] to [O, C/groups, kh, kw]. The attributes are
 * those of the convolution, and how it is written:
 *
 * - `columns`: the input as the kernel sees it, one shifted copy a tap, and one product of matrices an image
 * - `gathered`: the same with the images side by side, one product in all: better where the map is small
 * - `columns_plain`, `gathered_plain`: without ONNX Runtime's own product that transposes for itself
 * - `windows`, `windows_aside`: the same in few operators, for GPUs: one convolution with filters that each let one tap through
 *   makes all columns. With `_plain` without ONNX Runtime's own product, which WebGPU lacks: the columns are turned; with
 *   `_turned` the output's gradient is, which is fewer values, and the result
 *
 * `flat`: as a vector.
 */
export const convWeightGradient: Operator = {
  name: "conv_weight_gradient",
  doc: "Gradient of a convolution's weight, from the input and the output's gradient.",
  infer([x, dy], attributes) {
    const channels = (x!.shape[1] as number) / int(attributes, "groups");
    const shape = [dy!.shape[1] as number, channels, ...size2(attributes, "kernel")];
    return [reshaped(x, attributes["flat"] === true ? [shape.reduce((product, size) => product * size, 1)] : shape)];
  },
  algorithms(node, target) {
    if (target !== "cpu") return onGpu(node, target);
    const { batch, groups, out, channels, taps, pixels } = shapesOf(node);
    // Values written and read again: the columns; the products of single images, or the images side by side.
    const copies = batch * groups * channels * taps * pixels;
    const apart = batch * groups * out * channels * taps;
    const aside = batch * groups * (channels * taps + out) * pixels;
    return [
      { name: "columns", seconds: (copies + apart) / 5e8 },
      { name: "gathered", seconds: (copies + aside) / 5e8 },
      ...["columns_plain", "gathered_plain"].map((name) => ({ name, seconds: 1e3 })),
    ];
  },
  blocked: {
    op: "blocked_conv_weight_gradient",
    inputs: [0, 1],
    outputs: [],
    image: 0,
    taken: "chosen",
    fits: (node, block) => int(node.attributes, "groups") === 1 && fitsStripes(node, block),
    // With a kernel of one tap it is a product of matrices as it is.
    gains: ({ attributes }) => [size2(attributes, "kernel"), size2(attributes, "pad")].join() !== "1,1,0,0",
  },
  lower(node, emit) {
    const algorithm = word(node.attributes, "algorithm");
    if (algorithm.startsWith("windows")) return byWindows(node, emit, algorithm);
    if (algorithm === "gathered" || algorithm === "gathered_plain")
      return gathered(node, emit, algorithm === "gathered");
    return columns(node, emit, algorithm === "columns");
  },
};

/** Multiply-adds and values a second of a GPU, and how many groups of threads keep it busy: for comparisons alone. */
const [GPU_MACS, GPU_VALUES, GPU_GROUPS] = [1e12, 2e11, 128];
/** Seconds that a GPU takes to begin an operator. */
const GPU_START = 1e-5;
/** Rows and columns of a product that a group of threads makes. */
const TILE = 32;

/** A product of long rows and few results leaves a GPU idle; cuBLAS cuts it up for itself, ONNX Runtime's WebGPU does not. */
function onGpu(node: Node, target: Device): readonly Algorithm[] {
  const { batch, groups, out, channels, taps, pixels } = shapesOf(node);
  const macs = batch * groups * out * channels * taps * pixels;
  const tiles = groups * Math.ceil(out / TILE) * Math.ceil((channels * taps) / TILE);
  // Values are written and read again, of what is made beside the columns.
  const algorithm = (name: string, operators: number, products: number, values: number): Algorithm => {
    const busy = target === "webgpu" ? Math.min(1, (tiles * products) / GPU_GROUPS) : 1;
    return { name, seconds: operators * GPU_START + macs / (GPU_MACS * busy) + (2 * values) / GPU_VALUES };
  };
  const weight = groups * out * channels * taps;
  const apart = batch > 1 ? batch * weight : 0;
  const [columns, dy] = [batch * groups * channels * taps * pixels, batch * groups * out * pixels];
  const sum = batch > 1 ? 1 : 0;
  return [
    ...(target === "webgpu"
      ? [
          algorithm("windows_plain", 2 + sum, batch, columns + apart),
          algorithm("windows_turned", 3 + sum, batch, dy + apart + weight),
        ]
      : [algorithm("windows", 1 + sum, batch, apart)]),
    ...(groups === 1
      ? [algorithm(target === "webgpu" ? "windows_aside_plain" : "windows_aside", 3, 1, columns + dy)]
      : []),
    ...["columns_plain", "gathered_plain"].map((name) => ({ name, seconds: 1e3 })),
  ];
}

interface Shapes {
  readonly batch: number;
  readonly groups: number;
  /** Output channels, input channels, of a group. */
  readonly out: number;
  readonly channels: number;
  readonly taps: number;
  /** Values in an output map. */
  readonly pixels: number;
}

function shapesOf(node: Node): Shapes {
  const [x, dy] = [sizes(node.inputs[0]!), sizes(node.inputs[1]!)];
  const groups = int(node.attributes, "groups");
  const [kh, kw] = size2(node.attributes, "kernel");
  return {
    batch: x[0]!,
    groups,
    out: dy[1]! / groups,
    channels: x[1]! / groups,
    taps: kh * kw,
    pixels: dy[2]! * dy[3]!,
  };
}

function columns(node: Node, emit: Lowering, fused: boolean): void {
  const { batch, groups, out, channels, taps, pixels } = shapesOf(node);
  const split = groups === 1 ? [] : [groups];
  const vector = (values: readonly number[]): string => emit.constant(values, "int64");
  const seen = writeTaps(node, emit).map((tap, index) => {
    const flat = emit.temporary(`flat${index}`);
    emit.node("Reshape", [tap, vector([batch, ...split, channels, pixels])], [flat]);
    return flat;
  });
  let all = seen[0]!;
  if (taps > 1) {
    all = emit.temporary("columns");
    emit.node("Concat", seen, [all], { axis: 1 + split.length });
  }
  const dy = emit.temporary("dy");
  emit.node("Reshape", [emit.name(node.inputs[1]!), vector([batch, ...split, out, pixels])], [dy]);
  const products = emit.temporary("images");
  writeProduct(dy, all, products, 3 + split.length, emit, fused);
  let sum = products;
  if (batch > 1) {
    sum = emit.temporary("sum");
    emit.node("ReduceSum", [products, vector([0])], [sum], { keepdims: 0 });
  }
  writeTapsLast(sum, node, emit);
}

function gathered(node: Node, emit: Lowering, fused: boolean): void {
  const { batch, groups, out, channels, taps, pixels } = shapesOf(node);
  const vector = (values: readonly number[]): string => emit.constant(values, "int64");
  /** [N, groups * n, H', W'] to [groups * n, N * pixels], or by groups. */
  const aside = (x: string, size: number, suffix: string): string => {
    const [turned, flat] = [emit.temporary(`${suffix}.turned`), emit.temporary(`${suffix}.flat`)];
    emit.node("Transpose", [x], [turned], { perm: [1, 0, 2, 3] });
    const shape = groups === 1 ? [size, batch * pixels] : [groups, size, batch * pixels];
    emit.node("Reshape", [turned, vector(shape)], [flat]);
    return flat;
  };
  const seen = writeTaps(node, emit).map((tap, index) => aside(tap, channels, `tap${index}`));
  const axis = groups === 1 ? 0 : 1;
  let all = seen[0]!;
  if (taps > 1) {
    all = emit.temporary("columns");
    emit.node("Concat", seen, [all], { axis });
  }
  const sum = emit.temporary("sum");
  writeProduct(aside(emit.name(node.inputs[1]!), out, "dy"), all, sum, axis + 2, emit, fused);
  writeTapsLast(sum, node, emit);
}

function byWindows(node: Node, emit: Lowering, algorithm: string): void {
  const { batch, groups, out, channels, taps, pixels } = shapesOf(node);
  const fused = algorithm === "windows" || algorithm === "windows_aside";
  const { dtype } = node.outputs[0]!.type;
  const vector = (values: readonly number[]): string => emit.constant(values, "int64");
  const step = (onnx: string, inputs: readonly string[], suffix: string, attributes = {}): string => {
    const made = emit.temporary(suffix);
    emit.node(onnx, inputs, [made], attributes);
    return made;
  };
  const split = groups === 1 ? [] : [groups];
  const result = emit.name(node.outputs[0]!);
  const shape = vector(sizes(node.outputs[0]!));
  const seen = step(
    "Reshape",
    [writeColumns(node, emit), vector([batch, ...split, channels * taps, pixels])],
    "columns",
  );
  const dy = step("Reshape", [emit.name(node.inputs[1]!), vector([batch, ...split, out, pixels])], "dy");
  const turn = (x: string, perm: readonly number[], suffix: string): string => step("Transpose", [x], suffix, { perm });
  if (algorithm.startsWith("windows_aside")) {
    const rows = step("Reshape", [turn(seen, [0, 2, 1], "turned"), vector([batch * pixels, channels * taps])], "rows");
    const maps = step("Reshape", [turn(dy, [1, 0, 2], "dy.turned"), vector([out, batch * pixels])], "maps");
    emit.node("Reshape", [step("MatMul", [maps, rows], "product"), shape], [result]);
    return;
  }
  const isTurned = algorithm === "windows_turned";
  const [left, right] = isTurned ? [seen, dy] : [dy, seen];
  const products = emit.temporary("images");
  writeProduct(left, right, products, 3 + split.length, emit, fused);
  let sum = products;
  if (batch > 1 && !fused && dtype === "float32") {
    // What WebGPU sums along a first axis it transposes: a product with ones does not.
    const all = groups * out * channels * taps;
    const ones = emit.constant(Array<number>(batch).fill(1), dtype, [1, batch]);
    sum = step("MatMul", [ones, step("Reshape", [products, vector([batch, all])], "images.flat")], "sum");
  } else if (batch > 1) sum = step("ReduceSum", [products, vector([0])], "sum", { keepdims: 0 });
  if (isTurned) {
    const apart = step("Reshape", [sum, vector([groups, channels * taps, out])], "weight.turned");
    sum = turn(apart, [0, 2, 1], "weight");
  }
  emit.node("Reshape", [sum, shape], [result]);
}

/** The input as the kernel's taps see it: all taps of a channel one behind the other, [N * C, taps, H', W']. */
function writeColumns(node: Node, emit: Lowering): string {
  const { batch, groups, channels, taps } = shapesOf(node);
  const [x] = node.inputs as readonly [Value, Value];
  if (taps === 1) return writeTaps(node, emit)[0]!;
  const { attributes } = node;
  const [kernel, pad] = [size2(attributes, "kernel"), size2(attributes, "pad")];
  const planes = emit.temporary("planes");
  const map = emit.constant([batch * groups * channels, 1, ...sizes(x).slice(2)], "int64");
  emit.node("Reshape", [emit.name(x), map], [planes]);
  const filters = emit.constant(oneHot(taps), x.type.dtype, [taps, 1, ...kernel]);
  const columns = emit.temporary("taps");
  emit.node("Conv", [planes, filters], [columns], {
    kernel_shape: kernel,
    strides: size2(attributes, "stride"),
    pads: [...pad, ...pad],
    dilations: size2(attributes, "dilation"),
  });
  return columns;
}

/** a b^T over the last two axes. */
function writeProduct(a: string, b: string, product: string, rank: number, emit: Lowering, fused: boolean): void {
  if (fused) {
    emit.node("FusedMatMul", [a, b], [product], { transB: 1 }, "com.microsoft");
    return;
  }
  const turned = emit.temporary("turned");
  const perm = Array.from({ length: rank }, (_, axis) => axis);
  [perm[rank - 1], perm[rank - 2]] = [rank - 2, rank - 1];
  emit.node("Transpose", [b], [turned], { perm });
  emit.node("MatMul", [a, turned], [product]);
}

/** The input as each tap of the kernel sees it: [N, C, H', W'], row by row of the kernel. */
function writeTaps(node: Node, emit: Lowering): readonly string[] {
  const { attributes, inputs } = node;
  const [x, dy] = [sizes(inputs[0]!), sizes(inputs[1]!)];
  const [kernel, stride] = [size2(attributes, "kernel"), size2(attributes, "stride")];
  const [pad, dilation] = [size2(attributes, "pad"), size2(attributes, "dilation")];
  const vector = (values: readonly number[]): string => emit.constant(values, "int64");
  let current = emit.name(inputs[0]!);
  if (pad.some((size) => size > 0)) {
    const padded = emit.temporary("padded");
    emit.node("Pad", [current, vector([0, 0, ...pad, 0, 0, ...pad])], [padded], { mode: "constant" });
    current = padded;
  }
  const out = dy.slice(2);
  const whole = out.every(
    (size, axis) => kernel[axis] === 1 && stride[axis] === 1 && size === x[2 + axis]! + 2 * pad[axis]!,
  );
  if (whole) return [current];
  const taps: string[] = [];
  for (let i = 0; i < kernel[0]; i += 1) {
    for (let j = 0; j < kernel[1]; j += 1) {
      const from = [i * dilation[0], j * dilation[1]];
      const to = from.map((start, axis) => start + (out[axis]! - 1) * stride[axis]! + 1);
      const tap = emit.temporary(`tap${taps.length}`);
      emit.node("Slice", [current, vector(from), vector(to), vector([2, 3]), vector(stride)], [tap]);
      taps.push(tap);
    }
  }
  return taps;
}

/** [(groups,) O, taps * C] to [O, C, kh, kw]. */
function writeTapsLast(sum: string, node: Node, emit: Lowering): void {
  const { groups, out, channels, taps } = shapesOf(node);
  const shape = emit.constant(sizes(node.outputs[0]!), "int64");
  let current = sum;
  if (taps > 1) {
    const [apart, turned] = [emit.temporary("apart"), emit.temporary("taps_last")];
    emit.node("Reshape", [current, emit.constant([groups * out, taps, channels], "int64")], [apart]);
    emit.node("Transpose", [apart], [turned], { perm: [0, 2, 1] });
    current = turned;
  }
  emit.node("Reshape", [current, shape], [emit.name(node.outputs[0]!)]);
}
