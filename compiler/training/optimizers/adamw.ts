import type { Value } from "../../ir/types.js";
import { number } from "../../words/schema.js";
import { DECAY_SCOPE, decayOf, fades, idleScope, MOMENTUM, optimizer, SECOND_MOMENT } from "./optimizer.js";

const FORGETS = "an average that forgets nothing never begins";

/** Loshchilov and Hutter, arXiv:1711.05101, as PyTorch: w' = w - lr * (weight_decay * w + m^ / (sqrt(v^) + eps)). */
export const adamw = optimizer({
  name: "adamw",
  doc: "Adam with weight decay apart from the gradient.",
  source: "arXiv:1711.05101",
  arguments: {
    beta1: number("Share of the first moment that is kept.", { min: 0, max: 1, default: 0.9 }),
    beta2: number("Share of the second moment that is kept.", { min: 0, max: 1, default: 0.999 }),
    eps: number("Added to the root of the second moment.", { min: 0, default: 1e-8 }),
    weight_decay: number("Share of the weight that is taken away, times the rate.", { min: 0, default: 0.01 }),
    decay_scope: DECAY_SCOPE,
  },
  slots: () => [MOMENTUM, SECOND_MOMENT],
  countsSteps: true,
  step(f, settings, parameter, inputs) {
    const { beta1, beta2, eps } = settings;
    const { weight, gradient, slots, learningRate, step } = inputs;
    const [first, second] = slots;
    const nextFirst = f.plus(f.affine(first!, beta1), f.affine(gradient, 1 - beta1));
    const nextSecond = f.plus(f.affine(second!, beta2), f.affine(f.times(gradient, gradient), 1 - beta2));
    // 1 - beta^step = 2 t / (1 + t) with t = tanh(-step * log(beta) / 2), exact where beta^step is near 1.
    const correction = (beta: number): Value => {
      const t = f.apply("tanh", [f.affine(step!, -Math.log(beta) / 2)]);
      return f.over(f.affine(t, 2), f.affine(t, 1, 1));
    };
    const direction = f.over(
      f.over(nextFirst, correction(beta1)),
      f.affine(f.sqrt(f.over(nextSecond, correction(beta2))), 1, eps),
    );
    const decay = decayOf(settings, parameter, inputs);
    const move = decay > 0 ? f.plus(direction, f.affine(weight, decay)) : direction;
    return { weight: f.minus(weight, f.times(move, learningRate)), slots: [nextFirst, nextSecond] };
  },
  problems: ({ beta1, beta2, eps, weight_decay, decay_scope }) => [
    idleScope(weight_decay, decay_scope),
    fades("beta1", beta1, FORGETS),
    fades("beta2", beta2, FORGETS),
    eps === 0 && {
      code: "out-of-range",
      message: `\`eps\` must be above 0, not ${eps}: a gradient of 0 would be divided by 0`,
    },
  ],
});
