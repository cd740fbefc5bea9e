/**
 * What is known about one operator, in one record: an operator is one file here and one line in index.ts, and
 * nothing elsewhere switches on its name.
 */
import type { Device } from "../device.js";
import type { Dim } from "../ir/dim.js";
import type {
  Attributes,
  AttributeValue,
  DataType,
  Graph,
  Initializer,
  Node,
  Parameter,
  TensorType,
  Value,
} from "../ir/types.js";
import type { BlockedForm } from "./blocked/form.js";
import type { Schema, Tensor } from "../words/schema.js";
import type { Lowering } from "./lowering.js";

/** A parameter that a layer of this kind owns, before it is given a path. */
export interface ParameterSpec {
  /** Last part of its path: `weight`. */
  readonly name: string;
  readonly role: Parameter["role"];
  readonly shape: readonly number[];
  readonly trainable: boolean;
  readonly init: Initializer;
}

/** Thrown by `parameters` and `infer`; the elaborator turns it into a diagnostic at the statement. */
export class ShapeError extends Error {
  /** The shapes or numbers involved are in the message; `help` says what to try. */
  readonly help: string | undefined;
  constructor(message: string, help?: string) {
    super(message);
    this.name = "ShapeError";
    this.help = help;
  }
}

/** The same of what could be applied, were it not beyond what the compiler accepts. */
export class TooLargeError extends ShapeError {}

/** A weight as [groups, inputs, outputs, window], whose output channels are group * outputs + output. */
export interface WeightOutputs {
  readonly groups: number;
  readonly inputs: number;
  readonly outputs: number;
}

/** Builds IR inside a gradient rule: `apply` infers types, so a rule reads like its formula. */
export interface GraphBuilder {
  apply(op: string, inputs: readonly Value[], attributes?: Attributes): Value[];
  constant(data: Float32Array | BigInt64Array, shape: readonly number[]): Value;
}

/** What a layer that differs while training builds its training form with. */
export interface TrainingBuilder extends GraphBuilder {
  /** Numbers in [0, 1), new in every step, from the host. */
  noise(shape: readonly Dim[]): Value;
  /** `running` becomes (1 - momentum) * running + momentum * factor * batch after the step. */
  track(running: Value, batch: Value, momentum: number, factor: number): void;
}

export interface Cost {
  /** Multiply-adds of convolutions and fully connected layers, as the paper counts; 0 for all else. Symbols count at their bound value. */
  readonly macs: number;
}

/** One way to write a node. */
export interface Algorithm {
  /** Becomes the node's attribute `algorithm`. */
  readonly name: string;
  /** An estimate of its time in seconds, to compare with the others'. */
  readonly seconds: number;
}

export interface Operator {
  readonly name: string;
  readonly doc: string;
  /** A layer can be written in the source, by its name; others are made by passes. */
  readonly layer?: {
    /**
     * Tensors become inputs of the node, in this order; all others become attributes of it, by their names.
     */
    readonly arguments: Schema<AttributeValue | Tensor | readonly Tensor[]>;
    /** Arguments that only the first values of its parameters follow from: its nodes don't keep them. */
    readonly initial?: readonly string[];
    /** Branch merges take the branches' outputs; all others take the one tensor that flows. */
    readonly merges?: true;
    /**
     * A loss: it gives a number that training makes small, and stands beside the flow. `ofClasses`: its target may be class
     * numbers, int64 [N], and a recipe's label smoothing and class weights are for it.
     */
    readonly loss?: { readonly ofClasses?: true };
    /** Where what flows stands among the inputs: before the tensors among the arguments, behind them, or nowhere. */
    readonly flow?: "first" | "last" | "none";
    /** Its output has the feature stride of this tensor among its arguments, and not of its first input. */
    readonly strideOf?: string;
    /** Attributes that follow from the feature stride of its first input: pixels of the network's input, along y and x. */
    readonly byStride?: (stride: readonly [number, number]) => Attributes;
    /**
     * Of a layer with several outputs: their names, members of what it gives, the first of which flows. The
     * last may be `...rows`, the list of all others.
     */
    readonly outputs?: readonly string[];
  };
  /** Fills in attributes whose default depends on others (a padding that keeps the size), all plain defaults filled. */
  complete?(attributes: Attributes): Attributes;
  /** Parameters a layer owns; they follow the data inputs in `node.inputs`, in this order. */
  parameters?(attributes: Attributes, inputs: readonly TensorType[]): readonly ParameterSpec[];
  /** Types of the outputs from those of all inputs, parameters included. Throws {@link ShapeError}. */
  infer(inputs: readonly TensorType[], attributes: Attributes): readonly TensorType[];
  /**
   * How much the layer shrinks height and width, where it does: `[2, 2]`, `[0.5, 0.5]` for an enlargement. The
   * product along a path is the feature stride. 1 where absent.
   */
  scale?(attributes: Attributes): readonly [number, number];
  /** Multiply-adds for these types at batch 1. 0 where absent. */
  macs?(
    inputs: readonly TensorType[],
    outputs: readonly TensorType[],
    attributes: Attributes,
    size: (dim: Dim) => number,
  ): number;
  /** Inputs, by number, of which the shape alone matters. */
  readonly shapeOnly?: readonly number[];
  /** Shown in tables and drawings, as convolutions and poolings are anyway. */
  readonly summarized?: true;
  /** `7x7 conv, 64, /2`: as figure 3 of the paper writes it. */
  label?(attributes: Attributes): string;
  /**
   * A network that ends in this operator has two outputs, its result and what it was given, by these names:
   * softmax gives `probabilities` of `logits`.
   */
  readonly endsNetwork?: { readonly output: string; readonly input: string };
  /** Its output is its input, except in training: left out for inference. */
  readonly trainingOnly?: true;
  /**
   * Builds what the layer does while training, where that is something else; gives its output. One that tracks
   * statistics stays as it is where it is frozen.
   */
  training?(node: Node, builder: TrainingBuilder): Value;
  /**
   * For inference a constant scale and offset of each channel, from the values of its parameters: a linear layer
   * before it can take them over.
   */
  affine?(
    attributes: Attributes,
    parameters: readonly Float32Array[],
  ): { readonly scale: Float64Array; readonly offset: Float64Array };
  /** Linear in its weight, its first parameter; its second, where it has one, is added. */
  readonly linear?: {
    /** The attributes with a bias. */
    withBias(attributes: Attributes): Attributes;
    /** Where the weight's output channels are. Absent: they are its first axis. */
    outputsOf?(attributes: Attributes, weight: readonly number[]): WeightOutputs;
  };
  /** Sums or exponentials that leave the range or precision of fp16: stays fp32 in a half precision model. */
  readonly fullPrecision?: true;
  /**
   * In a model of 8-bit numbers: `weighted`, its weight is of int8, its bias of int32; `mixes`, it computes with numbers of
   * several scales or gives others than it takes; `keeps`, each number that it gives is one that it was given.
   */
  readonly quantized?: "weighted" | "mixes" | "keeps";
  /** It leaves what is within two bounds, one of them 0, and cuts off the rest: the ends of 8-bit numbers do it as well. */
  readonly cutsOff?: true;
  /**
   * Ways to write it that run on this device; the pass "choose algorithms" takes the fastest. The node has an `algorithm`
   * before that too: one that every device can run.
   */
  algorithms?(node: Node, device: Device): readonly Algorithm[];
  /** Works value by value: on maps in any layout, where all of its tensors have one shape and one layout. */
  readonly elementwise?: true;
  /** How it is written in the processor's blocked layout. Absent: in the plain one, unless it is `elementwise`. */
  readonly blocked?: BlockedForm;
  /** Writes the node as ONNX. */
  lower(node: Node, emit: Lowering): void;
  /**
   * Gradients of the inputs from those of the outputs (undefined where an output is not used); undefined where an
   * input has none. "none": the operator has no gradient at all.
   */
  readonly gradient?:
    | "none"
    | ((
        node: Node,
        outputGradients: readonly (Value | undefined)[],
        builder: GraphBuilder,
      ) => readonly (Value | undefined)[]);
}

export type { Attributes, DataType, Dim, Graph, Node, TensorType, Value };
