/**
 * `training.json`: all that is to be known of exported training graphs, for bindings of ONNX Runtime that can't read a
 * model's metadata. docs/training-graphs.md explains it, docs/schemas/training.schema.json is its schema.
 */
import { formatDim, isSymbolic } from "../ir/dim.js";
import type { DataType } from "../ir/types.js";
import type { Model } from "../model.js";
import type { TrainingGraphName } from "./contract.js";
import type { StateRole, StateTensor, StepGraphs, TrainingGraph, TrainingProgram } from "./contract.js";

/** An input or output of a graph. */
export interface TensorDescription {
  readonly name: string;
  /** A length that is not the same in every step is text: `objects`, `objects+300`. */
  readonly shape: readonly (number | string)[];
  readonly dtype: DataType;
}

/** A tensor of the state, and how it begins. */
export interface StateDescription extends TensorDescription {
  readonly shape: readonly number[];
  readonly role: StateRole;
  readonly parameter?: string;
  /** What it is filled with at the beginning; else it begins as the state of the name `like`. */
  readonly value?: number;
  /** A parameter or statistic: its own name, which is a tensor of `initial`. */
  readonly like?: string;
}

/** A tensor that graphs take and give: several of the state in a row, each behind the one before. */
export interface VectorDescription {
  readonly name: string;
  readonly shape: readonly number[];
  /** Names of the state, in the vector's order. */
  readonly parts: readonly string[];
}

/** What one `.onnx` file takes and gives. */
export interface GraphDescription {
  readonly file: string;
  /** All of them, the state's too. */
  readonly inputs: readonly TensorDescription[];
  readonly outputs: readonly TensorDescription[];
  /** Names of the state, or the vectors of it, that are among the inputs, and that have an output `next.NAME`. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** What the values of the output `numbers` are, where numbers are in one. */
  readonly numbers?: readonly string[];
  /** Names of the inputs to fill with new uniform numbers in [0, 1) for every step. */
  readonly noise: readonly string[];
}

/** The graphs of a step, as long as the same parameters are trained. */
export interface PhaseDescription {
  readonly trained: readonly string[];
  readonly train: GraphDescription;
  readonly gradients: GraphDescription;
  readonly update: GraphDescription;
}

/** The content of `training.json`. */
export interface TrainingDescription extends PhaseDescription {
  readonly schema: 1;
  readonly network: string;
  /** Of detectors. */
  readonly task?: "detection";
  /** Images of an update, and the parts that it is computed in: the graphs take `batch / accumulate` at a time. */
  readonly batch: number;
  readonly accumulate: number;
  /** Absent of a detector whose classes have no names. */
  readonly classes?: number;
  /** Name of the input for images: float32, normalised. */
  readonly image: string;
  readonly precision: "fp32" | "mixed";
  /** Decay of the average of the weights, whose state is `ema.NAME`; `warm_up`: the input `ema_decay` says it. */
  readonly ema?: { readonly decay: number; readonly warm_up: boolean };
  /** A safetensors file with the first values of parameters and statistics. */
  readonly initial: string;
  readonly state: readonly StateDescription[];
  /** Of graphs for a GPU: in what they hold the state. */
  readonly vectors?: readonly VectorDescription[];
  readonly evaluate: GraphDescription;
  /** Where stages thaw: the phases before the last one, and when each ends. */
  readonly phases: readonly (PhaseDescription & { readonly until: Moment })[];
}

/** So many updates, or epochs, after the beginning. */
export interface Moment {
  readonly after: number;
  readonly unit: "step" | "epoch";
}

export interface DescribeOptions {
  readonly accumulate: number;
  readonly initial: string;
  /** When each of the program's phases ends. */
  readonly until: readonly Moment[];
}

export function describeTraining(
  model: Model,
  program: TrainingProgram,
  { accumulate, initial, until }: DescribeOptions,
): TrainingDescription {
  const { options, evaluate } = program;
  const classes = classesOf(model, evaluate);
  return {
    schema: 1,
    network: model.name,
    ...(model.detection && { task: "detection" }),
    batch: options.batch * accumulate,
    accumulate,
    ...(classes !== undefined && { classes }),
    image: model.graph.inputs[0]!.name,
    precision: options.precision ?? "fp32",
    ...(options.emaDecay !== undefined && { ema: { decay: options.emaDecay, warm_up: options.emaWarmUp === true } }),
    initial,
    state: program.state.map(describeState),
    ...(options.held === "vectors" && { vectors: describeVectors(program) }),
    ...describePhase(program, undefined),
    evaluate: describeGraph("evaluate.onnx", evaluate),
    phases: program.phases.map((phase, index) => ({ until: until[index]!, ...describePhase(phase, index) })),
  };
}

function classesOf({ detection, labels }: Model, { graph }: TrainingGraph): number | undefined {
  if (detection) return labels?.length;
  return graph.outputs.find(({ name }) => name === "logits")!.value.type.shape[1] as number;
}

/** Of a phase before the last: `train.phase1.onnx`. */
export function graphFile(name: TrainingGraphName, phase: number | undefined): string {
  return phase === undefined ? `${name}.onnx` : `${name}.phase${phase + 1}.onnx`;
}

/** Name, shape, role and beginning of a state tensor. */
export function describeState({ name, shape, dtype, role, parameter, init }: StateTensor): StateDescription {
  return {
    name,
    shape,
    dtype,
    role,
    ...(parameter === undefined ? {} : { parameter }),
    ...(init.kind === "constant" ? { value: init.value } : { like: init.path }),
  };
}

function describeVectors({ held }: TrainingProgram): readonly VectorDescription[] {
  const vectors = held.filter(({ parts }) => parts.length > 1);
  return vectors.map(({ name, shape, parts }) => ({ name, shape, parts: parts.map((part) => part.name) }));
}

function describePhase(phase: StepGraphs, index: number | undefined): PhaseDescription {
  return {
    trained: phase.trained.map(({ path }) => path),
    train: describeGraph(graphFile("train", index), phase.train),
    gradients: describeGraph(graphFile("gradients", index), phase.gradients),
    update: describeGraph(graphFile("update", index), phase.update),
  };
}

function describeGraph(file: string, { graph, reads, writes, numbers, noise }: TrainingGraph): GraphDescription {
  const describe = ({ name, value: { type } }: (typeof graph.inputs)[number]): TensorDescription => ({
    name,
    shape: type.shape.map((dim) => (isSymbolic(dim) ? formatDim(dim) : dim)),
    dtype: type.dtype,
  });
  return {
    file,
    inputs: graph.inputs.map(describe),
    outputs: graph.outputs.map(describe),
    reads: reads.map(({ name }) => name),
    writes: writes.map(({ name }) => name),
    ...(numbers && { numbers }),
    noise: noise.map(({ name }) => name),
  };
}
