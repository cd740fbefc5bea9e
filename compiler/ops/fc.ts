import { valuesPerImage, valuesPerRow } from "./cost.js";
import { flag, int } from "./attributes.js";
import { formula, sizes } from "./formula.js";
import { formatShape, isSymbolic } from "../ir/dim.js";
import type { TensorType } from "../ir/types.js";
import { ShapeError, type Operator } from "./operator.js";
import { known, reshaped } from "./shapes.js";
import { boolean, integer } from "../words/schema.js";

/** y = flatten(x) weight^T (+ bias): [N, ...], [channels, values] (, [channels]) to [N, channels]. */
export const fc: Operator = {
  name: "fc",
  doc: "Fully connected layer. Flattens what it is given.",
  layer: {
    arguments: {
      channels: integer("Number of outputs.", { min: 1 }),
      bias: boolean("Whether a learned constant is added to each output.", { default: true }),
    },
  },
  // He et al. 2015 here too: section 3.4 initialises "as in [13]" and makes no exception of the last layer.
  parameters(attributes, [x]) {
    const [channels, values] = [int(attributes, "channels"), flatSize(x)];
    const weight = {
      name: "weight",
      role: "weight" as const,
      shape: [channels, values],
      trainable: true,
      init: { kind: "he_normal" as const, fanIn: values },
    };
    if (!flag(attributes, "bias")) return [weight];
    const zero = { kind: "constant" as const, value: 0 };
    return [weight, { name: "bias", role: "bias" as const, shape: [channels], trainable: true, init: zero }];
  },
  infer([x], attributes) {
    flatSize(x);
    return [reshaped(x, [known(x).shape[0]!, int(attributes, "channels")])];
  },
  linear: { withBias: (attributes) => ({ ...attributes, bias: true }) },
  macs: ([x], [y], _attributes, size) => valuesPerRow(x!.shape, size) * valuesPerImage(y!.shape, size),
  label: (attributes) => `fc ${int(attributes, "channels")}`,
  lower(node, emit) {
    const [x, ...parameters] = node.inputs;
    let flat = emit.name(x!);
    if (x!.type.shape.length !== 2) {
      flat = emit.temporary("flat");
      emit.node("Flatten", [emit.name(x!)], [flat], { axis: 1 });
    }
    const inputs = [flat, ...parameters.map((each) => emit.name(each))];
    emit.node("Gemm", inputs, [emit.name(node.outputs[0]!)], { transB: 1 });
  },
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const f = formula(builder);
    const [x, weight, bias] = node.inputs;
    const shape = sizes(x!);
    const flat = shape.length === 2 ? x! : f.reshape(x!, [shape[0]!, flatSize(x!.type)]);
    const dFlat = f.matmul(dy, weight!);
    const dx = shape.length === 2 ? dFlat : f.reshape(dFlat, shape);
    const dWeight = f.matmul(dy, flat, { left: true });
    return [dx, dWeight, ...(bias === undefined ? [] : [f.channelSum(dy)])];
  },
};

/** Number of values that each output sees. */
function flatSize(x: TensorType | undefined): number {
  const { shape } = known(x);
  const sizes = shape.slice(1);
  if (shape.length < 2 || sizes.some(isSymbolic)) {
    throw new ShapeError(
      `fc needs a size that is known when compiling, got ${formatShape(shape)}`,
      "put `global_avg_pool` first, or give the input a fixed size",
    );
  }
  return sizes.reduce<number>((total, size) => total * (size as number), 1);
}
