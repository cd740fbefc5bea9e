/** The layers by which people know a network: those that table 1 and figure 3 of the paper show. */
import { formatShape } from "./ir/dim.js";
import { isScope, type Node, type Scope } from "./ir/types.js";
import { operator } from "./ops/index.js";

/**
 * Layers that do the work (convolutions, fully connected) or change the size of what flows (pooling). Batch norms,
 * activations and merges are not shown.
 */
export function isLandmark(node: Node): boolean {
  const record = operator(node.op);
  if (record.landmark || record.macs !== undefined || record.scale !== undefined) return true;
  if (record.layer?.merges) return false;
  const [before, after] = [node.inputs[0]?.type.shape ?? [], node.outputs[0]?.type.shape ?? []];
  return before.length === after.length && formatShape(before) !== formatShape(after);
}

/** `3x3 conv, 64, /2` of a landmark; undefined for every other layer. */
export function landmarkLabel(node: Node): string | undefined {
  return isLandmark(node) ? operator(node.op).label?.(node.attributes) : undefined;
}

/** Every layer in it, in source order. */
export function nodesOf(scope: Scope): readonly Node[] {
  return scope.children.flatMap((child) => (isScope(child) ? nodesOf(child) : [child]));
}
