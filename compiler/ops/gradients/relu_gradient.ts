import type { Operator } from "../operator.js";
import { known } from "../shapes.js";
import { scalar } from "../tensor/arithmetic.js";
import { onnxType } from "../../ir/dtype.js";
import { word } from "../attributes.js";

/**
 * dy where y > 0, else 0: dy, y to dx. `algorithm`: `compare`, a comparison as a factor; `choose`, one that chooses; `clip`, the
 * factor as one operator, a hard sigmoid so steep that it is 1 for every normal number above 0.
 */
export const reluGradient: Operator = {
  name: "relu_gradient",
  doc: "The output's gradient where the rectifier let its input through.",
  infer: ([dy]) => [known(dy)],
  elementwise: true,
  algorithms: (_node, target) => [
    { name: "compare", seconds: 2 },
    { name: target === "cpu" ? "clip" : "choose", seconds: 1 },
  ],
  lower(node, emit) {
    const [dy, y] = node.inputs;
    const open = emit.temporary("open");
    const algorithm = word(node.attributes, "algorithm");
    if (algorithm === "choose") {
      const truth = emit.temporary("positive");
      const zero = scalar(0, y!.type, emit);
      emit.node("Greater", [emit.name(y!), zero], [truth]);
      emit.node("Where", [truth, emit.name(dy!), zero], [emit.name(node.outputs[0]!)]);
      return;
    }
    if (algorithm === "clip") {
      emit.node("HardSigmoid", [emit.name(y!)], [open], { alpha: { float: 3e38 }, beta: { float: 0 } });
    } else {
      const truth = emit.temporary("positive");
      emit.node("Greater", [emit.name(y!), scalar(0, y!.type, emit)], [truth]);
      emit.node("Cast", [truth], [open], { to: onnxType(y!.type.dtype) });
    }
    emit.node("Mul", [emit.name(dy!), open], [emit.name(node.outputs[0]!)]);
  },
};
