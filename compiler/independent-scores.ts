/** Whether a network's scores are answers of their own, and not of one class among others. */
import type { Model } from "./model.js";
import { operator } from "./ops/index.js";
import { lastLayer } from "./passes/take-logits.js";

/**
 * Where each class is a yes or no of its own: all losses that compare with labels say so, or where there are none the network
 * ends in a sigmoid for each class.
 */
export function hasIndependentScores({ graph, losses, detection }: Model): boolean {
  if (detection !== undefined) return false;
  const labels = losses?.targets.find(({ name }) => name === "labels")?.value;
  const comparing = losses?.nodes.filter(({ op, inputs }) => {
    return operator(op).layer?.loss !== undefined && labels !== undefined && inputs.includes(labels);
  });
  if (comparing !== undefined && comparing.length > 0) {
    return comparing.every(({ op }) => operator(op).layer!.loss!.ofClasses !== true);
  }
  const { value } = graph.outputs[0]!;
  return value.type.shape.length === 2 && lastLayer(graph, value)?.op === "sigmoid";
}
