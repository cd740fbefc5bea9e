/** The optimisers, as recipes write them: `sgd(momentum: 0.9)`. */
import type { Optimizer } from "../training/contract.js";
import { boolean, choice, number, words, type Form } from "../words/schema.js";

const decay_scope = choice(
  "What decays: all that is trained, or weights without biases and batch norms.",
  ["all", "weights"],
  { default: "all" },
);

export const OPTIMIZERS = words({
  sgd: {
    doc: "Stochastic gradient descent with momentum.",
    arguments: {
      momentum: number("Share of the velocity that is kept.", { min: 0, max: 1, default: 0 }),
      weight_decay: number("Added to the gradient, times the weight.", { min: 0, default: 0 }),
      nesterov: boolean("The gradient is taken after the velocity's step.", { default: false }),
      decay_scope,
      rule: choice("Whose velocity: PyTorch's, or Caffe's, which has the rate in it.", ["pytorch", "caffe"], {
        default: "pytorch",
      }),
    },
  },
  adamw: {
    doc: "Adam with weight decay apart from the gradient.",
    source: "arXiv:1711.05101",
    arguments: {
      beta1: number("Share of the first moment that is kept.", { min: 0, max: 1, default: 0.9 }),
      beta2: number("Share of the second moment that is kept.", { min: 0, max: 1, default: 0.999 }),
      eps: number("Added to the root of the second moment.", { min: 0, default: 1e-8 }),
      weight_decay: number("Share of the weight that is taken away, times the rate.", { min: 0, default: 0.01 }),
      decay_scope,
    },
  },
});

/** The optimiser that is meant. */
export function optimizerOf(written: Form<(typeof OPTIMIZERS)[keyof typeof OPTIMIZERS]>): Optimizer {
  const shared = { weightDecay: written.values.weight_decay, decayScope: written.values.decay_scope };
  if (written.form === "adamw") {
    const { beta1, beta2, eps } = written.values;
    return { kind: "adamw", beta1, beta2, eps, ...shared };
  }
  const { momentum, nesterov, rule } = written.values;
  return { kind: "sgd", momentum, nesterov, rule, ...shared };
}
