/** What an operator's record says of how it is written in the blocked layout (layout.ts). */
import type { Attributes, Node, Value } from "../../ir/types.js";

/**
 * The operator that does the same on maps in blocks. It has the attributes of the node, and `block`; its outputs are
 * the node's, in their order.
 */
export interface BlockedForm {
  readonly op: string;
  /** Which inputs and outputs are maps, [N, C, H, W] with C a multiple of the block: all others stay plain. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** The map among the inputs that may have fewer channels than a block and is plain then: a first layer's image. */
  readonly image?: number;
  /** What must hold besides. Default: nothing. */
  fits?(node: Node, block: number): boolean;
  /** Attributes of the blocked operator, besides `block`. Default: the node's. */
  attributes?(attributes: Attributes): Attributes;
  /**
   * When it is taken, where it can be. `given`: where the maps are in blocks already; `always`; `chosen`: where that
   * is the fastest of its ways, measured or by {@link gains}.
   */
  readonly taken: "given" | "always" | "chosen";
  /** Whether blocks are likely to win anything, where it was not measured. Default: yes. */
  gains?(node: Node): boolean;
  /**
   * Operators that it takes over, in this order, each where it alone uses what came before it. `input`: the other
   * tensor becomes a further map among the inputs; `attribute`: this attribute is true, and false where there is none.
   */
  readonly absorbs?: readonly ({ readonly op: string } & ({ readonly as: "input" } | { readonly attribute: string }))[];
  /** A further output, blocked, for the gradient: found there by the output of the node that it goes with. */
  readonly keeps?: { readonly output: number; readonly with: number };
  /**
   * The inputs of the blocked operator, where they are not the node's in their order: numbers of those, and what was
   * kept with one of them. The node stays plain where nothing was kept.
   */
  readonly takes?: readonly (number | { readonly keptWith: number })[];
}

/** A map whose channels fill blocks. */
export function fillsBlocks({ type: { shape, dtype } }: Value, block: number): boolean {
  return dtype === "float32" && shape.length === 4 && (shape[1] as number) % block === 0;
}

/** Whether an input is an image, which a first layer takes as it is: so few channels that they fill no block. */
export function isImage({ image }: BlockedForm, node: Node, input: number, block: number): boolean {
  return input === image && (node.inputs[input]!.type.shape[1] as number) < block;
}

/** Whether this node can be written so, whatever is around it. */
export function fitsBlocks(form: BlockedForm, node: Node, block: number): boolean {
  const { inputs, outputs, fits } = form;
  return (
    inputs.every((input) => isImage(form, node, input, block) || fillsBlocks(node.inputs[input]!, block)) &&
    outputs.every((output) => fillsBlocks(node.outputs[output]!, block)) &&
    (fits?.(node, block) ?? true)
  );
}
