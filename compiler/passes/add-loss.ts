import { tensor, value } from "../ir/build.js";
import type { Graph, Value } from "../ir/types.js";
import { formula } from "../ops/formula.js";
import { recorder, type Recorder } from "../ops/recorder.js";
import type { Pass, TrainingContext } from "./pass.js";

/**
 * The mean softmax cross entropy of the logits with an input `labels`, int64 [N], or float32 [N, classes] where labels are
 * soft, in their place; `correct` and `correct5`, how many labels are the likeliest class and among the five likeliest,
 * beside it.
 */
export const addLoss: Pass<TrainingContext> = {
  name: "add the loss",
  run(graph, context) {
    const [logits, ...others] = graph.outputs;
    const [batch, classes] = logits!.value.type.shape as readonly [number, number];
    const labels = value(context.softLabels ? tensor([batch, classes]) : tensor([batch], "int64"), "labels");
    const record = recorder({ path: "loss", span: spanOf(graph) });
    const [loss, correct, correct5] = recordLoss(logits!.value, labels, context, record);
    return {
      ...graph,
      inputs: [...graph.inputs, { name: "labels", value: labels }],
      constants: [...graph.constants, ...record.constants],
      nodes: [...graph.nodes, ...record.nodes],
      outputs: [
        { name: "loss", value: loss! },
        { name: "correct", value: correct! },
        { name: "correct5", value: correct5! },
        ...(context.logits ? [logits!] : []),
        ...others,
      ],
    };
  },
};

function recordLoss(logits: Value, labels: Value, context: TrainingContext, record: Recorder): readonly Value[] {
  const [batch, classes] = logits.type.shape as readonly number[];
  const flat = logits.type.shape.length === 2 ? logits : formula(record).reshape(logits, [batch!, classes!]);
  const { classWeights, labelSmoothing: smoothing = 0 } = context;
  if (classWeights === undefined) return record.apply("softmax_cross_entropy", [flat, labels], { smoothing });
  if (classWeights.length !== classes) {
    throw new RangeError(`${classWeights.length} class weights for ${classes} classes: one for each is needed`);
  }
  const weights = record.constant(Float32Array.from(classWeights), [classes]);
  return record.apply("softmax_cross_entropy", [flat, labels, weights], { smoothing });
}

/** Of the last layer: what is added at the end is attributed to it. */
export function spanOf(graph: Graph) {
  return graph.nodes.at(-1)?.span ?? { file: "", start: 0, end: 0 };
}
