/** Which algorithm each node is written with: data in the operators' records, an attribute in the graph. */
import type { Graph, Node } from "../ir/types.js";
import { sizes } from "../ops/formula.js";
import { operator } from "../ops/index.js";
import type { Device } from "../device.js";
import type { Pass, PassContext } from "./pass.js";

/** Nodes are written for the device that is asked for; without one as every device can run them, perhaps slowly. */
export const chooseAlgorithms: Pass = {
  name: "choose algorithms",
  run(graph, context) {
    if (context.device === undefined) return graph;
    return withAlgorithms(graph, context.device, (node, offered) => {
      const chosen = measuredAlgorithm(node, context);
      return chosen !== undefined && offered.includes(chosen) ? chosen : undefined;
    });
  },
};

/** The algorithm for a node, of those that its operator offers; undefined for what the operator estimates to be fastest. */
export type Chooser = (node: Node, offered: readonly string[]) => string | undefined;

/** The graph with every node's fastest algorithm on this device, by estimate or as `choose` says. */
export function withAlgorithms(graph: Graph, device: Device, choose: Chooser = () => undefined): Graph {
  return {
    ...graph,
    nodes: graph.nodes.map((node) => {
      const offered = operator(node.op).algorithms?.(node, device);
      if (offered === undefined || offered.length === 0) return node;
      const fastest = offered.reduce((best, each) => (each.seconds < best.seconds ? each : best));
      const algorithm =
        choose(
          node,
          offered.map((each) => each.name),
        ) ?? fastest.name;
      return { ...node, attributes: { ...node.attributes, algorithm } };
    }),
  };
}

/** The one that was measured to be the fastest for such a node, if one was. */
export function measuredAlgorithm(node: Node, { device, block = 0, algorithms }: PassContext): string | undefined {
  if (device === undefined || algorithms === undefined) return undefined;
  const key = algorithmKey(node, { device, block });
  return key !== undefined && Object.hasOwn(algorithms, key) ? algorithms[key] : undefined;
}

/** What algorithms are chosen for. */
export interface AlgorithmTarget {
  readonly device: Device;
  /** Channels of a block of the processor's blocked layout; 0: there is none. */
  readonly block: number;
}

/**
 * Equal for nodes that take the same time: operator, shapes and attributes. Undefined where a size is known only as the graph
 * runs, as that of the regions of a pyramid's level is: there is no time to measure.
 */
export function algorithmKey(node: Node, { device, block }: AlgorithmTarget): string | undefined {
  if (node.inputs.some(({ type }) => type.shape.some((dim) => typeof dim !== "number"))) return undefined;
  const shapes = node.inputs.map((input) => `${input.type.dtype} ${sizes(input).join("x")}`);
  const attributes = Object.entries(node.attributes)
    .filter(([name]) => name !== "algorithm")
    .map(([name, value]) => `${name}=${String(value)}`)
    .sort();
  return [`${device}/${block}`, node.op, ...shapes, ...attributes].join("; ");
}
