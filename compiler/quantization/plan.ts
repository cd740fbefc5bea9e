/** Which layers of a graph compute with 8-bit numbers, and which values between them are such numbers. */
import type { Graph, Node, Parameter, Value } from "../ir/types.js";
import { operator } from "../ops/index.js";
import { countUses } from "../passes/rewrite.js";

export interface Plan {
  /** Layers of 8-bit numbers. */
  readonly layers: ReadonlySet<Node>;
  /** ReLUs behind such layers, which the ends of the numbers stand for: by the layer before them. */
  readonly cutOff: ReadonlyMap<Node, Node>;
  /** Values that become 8-bit numbers, with those that have one scale with them: by id. */
  readonly values: ReadonlyMap<number, Group>;
}

/** Values of one scale. */
export interface Group {
  readonly members: Value[];
}

/**
 * Of convolutions and fully connected layers, and of sums, products, joins and averages of maps, those that are not to be `kept`
 * in fp32, and the poolings between them, whose two sides have one scale.
 *
 * @param kept by the node's path, for layers with a weight
 */
export function planQuantization(graph: Graph, kept: (path: string) => boolean): Plan {
  const parameters = new Map(graph.parameters.map((each) => [each.value.id, each]));
  const uses = countUses(graph);
  const users = usersOf(graph);
  const outputs = new Set(graph.outputs.map(({ value }) => value.id));
  const layers = new Set(graph.nodes.filter((node) => canCompute(node, parameters) && !kept(node.path)));

  const cutOff = new Map<Node, Node>();
  for (const layer of layers) {
    const [given] = layer.outputs;
    const [next] = users.get(given!.id) ?? [];
    if (next && operator(next.op).cutsOff && uses.get(given!.id) === 1 && !outputs.has(given!.id))
      cutOff.set(layer, next);
  }
  const giving = (layer: Node): Value => (cutOff.get(layer) ?? layer).outputs[0]!;

  const groups = new Map<number, Group>();
  const groupOf = (value: Value): Group => {
    const known = groups.get(value.id);
    if (known) return known;
    const made: Group = { members: [value] };
    groups.set(value.id, made);
    return made;
  };
  const unite = (a: Value, b: Value): void => {
    const [one, other] = [groupOf(a), groupOf(b)];
    if (one === other) return;
    one.members.push(...other.members);
    for (const { id } of other.members) groups.set(id, one);
  };
  for (const layer of layers) {
    const inputs = dataOf(layer, parameters);
    inputs.forEach(groupOf);
    if (!outputs.has(giving(layer).id)) groupOf(giving(layer));
  }
  // In order: what one hands on the next may hand on.
  for (const node of graph.nodes) {
    if (operator(node.op).quantized !== "keeps" || !groups.has(node.inputs[0]!.id)) continue;
    if (outputs.has(node.outputs[0]!.id)) continue;
    layers.add(node);
    unite(node.inputs[0]!, node.outputs[0]!);
  }
  return { layers, cutOff, values: groups };
}

/** A layer's inputs that are no parameters of its own. */
export function dataOf(node: Node, parameters: ReadonlyMap<number, Parameter>): readonly Value[] {
  return node.inputs.filter((input) => !parameters.has(input.id));
}

function canCompute(node: Node, parameters: ReadonlyMap<number, Parameter>): boolean {
  const { quantized } = operator(node.op);
  if (quantized === undefined || quantized === "keeps") return false;
  const [first, weight, bias] = node.inputs;
  if (!node.inputs.every(({ type }) => type.dtype === "float32")) return false;
  // A weight that flows, or a bias that does, has no values to be rounded when compiling.
  if (quantized === "weighted") {
    const own = (value: Value | undefined): boolean => value !== undefined && parameters.has(value.id);
    return !own(first) && own(weight) && (bias === undefined || own(bias));
  }
  if (dataOf(node, parameters).length !== node.inputs.length) return false;
  // ONNX has the sum of two; of more it is written as a chain, whose links have no scale.
  return node.op === "concat" || node.inputs.length <= 2;
}

function usersOf(graph: Graph): ReadonlyMap<number, readonly Node[]> {
  const users = new Map<number, Node[]>();
  for (const node of graph.nodes) {
    for (const { id } of node.inputs) {
      const known = users.get(id);
      if (known) known.push(node);
      else users.set(id, [node]);
    }
  }
  return users;
}
