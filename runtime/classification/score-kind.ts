/** What the numbers of an output are, told by the graph that makes them and never by their values. */
import { metadataOf } from "../onnx/metadata-of.js";
import type { ModelInfo, NodeInfo } from "../onnx/read-model.js";

/**
 * - `probabilities`: of the classes, one of which is right (softmax)
 * - `independent`: probabilities, each class for itself (sigmoid)
 * - `logits`: what goes into a softmax
 */
export type ScoreKind = "probabilities" | "independent" | "logits";

export interface TracedOutput {
  /** `features`: no scores of classes, as far as the graph tells. */
  readonly kind: ScoreKind | "features";
  /** The operator that makes it so, for messages. */
  readonly by: string;
}

/** Neither changes nor mixes values. */
const AS_IT_IS = new Set([
  ...["Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Dropout"],
  ...["Cast", "CastLike", "QuantizeLinear", "DequantizeLinear"],
]);

/** The linear layer that a classifier ends in. */
const LINEAR = new Set([
  ...["Gemm", "MatMul", "Conv", "ConvTranspose", "Einsum"],
  ...["FusedMatMul", "QGemm", "QLinearMatMul", "MatMulInteger", "MatMulNBits", "QLinearConv", "ConvInteger"],
]);

/** With constants: a bias, a temperature, a batch norm that was not folded. */
const AFFINE = new Set(["Add", "Sub", "Mul", "Div", "BatchNormalization", "QLinearAdd", "QLinearMul"]);

/** The mean of scores is one of the same kind; what comes before it is no feature only where it is linear. */
const MEAN = new Set(["GlobalAveragePool", "AveragePool", "ReduceMean", "QLinearGlobalAveragePool"]);

const ENDS: Readonly<Record<string, ScoreKind>> = {
  Softmax: "probabilities",
  QLinearSoftmax: "probabilities",
  BiasSoftmax: "probabilities",
  Sigmoid: "independent",
  HardSigmoid: "independent",
  QLinearSigmoid: "independent",
  // The softmax of a log-softmax is the softmax.
  LogSoftmax: "logits",
};

/** Operators that are followed back; more of them than any exporter puts behind a classifier. */
const DEEPEST = 100;

/** Follows an output back to the layer that decides what it is. */
export function traceOutput({ nodes, inputs }: Pick<ModelInfo, "nodes" | "inputs">, output: string): TracedOutput {
  const makers = new Map<string, NodeInfo>();
  for (const node of nodes) for (const made of node.outputs) if (made !== "") makers.set(made, node);
  const isConstant = constants(makers, new Set(inputs.map(({ name }) => name)));
  const trace = (value: string, depth: number): TracedOutput => {
    const node = makers.get(value);
    if (node === undefined || depth > DEEPEST) return { kind: "features", by: node?.op ?? "no operator" };
    const { op } = node;
    const further = (input = 0): TracedOutput => trace(node.inputs[input] ?? "", depth + 1);
    if (Object.hasOwn(ENDS, op)) return { kind: ENDS[op]!, by: op };
    if (LINEAR.has(op)) return { kind: "logits", by: op };
    if (AS_IT_IS.has(op)) return further();
    if (MEAN.has(op)) {
      const before = further();
      return before.kind === "features" ? { kind: "features", by: op } : before;
    }
    if (op === "Log") {
      const before = further();
      return before.kind === "probabilities" ? { kind: "logits", by: op } : { kind: "features", by: op };
    }
    if (AFFINE.has(op)) {
      if (isSoftmax(node, makers)) return { kind: "probabilities", by: "Softmax" };
      const varying = node.inputs.flatMap((name, i) => (isConstant(name) ? [] : [i]));
      const before = varying.length === 1 ? further(varying[0]) : undefined;
      // What is added to a probability or multiplied with it makes something else of it.
      return before?.kind === "logits" ? before : { kind: "features", by: op };
    }
    return { kind: "features", by: op };
  };
  return trace(output, 0);
}

/**
 * Whether a model says of each class whether it is there, by its metadata or its only output.
 *
 * @param name for messages
 */
export function givesLabels(info: ModelInfo, name: string): boolean {
  const { detection, scores } = metadataOf(info, name);
  const [only, ...more] = info.outputs;
  if (detection !== undefined || only === undefined) return false;
  return scores === "independent" || (more.length === 0 && traceOutput(info, only.name).kind === "independent");
}

/** Whether a value is a tensor of the file, or made of those alone; as far as a few operators tell. */
function constants(makers: ReadonlyMap<string, NodeInfo>, inputs: ReadonlySet<string>): (name: string) => boolean {
  const known = new Map<string, boolean>();
  const isConstant = (name: string, depth: number): boolean => {
    const node = makers.get(name);
    if (node === undefined || node.op === "Constant") return !inputs.has(name);
    const before = known.get(name);
    if (before !== undefined) return before;
    known.set(name, false);
    const found = depth < 8 && node.inputs.length > 0 && node.inputs.every((each) => isConstant(each, depth + 1));
    known.set(name, found);
    return found;
  };
  return (name) => isConstant(name, 0);
}

/** `exp(x) / sum(exp(x))`, as some exporters write it. */
function isSoftmax({ op, inputs }: NodeInfo, makers: ReadonlyMap<string, NodeInfo>): boolean {
  const [above, below] = inputs;
  if (op !== "Div" || above === undefined || below === undefined) return false;
  const sum = makers.get(below);
  return makers.get(above)?.op === "Exp" && sum?.op === "ReduceSum" && sum.inputs[0] === above;
}
