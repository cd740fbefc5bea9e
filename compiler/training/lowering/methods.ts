/** The ways in which a node can be written, and the names under which measured choices are kept. */
import { fitsBlocks } from "../../ops/blocked/form.js";
import { sizes } from "../../ops/formula.js";
import { operator } from "../../ops/index.js";
import type { Node, Device } from "../../ops/operator.js";

/** Method by {@link methodKey}. */
export type MethodChoices = Readonly<Record<string, string>>;

/** In ONNX Runtime's blocked layout, as block_layout.ts writes it. */
export const BLOCKED = "blocked";
/** In the layout of ONNX itself, of operators that have one way to be written in it. */
export const PLAIN = "plain";

export interface LoweringTarget {
  readonly target: Device;
  /** Channels of a block; 0: no blocked layout. */
  readonly block: number;
}

/** Methods that run on this device, those of the blocked layout among them; empty where there is nothing to choose. */
export function methodsOf(node: Node, { target, block }: LoweringTarget): readonly string[] {
  const { alternatives, blocked: form } = operator(node.op);
  const plain = alternatives?.(node, target) ?? [];
  // Alternatives of the last resort, which other devices need, are not worth the time of measuring.
  const fastest = Math.min(...plain.map((each) => each.seconds));
  const near = plain.filter((each) => each.seconds < HOPELESS * fastest).map((each) => each.method);
  if (block === 0 || form === undefined || !fitsBlocks(form, node, block)) return near;
  // What is in blocks without being asked has no choice; a batch norm, say.
  return form.taken === "chosen" ? [BLOCKED, ...(near.length === 0 ? [PLAIN] : near)] : [];
}

/** The method that is taken where nothing was measured. */
export function estimatedMethod(node: Node, { target, block }: LoweringTarget): string {
  const { alternatives, blocked: form } = operator(node.op);
  if (block > 0 && form && fitsBlocks(form, node, block) && (form.gains?.(node) ?? true)) return BLOCKED;
  const plain = alternatives?.(node, target) ?? [];
  return plain.length === 0 ? PLAIN : plain.reduce((best, each) => (each.seconds < best.seconds ? each : best)).method;
}

/** How many times as slow as the fastest a method's estimate may be, for it to be measured all the same. */
const HOPELESS = 50;

/** Equal for nodes that take the same time: operator, shapes and attributes. */
export function methodKey(node: Node, { target, block }: LoweringTarget): string {
  const shapes = node.inputs.map((input) => `${input.type.dtype} ${sizes(input).join("x")}`);
  const attributes = Object.entries(node.attributes)
    .filter(([name]) => name !== "method")
    .map(([name, value]) => `${name}=${String(value)}`)
    .sort();
  return [`${target}/${block}`, node.op, ...shapes, ...attributes].join("; ");
}
