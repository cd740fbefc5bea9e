import { elementwise } from "./elementwise.js";

export const gelu = elementwise({
  name: "gelu",
  doc: "x * P(X <= x) for a standard normal X: x * (1 + erf(x / sqrt 2)) / 2, not the tanh approximation.",
  lower(node, emit) {
    const { dtype } = node.inputs[0]!.type;
    const x = emit.name(node.inputs[0]!);
    const [scaled, erf, gate, half] = ["scaled", "erf", "gate", "half"].map((suffix) => emit.temporary(suffix));
    emit.node("Div", [x, emit.constant([Math.SQRT2], dtype, [])], [scaled!]);
    emit.node("Erf", [scaled!], [erf!]);
    emit.node("Add", [erf!, emit.constant([1], dtype, [])], [gate!]);
    emit.node("Mul", [x, gate!], [half!]);
    emit.node("Mul", [half!, emit.constant([0.5], dtype, [])], [emit.name(node.outputs[0]!)]);
  },
  // P(X <= x) + x times the density of X at x.
  gradient(f, dy, x) {
    const below = f.affine(f.erf(f.affine(x, Math.SQRT1_2)), 0.5, 0.5);
    const density = f.affine(f.exp(f.affine(f.times(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return f.times(dy, f.plus(below, f.times(x, density)));
  },
});
