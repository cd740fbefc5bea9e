import type { Node } from "../ir/types.js";
import type { Pass } from "./pass.js";

/** Leaves out nodes, parameters and constants that no output needs. Inputs stay: they are the model's signature. */
export const dropDeadCode: Pass = {
  name: "drop dead code",
  run(graph) {
    const needed = new Set(graph.outputs.map((output) => output.value.id));
    const nodes: Node[] = [];
    for (const node of graph.nodes.toReversed()) {
      if (!node.outputs.some((output) => needed.has(output.id))) continue;
      node.inputs.forEach((input) => needed.add(input.id));
      nodes.push(node);
    }
    return {
      ...graph,
      nodes: nodes.reverse(),
      parameters: graph.parameters.filter(({ value }) => needed.has(value.id)),
      constants: graph.constants.filter(({ value }) => needed.has(value.id)),
    };
  },
};
