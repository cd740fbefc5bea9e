/** Choosing by measuring: every operation that a training graph has, in each of its ways, on the machine itself. */
import { value } from "../ir/build.js";
import type { Graph, Node, Value } from "../ir/types.js";
import { operator } from "../ops/index.js";
import { node as makeNode } from "../ops/node.js";
import { blockLayout } from "../passes/block-layout.js";
import { algorithmKey, withAlgorithms, type AlgorithmTarget } from "../passes/choose-algorithms.js";
import { type AlgorithmChoices } from "../passes/pass.js";
import { algorithmsOf, BLOCKED, estimatedAlgorithm, PLAIN } from "./algorithms.js";

export type { AlgorithmChoices } from "../passes/pass.js";

/** Seconds that one run of a small graph takes; the values of its inputs do not matter. */
export type Measure = (graph: Graph) => Promise<number>;

/** Seconds by algorithm; an algorithm that does not run on the machine is not there. */
export type Times = Readonly<Record<string, number>>;

/** An operation that can be written in several ways. */
export interface Choice {
  readonly key: string;
  /** The first in the graph of those with this key. */
  readonly node: Node;
  /** Paths of all that have it, in the graph's order. */
  readonly layers: readonly string[];
  readonly algorithms: readonly string[];
  /** The one that the cost model takes. */
  readonly estimate: string;
}

/** Of a graph as it is before algorithms are chosen. */
export function choicesOf(graph: Graph, target: AlgorithmTarget): readonly Choice[] {
  const found = new Map<string, Choice & { readonly layers: string[] }>();
  for (const node of graph.nodes) {
    const algorithms = algorithmsOf(node, target);
    if (algorithms.length < 2) continue;
    const key = algorithmKey(node, target);
    if (key === undefined) continue;
    const known = found.get(key);
    if (known) known.layers.push(node.path);
    else found.set(key, { key, node, layers: [node.path], algorithms, estimate: estimatedAlgorithm(node, target) });
  }
  return [...found.values()];
}

/** Those of `algorithms` that a graph has a choice of; an algorithm that an operation does not have is none. */
export function relevantAlgorithms(
  graph: Graph,
  target: AlgorithmTarget,
  algorithms: AlgorithmChoices,
): AlgorithmChoices {
  const chosen = choicesOf(graph, target).flatMap(({ key, algorithms: possible }) => {
    const algorithm = Object.hasOwn(algorithms, key) ? algorithms[key]! : "";
    return possible.includes(algorithm) ? [[key, algorithm] as const] : [];
  });
  return Object.fromEntries(chosen);
}

/** Rounds in which the estimate and what seems faster are measured again: the machine may have been busy with other things. */
const CONFIRMATIONS = 2;

/** The shortest time of every algorithm. */
export async function measureChoice(choice: Choice, target: AlgorithmTarget, measure: Measure): Promise<Times> {
  const seconds: Record<string, number> = {};
  const time = async (algorithm: string): Promise<void> => {
    const took = await measure(piece(choice.node, algorithm, target)).catch(() => Infinity);
    if (took < (seconds[algorithm] ?? Infinity)) seconds[algorithm] = took;
  };
  for (const algorithm of choice.algorithms) await time(algorithm);
  for (let round = 0; round < CONFIRMATIONS; round++) {
    const best = fastest(choice, seconds);
    if (best === undefined || best === choice.estimate || seconds[choice.estimate] === undefined) break;
    await time(choice.estimate);
    await time(best);
  }
  return seconds;
}

/** Share of its time that an algorithm must save to be taken in place of the estimate: less is noise. */
const MARGIN = 0.05;

/** Undefined where no algorithm runs. */
export function fastest({ estimate }: Pick<Choice, "estimate">, seconds: Times): string | undefined {
  const [best] = Object.entries(seconds).sort(([, a], [, b]) => a - b);
  if (best === undefined) return undefined;
  const estimated = seconds[estimate] ?? Infinity;
  return best[1] < (1 - MARGIN) * estimated ? best[0] : estimate;
}

/**
 * A graph of this one node in one of its ways. Maps come and go in blocks, as they do in the whole graph: a plain way
 * has to change their layout, which costs it time there too.
 */
export function piece(node: Node, algorithm: string, { device, block }: AlgorithmTarget): Graph {
  const inputs = node.inputs.map((input, index) => ({ name: `x${index}`, value: value(input.type, `x${index}`) }));
  const attributes = algorithm === BLOCKED || algorithm === PLAIN ? node.attributes : { ...node.attributes, algorithm };
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
  const choose = (): string => algorithm;
  const chosen = withAlgorithms(graph, device, (_each, offered) =>
    offered.includes(algorithm) ? algorithm : undefined,
  );
  const maps = operator(node.op).blocked;
  if (block === 0 || maps?.taken !== "chosen") return chosen;
  const blocked: readonly Value[] = [
    ...maps.inputs.map((index) => made.inputs[index]!),
    ...maps.outputs.map((index) => made.outputs[index]!),
  ];
  const ids = new Set(blocked.map((each) => each.id));
  return blockLayout(chosen, block, { choose, isBlocked: (each) => ids.has(each.id) });
}
