import type { Writer } from "../write.js";
import { elementwiseLoss } from "./loss.js";

export const BINARY_CROSS_ENTROPY = elementwiseLoss({
  name: "binary_cross_entropy",
  doc: "Cross entropy of independent yes or no answers, from their logits: -t log s(x) - (1 - t) log(1 - s(x)), s the sigmoid.",
  target: "How true each answer is, 0 to 1: `image.labels`, or a tensor.",
  write: writeBinaryCrossEntropy,
  slope: (w, x, target) => w.step("Sub", [w.step("Sigmoid", [x], "p"), target], "slope"),
});

/** max(x, 0) - x t + log(1 + e^-|x|), which overflows nowhere: PyTorch's BCEWithLogitsLoss. */
export function writeBinaryCrossEntropy(w: Writer, x: string, target: string): string {
  const magnitude = w.step("Abs", [x], "magnitude");
  const decay = w.step("Exp", [w.step("Neg", [magnitude], "negative")], "decay");
  const rest = w.step("Log", [w.step("Add", [decay, w.number(1)], "one_more")], "rest");
  const linear = w.step("Sub", [w.step("Relu", [x], "positive"), w.step("Mul", [x, target], "agreed")], "linear");
  return w.step("Add", [linear, rest], "entropy");
}
