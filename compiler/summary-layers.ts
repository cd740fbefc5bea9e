/** The layers by which people know a network, as tables and figures show them. */
import { formatShape } from "./ir/dim.js";
import { isScope, type Node, type Scope } from "./ir/types.js";
import { operator } from "./ops/index.js";

/**
 * Layers that do the work (convolutions, fully connected) or change the size of what flows (pooling). Batch norms,
 * activations and merges are not shown.
 */
export function isSummarized(node: Node): boolean {
  const record = operator(node.op);
  if (record.summarized || record.macs !== undefined || record.scale !== undefined) return true;
  if (record.layer?.merges) return false;
  const [before, after] = [node.inputs[0]?.type.shape ?? [], node.outputs[0]?.type.shape ?? []];
  return before.length === after.length && formatShape(before) !== formatShape(after);
}

/** `3x3 conv, 64, /2` of such a layer; undefined for every other one. */
export function summaryLabel(node: Node): string | undefined {
  return isSummarized(node) ? operator(node.op).label?.(node.attributes) : undefined;
}

export function hasParameters(node: Node): boolean {
  return operator(node.op).parameters !== undefined;
}

/** Whether nothing of an input matters but its shape. */
export function isShapeOnly(node: Node, input: number): boolean {
  return operator(node.op).shapeOnly?.includes(input) ?? false;
}

/** Whether it takes the branches of a scope: `add`, `concat`. */
export function isMergeLayer(node: Node): boolean {
  return operator(node.op).layer?.merges === true;
}

/** Every layer in it, in source order. */
export function layersOf(scope: Scope): readonly Node[] {
  return scope.children.flatMap((child) => (isScope(child) ? layersOf(child) : [child]));
}
