import { rewrite } from "./rewrite.js";
import { operator } from "../ops/index.js";
import type { Pass } from "./pass.js";

/** Leaves out what does nothing when the network is used: dropout, and the identity of an empty branch. */
export const dropTrainingOnly: Pass = {
  name: "drop training-only layers",
  run: (graph) =>
    rewrite(graph, (node) => (operator(node.op).trainingOnly ? { nodes: [], outputs: [node.inputs[0]!] } : undefined)),
};
