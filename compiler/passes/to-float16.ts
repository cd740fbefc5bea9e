import { tensor } from "../ir/build.js";
import { node as makeNode, parameter } from "../ops/node.js";
import type { DataType, Graph, Node, Parameter, Value } from "../ir/types.js";
import { operator } from "../ops/index.js";
import type { Pass } from "./pass.js";

/**
 * Weights and activations as fp16. The graph's inputs and outputs stay fp32, and so do the operators that say they
 * need it (exponentials, sums over whole maps, which leave fp16's range at 65,504): casts stand between.
 */
export const toFloat16: Pass = {
  name: "fp16",
  run: (graph, { precision = "fp32" }) => (precision === "fp16" ? halve(graph) : graph),
};

/** Every value in fp16 but those of the operators that say they need fp32. */
export function halve(graph: Graph): Graph {
  const wanted = (node: Node): DataType => (operator(node.op).fullPrecision ? "float32" : "float16");
  const halfUsers = new Set(
    graph.nodes.filter((node) => wanted(node) === "float16").flatMap((node) => node.inputs.map((input) => input.id)),
  );
  const parameters = graph.parameters.map((each) => (halfUsers.has(each.value.id) ? halfParameter(each) : each));

  /** What each old value has become, and its casts. */
  const current = new Map<number, Value>(
    graph.parameters.map(({ value }, index) => [value.id, parameters[index]!.value]),
  );
  const casts = new Map<number, Value>();
  const nodes: Node[] = [];
  const as = (original: Value, dtype: DataType, user: Pick<Node, "path" | "span">): Value => {
    const value = current.get(original.id) ?? original;
    if (value.type.dtype === dtype || !isFloat(value.type.dtype)) return value;
    const known = casts.get(value.id);
    if (known !== undefined) return known;
    const made = makeNode("cast", [value], { to: dtype }, user.path, user.span, `${value.name}.${dtype}`);
    nodes.push(made);
    casts.set(value.id, made.outputs[0]!);
    return made.outputs[0]!;
  };
  for (const original of graph.nodes) {
    const { op, attributes, path, span } = original;
    const inputs = original.inputs.map((input) => as(input, wanted(original), original));
    const name = original.outputs.length === 1 ? original.outputs[0]!.name : path;
    const made = makeNode(op, inputs, attributes, path, span, name);
    original.outputs.forEach((output, index) => current.set(output.id, made.outputs[index]!));
    nodes.push(made);
  }
  const last = graph.nodes.at(-1);
  const outputs = graph.outputs.map(({ name, value }) => {
    const user = { path: name, span: last?.span ?? { file: "", start: 0, end: 0 } };
    return { name, value: as(value, value.type.dtype, user) };
  });
  return { ...graph, parameters, nodes, outputs };
}

/** The parameter rounded to fp16. Its values are those of the original until they are written. */
function halfParameter(original: Parameter): Parameter {
  const { path, role, trainable, init, value } = original;
  if (value.type.dtype !== "float32") return original;
  const made = parameter({ name: path, role, trainable, init, shape: [] }, path);
  return {
    ...made,
    value: { ...made.value, type: tensor(value.type.shape, "float16") },
    derived: { from: [original], compute: (values) => values },
  };
}

function isFloat(dtype: DataType): boolean {
  return dtype === "float32" || dtype === "float16";
}
