import type { Bindings, Dim } from "../ir/dim.js";
import type { Graph } from "../ir/types.js";
import type { Device } from "../ops/operator.js";

/** What the passes are told; everything has a default. */
export interface PassContext {
  /** Sizes for symbols: `{ N: 8, H: 320 }`. Those that are not here stay symbolic. */
  readonly sizes?: Bindings;
  /** Shapes for inputs by name, in place of the declared ones. */
  readonly inputShapes?: Readonly<Record<string, readonly Dim[]>>;
  /** False keeps batch norms as nodes of their own. Default true. */
  readonly foldBatchNorms?: boolean;
  /** Of weights and of all values between the inputs and the outputs. Default fp32. */
  readonly precision?: "fp32" | "fp16";
  /** The device that nodes with several ways to be written are written for. Default: any. */
  readonly device?: Device;
}

/** A step from graph to graph. It may throw a ShapeError. */
export interface Pass {
  readonly name: string;
  readonly run: (graph: Graph, context: PassContext) => Graph;
}
