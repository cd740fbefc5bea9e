/** Which of its ways each node is written in: data in the operators' records, an attribute in the graph. */
import type { Graph, Node } from "../ir/types.js";
import { operator } from "../ops/index.js";
import type { Device } from "../ops/operator.js";
import type { Pass } from "./pass.js";

/** The method for a node, of those that its operator offers; undefined for what the operator estimates to be fastest. */
export type Chooser = (node: Node, methods: readonly string[]) => string | undefined;

/** The graph with every node's fastest method on this device, by estimate or as `choose` says (measured, say). */
export function chooseMethods(graph: Graph, target: Device, choose: Chooser = () => undefined): Graph {
  return {
    ...graph,
    nodes: graph.nodes.map((node) => {
      const alternatives = operator(node.op).alternatives?.(node, target);
      if (alternatives === undefined || alternatives.length === 0) return node;
      const fastest = alternatives.reduce((best, each) => (each.seconds < best.seconds ? each : best));
      const methods = alternatives.map((each) => each.method);
      const method = choose(node, methods) ?? fastest.method;
      return { ...node, attributes: { ...node.attributes, method } };
    }),
  };
}

/** Nodes are written for the device that is asked for; without one as every device can run them, perhaps slowly. */
export const writeForDevice: Pass = {
  name: "write for device",
  run: (graph, { device }) => (device === undefined ? graph : chooseMethods(graph, device)),
};
