/** Layers that work value by value and have no parameters: what they share. */
import type { Lowering, OnnxAttribute } from "./lowering.js";
import type { Attributes, GraphBuilder, Node, Operator, Value } from "./operator.js";
import { formula, type Formula } from "./formula.js";
import { known } from "./shapes.js";
import type { AttributeValue } from "../ir/types.js";
import type { Schema } from "../words/schema.js";

interface Elementwise {
  readonly name: string;
  readonly doc: string;
  readonly arguments?: Schema<AttributeValue>;
  readonly label?: string;
  readonly trainingOnly?: true;
  readonly cutsOff?: true;
  readonly training?: Operator["training"];
  /** The ONNX operator that does it, and its attributes. */
  readonly onnx?: string;
  readonly onnxAttributes?: (attributes: Attributes) => Readonly<Record<string, OnnxAttribute>>;
  /** Instead of `onnx`, where it takes several. */
  readonly lower?: (node: Node, emit: Lowering) => void;
  /** dx as a formula of dy, the input and the output. */
  readonly gradient?: (f: Formula, dy: Value, x: Value, y: Value, node: Node) => Value;
}

export function elementwise(definition: Elementwise): Operator {
  const { name, doc, onnx, onnxAttributes, trainingOnly, cutsOff, gradient } = definition;
  const single = (node: Node, emit: Lowering): void =>
    emit.node(onnx!, [emit.name(node.inputs[0]!)], [emit.name(node.outputs[0]!)], onnxAttributes?.(node.attributes));
  return {
    name,
    doc,
    layer: { arguments: definition.arguments ?? {} },
    infer: ([x]) => [known(x)],
    elementwise: true,
    ...(trainingOnly && { trainingOnly }),
    ...(cutsOff && { cutsOff }),
    ...(definition.training && { training: definition.training }),
    label: () => definition.label ?? name.replaceAll("_", " "),
    lower: definition.lower ?? single,
    ...(gradient && {
      gradient: (node: Node, [dy]: readonly (Value | undefined)[], builder: GraphBuilder) => {
        return dy === undefined ? [] : [gradient(formula(builder), dy, node.inputs[0]!, node.outputs[0]!, node)];
      },
    }),
  };
}
