/** Whether a graph is what its types promise. Run between passes in tests: a pass that breaks it is found at once. */
import { operator } from "./index.js";
import { formatShape, sameShape, type Dim } from "../ir/dim.js";
import { formatType } from "../ir/print.js";
import type { Graph, Node, TensorType, Value } from "../ir/types.js";

/** Throws an Error that names the node or value; gives the graph back, so that it can stand in an expression. */
export function verify(graph: Graph): Graph {
  const made = new Set<number>();
  const define = (value: Value, what: string): void => {
    if (made.has(value.id)) throw new Error(`${graph.name}: ${what} ${value.name} is made twice`);
    made.add(value.id);
  };
  for (const { name, value } of graph.inputs) define(value, `input ${name}`);
  for (const { value } of graph.parameters) define(value, "parameter");
  for (const { value } of graph.constants) define(value, "constant");
  requireUnique(
    graph,
    "parameter",
    graph.parameters.map((each) => each.path),
  );
  requireUnique(
    graph,
    "input",
    graph.inputs.map((each) => each.name),
  );
  requireUnique(
    graph,
    "output",
    graph.outputs.map((each) => each.name),
  );
  for (const node of graph.nodes) {
    for (const input of node.inputs) {
      if (!made.has(input.id)) throw new Error(`${graph.name}: ${node.path} uses ${input.name} before it is made`);
    }
    verifyTypes(graph, node);
    for (const output of node.outputs) define(output, `output of ${node.path},`);
  }
  for (const { name, value } of graph.outputs) {
    if (!made.has(value.id)) throw new Error(`${graph.name}: nothing makes the output ${name}`);
  }
  return graph;
}

function verifyTypes(graph: Graph, node: Node): void {
  const inferred = operator(node.op).infer(
    node.inputs.map((input) => input.type),
    node.attributes,
  );
  const stated = node.outputs.map((output) => output.type);
  const agree = inferred.length === stated.length && inferred.every((type, index) => sameType(type, stated[index]!));
  if (agree) return;
  throw new Error(
    `${graph.name}: ${node.path} (${node.op}) says ${stated.map(formatType).join(", ")}, ` +
      `its operator infers ${inferred.map(formatType).join(", ")}`,
  );
}

function sameType(a: TensorType, b: TensorType): boolean {
  // A size found at run time gets a new symbol each time it is inferred; its name has to do.
  const anonymous = (shape: readonly Dim[]): string => formatShape(shape);
  return a.dtype === b.dtype && (sameShape(a.shape, b.shape) || anonymous(a.shape) === anonymous(b.shape));
}

function requireUnique(graph: Graph, what: string, names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw new Error(`${graph.name}: two ${what}s are named ${name}`);
    seen.add(name);
  }
}
