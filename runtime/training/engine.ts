/** What computes a training: the graphs on a device, with the state that stays there. */
import type { Device, DeviceRequest } from "../onnx/device.js";
import type { EmittedGraph, TrainingGraphs } from "../../compiler/training/graphs.js";

export interface EngineOptions {
  readonly device: DeviceRequest;
  /** Threads that one operator may use on the processor. Default: ONNX Runtime's choice, one a core. */
  readonly threads?: number;
}

/**
 * What the data say of the images of a batch, by the names of the graphs' inputs, flat and row-major: `labels`, class
 * numbers [N] (whole numbers where the graph takes int64), or each class's share of an image [N, classes].
 */
export type Targets = Readonly<Record<string, Int32Array | Float32Array>>;

/** Images, normalised and cut, with what is known of them. */
export interface EngineBatch {
  /** float32[N, 3, H, W] */
  readonly images: Float32Array;
  readonly targets: Targets;
  /** Of a detector: which of the graphs' sizes the images have; default: the first. */
  readonly canvas?: number;
  /** Lengths that the graphs leave open: `objects`, rows of objects that each image of the batch has. */
  readonly sizes?: Readonly<Record<string, number>>;
}

/** Of a batch what an engine takes, without what is for people: it may be in another thread. */
export function engineBatch({ images, targets, canvas, sizes }: EngineBatch): EngineBatch {
  return { images, targets, ...(canvas !== undefined && { canvas }), ...(sizes && { sizes }) };
}

/** A loss that the network states, without its weight: a mean over the images. */
export interface NamedLoss {
  readonly name: string;
  readonly loss: number;
}

/** Of an update what its images are not. */
export interface UpdateInput {
  readonly learningRate: number;
  /** Of the training, from 0; default: the last. */
  readonly phase?: number;
  /** Where the average of the weights has a warm-up. */
  readonly emaDecay?: number;
  /** In mixed precision. */
  readonly lossScale?: number;
  /** Of the update: random numbers of its dropouts follow from it. */
  readonly key: string;
}

export interface StepInput extends EngineBatch, UpdateInput {}

export interface StepResult {
  /** Mean over the batch. */
  readonly loss: number;
  /** Those that it is the weighted sum of, in the order of the source; empty where the network states none. */
  readonly losses: readonly NamedLoss[];
  /** How many images are right: whose label is the likeliest class; or every class of which, where they have several. Absent of a detector. */
  readonly correct?: number;
  /** In mixed precision: false where the update was not made, for a gradient was not finite. */
  readonly finite?: boolean;
  readonly gradientNorm?: number;
}

export interface Evaluated {
  /** What goes into the softmax or the sigmoid: float32[N, classes]. */
  readonly scores: Float32Array;
  /** Where the network states its losses: their weighted sum, and each. Means over the images. */
  readonly stated?: { readonly loss: number; readonly losses: readonly NamedLoss[] };
}

/** Values by name, flat, row-major. */
export type Values = ReadonlyMap<string, Float32Array>;

/** All data that go in and out are plain, so that an engine can be in another thread. One call at a time. */
export interface Engine {
  readonly device: Device;
  readonly deviceReason: string;
  setState(state: Values): Promise<void>;
  /** A copy. */
  getState(): Promise<Values>;
  /** One update. Where the loss is not finite the state stays as it was. */
  step(input: StepInput): Promise<StepResult>;
  /** Where others wait for this one's share of an update: tells them what kept it from that. Always throws. */
  abandon?(error: unknown, phase?: number): Promise<never>;
  /**
   * Scores and losses by the running statistics, for any number of images.
   *
   * @param averaged by the averaged weights, where the state has them
   */
  evaluate(batch: EngineBatch, averaged: boolean): Promise<Evaluated>;
  /** The next running statistics after this batch alone, with every running statistic at this value before. */
  statistics(images: Float32Array, before: number): Promise<Values>;
  /** Runs a graph that gives single numbers, on the state as it is and the first part of a batch. */
  probe(graph: EmittedGraph, input: StepInput): Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
}

/**
 * One that can make an update in two steps, between which what others computed is added. Its graphs are those of a share. An array
 * of sums, whose places are those of sums.ts, is handed over with each call: who gave it does not touch it any more.
 */
export interface DividedEngine extends Engine {
  /** What its images give, times its share of the images. */
  gradients(input: StepInput): Promise<Float32Array>;
  /** From the sums over all images of the batch. Where the loss is not finite the state stays as it was. */
  update(input: UpdateInput, sums: Float32Array): Promise<StepResult>;
}

export type EngineOpener = (graphs: TrainingGraphs, options: EngineOptions) => Promise<DividedEngine>;
