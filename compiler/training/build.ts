/** The graphs of training, from a model. contract.ts says what they are. */
import type { Span } from "../../grammar/ast.js";
import { tensor, value } from "../ir/build.js";
import { bindDim, formatShape } from "../ir/dim.js";
import { isNoiseName, lossOfName } from "../ir/names.js";
import type { Graph, NamedValue, Parameter, Value } from "../ir/types.js";
import type { Loss, Model } from "../model.js";
import { formula } from "../ops/formula.js";
import { operator } from "../ops/index.js";
import { recorder, type Recorder } from "../ops/recorder.js";
import {
  DETECTION_PASSES,
  EVALUATION_PASSES,
  GRADIENT_PASSES,
  runPasses,
  TRAINING_PASSES,
  TRIMMING_PASSES,
  type TrainingContext,
} from "../passes/index.js";
import { dropDeadCode } from "../passes/drop-dead-code.js";
import { segmentsOf } from "../passes/recompute.js";
import { logitsOf } from "../passes/take-logits.js";
import {
  gradientName,
  nextName,
  NUMBERS,
  type HeldTensor,
  type NoiseInput,
  type StepGraphs,
  type TargetInput,
  type TrainingGraph,
  type TrainingOptions,
  type TrainingProgram,
} from "./contract.js";
import { onlyForClassifiers } from "./classifiers-only.js";
import { learnedLosses, onlyLearned, parametersOfLosses, requireLearnable } from "./learned.js";
import { isInside, requirePart, requireScope } from "./places.js";
import { withGivenProposals } from "./proposals.js";
import { trainedGroups, trainingState, type TrainingState } from "./state.js";
import { applyUpdate } from "./update.js";
import { nextStatistics, packed, unpacked } from "./vectors.js";
import { withLosses, withNumberedLosses } from "./with-losses.js";

/**
 * The step is built at once, the other graphs when they are first asked for: of a detector's canvases nobody asks.
 *
 * Throws a RangeError where the model can't be trained so: a size that is not known, an unknown stage, no logits.
 */
export function buildTraining(model: Model, options: TrainingOptions): TrainingProgram {
  const plan = planTraining(model, options);
  const before = (options.thawing ?? []).map((_, phase) => phasePlan(plan, phase));
  const batch = options.evaluationBatch ?? options.batch;
  const own = stepGraphs(model, plan, "");
  const evaluate = lazy(() => evaluation(model, plan, batch, "evaluate"));
  const evaluateOne = lazy(() => evaluation(model, plan, 1, "evaluate.one"));
  return {
    options,
    state: plan.state.all,
    held: plan.state.held,
    trained: own.trained,
    learned: own.learned,
    train: own.train,
    get gradients() {
      return own.gradients;
    },
    get update() {
      return own.update;
    },
    phases: before.map((each, phase) => stepGraphs(model, each, `.phase${phase + 1}`)),
    get evaluate() {
      return evaluate();
    },
    get evaluateOne() {
      return model.losses && batch > 1 ? evaluateOne() : undefined;
    },
  };
}

function stepGraphs(model: Model, plan: Plan, suffix: string): StepGraphs {
  const { options } = plan;
  const learned = trainedGroups(plan.state).map(({ held }) => held);
  const gradients = lazy(() =>
    finish(plan, `${model.name}.gradients${suffix}`, (record) => {
      const step = forwardBackward(plan, record);
      const outputs = learned.map(({ name }) => ({ name: gradientName(name), value: step.gradients.get(name)! }));
      return { ...step, outputs: [...step.outputs, ...outputs] };
    }),
  );
  const update = lazy(() =>
    finish(plan, `${model.name}.update${suffix}`, (record) => {
      const given = learned.map(({ name, shape, dtype }): [string, Value] => {
        return [name, value(tensor(shape, dtype), gradientName(name))];
      });
      const inputs = given.map(([name, made]) => ({ name: gradientName(name), value: made }));
      return { inputs, ...applyUpdate(plan.state, options, new Map(given), movedStatistics(plan), record) };
    }),
  );
  return {
    trained: plan.trained,
    learned,
    train: finish(plan, `${model.name}.train${suffix}`, (record) => {
      const step = forwardBackward(plan, record);
      const next = applyUpdate(plan.state, options, step.gradients, step.statistics, record);
      return { ...step, outputs: [...step.outputs, ...next.outputs], next: [...step.next, ...next.next] };
    }),
    get gradients() {
      return gradients();
    },
    get update() {
      return update();
    },
  };
}

/** Running statistics that `gradients` has moved, by path: in the state by the time of `update`. */
function movedStatistics({ state, frozen }: Plan): ReadonlyMap<string, Value> {
  const moved = state.groups.filter(({ members: [first] }) => !first!.trainable && !frozen(first!.path));
  return new Map(moved.map(({ held }) => [held.name, state.value(held.name)]));
}

/** What is made when it is first asked for. */
function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** Loss and gradients as they are before algorithms are chosen: what `tune` measures the operations of. */
export function gradientGraph(model: Model, options: TrainingOptions): Graph {
  const plan = planTraining(model, options);
  const { segments: _kept, ...context } = contextOf(plan);
  return runPasses(GRADIENT_PASSES, plan.graph, context);
}

interface Plan {
  /** As it was elaborated, with its losses. */
  readonly graph: Graph;
  /** The same for `evaluate`, whose labels may be others. */
  readonly evaluated: Graph;
  readonly lossWeights: ReadonlyMap<string, number>;
  /** Names of the inputs that the data fill. */
  readonly targets: ReadonlySet<string>;
  readonly trained: readonly Parameter[];
  readonly frozen: (path: string) => boolean;
  readonly options: TrainingOptions;
  readonly state: TrainingState;
  readonly segments: TrainingContext["segments"];
}

function planTraining(model: Model, options: TrainingOptions): Plan {
  const { frozenStages = [], checkpointStages = [] } = options;
  const { joined, trained } = selectTrained(model, options);
  const { graph } = model;
  requireSizes(graph, sizesOf(options));
  if (trained.length === 0) {
    const why =
      frozenStages.length > 0 ? `all of its parameters are frozen (${frozenStages.join(", ")})` : "it has none";
    throw new RangeError(`${model.name} has no parameter that could be trained: ${why}`);
  }
  return {
    ...joined,
    trained,
    frozen: (path) => options.frozenBatchNorm === true || inParts(path, frozenStages),
    options,
    state: trainingState(graph.parameters, trained, options, isTracked(joined.graph, options)),
    segments:
      checkpointStages === true || checkpointStages.length > 0 ? segmentsOf(model.root, checkpointStages) : undefined,
  };
}

/** Whether a statistic is moved in a step, sooner or later: it is one of a batch norm that is there, and is not frozen for good. */
function isTracked({ nodes }: Graph, { frozenStages = [], frozenBatchNorm = false }: TrainingOptions) {
  const used = new Set(nodes.flatMap(({ inputs }) => inputs.map(({ id }) => id)));
  return ({ path, value: { id } }: Parameter): boolean =>
    used.has(id) && !frozenBatchNorm && !inParts(path, frozenStages);
}

/** Losses and the parameters that are trained by them: known without any size. */
function selectTrained(model: Model, options: TrainingOptions) {
  const { frozenStages = [], checkpointStages = [], thawing = [], stageRates = [] } = options;
  const named = checkpointStages === true ? [] : checkpointStages;
  const parts = [...frozenStages, ...thawing.flat(), ...stageRates.map(({ stage }) => stage)];
  parts.forEach((path) => requirePart(model, path));
  named.forEach((path) => requireScope(model, path));
  requireLosses(model, options);
  const { graph } = model;
  const learned = learnedLosses(model, options.learned);
  const joined = lossesOf(model, learned, options);
  const needed = options.learned && parametersOfLosses(joined.graph);
  const fixed = options.frozenBatchNorm ? ofBatchNorms(graph) : new Set<Parameter>();
  const trained = graph.parameters.filter(
    (each) =>
      each.trainable && !inParts(each.path, frozenStages) && !fixed.has(each) && (needed?.has(each.path) ?? true),
  );
  if (options.learned) requireLearnable(model, joined.graph, learned, trained);
  return { joined, trained };
}

/**
 * Paths of the parameters that a training changes.
 *
 * @throws {RangeError} where the network has no such part or loss, or can't learn what it is to
 */
export function trainedParameters(model: Model, options: TrainingOptions): ReadonlySet<string> {
  return new Set(selectTrained(model, options).trained.map(({ path }) => path));
}

function inParts(path: string, parts: readonly string[]): boolean {
  return parts.some((part) => isInside(path, part));
}

/** Scales and offsets of layers with running statistics: fixed with these (the paper's appendix A). */
function ofBatchNorms({ nodes, parameters }: Graph): ReadonlySet<Parameter> {
  const byValue = new Map(parameters.map((parameter) => [parameter.value, parameter]));
  const own = nodes.map(({ inputs }) => inputs.flatMap((input) => byValue.get(input) ?? []));
  return new Set(own.filter((each) => each.some(({ trainable }) => !trainable)).flat());
}

/** The plan of a phase (from 0) in which the groups of parts from there on are still frozen. */
function phasePlan(plan: Plan, phase: number): Plan {
  const parts = plan.options.thawing!.slice(phase).flat();
  const inFrozen = (path: string): boolean => inParts(path, parts);
  const trained = plan.trained.filter(({ path }) => !inFrozen(path));
  if (trained.length === 0) throw new RangeError("nothing is trained before the frozen stages thaw");
  return {
    ...plan,
    trained,
    frozen: (path) => plan.frozen(path) || inFrozen(path),
    state: { ...plan.state, trained },
  };
}

/** Soft labels are the step's alone: an evaluation compares with the classes themselves. */
function lossesOf(model: Model, learned: readonly Loss[], options: TrainingOptions) {
  const { softLabels = false, multiLabel = false, givenProposals = false } = options;
  const { losses } = model;
  if (model.detection) return detectorLosses(model, learned, givenProposals);
  if (givenProposals) throw new RangeError(`${model.name} is no detector, and has no use for \`proposals\``);
  const [, classes] = losses ? logitsOf(model.graph, true).type.shape : [];
  const joined = (shares: boolean): Graph =>
    onlyLearned(shares ? withLosses(model) : withNumberedLosses(model, classes as number), learned);
  return {
    graph: joined(softLabels || multiLabel),
    evaluated: joined(multiLabel),
    lossWeights: new Map(learned.map(({ name, weight }) => [name, weight])),
    targets: new Set(["labels", ...(losses?.targets ?? []).map(({ name }) => name)]),
  };
}

/** A detector's losses are all that a step of it is for, and an evaluation is the detector itself. */
function detectorLosses(model: Model, learned: readonly Loss[], givenProposals: boolean) {
  const { name, losses, graph } = model;
  if (losses === undefined || losses.each.length === 0) {
    throw new RangeError(
      `${name} states no losses to train it by: its dialect says nothing of \`anchor_targets\` and \`region_targets\`, or its source has no losses`,
    );
  }
  const whole = onlyLearned(withLosses(model), learned);
  const joined = givenProposals ? withGivenProposals(whole) : whole;
  const stated = joined.outputs.filter((each) => lossOfName(each.name) !== undefined);
  return {
    // Without what only finds things: batch norms there would move their statistics too.
    graph: dropDeadCode.run({ ...joined, outputs: stated }, {}),
    evaluated: graph,
    lossWeights: new Map(learned.map((loss) => [loss.name, loss.weight])),
    targets: new Set(["image_info", ...losses.targets.map((target) => target.name)]),
  };
}

/** What options say of the loss has to be about a loss that is there. */
function requireLosses(model: Model, options: TrainingOptions): void {
  const { name, losses } = model;
  const { labelSmoothing = 0, classWeights, multiLabel = false } = options;
  if (model.detection) {
    const problem = onlyForClassifiers(name, options);
    if (problem !== undefined) throw new RangeError(problem);
    return;
  }
  const ofClasses = comparesOneClass(losses);
  const refuse = (what: string): never => {
    const given = losses!.each.map((loss) => `\`${loss.name}\``).join(", ");
    throw new RangeError(`${what} is for \`cross_entropy\`, and ${name} is trained by ${given}`);
  };
  if (!ofClasses && labelSmoothing > 0) refuse("label_smoothing");
  if (!ofClasses && classWeights !== undefined) refuse("class_weights");
  if (multiLabel) requireIndependentLosses(model);
}

/**
 * That images with several classes are no contradiction to what a network is trained by.
 *
 * @param data where the images are from, for the message
 * @throws {RangeError} where a loss takes one class an image
 */
export function requireIndependentLosses({ name, losses }: Pick<Model, "name" | "losses">, data?: string): void {
  if (!comparesOneClass(losses)) return;
  throw new RangeError(
    `${name} is trained by softmax cross entropy, which takes one class an image: where images have several` +
      `${data === undefined ? "" : `, as those of ${data} do`}, write \`binary_cross_entropy image.labels\` behind its ` +
      "logits, and `sigmoid` in place of `softmax`",
  );
}

function comparesOneClass(losses: Model["losses"]): boolean {
  return losses?.nodes.some(({ op }) => operator(op).layer?.loss?.ofClasses) ?? true;
}

function requireSizes(graph: Graph, sizes: NonNullable<TrainingContext["sizes"]>): void {
  for (const { name, value: input } of graph.inputs) {
    const shape = input.type.shape.map((dim) => bindDim(dim, sizes));
    if (shape.some((dim) => typeof dim !== "number")) {
      throw new RangeError(`training needs every size of the input ${name}, which is ${formatShape(shape)}`);
    }
  }
}

/** Every image of a detector has its row of `image_info`. */
function sizesOf({ sizes, batch }: TrainingOptions): Readonly<Record<string, number>> {
  return { ...sizes, N: batch, M: batch };
}

/** What the passes are told. */
function contextOf({ options, trained, frozen, segments, lossWeights, graph }: Plan): TrainingContext {
  const { device = "cpu", blockSize = 0, algorithms, precision } = options;
  const { labelSmoothing, softLabels, multiLabel, classWeights, lossShare } = options;
  const mixed = precision === "mixed";
  return {
    sizes: { ...sizesOf(options), ...classesOf(graph) },
    lossWeights,
    trained: trained.map(({ path }) => path),
    frozen,
    device,
    block: device === "cpu" ? blockSize : 0,
    lossScale: mixed,
    ...(lossShare !== undefined && { lossShare }),
    precision: mixed ? "fp16" : "fp32",
    ...(algorithms && { algorithms }),
    ...(labelSmoothing !== undefined && { labelSmoothing }),
    ...(softLabels && { softLabels }),
    ...(multiLabel && { multiLabel }),
    ...(classWeights && { classWeights }),
    ...(segments && { segments }),
  };
}

// ---- one step

interface Pieces {
  /** Besides those of state and the learning rate. */
  readonly inputs: readonly NamedValue[];
  readonly outputs: readonly NamedValue[];
  /** State after the step, by name. */
  readonly next: readonly NamedValue[];
}

/** By the names of what is held. */
interface Step extends Pieces {
  readonly gradients: ReadonlyMap<string, Value>;
  /** Next running statistics. */
  readonly statistics: ReadonlyMap<string, Value>;
}

/** Loss and gradients. Records everything; its values can be used by what is recorded after it. */
function forwardBackward(plan: Plan, record: Recorder): Step {
  const { state } = plan;
  const { inputs, nodes, constants, outputs } = runPasses(TRAINING_PASSES, plan.graph, contextOf(plan));
  record.nodes.push(...nodes);
  record.constants.push(...constants);
  const output = new Map(outputs.map((each) => [each.name, each.value]));
  const f = formula(record);
  record.at("unscale", spanOf(plan.graph));
  const scale = inputs.find(({ name }) => name === "loss_scale");
  const { lossShare = 1 } = plan.options;
  // Where they are scaled as it is, their share is taken with that, behind what is in fp16.
  const divisor = scale && (lossShare === 1 ? scale.value : f.affine(scale.value, 1 / lossShare));
  const gradients = new Map(
    trainedGroups(state).map(({ members, held }) => {
      const each = members.map(({ path }) => output.get(gradientName(path))!);
      const gradient = each.length === 1 ? each[0]! : packed(each, record);
      return [held.name, divisor ? f.over(gradient, divisor) : gradient] as const;
    }),
  );
  const statistics = nextStatistics(state, (path) => output.get(nextName(path)), record);
  return {
    inputs,
    outputs: outputs.filter(({ name }) => isMeasured(name)),
    next: [...statistics].map(([name, next]) => ({ name, value: next })),
    gradients,
    statistics,
  };
}

/** The loss, those that it is the sum of, and counts of right answers. */
function isMeasured(name: string): boolean {
  return name === "loss" || lossOfName(name) !== undefined || name.startsWith("correct");
}

/** How many classes there are, for labels that are shares of them. */
function classesOf(graph: Graph): Readonly<Record<string, number>> {
  const [first] = graph.outputs;
  const hasLosses = graph.outputs.some(({ name }) => lossOfName(name) !== undefined);
  return hasLosses && lossOfName(first!.name) === undefined
    ? { classes: logitsOf(graph, true).type.shape[1] as number }
    : {};
}

function evaluation(model: Model, plan: Plan, batch: number, name: string): TrainingGraph {
  const { lossWeights, evaluated, options } = plan;
  const sizes = { ...options.sizes, ...classesOf(evaluated), N: batch };
  const context = { sizes, lossWeights, logits: true, ...(options.multiLabel && { multiLabel: true }) };
  return finish(
    plan,
    `${model.name}.${name}`,
    (record) => {
      const { inputs, nodes, constants, outputs } = model.detection
        ? runPasses(DETECTION_PASSES, evaluated, {})
        : runPasses(EVALUATION_PASSES, evaluated, context);
      record.nodes.push(...nodes);
      record.constants.push(...constants);
      return { inputs, outputs, next: [] };
    },
    false,
  );
}

/** The graph of what `make` records, its inputs those that are used. */
function finish(plan: Plan, name: string, make: (record: Recorder) => Pieces, isStep = true): TrainingGraph {
  const { state, options } = plan;
  const record = recorder({ path: "update", span: spanOf(plan.graph) });
  const apart = unpacked(state, options, record);
  const pieces = make(record);
  const next = [...pieces.next].sort((a, b) => state.order(a.name) - state.order(b.name));
  const isState = new Set([...state.all, ...state.held].map((each) => each.name));
  const others = [...pieces.inputs.filter((each) => !isState.has(each.name)), state.learningRate];
  const stateInputs = state.held.map((each) => ({ name: each.name, value: state.value(each.name) }));
  record.at("numbers", spanOf(plan.graph));
  const measured = isStep && options.held === "vectors" ? inOne(pieces.outputs, record) : { outputs: pieces.outputs };
  const whole: Graph = {
    name,
    inputs: [...others, ...(state.emaDecay ? [state.emaDecay] : []), ...stateInputs],
    parameters: [],
    constants: record.constants,
    nodes: [...apart, ...record.nodes],
    outputs: [...measured.outputs, ...next.map((each) => ({ name: nextName(each.name), value: each.value }))],
  };
  const graph = runPasses(TRIMMING_PASSES, whole, {});
  const used = new Set(graph.inputs.map((input) => input.name));
  const byName = new Map(state.held.map((each) => [each.name, each]));
  return {
    graph,
    reads: state.held.filter((each) => used.has(each.name)),
    writes: next.map((each): HeldTensor => byName.get(each.name)!),
    ...(measured.numbers && { numbers: measured.numbers }),
    noise: graph.inputs.flatMap(({ name: input, value: { type } }): readonly NoiseInput[] =>
      isNoiseName(input) ? [{ name: input, shape: type.shape }] : [],
    ),
    targets: graph.inputs.flatMap(({ name: input, value: { type } }): readonly TargetInput[] =>
      plan.targets.has(input) ? [{ name: input, shape: type.shape, dtype: type.dtype }] : [],
    ),
  };
}

/** Single numbers as the values of one output: all of them are read back from a GPU at once. */
function inOne(
  outputs: readonly NamedValue[],
  record: Recorder,
): { readonly outputs: readonly NamedValue[]; readonly numbers?: readonly string[] } {
  const numbers = outputs.filter(({ value: { type } }) => type.shape.length === 0 && type.dtype === "float32");
  if (numbers.length === 0) return { outputs };
  const [together] = record.apply(
    "pack",
    numbers.map((each) => each.value),
  );
  const rest = outputs.filter((each) => !numbers.includes(each));
  return { outputs: [{ name: NUMBERS, value: together! }, ...rest], numbers: numbers.map(({ name }) => name) };
}

function spanOf(graph: Graph): Span {
  return graph.nodes.at(-1)?.span ?? { file: "", start: 0, end: 0 };
}
