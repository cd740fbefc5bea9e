import { boolean, choice, number } from "../../words/schema.js";
import { DECAY_SCOPE, decayOf, fades, idleScope, MOMENTUM, optimizer } from "./optimizer.js";

/**
 * g is the gradient plus weight_decay * w. `pytorch`: v' = momentum * v + g; w' = w - lr * v', with nesterov
 * w' = w - lr * (g + momentum * v'). `caffe`, with which the paper's networks were trained: v' = momentum * v + lr * g;
 * w' = w - v'. They are equal while lr is constant; when it drops, Caffe's velocity keeps the old one for a while.
 */
export const sgd = optimizer({
  name: "sgd",
  doc: "Stochastic gradient descent with momentum.",
  arguments: {
    momentum: number("Share of the velocity that is kept.", { min: 0, max: 1, default: 0 }),
    weight_decay: number("The gradient grows by the weight, times this.", { min: 0, default: 0 }),
    nesterov: boolean("The gradient is taken after the velocity's step.", { default: false }),
    decay_scope: DECAY_SCOPE,
    rule: choice("Whose velocity: PyTorch's, or Caffe's, which has the rate in it.", ["pytorch", "caffe"], {
      default: "pytorch",
    }),
  },
  slots: ({ momentum }) => (momentum === 0 ? [] : [MOMENTUM]),
  step(f, settings, parameter, inputs) {
    const { momentum, nesterov, rule } = settings;
    const { weight, gradient, slots, learningRate } = inputs;
    const decay = decayOf(settings, parameter, inputs);
    const g = decay > 0 ? f.plus(gradient, f.affine(weight, decay)) : gradient;
    if (momentum === 0) return { weight: f.minus(weight, f.times(g, learningRate)), slots: [] };
    const [velocity] = slots;
    const kept = f.affine(velocity!, momentum);
    if (rule === "caffe") {
      // nesterov_solver.cpp takes (1 + momentum) v' - momentum v.
      const step = f.times(g, learningRate);
      const next = f.plus(kept, step);
      const move = nesterov ? f.minus(f.affine(next, 1 + momentum), kept) : next;
      return { weight: f.minus(weight, move), slots: [next] };
    }
    const next = f.plus(kept, g);
    const direction = nesterov ? f.plus(g, f.affine(next, momentum)) : next;
    return { weight: f.minus(weight, f.times(direction, learningRate)), slots: [next] };
  },
  problems: ({ momentum, weight_decay, nesterov, decay_scope, rule }) => [
    idleScope(weight_decay, decay_scope),
    fades("momentum", momentum, "at 1 the velocity never fades"),
    nesterov &&
      momentum === 0 && {
        code: "conflicting-settings",
        message: "`nesterov` needs a `momentum`, which is 0",
        help: "write `sgd(momentum: 0.9, nesterov: true)`, or leave `nesterov` out",
      },
    rule === "caffe" &&
      momentum === 0 && {
        code: "no-effect",
        message: "`rule` has no effect without a `momentum`: the two rules differ in the velocity alone",
        help: "leave `rule` out",
      },
  ],
});
