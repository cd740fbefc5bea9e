import { formatShape } from "../ir/dim.js";
import { lossOfName } from "../ir/names.js";
import type { Graph, Node, Value } from "../ir/types.js";
import type { Pass } from "./pass.js";

/**
 * A classifier as far as its logits, [N, classes] or [N, classes, 1, 1]: its first output; losses stay. Throws a RangeError
 * where it has none.
 */
export const takeLogits: Pass = {
  name: "take logits",
  run(graph) {
    const losses = graph.outputs.filter(({ name }) => lossOfName(name) !== undefined);
    // A detector's losses are all that there is.
    if (losses.length === graph.outputs.length) return graph;
    return { ...graph, outputs: [{ name: "logits", value: logitsOf(graph, losses.length > 0) }, ...losses] };
  },
};

/**
 * What goes into the softmax, or into the sigmoid of a network that says what it is trained by.
 *
 * @param hasLosses loss statements
 */
export function logitsOf(graph: Graph, hasLosses: boolean): Value {
  const found = graph.outputs.find((output) => output.name === "logits") ?? graph.outputs[0]!;
  const end = lastLayer(graph, found.value);
  if (end?.op === "hard_sigmoid" || (end?.op === "sigmoid" && !hasLosses)) {
    const loss = "`binary_cross_entropy image.labels` before it says that each class is a yes or no of its own";
    throw new RangeError(
      `the network ends in \`${end.op}\`: training compares the softmax of logits with the classes; end it with \`softmax\`, or leave out \`${end.op}\`` +
        (end.op === "sigmoid" ? `; ${loss}` : ""),
    );
  }
  const logits = end?.op === "softmax" || end?.op === "sigmoid" ? end.inputs[0]! : found.value;
  const { shape } = logits.type;
  const flat = shape.length === 2 || (shape.length === 4 && shape[2] === 1 && shape[3] === 1);
  if (flat) return logits;
  throw new RangeError(
    `training a classifier needs logits of shape [N, classes], ${found.name} is ${formatShape(shape)}`,
  );
}

/** The node that makes a value, behind those that change its shape alone. */
export function lastLayer({ nodes }: Pick<Graph, "nodes">, made: Value): Node | undefined {
  const node = nodes.findLast((each) => each.outputs.includes(made));
  const isShape = node?.op === "flatten" || node?.op === "identity";
  return isShape ? lastLayer({ nodes }, node.inputs[0]!) : node;
}
