/** The layers at a network's two ends, which differ where all others agree: the first convolution, and the classifier. */
import type { Graph, Node, Parameter } from "../../compiler/ir/types.js";
import { layerPath } from "../../compiler/weights/rename.js";

/**
 * Paths of the layers with weights after which no parameter comes: a classifier's last (`head.fc`), a detector's class and
 * box predictors. None where a network ends in something else, as features after a batch norm.
 */
export function headLayers(graph: Graph): readonly string[] {
  const parameters = new Map(graph.parameters.map((parameter) => [parameter.value.id, parameter]));
  // Values from which a parameter is reached further on.
  const leads = new Set<number>();
  const heads = new Set<string>();
  for (const node of graph.nodes.toReversed()) {
    const own = node.inputs.flatMap(({ id }) => parameters.get(id) ?? []);
    const isLast = !node.outputs.some(({ id }) => leads.has(id));
    if (isLast && own.length > 0) for (const weight of own) if (weight.role === "weight") heads.add(layerPath(weight));
    if (own.length > 0 || !isLast) for (const { id } of node.inputs) leads.add(id);
  }
  return [...heads];
}

/** The weights of the convolutions that see the image itself. */
export function firstConvolutions(graph: Graph): readonly Parameter[] {
  const parameters = new Map(graph.parameters.map((parameter) => [parameter.value.id, parameter]));
  const image = new Set(graph.inputs.slice(0, 1).map(({ value }) => value.id));
  const found: Parameter[] = [];
  for (const node of graph.nodes) {
    if (!node.inputs.some(({ id }) => image.has(id))) continue;
    const weight = weightOf(node, parameters);
    if (weight === undefined) for (const { id } of node.outputs) image.add(id);
    else if (node.op === "conv") found.push(weight);
  }
  return found;
}

function weightOf(node: Node, parameters: ReadonlyMap<number, Parameter>): Parameter | undefined {
  return node.inputs.map(({ id }) => parameters.get(id)).find((parameter) => parameter?.role === "weight");
}
