import { choice, number } from "../../words/schema.js";
import { DECAY_SCOPE, decayOf, fades, idleScope, inScope, MOMENTUM, optimizer } from "./optimizer.js";

/**
 * You, Gitman and Ginsburg, arXiv:1708.03888, algorithm 1: each parameter has a rate of its own,
 * r = trust * |w| / (|g| + weight_decay * |w|), and v' = momentum * v + lr * r * (g + weight_decay * w); w' = w - v'.
 * Where |w| or |g| is 0, r is 1: a bias that begins at 0 would never leave it.
 */
export const lars = optimizer({
  name: "lars",
  doc: "SGD whose step has a length in proportion to each layer's weights, for large batches.",
  source: "arXiv:1708.03888",
  arguments: {
    momentum: number("Share of the velocity that is kept.", { min: 0, max: 1, default: 0.9 }),
    weight_decay: number("The gradient grows by the weight, times this.", { min: 0, default: 5e-4 }),
    trust: number("Length of a step by length of the weights, at a learning rate of 1: the paper's eta.", {
      min: 0,
      default: 1e-3,
    }),
    adapt_scope: choice(
      "What has a rate of its own: weights, while biases and batch norms learn as with `sgd`, or all that is trained.",
      ["weights", "all"],
      { default: "weights" },
    ),
    decay_scope: DECAY_SCOPE,
  },
  slots: ({ momentum }) => (momentum === 0 ? [] : [MOMENTUM]),
  whole: ({ adapt_scope }, parameter) => inScope(parameter, adapt_scope),
  step(f, settings, parameter, inputs) {
    const { momentum, trust, adapt_scope } = settings;
    const { weight, gradient, learningRate } = inputs;
    const [velocity] = inputs.slots;
    const decay = decayOf(settings, parameter, inputs);
    const g = decay > 0 ? f.plus(gradient, f.affine(weight, decay)) : gradient;
    let rate = learningRate;
    if (inScope(parameter, adapt_scope)) {
      const axes = weight.type.shape.map((_, axis) => axis);
      const [w, d] = [weight, gradient].map((x) => f.sqrt(f.sum(f.times(x, x), axes)));
      const ratio = f.over(f.affine(w!, trust), f.plus(d!, f.affine(w!, decay)));
      const known = f.times(f.positive(w!), f.positive(d!));
      rate = f.times(learningRate, f.apply("select", [known, ratio, f.affine(w!, 0, 1)]));
    }
    const step = f.times(g, rate);
    const next = velocity ? f.plus(f.affine(velocity, momentum), step) : step;
    return { weight: f.minus(weight, next), slots: velocity ? [next] : [] };
  },
  problems: ({ momentum, weight_decay, trust, decay_scope }) => [
    idleScope(weight_decay, decay_scope),
    fades("momentum", momentum, "at 1 the velocity never fades"),
    trust === 0 && { code: "out-of-range", message: "`trust` must be above 0, not 0: at 0 nothing is learned" },
  ],
});
