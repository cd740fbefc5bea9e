/**
 * The intermediate representation: a typed graph in SSA form.
 *
 * Everything that the compiler does after elaboration (differentiation, folding, precision, lowering) is a function
 * from a {@link Graph} to a Graph. A graph is immutable: a pass builds a new one and shares what it did not change.
 * Layout is NCHW throughout; a pass may choose another.
 */
import type { Span } from "../../grammar/ast.js";
import type { Dim } from "./dim.js";

/** Element type of a tensor. */
export type DataType = "float32" | "float16" | "float64" | "int64" | "int32" | "int8" | "uint8" | "bool";

/** `float32[N, 64, 56, 56]`; a dimension is a number or an expression in symbols (batch, H, W, or found at run time). */
export interface TensorType {
  readonly dtype: DataType;
  readonly shape: readonly Dim[];
}

/** A tensor: made once, by a node, or given to the graph as an input, parameter or constant. */
export interface Value {
  /** Unique in the process; the identity of the value. */
  readonly id: number;
  readonly type: TensorType;
  /** For people: `conv4.22.conv2`, or a label of the source. Made unique when ONNX is written. */
  readonly name: string;
}

/** What an attribute of a node can be. */
export type AttributeValue = number | boolean | string | readonly number[] | readonly string[];
/** Attributes of a node, by name: `{ kernel: [3, 3], stride: [2, 2] }`. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** One operation. `op` names a record of the registry in compiler/ops/, where all that is known about it stands. */
export interface Node {
  readonly op: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Attributes;
  /** Where it stands in the model: `conv4.22.conv2`. A profile, a drawing and an error point back with it. */
  readonly path: string;
  /** The statement that made it. */
  readonly span: Span;
}

/** How a parameter's values begin, or what they are. */
export type Initializer =
  /** He et al. 2015, as the paper: normal with variance 2 / fan-in. */
  | { readonly kind: "he_normal"; readonly fanIn: number }
  | { readonly kind: "normal"; readonly std: number }
  /** Uniform in [-bound, bound]. */
  | { readonly kind: "uniform"; readonly bound: number }
  | { readonly kind: "constant"; readonly value: number };

/** A tensor that the model owns: a weight that training changes, or a statistic that it tracks. */
export interface Parameter {
  readonly value: Value;
  /** Its name in our safetensors, in checkpoints and in name maps: `conv4.22.conv2.weight`. Unique. */
  readonly path: string;
  readonly role: "weight" | "bias" | "scale" | "offset" | "running_mean" | "running_var";
  /** False for running statistics. */
  readonly trainable: boolean;
  readonly init: Initializer;
  /**
   * Set by passes that compute a parameter from others when weights are known (folding a batch norm, rounding to
   * fp16): the parameters that it comes from, and the function of their values.
   */
  readonly derived?: Derivation;
}

/** How a parameter is computed from others. */
export interface Derivation {
  readonly from: readonly Parameter[];
  /** Values in the order of `from`, flat, row-major; gives the values of this parameter. */
  readonly compute: (...values: Float32Array[]) => Float32Array;
}

/** A value known when compiling: a shape vector, a mean, an anchor table. */
export interface Constant {
  readonly value: Value;
  readonly data: Float32Array | Float64Array | BigInt64Array | Int32Array | Int8Array | Uint8Array;
}

/** An input or output of a graph, with the name that it has in ONNX. */
export interface NamedValue {
  readonly name: string;
  readonly value: Value;
}

/** A network as operations on tensors. It has no cycles. */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly NamedValue[];
  readonly outputs: readonly NamedValue[];
  readonly parameters: readonly Parameter[];
  readonly constants: readonly Constant[];
  /** In an order in which every input is made before it is used. */
  readonly nodes: readonly Node[];
}

/** How the statement structure of the source maps onto the graph: for summaries, drawings and weights. */
export interface Scope {
  readonly kind: "network" | "stage" | "block" | "residual" | "shortcut" | "branch" | "group";
  /** Last part of the path: `conv4`, `22`, `shortcut`. */
  readonly name: string;
  readonly path: string;
  readonly span: Span;
  /** The declaration that it instantiates: `bottleneck`, `projection_on_change`. */
  readonly declaration?: string;
  readonly input?: Value;
  readonly output?: Value;
  /** Layers and inner scopes in source order. */
  readonly children: readonly (Scope | Node)[];
}

export function isScope(item: Scope | Node): item is Scope {
  return "children" in item;
}
