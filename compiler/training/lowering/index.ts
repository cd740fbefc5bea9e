/** How a step's forward and backward pass are written for a device. */
import type { Graph, Node } from "../../ir/types.js";
import { chooseMethods } from "../../passes/choose_methods.js";
import type { TrainingOptions } from "../contract.js";
import { blockLayout } from "./block_layout.js";
import { methodKey } from "./methods.js";

export { choicesOf, fastest, measureChoice, relevantMethods, type Choice, type Measure, type Times } from "./tune.js";
export type { MethodChoices } from "./methods.js";

/**
 * The graph with every node's fastest method, as measured or by estimate, and in blocks of channels where the
 * processor's block is known.
 */
export function lowerTraining(
  graph: Graph,
  { target = "cpu", blockSize = 0, methods = {} }: Pick<TrainingOptions, "target" | "blockSize" | "methods">,
): Graph {
  const block = target === "cpu" ? blockSize : 0;
  const choose = (node: Node): string | undefined => methods[methodKey(node, { target, block })];
  const written = chooseMethods(graph, target, (node, offered) => {
    const chosen = choose(node);
    return chosen !== undefined && offered.includes(chosen) ? chosen : undefined;
  });
  return block > 0 ? blockLayout(written, block, { choose }) : written;
}
