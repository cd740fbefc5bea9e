/** Writing the ONNX of a blocked operator: each step gives the name of what it made. */
import type { Lowering, OnnxAttribute } from "../lowering.js";
import type { Node } from "../operator.js";

/** ONNX Runtime's operators on blocked tensors. */
const NCHWC = "com.microsoft.nchwc";

type OnnxAttributes = Readonly<Record<string, OnnxAttribute>>;

export interface Steps {
  /** One operator of ai.onnx; `output` where it makes the node's own result. */
  onnx(op: string, inputs: readonly string[], attributes?: OnnxAttributes, output?: string): string;
  /** One operator of the blocked layout. */
  blocked(op: string, inputs: readonly string[], attributes?: OnnxAttributes, output?: string): string;
  reshape(x: string, shape: readonly number[], output?: string): string;
  /** `perm` of `x` seen as `shape`. */
  transpose(x: string, shape: readonly number[], perm: readonly number[]): string;
  /** Sum along the first axis of [count, ...]. */
  sumFirst(x: string, output?: string): string;
  vector(values: readonly number[]): string;
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
  const reshape = (x: string, shape: readonly number[], output?: string): string =>
    onnx("Reshape", [x, vector(shape)], {}, output);
  return {
    onnx,
    blocked: write(NCHWC),
    reshape,
    transpose: (x, shape, perm) => onnx("Transpose", [reshape(x, shape)], { perm }),
    sumFirst: (x, output) => onnx("ReduceSum", [x, vector([0])], { keepdims: 0 }, output),
    vector,
    number: (value) => emit.constant([value], "float32", []),
  };
}

/** ONNX names of a node's inputs. */
export function inputNames(node: Node, emit: Lowering): readonly string[] {
  return node.inputs.map((input) => emit.name(input));
}
