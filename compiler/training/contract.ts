/**
 * What training is compiled to: graphs that take all state as inputs and give its next values as outputs. Whoever runs
 * them (our trainer, another ONNX Runtime binding) only carries state from outputs to inputs. docs/training-graphs.md
 * says the same for readers of the `.onnx` files.
 *
 * Every state tensor NAME is an input NAME of the graphs that need it and an output `next.NAME` of those that change it.
 */
import type { ParameterRate } from "../recipe.js";
import type { Optimizer } from "./optimizers/index.js";
import type { Dim } from "../ir/dim.js";
import type { DataType, Graph, Initializer, Parameter } from "../ir/types.js";
import type { Device } from "../device.js";
import type { AlgorithmChoices } from "../passes/pass.js";

export { gradientName, nextName } from "../ir/names.js";

export interface TrainingOptions {
  readonly optimizer: Optimizer;
  /** Images in a batch: fixed, all sizes of a training graph are. */
  readonly batch: number;
  /** Images in a batch of `evaluate`. Default: `batch`. */
  readonly evaluationBatch?: number;
  /** Sizes for symbols of the input's shape: `{ H: 224, W: 224 }`. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** Share of the probability that is spread evenly over all classes (Szegedy et al., arXiv:1512.00567). Default 0. */
  readonly labelSmoothing?: number;
  /** Labels are float32 [N, classes], each class's share of an image, as mixup makes them. `evaluate` takes class numbers. Default false. */
  readonly softLabels?: boolean;
  /** Images have any number of the classes: labels are float32 [N, classes], 1 of each that is there, in `evaluate` too. Default false. */
  readonly multiLabel?: boolean;
  /** Of each class in the loss, as PyTorch's CrossEntropyLoss: the mean is weighted. `evaluate` weighs none. Default: 1. */
  readonly classWeights?: readonly number[];
  /** The gradients of all parameters together are scaled down to this Euclidean norm. Default: not. */
  readonly clipNorm?: number;
  /** ema' = emaDecay * ema + (1 - emaDecay) * w', of every parameter and running statistic. Default: none are kept. */
  readonly emaDecay?: number;
  /** The decay is an input, `ema_decay`, for it is lower at first ({@link emaDecayAt}). Default false. */
  readonly emaWarmUp?: boolean;
  /** The norm of all gradients is an output though they are not clipped. Default false. */
  readonly gradientNorm?: boolean;
  /** Paths of parts whose parameters stay as they are and whose batch norms use their running statistics: `conv1`. */
  readonly frozenStages?: readonly string[];
  /** Paths of losses, or of what they are in: those that are trained by, with what depends on nothing else left out. Default: all. */
  readonly learned?: readonly string[];
  /** A detector's regions are given, as targets `proposals.boxes` and `proposals.present`, and not what it proposes itself. Default false. */
  readonly givenProposals?: boolean;
  /** Groups of parts that are frozen at first, in the order in which they thaw: see {@link TrainingProgram.phases}. */
  readonly thawing?: readonly (readonly string[])[];
  /** The learning rate of a part is so many times the others'. Of two that hold, the longer path's. Default: none. */
  readonly stageRates?: readonly { readonly stage: string; readonly times: number }[];
  /** Those of a kind, at most one each: the rate is so many times what it would be, the weight decay the optimiser's. Default: none. */
  readonly parameterRates?: readonly ParameterRate[];
  /** Every batch norm is a fixed scale and offset, as for detection (the paper's appendix A). Default false. */
  readonly frozenBatchNorm?: boolean;
  /**
   * Paths of stages or blocks whose values are computed again in the backward pass instead of being kept: in runs of
   * blocks, only what goes from run to run is kept. `true`: every stage.
   */
  readonly checkpointStages?: readonly string[] | true;
  /** The gradients are those of the loss times this: of a batch's share, whose gradients are added to those of others. Default 1. */
  readonly lossShare?: number;
  /** `mixed`: convolutions and what is between them in fp16, weights, statistics, loss and update in fp32. Default fp32. */
  readonly precision?: "fp32" | "mixed";
  /** Whose algorithms are taken. Default cpu. */
  readonly device?: Device;
  /** Only for the device cpu: channels of a block in ONNX Runtime's blocked layout there (16 with AVX-512, 8 with AVX2). 0: plain layout. Default 0. */
  readonly blockSize?: number;
  /** Those that were measured to be the fastest on the machine (compiler/tuning/). Default: by estimate. */
  readonly algorithms?: AlgorithmChoices;
  /**
   * How graphs are given the state. `tensors`: each of it by its name. `vectors`: what is updated alike as one vector
   * ({@link HeldTensor}), its gradients too, and the numbers of a step as one output ({@link TrainingGraph.numbers}): a step of a
   * GPU is some large operators then, in place of hundreds of small ones. Default tensors.
   */
  readonly held?: "tensors" | "vectors";
}

/** What a state tensor is to the training. */
export type StateRole = "parameter" | "running statistic" | "momentum" | "second moment" | "ema" | "step";

/** Cells along a side of an object's mask in a batch, the symbol `cells`, at most. */
export const MOST_CELLS = 256;

/** How a state tensor begins. `parameter`: as the parameter of that path does (its weight file's value, or initializer). */
export type StateInit =
  { readonly kind: "parameter"; readonly path: string } | Extract<Initializer, { kind: "constant" }>;

export interface StateTensor {
  /**
   * Of the input; the output is `next.NAME`. A parameter's or statistic's is its path (`conv1.weight`); others have a
   * prefix: `momentum.conv1.weight`, `second_moment.conv1.weight`, `ema.conv1.weight`, `step`; `step.thaw1` counts
   * those of the parameters that thawed first.
   */
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DataType;
  readonly role: StateRole;
  /** Path of the parameter or statistic that it is, or belongs to; absent for `step`. */
  readonly parameter?: string;
  readonly init: StateInit;
}

/**
 * A tensor that graphs take and give: one of the state, by its name and with its shape; or several of one role as a vector, one
 * behind the other, which has a name that no tensor of the state can have (`parameter/0`).
 */
export interface HeldTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DataType;
  readonly role: StateRole;
  /** What it holds; of one tensor of the state itself. */
  readonly parts: readonly StateTensor[];
}

/** The graphs of a program, as their files are called: `train.onnx`, ... */
export const TRAINING_GRAPHS = ["train", "gradients", "update", "evaluate"] as const;

export type TrainingGraphName = (typeof TRAINING_GRAPHS)[number];

/** A tensor that the data fill: what they say of each image. Its first length is the number of images. */
export interface TargetInput {
  /** `labels` */
  readonly name: string;
  /** Of a detector with the symbol `objects`: how many rows of objects a batch has. */
  readonly shape: readonly Dim[];
  readonly dtype: DataType;
}

/** A tensor that the host fills with independent uniform numbers in [0, 1) for each step: dropout's, or a detector's samples. */
export interface NoiseInput {
  /** `random.LAYER` */
  readonly name: string;
  /** Of a detector perhaps with the symbols `objects`, how many rows of objects a batch has, and `cells`, of their masks. */
  readonly shape: readonly Dim[];
}

/** The decay of an average with a warm-up, of update n counted from 0: min(decay, (1 + n) / (10 + n)), as TensorFlow's. */
export function emaDecayAt(decay: number, update: number): number {
  return Math.min(decay, (1 + update) / (10 + update));
}

/**
 * One graph, ready for {@link emitOnnx}: no parameters of its own, every size a number. Inputs besides state are
 *
 * - `image` (the network's own name for its input), float32 [N, 3, H, W]
 * - {@link targets}: `labels`, int64 [N], or float32 [N, classes] where they are soft or several
 * - `learning_rate`, float32 scalar
 * - `loss_scale`, float32 scalar, in mixed precision
 * - `ema_decay`, float32 scalar, where the average has a warm-up
 * - `random.LAYER`: {@link noise}
 * - `gradient.NAME` for every trained parameter, or every vector of them, of `update`
 *
 * and outputs besides state are `loss` (mean over the batch), `loss.NAME` of each loss statement, `correct` and `correct5` (how many labels were the
 * likeliest class, among the five likeliest), float32 scalars; `logits`, of `evaluate`; `gradient.NAME`, of `gradients`;
 * `gradient_norm` (before clipping), where gradients are clipped or it is asked for; `finite`, in mixed precision: 1, or 0 where a gradient
 * was not a number: parameters, momenta and the step then stay as they were. Where state is held in vectors, those that are single
 * numbers are one output, {@link numbers}.
 */
export interface TrainingGraph {
  readonly graph: Graph;
  /** What it is given of the state, in the inputs' order. */
  readonly reads: readonly HeldTensor[];
  /** That with an output `next.NAME`, in the outputs' order. */
  readonly writes: readonly HeldTensor[];
  /** What the values of the output `numbers` are, in their order: `loss`, `correct`, ... Absent where each is an output of its own. */
  readonly numbers?: readonly string[];
  readonly noise: readonly NoiseInput[];
  /** Inputs that the data fill beside the image, in their order. */
  readonly targets: readonly TargetInput[];
}

/** The output that has the numbers of a step, where they are in one. */
export const NUMBERS = "numbers";

/** The graphs of a step. */
export interface StepGraphs {
  /** Parameters that are trained, in the graph's order. */
  readonly trained: readonly Parameter[];
  /** The same as graphs hold them: those with `gradient.NAME`. */
  readonly learned: readonly HeldTensor[];
  /** A whole step: forward, loss, backward, update. */
  readonly train: TrainingGraph;
  /** Forward, loss, backward: `gradient.PATH` (of the mean loss) and next running statistics. */
  readonly gradients: TrainingGraph;
  /** From `gradient.PATH`, averaged by whoever summed them, to the next state. */
  readonly update: TrainingGraph;
}

/** Its own step graphs are those of the last phase: everything that is ever trained is. */
export interface TrainingProgram extends StepGraphs {
  readonly options: TrainingOptions;
  /** All state of training, each once: what a checkpoint holds. */
  readonly state: readonly StateTensor[];
  /** The same as graphs hold it. */
  readonly held: readonly HeldTensor[];
  /** Where parts thaw: the step of each phase before the last, the first with all of them frozen. Else empty. */
  readonly phases: readonly StepGraphs[];
  /** Forward by the running statistics: `loss`, `loss.NAME`, `correct`, `correct5`, `logits`. Batch norms are not folded. */
  readonly evaluate: TrainingGraph;
  /**
   * The same for one image: where data end before a batch does, the loss is that of the images that there are. There where
   * the network states its losses and `evaluate` takes more than one.
   */
  readonly evaluateOne: TrainingGraph | undefined;
}
