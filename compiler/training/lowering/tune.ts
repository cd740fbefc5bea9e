/** Choosing by measuring: every operation that a training graph has, in each of its ways, on the machine itself. */
import { node as makeNode, value } from "../../ir/build.js";
import type { Graph, Node, Value } from "../../ir/types.js";
import { chooseMethods } from "../choose_methods.js";
import { BLOCKABLE, blockLayout } from "./block_layout.js";
import { BLOCKED, methodKey, methodsOf, type LoweringTarget, type MethodChoices } from "./methods.js";

/** Seconds that one run of a small graph takes; the values of its inputs do not matter. */
export type Measure = (graph: Graph) => Promise<number>;

export interface Tuned {
  readonly key: string;
  /** Seconds by method; a method that failed is not there. */
  readonly seconds: Readonly<Record<string, number>>;
  readonly fastest: string;
}

/**
 * The fastest method of each operation in `graph`, as it is before methods are chosen. Those in `known` are not measured
 * again. `observe` sees each one that was.
 */
export async function tuneMethods(
  graph: Graph,
  lowering: LoweringTarget,
  measure: Measure,
  known: MethodChoices = {},
  observe: (tuned: Tuned) => void = () => {},
): Promise<MethodChoices> {
  const choices: Record<string, string> = { ...known };
  for (const node of graph.nodes) {
    const methods = methodsOf(node, lowering);
    if (methods.length < 2) continue;
    const key = methodKey(node, lowering);
    if (Object.hasOwn(choices, key)) continue;
    const seconds: Record<string, number> = {};
    for (const method of methods) {
      // A way that does not run on this machine is no choice there.
      const time = await measure(piece(node, method, lowering)).catch(() => Infinity);
      if (time < Infinity) seconds[method] = time;
    }
    const [fastest] = Object.entries(seconds).sort(([, a], [, b]) => a - b);
    if (fastest === undefined) continue;
    choices[key] = fastest[0];
    observe({ key, seconds, fastest: fastest[0] });
  }
  return choices;
}

/**
 * A graph of this one node in one of its ways. Maps come and go in blocks, as they do in the whole graph: a plain way
 * has to change their layout, which costs it time there too.
 */
export function piece(node: Node, method: string, { target, block }: LoweringTarget): Graph {
  const inputs = node.inputs.map((input, index) => ({ name: `x${index}`, value: value(input.type, `x${index}`) }));
  const attributes = method === BLOCKED || method === "plain" ? node.attributes : { ...node.attributes, method };
  const made = makeNode(
    node.op,
    inputs.map((each) => each.value),
    attributes,
    node.op,
    node.span,
  );
  const graph: Graph = {
    name: node.op,
    inputs,
    parameters: [],
    constants: [],
    nodes: [made],
    outputs: made.outputs.map((each, index) => ({ name: `y${index}`, value: each })),
  };
  const choose = (): string => method;
  const chosen = chooseMethods(graph, target, (_each, methods) => (methods.includes(method) ? method : undefined));
  const maps = BLOCKABLE[node.op];
  if (block === 0 || maps === undefined) return chosen;
  const blocked: readonly Value[] = [
    ...maps.inputs.map((index) => made.inputs[index]!),
    ...maps.outputs.map((index) => made.outputs[index]!),
  ];
  const ids = new Set(blocked.map((each) => each.id));
  return blockLayout(chosen, block, { choose, isBlocked: (each) => ids.has(each.id) });
}
