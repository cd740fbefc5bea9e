import { int } from "../attributes.js";
import type { Operator } from "../operator.js";
import { known } from "../shapes.js";
import { scalar } from "../tensor/arithmetic.js";

/** A batch norm's statistics over many batches: running, batch [C] to the next running ones. */
export const runningAverage: Operator = {
  name: "running_average",
  doc: "(1 - momentum) * running + momentum * factor * batch.",
  fullPrecision: true,
  infer: ([running]) => [known(running)],
  lower(node, emit) {
    const [running, batch] = node.inputs.map((input) => emit.name(input));
    const { type } = node.outputs[0]!;
    const momentum = int(node.attributes, "momentum");
    const [kept, added] = [emit.temporary("kept"), emit.temporary("added")];
    emit.node("Mul", [running!, scalar(1 - momentum, type, emit)], [kept]);
    emit.node("Mul", [batch!, scalar(momentum * int(node.attributes, "factor"), type, emit)], [added]);
    emit.node("Add", [kept, added], [emit.name(node.outputs[0]!)]);
  },
  gradient: "none",
};
