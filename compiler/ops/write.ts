/** Writing a node as several ONNX operators: every function adds what it needs and gives the name of what it made. */
import type { Lowering, OnnxAttribute } from "./lowering.js";
import { onnxType } from "../ir/dtype.js";
import type { DataType, Node, Value } from "../ir/types.js";

type OnnxAttributes = Readonly<Record<string, OnnxAttribute>>;

export interface Writer {
  readonly opset: number;
  /** ONNX names of the node's inputs and outputs. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** One operator with one output, named after what it is. */
  step(onnx: string, inputs: readonly string[], suffix: string, attributes?: OnnxAttributes): string;
  /** One operator that makes an output of the node. */
  give(onnx: string, inputs: readonly string[], attributes?: OnnxAttributes, output?: number): void;
  /** int64 vector, float32 scalar, tensor of numbers. */
  ints(...values: readonly number[]): string;
  number(value: number): string;
  numbers(values: readonly number[], shape?: readonly number[]): string;
  /** int32 scalar and tensor: whole numbers that WebGPU calculates with. */
  whole(value: number): string;
  wholes(values: readonly number[], shape: readonly number[]): string;
  cast(x: string, to: DataType, suffix?: string): string;
  /** The size of an axis as int64 [1]: a constant where it is known, else asked of the tensor. */
  size(of: Value, axis: number): string;
  sizeOf(x: string, axis: number): string;
  /** A shape of numbers and of int64 [1] names. */
  shape(...sizes: readonly (number | string)[]): string;
  reshape(x: string, sizes: readonly (number | string)[], suffix: string): string;
  expand(x: string, sizes: readonly (number | string)[], suffix: string): string;
  /** New axes of size 1 at these places of the result. */
  unsqueeze(x: string, axes: readonly number[], suffix: string): string;
  /** From index `from` up to `to` of an axis. */
  slice(x: string, axis: number, from: number, to: number, suffix: string): string;
  /** One index of the last axis, which goes: [..., k] to [...]. */
  column(x: string, index: number, suffix: string): string;
  concat(parts: readonly string[], axis: number, suffix: string): string;
  /** Over some axes, which go unless kept. */
  reduce(
    kind: "Sum" | "Max" | "Min" | "Mean",
    x: string,
    axes: readonly number[],
    suffix: string,
    keep?: boolean,
  ): string;
  /** 0, 1, ... up to a count, which is int64 [1]: int64 or float32 [count]. */
  range(count: string, dtype: "int64" | "float32", suffix: string): string;
  /** Where a boolean vector is true: int64 [S]. */
  where(truth: string, suffix: string): string;
  /** The largest (or smallest) `count` along the last axis, in order, equals by their index. */
  top(
    x: string,
    count: string,
    suffix: string,
    largest?: boolean,
  ): { readonly values: string; readonly indices: string };
}

export function writer(node: Node, emit: Lowering): Writer {
  const name = (value: Value): string => emit.name(value);
  const step: Writer["step"] = (onnx, inputs, suffix, attributes) => {
    const made = emit.temporary(suffix);
    emit.node(onnx, inputs, [made], attributes);
    return made;
  };
  const self: Writer = {
    opset: emit.opset,
    inputs: node.inputs.map(name),
    outputs: node.outputs.map(name),
    step,
    give: (onnx, inputs, attributes, output = 0) => emit.node(onnx, inputs, [self.outputs[output]!], attributes),
    ints: (...values) => emit.constant(values, "int64"),
    number: (value) => emit.constant([value], "float32", []),
    numbers: (values, shape) => emit.constant(values, "float32", shape),
    whole: (value) => emit.constant([value], "int32", []),
    wholes: (values, shape) => emit.constant(values, "int32", shape),
    cast: (x, to, suffix = to) => step("Cast", [x], suffix, { to: onnxType(to) }),
    size(of, axis) {
      const dim = of.type.shape[axis];
      return typeof dim === "number" ? self.ints(dim) : self.sizeOf(name(of), axis);
    },
    sizeOf: (x, axis) => step("Gather", [step("Shape", [x], "shape"), self.ints(axis)], "size"),
    shape(...sizes) {
      if (sizes.every((size) => typeof size === "number")) return self.ints(...sizes);
      const parts = sizes.map((size) => (typeof size === "number" ? self.ints(size) : size));
      return parts.length === 1 ? parts[0]! : self.concat(parts, 0, "shape");
    },
    reshape: (x, sizes, suffix) => step("Reshape", [x, self.shape(...sizes)], suffix),
    expand: (x, sizes, suffix) => step("Expand", [x, self.shape(...sizes)], suffix),
    unsqueeze: (x, axes, suffix) => step("Unsqueeze", [x, self.ints(...axes)], suffix),
    slice: (x, axis, from, to, suffix) => step("Slice", [x, self.ints(from), self.ints(to), self.ints(axis)], suffix),
    column: (x, index, suffix) => step("Gather", [x, emit.constant([index], "int64", [])], suffix, { axis: -1 }),
    concat: (parts, axis, suffix) => step("Concat", parts, suffix, { axis }),
    reduce(kind, x, axes, suffix, keep = false) {
      const keepdims = keep ? 1 : 0;
      // ReduceSum took its axes as an input from opset 13 on, the others from 18 on.
      if (kind === "Sum" || emit.opset >= 18) {
        return step(`Reduce${kind}`, [x, self.ints(...axes)], suffix, { keepdims });
      }
      return step(`Reduce${kind}`, [x], suffix, { axes, keepdims });
    },
    range(count, dtype, suffix) {
      const number = (value: number): string => emit.constant([value], "int64", []);
      const end = step("Squeeze", [count, self.ints(0)], "end");
      // Whole numbers first: ONNX's shape inference takes a size that was cast to float32 for an int64 still, and then
      // finds the bounds of a range of two types.
      const range = step("Range", [number(0), end, number(1)], suffix);
      return dtype === "int64" ? range : self.cast(range, dtype, `${suffix}.number`);
    },
    where: (truth, suffix) => self.reshape(step("NonZero", [truth], "places"), [-1], suffix),
    top(x, count, suffix, largest = true) {
      const [values, indices] = [emit.temporary(suffix), emit.temporary(`${suffix}.indices`)];
      emit.node("TopK", [x, count], [values, indices], { axis: -1, largest: largest ? 1 : 0, sorted: 1 });
      return { values, indices };
    },
  };
  return self;
}
