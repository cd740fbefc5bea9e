/** The algorithms that a node can be written with. */
import { fitsBlocks } from "../ops/blocked/form.js";
import { operator } from "../ops/index.js";
import type { Node } from "../ops/operator.js";
import type { AlgorithmTarget } from "../passes/choose-algorithms.js";

/** In ONNX Runtime's blocked layout, as passes/block-layout.ts writes it. */
export const BLOCKED = "blocked";
/** In the layout of ONNX itself, of operators that have one algorithm in it. */
export const PLAIN = "plain";

/** Algorithms that run on this device, those of the blocked layout among them; empty where there is nothing to choose. */
export function algorithmsOf(node: Node, { device, block }: AlgorithmTarget): readonly string[] {
  const { algorithms, blocked: form } = operator(node.op);
  const plain = algorithms?.(node, device) ?? [];
  // Those of the last resort, which other devices need, are not worth the time of measuring.
  const fastest = Math.min(...plain.map((each) => each.seconds));
  const near = plain.filter((each) => each.seconds < HOPELESS * fastest).map((each) => each.name);
  if (block === 0 || form === undefined || !fitsBlocks(form, node, block)) return near;
  // What is in blocks without being asked has no choice; a batch norm, say.
  return form.taken === "chosen" ? [BLOCKED, ...(near.length === 0 ? [PLAIN] : near)] : [];
}

/** The algorithm that is taken where nothing was measured. */
export function estimatedAlgorithm(node: Node, { device, block }: AlgorithmTarget): string {
  const { algorithms, blocked: form } = operator(node.op);
  if (block > 0 && form && fitsBlocks(form, node, block) && (form.gains?.(node) ?? true)) return BLOCKED;
  const plain = algorithms?.(node, device) ?? [];
  return plain.length === 0 ? PLAIN : plain.reduce((best, each) => (each.seconds < best.seconds ? each : best)).name;
}

/** How many times as slow as the fastest an algorithm's estimate may be, for it to be measured all the same. */
const HOPELESS = 50;
