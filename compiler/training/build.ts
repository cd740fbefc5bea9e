/** The graphs of training, from a model. contract.ts says what they are. */
import type { Span } from "../../grammar/ast.js";
import { tensor, value } from "../ir/build.js";
import { formatShape } from "../ir/dim.js";
import type { Graph, NamedValue, Node, Parameter, Value } from "../ir/types.js";
import type { Model } from "../model.js";
import { formula } from "../ops/formula.js";
import { bindSizes } from "../passes/bind_sizes.js";
import { dropDeadCode } from "../passes/drop_dead_code.js";
import { dropTrainingOnly } from "../passes/drop_training_only.js";
import { halve } from "../passes/to_float16.js";
import {
  gradientName,
  nextName,
  type NoiseInput,
  type StateTensor,
  type StepGraphs,
  type TrainingGraph,
  type TrainingOptions,
  type TrainingProgram,
} from "./contract.js";
import { differentiate, recorder, type Recorder } from "./differentiate.js";
import { lowerTraining } from "./lowering/index.js";
import { isInside, requirePart, requireScope } from "./places.js";
import { recompute, segmentsOf, type Segments } from "./recompute.js";
import { trainingState, type TrainingState } from "./state.js";
import { trainingMode, type Tracked } from "./training_mode.js";
import { applyUpdate } from "./update.js";

/**
 * Throws a RangeError where the model can't be trained so: a size that is not known, an unknown stage, no logits.
 */
export function buildTraining(model: Model, options: TrainingOptions): TrainingProgram {
  const plan = planTraining(model, options);
  const before = (options.thawing ?? []).map((_, phase) => phasePlan(plan, phase));
  return {
    options,
    state: plan.state.all,
    ...stepGraphs(model, plan, ""),
    phases: before.map((each, phase) => stepGraphs(model, each, `.phase${phase + 1}`)),
    evaluate: evaluation(model, options, plan),
  };
}

function stepGraphs(model: Model, plan: Plan, suffix: string): StepGraphs {
  const { options } = plan;
  return {
    trained: plan.trained,
    train: finish(plan, `${model.name}.train${suffix}`, (record) => {
      const step = forwardBackward(plan, record);
      const update = applyUpdate(plan.state, options, step.gradients, step.statistics, record);
      return { ...step, outputs: [...step.outputs, ...update.outputs], next: [...step.next, ...update.next] };
    }),
    gradients: finish(plan, `${model.name}.gradients${suffix}`, (record) => {
      const step = forwardBackward(plan, record);
      const gradients = plan.trained.map(({ path }) => ({
        name: gradientName(path),
        value: step.gradients.get(path)!,
      }));
      return { ...step, outputs: [...step.outputs, ...gradients] };
    }),
    update: finish(plan, `${model.name}.update${suffix}`, (record) => {
      const gradients = plan.trained.map((each): [string, Value] => {
        return [each.path, value(each.value.type, gradientName(each.path))];
      });
      const inputs = gradients.map(([path, made]) => ({ name: gradientName(path), value: made }));
      const update = applyUpdate(plan.state, options, new Map(gradients), new Map(), record);
      return { inputs, noise: [], ...update };
    }),
  };
}

/** Loss and gradients as they are before methods are chosen: what `tuneMethods` measures the operations of. */
export function unloweredGradients(model: Model, options: TrainingOptions): Graph {
  const { graph } = lossAndGradients(planTraining(model, options), undefined);
  return options.precision === "mixed" ? halve(graph) : graph;
}

interface Plan {
  readonly graph: Graph;
  readonly logits: Value;
  readonly labels: Value;
  readonly trained: readonly Parameter[];
  readonly frozen: (path: string) => boolean;
  readonly options: TrainingOptions;
  readonly state: TrainingState;
  readonly segments: Segments | undefined;
}

function planTraining(model: Model, options: TrainingOptions): Plan {
  const { frozenStages = [], checkpointStages = [], thawing = [], stageRates = [], batch } = options;
  const named = checkpointStages === true ? [] : checkpointStages;
  const parts = [...frozenStages, ...thawing.flat(), ...stageRates.map(({ stage }) => stage)];
  parts.forEach((path) => requirePart(model, path));
  named.forEach((path) => requireScope(model, path));
  const inFrozen = (path: string): boolean => frozenStages.some((stage) => isInside(path, stage));
  const graph = fixedSizes(model, options, batch);
  const trained = graph.parameters.filter((each) => each.trainable && !inFrozen(each.path));
  if (trained.length === 0) {
    const why =
      frozenStages.length > 0 ? `all of its parameters are frozen (${frozenStages.join(", ")})` : "it has none";
    throw new RangeError(`${model.name} has no parameter that could be trained: ${why}`);
  }
  requireSpread(graph, (path) => options.frozenBatchNorm === true || inFrozen(path));
  return {
    graph,
    logits: logitsOf(graph),
    labels: value(tensor([batch], "int64"), "labels"),
    trained,
    frozen: (path) => options.frozenBatchNorm === true || inFrozen(path),
    options,
    state: trainingState(graph.parameters, trained, options),
    segments: checkpointStages === true || named.length > 0 ? segmentsOf(model.root, checkpointStages) : undefined,
  };
}

/** The plan of a phase (from 0) in which the groups of parts from there on are still frozen. */
function phasePlan(plan: Plan, phase: number): Plan {
  const parts = plan.options.thawing!.slice(phase).flat();
  const inFrozen = (path: string): boolean => parts.some((part) => isInside(path, part));
  const trained = plan.trained.filter(({ path }) => !inFrozen(path));
  if (trained.length === 0) throw new RangeError("nothing is trained before the frozen stages thaw");
  return {
    ...plan,
    trained,
    frozen: (path) => plan.frozen(path) || inFrozen(path),
    state: { ...plan.state, trained },
  };
}

/** A batch norm over one value gives its offset, whatever the value: nothing before it is learned from. */
function requireSpread({ nodes }: Graph, isFrozen: (path: string) => boolean): void {
  for (const { op, path, inputs } of nodes) {
    if (op !== "bn" || isFrozen(path)) continue;
    const { shape } = inputs[0]!.type;
    if (shape.some((dim, axis) => axis !== 1 && dim !== 1)) continue;
    throw new RangeError(
      `the batch norm ${path} sees one value a channel (${formatShape(shape)}), which it would turn into a constant: ` +
        `take more images at once (batch, less accumulate), or move it before the pooling`,
    );
  }
}

/** The model's graph at this batch size, every dimension a number. */
function fixedSizes(model: Model, options: TrainingOptions, batch: number): Graph {
  const graph = bindSizes.run(model.graph, { sizes: { ...options.sizes, N: batch } });
  for (const { name, value: input } of graph.inputs) {
    if (input.type.shape.some((dim) => typeof dim !== "number")) {
      throw new RangeError(`training needs every size of the input ${name}, which is ${formatShape(input.type.shape)}`);
    }
  }
  return graph;
}

/** What goes into the softmax, [N, classes]. */
function logitsOf(graph: Graph): Value {
  const found = graph.outputs.find((output) => output.name === "logits") ?? graph.outputs[0]!;
  const end = lastLayer(graph, found.value);
  if (end?.op === "sigmoid" || end?.op === "hard_sigmoid") {
    throw new RangeError(
      `the network ends in \`${end.op}\`: training compares the softmax of logits with the classes; end it with \`softmax\`, or leave out \`${end.op}\``,
    );
  }
  const logits = end?.op === "softmax" ? end.inputs[0]! : found.value;
  const { shape } = logits.type;
  const flat = shape.length === 2 || (shape.length === 4 && shape[2] === 1 && shape[3] === 1);
  if (flat) return logits;
  throw new RangeError(
    `training a classifier needs logits of shape [N, classes], ${found.name} is ${formatShape(shape)}`,
  );
}

/** The node that makes a value, behind those that change its shape alone. */
function lastLayer({ nodes }: Graph, made: Value): Node | undefined {
  const node = nodes.findLast((each) => each.outputs.includes(made));
  const isShape = node?.op === "flatten" || node?.op === "identity";
  return isShape ? lastLayer({ nodes } as Graph, node.inputs[0]!) : node;
}

// ---- one step

interface Pieces {
  /** Besides those of state and the learning rate. */
  readonly inputs: readonly NamedValue[];
  readonly noise: readonly NoiseInput[];
  readonly outputs: readonly NamedValue[];
  /** State after the step, by name. */
  readonly next: readonly NamedValue[];
}

interface Step extends Pieces {
  readonly gradients: ReadonlyMap<string, Value>;
  /** Next running statistics by path. */
  readonly statistics: ReadonlyMap<string, Value>;
}

/** Loss and gradients. Records everything; its values can be used by what is recorded after it. */
function forwardBackward(plan: Plan, record: Recorder): Step {
  const { options } = plan;
  const mixed = options.precision === "mixed";
  const lossScale = mixed ? [{ name: "loss_scale", value: value(tensor([]), "loss_scale") }] : [];
  const core = lossAndGradients(plan, lossScale[0]?.value);
  const economical = plan.segments ? recompute(core.graph, plan.segments, core.forward) : core.graph;
  const prepared = lowerTraining(mixed ? halve(economical) : economical, options);
  record.nodes.push(...prepared.nodes);
  record.constants.push(...prepared.constants);
  const output = new Map(prepared.outputs.map((each) => [each.name, each.value]));
  const f = formula(record);
  record.at("unscale", spanOf(plan.graph));
  const gradients = new Map(
    plan.trained.map(({ path }) => {
      const gradient = output.get(gradientName(path))!;
      return [path, mixed ? f.over(gradient, lossScale[0]!.value) : gradient] as const;
    }),
  );
  const paths = new Map(plan.graph.parameters.map((each) => [each.value.id, each.path]));
  const statistics = new Map<string, Value>();
  core.tracked.forEach(({ running, momentum, factor }, index) => {
    const path = paths.get(running.id)!;
    record.at(path, spanOf(plan.graph));
    const before = statistics.get(path) ?? running;
    const share = f.affine(output.get(`batch.${index}`)!, momentum * factor);
    statistics.set(path, f.plus(f.affine(before, 1 - momentum), share));
  });
  return {
    inputs: [...core.inputs, ...lossScale],
    noise: core.noise,
    outputs: ["loss", "correct", "correct5"].map((name) => ({ name, value: output.get(name)! })),
    next: [...statistics].map(([name, next]) => ({ name, value: next })),
    gradients,
    statistics,
  };
}

interface Core {
  readonly graph: Graph;
  readonly inputs: readonly NamedValue[];
  readonly noise: readonly NoiseInput[];
  readonly tracked: readonly Tracked[];
  /** The network's own nodes and the loss; all others are the backward pass. */
  readonly forward: ReadonlySet<Node>;
}

/** A graph of the loss, the counts, every gradient, and the batch's statistics (`batch.0`, ...). */
function lossAndGradients(plan: Plan, lossScale: Value | undefined): Core {
  const { options, labels } = plan;
  const { graph, tracked, noise } = trainingMode(
    { ...plan.graph, outputs: [{ name: "logits", value: plan.logits }] },
    plan.frozen,
  );
  const record = recorder({ path: "loss", span: spanOf(plan.graph) });
  const [loss, correct, correct5] = recordLoss(graph.outputs[0]!.value, labels, options, record);
  const seed = lossScale ?? record.constant(Float32Array.of(1), []);
  const wrt = plan.trained.map((each) => each.value);
  const nodes = [...graph.nodes, ...record.nodes];
  const found = differentiate({ nodes }, loss!, wrt, seed, record);
  const gradients = plan.trained.map(({ path }, index): NamedValue => {
    const gradient = found[index];
    // A parameter that the loss does not depend on: nothing pulls at it.
    if (gradient === undefined) throw new RangeError(`the loss does not depend on ${path}: freeze it, or use it`);
    return { name: gradientName(path), value: gradient };
  });
  const whole: Graph = {
    ...graph,
    inputs: [...graph.inputs, { name: "labels", value: labels }],
    parameters: [],
    constants: [...graph.constants, ...record.constants],
    nodes: [...graph.nodes, ...record.nodes],
    outputs: [
      { name: "loss", value: loss! },
      { name: "correct", value: correct! },
      { name: "correct5", value: correct5! },
      ...gradients,
      ...tracked.map(({ batch }, index) => ({ name: `batch.${index}`, value: batch })),
    ],
  };
  return { graph: dropDeadCode.run(whole, {}), inputs: whole.inputs, noise, tracked, forward: new Set(nodes) };
}

type LossOptions = Pick<TrainingOptions, "labelSmoothing" | "classWeights">;

function recordLoss(logits: Value, labels: Value, options: LossOptions, record: Recorder): readonly Value[] {
  const [batch, classes] = logits.type.shape as readonly number[];
  const flat = logits.type.shape.length === 2 ? logits : formula(record).reshape(logits, [batch!, classes!]);
  const { classWeights, labelSmoothing: smoothing = 0 } = options;
  if (classWeights === undefined) return record.apply("softmax_cross_entropy", [flat, labels], { smoothing });
  if (classWeights.length !== classes) {
    throw new RangeError(`${classWeights.length} class weights for ${classes} classes: one for each is needed`);
  }
  const weights = record.constant(Float32Array.from(classWeights), [classes]);
  return record.apply("softmax_cross_entropy", [flat, labels, weights], { smoothing });
}

function evaluation(model: Model, options: TrainingOptions, plan: Plan): TrainingGraph {
  const batch = options.evaluationBatch ?? options.batch;
  const graph = dropTrainingOnly.run(fixedSizes(model, options, batch), {});
  const labels = value(tensor([batch], "int64"), "labels");
  return finish(plan, `${model.name}.evaluate`, (record) => {
    record.nodes.push(...graph.nodes);
    record.constants.push(...graph.constants);
    const logits = logitsOf(graph);
    record.at("loss", spanOf(graph));
    const [loss, correct, correct5] = recordLoss(logits, labels, {}, record);
    return {
      inputs: [...graph.inputs, { name: "labels", value: labels }],
      noise: [],
      outputs: [
        { name: "loss", value: loss! },
        { name: "correct", value: correct! },
        { name: "correct5", value: correct5! },
        { name: "logits", value: logits },
      ],
      next: [],
    };
  });
}

/** The graph of what `make` records, its inputs those that are used. */
function finish(plan: Plan, name: string, make: (record: Recorder) => Pieces): TrainingGraph {
  const record = recorder({ path: "update", span: spanOf(plan.graph) });
  const pieces = make(record);
  const next = [...pieces.next].sort((a, b) => plan.state.order(a.name) - plan.state.order(b.name));
  const whole: Graph = {
    name,
    inputs: [],
    parameters: [],
    constants: record.constants,
    nodes: record.nodes,
    outputs: [...pieces.outputs, ...next.map((each) => ({ name: nextName(each.name), value: each.value }))],
  };
  const graph = dropDeadCode.run(whole, {});
  const used = new Set(
    [...graph.nodes.flatMap((node) => node.inputs), ...graph.outputs.map((each) => each.value)].map((each) => each.id),
  );
  const reads = plan.state.all.filter((each) => used.has(plan.state.value(each.name).id));
  const { learningRate, emaDecay } = plan.state;
  const others = [...pieces.inputs, learningRate, ...(emaDecay ? [emaDecay] : [])].filter((each) =>
    used.has(each.value.id),
  );
  const stateInputs = reads.map(({ name: input }) => ({ name: input, value: plan.state.value(input) }));
  const byName = new Map(plan.state.all.map((each) => [each.name, each]));
  return {
    graph: { ...graph, inputs: [...others, ...stateInputs] },
    reads,
    writes: next.map((each): StateTensor => byName.get(each.name)!),
    noise: pieces.noise,
  };
}

function spanOf(graph: Graph): Span {
  return graph.nodes.at(-1)?.span ?? { file: "", start: 0, end: 0 };
}
