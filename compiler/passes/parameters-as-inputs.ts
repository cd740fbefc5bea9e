import type { Pass } from "./pass.js";

/** Parameters and running statistics as inputs, by their paths: while a network is trained they are state. */
export const parametersAsInputs: Pass = {
  name: "parameters as inputs",
  run: (graph) => ({
    ...graph,
    inputs: [...graph.inputs, ...graph.parameters.map(({ path, value }) => ({ name: path, value }))],
    parameters: [],
  }),
};
