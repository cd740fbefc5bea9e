/** Building a graph from another, node by node: what passes are written with. */
import { node as makeNode } from "../ops/node.js";
import type { Constant, Graph, NamedValue, Node, Parameter, Value } from "../ir/types.js";

/** What stands in a node's place: nodes, perhaps none, and the values that its outputs become. */
export interface Replacement {
  readonly nodes: readonly Node[];
  readonly outputs: readonly Value[];
}

export interface RewriteOptions {
  /** Inputs, parameters or constants that become others; by id of the old one. */
  readonly values?: ReadonlyMap<number, Value>;
  readonly inputs?: readonly NamedValue[];
  readonly parameters?: readonly Parameter[];
  readonly constants?: readonly Constant[];
}

/**
 * A graph in which `visit` has replaced nodes. It gets each node with its inputs already replaced, and gives undefined
 * to keep it. A node whose inputs changed is inferred anew (and may throw a ShapeError); what did not change is shared.
 */
export function rewrite(
  graph: Graph,
  visit: (node: Node, original: Node) => Replacement | undefined,
  options: RewriteOptions = {},
): Graph {
  const replaced = new Map<number, Value>(options.values);
  const current = (value: Value): Value => replaced.get(value.id) ?? value;
  const nodes = graph.nodes.flatMap((original): readonly Node[] => {
    const kept = withInputs(original, original.inputs.map(current));
    const replacement = visit(kept, original) ?? { nodes: [kept], outputs: kept.outputs };
    original.outputs.forEach((output, index) => replaced.set(output.id, replacement.outputs[index]!));
    return replacement.nodes;
  });
  return {
    ...graph,
    inputs: options.inputs ?? graph.inputs,
    parameters: options.parameters ?? graph.parameters,
    constants: options.constants ?? graph.constants,
    nodes,
    outputs: graph.outputs.map(({ name, value }) => ({ name, value: current(value) })),
  };
}

/** The node with other inputs: itself where they are the same. */
export function withInputs(original: Node, inputs: readonly Value[]): Node {
  if (inputs.every((input, index) => input === original.inputs[index])) return original;
  const { op, attributes, path, span, outputs } = original;
  return makeNode(op, inputs, attributes, path, span, outputs.length === 1 ? outputs[0]!.name : path);
}

/** How often each value is used, by nodes and as an output of the graph; by id, absent for never. */
export function countUses(graph: Graph): ReadonlyMap<number, number> {
  const uses = new Map<number, number>();
  const used = [...graph.nodes.flatMap((node) => node.inputs), ...graph.outputs.map((output) => output.value)];
  for (const { id } of used) uses.set(id, (uses.get(id) ?? 0) + 1);
  return uses;
}
