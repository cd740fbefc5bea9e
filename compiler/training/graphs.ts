/** The graphs of training as bytes and lists of names: plain data that another thread can be given. */
import { tensor, value } from "../ir/build.js";
import type { Graph, NamedValue, Value } from "../ir/types.js";
import { concat } from "../emit/onnx.js";
import { formula } from "../ops/formula.js";
import { recorder } from "../ops/recorder.js";
import { runPasses, TRIMMING_PASSES } from "../passes/index.js";
import {
  gradientName,
  nextName,
  NUMBERS,
  type NoiseInput,
  type StepGraphs,
  type TargetInput,
  type TrainingGraph,
  type TrainingProgram,
} from "./contract.js";
import { emitTrainingGraph } from "./emit.js";
import type { HeldParts } from "./held.js";
import { emaName } from "./state.js";

/** One graph, emitted. */
export interface EmittedGraph {
  readonly name: string;
  readonly onnx: Uint8Array;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Names of the held tensors that it reads, and that it gives the next values of. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** What the values of its output `numbers` are; absent where each is an output of its own. */
  readonly numbers?: readonly string[];
  /** Filled with uniform numbers for every run. */
  readonly noise: readonly NoiseInput[];
  /** Filled with what the data say of the images. */
  readonly targets: readonly TargetInput[];
}

/** A tensor that graphs hold, and the tensors of the state that are in it, one behind the other. */
export interface Held extends HeldParts {
  readonly name: string;
  /** Name of the held tensor with the averages of this one's parts, where they are kept. */
  readonly average?: string;
}

export interface TrainingGraphs {
  /** All state, in the order of checkpoints. */
  readonly state: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** The same as the graphs are given it. */
  readonly held: readonly Held[];
  /** Name of the image among the inputs, and its shape in `step` and in `evaluate`. */
  readonly image: string;
  readonly stepShape: readonly number[];
  readonly evaluationShape: readonly number[];
  readonly classes: number;
  /** Parts that a batch is computed in. */
  readonly parts: number;
  /** Of each part the images that these graphs are for, where others compute the rest. Absent: all of them. */
  readonly share?: PartShare;
  /** Of each phase of the training; one, where nothing thaws. */
  readonly phases: readonly PhaseGraphs[];
  /** Of a detector the same for each size of images, the first of which is that above. */
  readonly canvases?: readonly CanvasGraphs[];
  /** Absent for a detector, which is judged as it is used. */
  readonly evaluate?: EmittedGraph;
  /** For one image; there where losses are stated. */
  readonly evaluateOne?: EmittedGraph;
  /** Next running statistics alone, of training mode; absent where the network has none. */
  readonly statistics?: EmittedGraph;
  /** Gives every state tensor as it is: how state comes to a device and back. */
  readonly identity: EmittedGraph;
}

/** Images of a part in a row. */
export interface PartShare {
  readonly first: number;
  readonly count: number;
  /** Images of the whole part. */
  readonly of: number;
}

export interface CanvasGraphs {
  /** [N, channels, H, W] of a batch in it. */
  readonly stepShape: readonly number[];
  readonly phases: readonly PhaseGraphs[];
}

export interface PhaseGraphs {
  /** A whole update; with several parts, or with others, the gradients of one part. */
  readonly step: EmittedGraph;
  /** With several parts, or with others: adds a share of one's gradients to their sum, and the update from the sum. */
  readonly accumulate?: {
    readonly sum: EmittedGraph;
    readonly update: EmittedGraph;
    readonly gradients: readonly Sum[];
  };
}

interface Sum {
  readonly gradient: string;
  readonly sum: string;
  readonly shape: readonly number[];
}

/**
 * @param parts that a batch is computed in; the program is made for the batch of one part, or for a share of it
 * @param others of a detector: the same program for images of other sizes
 */
export function emitTrainingGraphs(
  program: TrainingProgram,
  parts: number,
  others: readonly TrainingProgram[] = [],
  share?: PartShare,
): TrainingGraphs {
  for (const { name, dtype } of program.state) {
    if (dtype !== "float32") throw new TypeError(`${name} is ${dtype}; state is kept in float32`);
  }
  const { train, evaluate, evaluateOne } = program;
  const image = imageOf(train);
  const logits = evaluate.graph.outputs.find((output) => output.name === "logits");
  const statistics = statisticsOf(program);
  const isWhole = parts === 1 && share === undefined;
  const canvases = others.length > 0 ? [program, ...others].map((each) => emitCanvas(each, isWhole)) : undefined;
  return {
    state: program.state.map(({ name, shape }) => ({ name, shape })),
    held: heldOf(program),
    image: image.name,
    stepShape: sizes(image.value),
    evaluationShape: logits ? sizes(imageOf(evaluate).value) : [],
    classes: logits ? sizes(logits.value)[1]! : 0,
    parts,
    ...(share && { share }),
    phases: canvases?.[0]!.phases ?? emitPhases(program, isWhole),
    ...(canvases && { canvases }),
    ...(logits && { evaluate: emitGraph(evaluate), ...(evaluateOne && { evaluateOne: emitGraph(evaluateOne) }) }),
    ...(statistics && { statistics: emitGraph(statistics) }),
    identity: emitGraph(identity(program)),
  };
}

function emitPhases(program: TrainingProgram, isWhole: boolean): readonly PhaseGraphs[] {
  return [...program.phases, program].map((phase, index) => emitPhase(phase, index, isWhole));
}

/** Sessions are told apart by the names of their graphs. */
function emitCanvas(program: TrainingProgram, isWhole: boolean): CanvasGraphs {
  const stepShape = sizes(imageOf(program.train).value);
  const named = (graph: EmittedGraph): EmittedGraph => ({
    ...graph,
    name: `${graph.name}.${stepShape.slice(2).join("x")}`,
  });
  const phases = emitPhases(program, isWhole).map((phase) => ({ ...phase, step: named(phase.step) }));
  return { stepShape, phases };
}

function emitPhase(phase: StepGraphs, index: number, isWhole: boolean): PhaseGraphs {
  return {
    step: emitGraph(isWhole ? phase.train : phase.gradients),
    ...(!isWhole && { accumulate: { ...accumulation(phase, index), update: emitGraph(phase.update) } }),
  };
}

/** As plain data. */
export function emitGraph(training: TrainingGraph): EmittedGraph {
  const { graph, reads, writes, numbers, noise, targets } = training;
  const { chunks, byteLength } = emitTrainingGraph(training);
  return {
    name: graph.name,
    onnx: concat(chunks, byteLength),
    inputs: graph.inputs.map(({ name }) => name),
    outputs: graph.outputs.map(({ name }) => name),
    reads: reads.map(({ name }) => name),
    writes: writes.map(({ name }) => name),
    ...(numbers && { numbers }),
    noise,
    targets,
  };
}

function heldOf({ held }: TrainingProgram): readonly Held[] {
  const holding = new Map(held.flatMap(({ name, parts }) => parts.map((part) => [part.name, name] as const)));
  return held.map(({ name, shape, parts }) => {
    const average = holding.get(emaName(parts[0]!.name));
    return {
      name,
      shape,
      parts: parts.map((part) => ({ name: part.name, shape: part.shape })),
      ...(average !== undefined && { average }),
    };
  });
}

/** The input with the network's own name: float32 [N, 3, H, W]. */
function imageOf({ graph, reads, noise, targets }: TrainingGraph): NamedValue {
  const known = new Set([...reads, ...noise, ...targets].map(({ name }) => name));
  const found = graph.inputs.find(({ name, value }) => !known.has(name) && value.type.shape.length === 4);
  if (found === undefined) throw new TypeError(`${graph.name} has no input for images`);
  return found;
}

function sizes(value: Value): readonly number[] {
  return value.type.shape as readonly number[];
}

/** The part of a graph that some outputs need, with the inputs that it needs. */
export function part(whole: TrainingGraph, outputs: readonly NamedValue[]): TrainingGraph {
  const graph = runPasses(TRIMMING_PASSES, { ...whole.graph, outputs }, {});
  const names = new Set([...graph.inputs, ...outputs].map(({ name }) => name));
  return {
    graph,
    reads: whole.reads.filter(({ name }) => names.has(name)),
    writes: whole.writes.filter(({ name }) => names.has(nextName(name))),
    ...(whole.numbers && names.has(NUMBERS) && { numbers: whole.numbers }),
    noise: whole.noise.filter(({ name }) => names.has(name)),
    targets: whole.targets.filter(({ name }) => names.has(name)),
  };
}

function statisticsOf(program: TrainingProgram): TrainingGraph | undefined {
  const written = program.train.writes.filter(({ role }) => role === "running statistic");
  if (written.length === 0) return undefined;
  const { gradients } = program;
  const names = new Set(written.map(({ name }) => nextName(name)));
  const found = part(
    gradients,
    gradients.graph.outputs.filter(({ name }) => names.has(name)),
  );
  // Sessions are told apart by it.
  return { ...found, graph: { ...found.graph, name: `${found.graph.name}.statistics` } };
}

/** sum + share * gradient for every parameter, or every vector of them. */
function accumulation(
  { learned }: StepGraphs,
  phase: number,
): {
  readonly sum: EmittedGraph;
  readonly gradients: readonly Sum[];
} {
  const record = recorder({ path: "accumulate" });
  const f = formula(record);
  const share: NamedValue = { name: "share", value: value(tensor([]), "share") };
  const each = learned.map(({ name, shape, dtype }) => {
    const type = tensor(shape, dtype);
    const gradient: NamedValue = { name: gradientName(name), value: value(type, gradientName(name)) };
    const sum: NamedValue = { name: `sum.${name}`, value: value(type, `sum.${name}`) };
    const next = f.plus(sum.value, f.times(gradient.value, share.value));
    return { gradient, sum, next: { name: nextName(sum.name), value: next } };
  });
  const graph: Graph = {
    name: phase === 0 ? "accumulate" : `accumulate.phase${phase + 1}`,
    inputs: [share, ...each.flatMap(({ gradient, sum }) => [gradient, sum])],
    outputs: each.map(({ next }) => next),
    parameters: [],
    constants: record.constants,
    nodes: record.nodes,
  };
  return {
    sum: emitGraph({ graph, reads: [], writes: [], noise: [], targets: [] }),
    gradients: each.map(({ gradient, sum }) => ({
      gradient: gradient.name,
      sum: sum.name,
      shape: sizes(sum.value),
    })),
  };
}

function identity({ held }: TrainingProgram): TrainingGraph {
  const inputs = held.map(({ name, shape }): NamedValue => ({ name, value: value(tensor(shape), name) }));
  const graph: Graph = {
    name: "identity",
    inputs,
    outputs: inputs.map((input) => ({ name: nextName(input.name), value: input.value })),
    parameters: [],
    constants: [],
    nodes: [],
  };
  return { graph, reads: held, writes: held, noise: [], targets: [] };
}
