/** What computes a training: the graphs on a device, with the state that stays there. */
import type { Device, DeviceRequest } from "../onnx/device.js";
import type { EmittedGraph, TrainingGraphs } from "../../compiler/training/graphs.js";

export interface EngineOptions {
  readonly device: DeviceRequest;
  /** Threads that one operator may use on the processor. Default: ONNX Runtime's choice, one a core. */
  readonly threads?: number;
}

/** Images, normalised and cut, with their classes. */
export interface EngineBatch {
  /** float32[N, 3, H, W] */
  readonly images: Float32Array;
  /** Class numbers; or float32[N, classes], each class's share of an image, where the graphs take soft labels. */
  readonly labels: Int32Array | Float32Array;
}

export interface StepInput extends EngineBatch {
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

export interface StepResult {
  /** Mean over the batch. */
  readonly loss: number;
  /** Those that it is the weighted sum of, by their names, where the network states some. */
  readonly losses?: Readonly<Record<string, number>>;
  /** How many images are right: whose label is the likeliest class; or every class of which, where they have several. */
  readonly correct: number;
  /** In mixed precision: false where the update was not made, for a gradient was not finite. */
  readonly finite?: boolean;
  readonly gradientNorm?: number;
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
  /**
   * Scores by the running statistics, float32[N, classes], for any number of images.
   *
   * @param averaged by the averaged weights, where the state has them
   */
  evaluate(images: Float32Array, averaged: boolean): Promise<Float32Array>;
  /** The next running statistics after this batch alone, with every running statistic at this value before. */
  statistics(images: Float32Array, before: number): Promise<Values>;
  /** Runs a graph that gives single numbers, on the state as it is and the first part of a batch. */
  probe(graph: EmittedGraph, input: StepInput): Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
}

export type EngineOpener = (graphs: TrainingGraphs, options: EngineOptions) => Promise<Engine>;
