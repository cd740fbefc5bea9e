import { elementwise } from "./elementwise.js";

export const silu = elementwise({
  name: "silu",
  doc: "x * sigmoid(x), also called swish.",
  lower(node, emit) {
    const x = emit.name(node.inputs[0]!);
    const gate = emit.temporary("gate");
    emit.node("Sigmoid", [x], [gate]);
    emit.node("Mul", [x, gate], [emit.name(node.outputs[0]!)]);
  },
});
