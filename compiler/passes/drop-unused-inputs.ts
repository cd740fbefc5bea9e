import type { Pass } from "./pass.js";

/** Leaves out inputs that neither a node nor an output uses. */
export const dropUnusedInputs: Pass = {
  name: "drop unused inputs",
  run(graph) {
    const values = [...graph.nodes.flatMap((node) => node.inputs), ...graph.outputs.map(({ value }) => value)];
    const used = new Set(values.map(({ id }) => id));
    return { ...graph, inputs: graph.inputs.filter(({ value }) => used.has(value.id)) };
  },
};
