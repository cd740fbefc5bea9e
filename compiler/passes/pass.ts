import type { Bindings, Dim } from "../ir/dim.js";
import type { Graph } from "../ir/types.js";
import type { Device } from "../device.js";
import type { Quantization } from "../quantization/quantization.js";

/** Algorithm by {@link algorithmKey} (choose-algorithms.ts). */
export type AlgorithmChoices = Readonly<Record<string, string>>;

/** The segment that a node of the forward pass is in, by its path; undefined: its values are kept. */
export type Segments = (path: string) => string | undefined;

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
  /** Layers compute with 8-bit numbers. Default: none does. */
  readonly quantization?: Quantization;
  /** The device that nodes with several algorithms are written for. Default: any. */
  readonly device?: Device;
  /** Channels of a block in the processor's blocked layout; 0: plain layout. Default 0. */
  readonly block?: number;
  /** Algorithms that were measured to be the fastest. Default: by estimate. */
  readonly algorithms?: AlgorithmChoices;
}

/** What the passes of training are told besides. */
export interface TrainingContext extends PassContext {
  /** Paths of the parameters that are trained, in the order of the outputs `gradient.PATH`. Default: none. */
  readonly trained?: readonly string[];
  /** Whether the batch norm of this path uses its running statistics. Default: none does. */
  readonly frozen?: (path: string) => boolean;
  /** Share of the probability that is spread evenly over all classes. Default 0. */
  readonly labelSmoothing?: number;
  /** Labels are the shares of the classes, and not class numbers. Default false. */
  readonly softLabels?: boolean;
  /** Images have any number of classes, each with a share of 0 or 1. Default: one each. */
  readonly multiLabel?: boolean;
  /** Of each class in the loss. Default 1. */
  readonly classWeights?: readonly number[];
  /** What the outputs `loss.NAME` are multiplied by in their sum. Default 1. */
  readonly lossWeights?: ReadonlyMap<string, number>;
  /** The logits are an output beside the loss. Default false. */
  readonly logits?: boolean;
  /** Gradients are those of the loss times an input `loss_scale`. Default false. */
  readonly lossScale?: boolean;
  /** Without such an input: gradients are those of the loss times this. Default 1. */
  readonly lossShare?: number;
  /** Parts whose values are computed again in the backward pass. Default: none. */
  readonly segments?: Segments;
}

/** A step from graph to graph. It may throw a ShapeError, or a RangeError where the graph can't be trained so. */
export interface Pass<Context = PassContext> {
  readonly name: string;
  readonly run: (graph: Graph, context: Context) => Graph;
}
