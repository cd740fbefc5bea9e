/** Writing the ONNX of a blocked operator: each step gives the name of what it made. */
import type { Lowering, OnnxAttribute } from "../lowering.js";
import type { Node } from "../operator.js";

/** ONNX Runtime's operators on blocked tensors. */
const NCHWC = "com.microsoft.nchwc";

/** Attributes of a convolution that sees one pixel at a time. */
export const POINTWISE = { kernel_shape: [1, 1], strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1] } as const;

type OnnxAttributes = Readonly<Record<string, OnnxAttribute>>;

export interface Steps {
  /** One operator of ai.onnx; `output` where it makes the node's own result. */
  onnx(op: string, inputs: readonly string[], attributes?: OnnxAttributes, output?: string): string;
  /** One operator of the blocked layout. */
  blocked(op: string, inputs: readonly string[], attributes?: OnnxAttributes, output?: string): string;
  reshape(x: string, shape: readonly number[], output?: string): string;
  /** `perm` of `x` seen as `shape`. */
  transpose(x: string, shape: readonly number[], perm: readonly number[]): string;
  /** The same where the last axis stays the last: what lies along it goes as a whole, with all threads. */
  rearrange(x: string, shape: readonly number[], perm: readonly number[]): string;
  /** Its first axis in so many parts of equal lengths. */
  split(x: string, length: number, count: number): readonly string[];
  /** Sum along the first axis of [count, ...]. */
  sumFirst(x: string, output?: string): string;
  vector(values: readonly number[]): string;
  /** A constant. */
  floats(values: readonly number[], shape?: readonly number[]): string;
  number(value: number): string;
}

export function steps(emit: Lowering): Steps {
  const write = (domain: string) => {
    return (op: string, inputs: readonly string[], attributes: OnnxAttributes = {}, output?: string): string => {
      const made = output ?? emit.temporary(op.toLowerCase());
      emit.node(op, inputs, [made], attributes, domain);
      return made;
    };
  };
  const onnx = write("");
  const vector = (values: readonly number[]): string => emit.constant(values, "int64");
  const floats = (values: readonly number[], shape = [values.length]): string =>
    emit.constant(values, "float32", shape);
  const reshape = (x: string, shape: readonly number[], output?: string): string =>
    onnx("Reshape", [x, vector(shape)], {}, output);
  return {
    onnx,
    blocked: write(NCHWC),
    reshape,
    transpose: (x, shape, perm) => onnx("Transpose", [reshape(x, shape)], { perm }),
    rearrange(x, shape, perm) {
      const size = shape.at(-1)!;
      const rows = shape.slice(0, -1);
      const [outer, inner] = rowOrder(rows, perm.slice(0, -1));
      // A sum of constants: ONNX Runtime makes it once, and the file holds two short vectors.
      const order = onnx("Add", [
        emit.constant(outer, "int64", [outer.length, 1]),
        emit.constant(inner, "int64", [1, inner.length]),
      ]);
      return onnx("Gather", [reshape(x, [outer.length * inner.length, size]), order], { axis: 0 });
    },
    split(x, length, count) {
      const parts = Array.from({ length: count }, (_, index) => emit.temporary(`part${index}`));
      emit.node("Split", [x, vector(parts.map(() => length / count))], parts, { axis: 0 });
      return parts;
    },
    sumFirst: (x, output) => onnx("ReduceSum", [x, vector([0])], { keepdims: 0 }, output),
    vector,
    floats,
    number: (value) => floats([value], []),
  };
}

/** Where the rows of an array of this shape come from when its axes are permuted, as sums of one of the first and one of the second. */
function rowOrder(shape: readonly number[], perm: readonly number[]): readonly [readonly number[], readonly number[]] {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const from = (axes: readonly number[]): readonly number[] =>
    axes.reduce(
      (starts, axis) =>
        starts.flatMap((start) => Array.from({ length: shape[axis]! }, (_, index) => start + index * strides[axis]!)),
      [0],
    );
  const total = shape.reduce((product, size) => product * size, 1);
  let [cut, before] = [0, 1];
  while (cut < perm.length && before * before < total) before *= shape[perm[cut++]!]!;
  return [from(perm.slice(0, cut)), from(perm.slice(cut))];
}

/** ONNX names of a node's inputs. */
export function inputNames(node: Node, emit: Lowering): readonly string[] {
  return node.inputs.map((input) => emit.name(input));
}
