import { number } from "../../words/schema.js";
import { int } from "../attributes.js";
import type { Attributes } from "../operator.js";
import type { Writer } from "../write.js";
import { writeBinaryCrossEntropy } from "./binary_cross_entropy.js";
import { elementwiseLoss } from "./loss.js";

/**
 * alpha_t (1 - p_t)^gamma CE, with p = s(x), p_t = p t + (1 - p)(1 - t), alpha_t = alpha t + (1 - alpha)(1 - t) and CE the
 * binary cross entropy: torchvision's sigmoid_focal_loss.
 */
export const FOCAL = elementwiseLoss({
  name: "focal",
  doc: "Focal loss (arXiv:1708.02002) of independent yes or no answers, from their logits: binary cross entropy that hardly counts what is right already.",
  target: "Whether each answer is yes, 0 or 1: `image.labels`, or a tensor.",
  arguments: {
    alpha: number("Share of the answers that should be yes; the others have the rest.", {
      min: 0,
      max: 1,
      default: 0.25,
    }),
    gamma: number("How little what is right counts; 0: as much as the rest.", { min: 0, default: 2 }),
  },
  write(w, x, target, attributes) {
    const { wrong, share } = parts(w, x, target, attributes);
    const focus = w.step("Pow", [wrong, w.number(int(attributes, "gamma"))], "focus");
    const entropy = writeBinaryCrossEntropy(w, x, target);
    return w.step("Mul", [w.step("Mul", [share, focus], "factor"), entropy], "each");
  },
  // With q = 1 - p_t = p (1 - t) + (1 - p) t: q' = (1 - 2 t) p (1 - p), and CE' = p - t.
  slope(w, x, target, attributes) {
    const gamma = int(attributes, "gamma");
    const { p, against, wrong, share } = parts(w, x, target, attributes);
    const focus = w.step("Pow", [wrong, w.number(gamma)], "focus");
    const byEntropy = w.step("Mul", [focus, w.step("Sub", [p, target], "entropy.slope")], "by_entropy");
    if (gamma === 0) return w.step("Mul", [share, byEntropy], "slope");
    // What is right altogether has no slope; a negative power of 0 would make it one of infinity times 0.
    const base = w.step("Max", [wrong, w.number(1e-30)], "wrong.some");
    const steep = w.step("Pow", [base, w.number(gamma - 1)], "focus.slope");
    const sign = w.step("Sub", [w.number(gamma), w.step("Mul", [target, w.number(2 * gamma)], "twice")], "sign");
    const turn = w.step("Mul", [sign, w.step("Mul", [p, against], "variance")], "turn");
    const entropy = writeBinaryCrossEntropy(w, x, target);
    const byFocus = w.step("Mul", [w.step("Mul", [steep, turn], "focus.turn"), entropy], "by_focus");
    return w.step("Mul", [share, w.step("Add", [byFocus, byEntropy], "both")], "slope");
  },
});

/** p and 1 - p, 1 - p_t and alpha_t. */
function parts(w: Writer, x: string, target: string, attributes: Attributes) {
  const p = w.step("Sigmoid", [x], "p");
  const against = w.step("Sigmoid", [w.step("Neg", [x], "negative")], "against");
  const no = w.step("Sub", [w.number(1), target], "no");
  const missed = w.step("Mul", [against, target], "missed");
  const wrong = w.step("Add", [missed, w.step("Mul", [p, no], "mistaken")], "wrong");
  const alpha = int(attributes, "alpha");
  const scaled = w.step("Mul", [target, w.number(2 * alpha - 1)], "share.scaled");
  return { p, against, wrong, share: w.step("Add", [scaled, w.number(1 - alpha)], "share") };
}
