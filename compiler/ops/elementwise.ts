/** Operators of one input that keep its shape and have no parameters: what they share. */
import type { Lowering, OnnxAttribute } from "../emit/lowering.js";
import type { ArgumentSpec, Attributes, Node, Operator } from "./operator.js";
import { known } from "./shapes.js";

interface Elementwise {
  readonly name: string;
  readonly doc: string;
  readonly arguments?: readonly ArgumentSpec[];
  readonly label?: string;
  readonly trainingOnly?: true;
  readonly fullPrecision?: true;
  /** The ONNX operator that does it, and its attributes. */
  readonly onnx?: string;
  readonly onnxAttributes?: (attributes: Attributes) => Readonly<Record<string, OnnxAttribute>>;
  /** Instead of `onnx`, where it takes several. */
  readonly lower?: (node: Node, emit: Lowering) => void;
}

export function elementwise(definition: Elementwise): Operator {
  const { name, doc, onnx, onnxAttributes, trainingOnly, fullPrecision } = definition;
  const single = (node: Node, emit: Lowering): void =>
    emit.node(onnx!, [emit.name(node.inputs[0]!)], [emit.name(node.outputs[0]!)], onnxAttributes?.(node.attributes));
  return {
    name,
    doc,
    layer: { arguments: definition.arguments ?? [] },
    infer: ([x]) => [known(x)],
    ...(trainingOnly && { trainingOnly }),
    ...(fullPrecision && { fullPrecision }),
    label: () => definition.label ?? name.replaceAll("_", " "),
    lower: definition.lower ?? single,
  };
}
