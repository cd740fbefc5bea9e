/** What an operator's lowering writes ONNX nodes with. */
import type { DataType, Value } from "../ir/types.js";

export type OnnxAttribute =
  number | { readonly float: number } | string | readonly number[] | { readonly floats: readonly number[] };

export interface Lowering {
  /** Version of the ai.onnx operator set of the model that is written. */
  readonly opset: number;
  /** The ONNX name of an IR value (inputs of the node: already written; outputs: where to write). */
  name(value: Value): string;
  /** A new intermediate name, readable: the node's path and this suffix. */
  temporary(suffix: string): string;
  /** An initializer with these values, shared where the same was asked before; gives its name. */
  constant(data: readonly number[], dtype: DataType, shape?: readonly number[]): string;
  /**
   * One ONNX node. Its name is the IR node's path (with the suffix of its first temporary output where there are
   * several), its doc string the source line.
   */
  node(
    opType: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes?: Readonly<Record<string, OnnxAttribute>>,
    domain?: string,
  ): void;
}
