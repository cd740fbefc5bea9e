import { tensor, value } from "../ir/build.js";
import { lossOfName } from "../ir/names.js";
import type { Graph, NamedValue, Value } from "../ir/types.js";
import { formula } from "../ops/formula.js";
import { operator } from "../ops/index.js";
import { recorder, type Recorder } from "../ops/recorder.js";
import type { Pass, TrainingContext } from "./pass.js";
import { rewrite } from "./rewrite.js";

/**
 * The loss, and beside it `correct` and `correct5`, how many labels are the likeliest class and among the five likeliest. It
 * is the weighted sum of the outputs `loss.NAME` where there are some, which stay; else the mean softmax cross entropy of
 * the logits with an input `labels`, int64 [N], or float32 [N, classes] where labels are soft. Where images have several
 * labels, `correct` counts those of which every class is right, and there is no `correct5`.
 */
export const addLoss: Pass<TrainingContext> = {
  name: "add the loss",
  run(graph, context) {
    // A detector has no logits of its images.
    if (lossOfName(graph.outputs[0]!.name) !== undefined) return withSum(graph, context);
    const [logits, ...others] = graph.outputs;
    const losses = others.filter(({ name }) => lossOfName(name) !== undefined);
    const record = recorder({ path: "loss", span: spanOf(graph) });
    const labels = labelsOf(graph, logits!.value, context);
    const whole = losses.length === 0 ? graph : asTheRecipeSays(graph, context, record);
    const stated = whole.outputs.filter(({ name }) => lossOfName(name) !== undefined);
    const measured =
      losses.length === 0
        ? crossEntropy(logits!.value, labels, context, record)
        : [
            { name: "loss", value: weightedSum(stated, context, record) },
            ...countsOf(logits!.value, labels, context, record),
          ];
    const isNew = !graph.inputs.some((input) => input.value === labels);
    return {
      ...whole,
      inputs: isNew ? [...graph.inputs, { name: "labels", value: labels }] : graph.inputs,
      constants: [...whole.constants, ...record.constants],
      nodes: [...whole.nodes, ...record.nodes],
      outputs: [
        ...measured,
        ...stated,
        ...(context.logits ? [logits!] : []),
        ...others.filter((output) => !losses.includes(output)),
      ],
    };
  },
};

/** Of a detector: the losses alone, and their sum. */
function withSum(graph: Graph, context: TrainingContext): Graph {
  const record = recorder({ path: "loss", span: spanOf(graph) });
  const stated = graph.outputs.filter(({ name }) => lossOfName(name) !== undefined);
  const loss = weightedSum(stated, context, record);
  return {
    ...graph,
    constants: [...graph.constants, ...record.constants],
    nodes: [...graph.nodes, ...record.nodes],
    outputs: [{ name: "loss", value: loss }, ...graph.outputs],
  };
}

/** The input that losses compare with, or a new one. */
function labelsOf(graph: Graph, logits: Value, { softLabels, multiLabel }: TrainingContext): Value {
  const given = graph.inputs.find(({ name }) => name === "labels");
  if (given) return given.value;
  const [batch, classes] = logits.type.shape as readonly [number, number];
  return value(softLabels || multiLabel ? tensor([batch, classes]) : tensor([batch], "int64"), "labels");
}

function weightedSum(losses: readonly NamedValue[], { lossWeights }: TrainingContext, record: Recorder): Value {
  const weights = losses.map(({ name }) => lossWeights?.get(lossOfName(name)!) ?? 1);
  const parts = losses.map(({ value: loss }) => loss);
  return record.apply("weighted_sum", parts, { weights })[0]!;
}

/** Losses of classes with the recipe's label smoothing and class weights. */
function asTheRecipeSays(graph: Graph, context: TrainingContext, record: Recorder): Graph {
  const { labelSmoothing: smoothing = 0, classWeights } = context;
  if (smoothing === 0 && classWeights === undefined) return graph;
  const before: Recorder = recorder({ path: "loss" });
  const changed = rewrite(graph, (node) => {
    if (operator(node.op).layer?.loss?.ofClasses !== true) return undefined;
    const weights = classWeights ? [weightsOf(classWeights, node.inputs[0]!, before)] : [];
    const made = recorder(node);
    const outputs = made.apply(node.op, [...node.inputs, ...weights], { ...node.attributes, smoothing });
    return { nodes: made.nodes, outputs };
  });
  record.constants.push(...before.constants);
  return changed;
}

/** Its mean, as the recipe says, and the counts of right answers. */
function crossEntropy(logits: Value, labels: Value, context: TrainingContext, record: Recorder): readonly NamedValue[] {
  const { classWeights, labelSmoothing: smoothing = 0 } = context;
  const weights = classWeights ? [weightsOf(classWeights, logits, record)] : [];
  const outputs = record.apply("cross_entropy", [logits, labels, ...weights], { smoothing, counts: true });
  return ["loss", "correct", "correct5"].map((name, index) => ({ name, value: outputs[index]! }));
}

/** The counts alone. */
function countsOf(logits: Value, labels: Value, context: TrainingContext, record: Recorder): readonly NamedValue[] {
  if (context.multiLabel) return [{ name: "correct", value: exactMatches(logits, labels, record) }];
  const { classWeights: _weights, labelSmoothing: _smoothing, ...plain } = context;
  return crossEntropy(logits, labels, plain, record).slice(1);
}

/** How many images have every class right at a probability of one half: logits, labels [N, classes] to a scalar. */
function exactMatches(logits: Value, labels: Value, record: Recorder): Value {
  const f = formula(record);
  const flat = f.reshape(logits, labels.type.shape as readonly number[]);
  const difference = f.minus(f.positive(flat), f.positive(f.affine(labels, 1, -0.5)));
  const wrong = f.largest(f.times(difference, difference), [1]);
  return f.sum(f.complement(wrong), [0]);
}

function weightsOf(classWeights: readonly number[], logits: Value, record: Recorder): Value {
  const classes = logits.type.shape[1] as number;
  if (classWeights.length !== classes) {
    throw new RangeError(`${classWeights.length} class weights for ${classes} classes: one for each is needed`);
  }
  return record.constant(Float32Array.from(classWeights), [classes]);
}

/** Of the last layer: what is added at the end is attributed to it. */
export function spanOf(graph: Graph) {
  return graph.nodes.at(-1)?.span ?? { file: "", start: 0, end: 0 };
}
