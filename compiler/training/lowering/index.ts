/** How a step's forward and backward pass are written for a device. */
import type { Graph } from "../../ir/types.js";
import { chooseMethods } from "../choose_methods.js";
import type { TrainingOptions } from "../contract.js";
import { blockLayout } from "./block_layout.js";

/** The graph with every node's fastest method, and in blocks of channels where the processor's block is known. */
export function lowerTraining(graph: Graph, options: Pick<TrainingOptions, "target" | "blockSize">): Graph {
  const { target = "cpu", blockSize = 0 } = options;
  const written = chooseMethods(graph, target);
  return target === "cpu" && blockSize > 0 ? blockLayout(written, blockSize) : written;
}
