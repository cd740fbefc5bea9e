import { onnxType } from "../../ir/dtype.js";
import type { Lowering } from "../lowering.js";
import { size2, word } from "../attributes.js";
import { fitsAxes } from "../blocked/axes.js";
import { elements, sizes } from "../formula.js";
import type { Node, Operator } from "../operator.js";
import { known } from "../shapes.js";
import { scalar } from "../tensor/arithmetic.js";
import { ceilPadding, onnxPads } from "../windows.js";
import { inside, scatterWindows, windows } from "./windows.js";

/**
 * dy, x, y of a maximum pool to dx: the first maximum of each window gets its gradient, as in PyTorch. `algorithm`:
 *
 * - `indices`: where MaxPool itself says that the maxima are (not on WebGPU)
 * - `windows`: every window's values compared with its maximum
 */
export const maxPoolGradient: Operator = {
  name: "max_pool_gradient",
  doc: "Gradient of a maximum over windows.",
  infer: ([, x]) => [known(x)],
  algorithms: (_node, target) => [
    { name: "windows", seconds: 2 },
    ...(target === "webgpu" ? [] : [{ name: "indices", seconds: 1 }]),
  ],
  blocked: {
    op: "blocked_max_pool_gradient",
    inputs: [0, 1, 2],
    outputs: [0],
    taken: "chosen",
    fits: fitsAxes,
  },
  lower(node, emit) {
    if (word(node.attributes, "algorithm") === "indices") byIndices(node, emit);
    else byWindows(node, emit);
  },
};

function byIndices(node: Node, emit: Lowering): void {
  const [dy, x] = node.inputs;
  const { attributes } = node;
  const [maxima, indices] = [emit.temporary("maxima"), emit.temporary("indices")];
  emit.node("MaxPool", [emit.name(x!)], [maxima, indices], {
    kernel_shape: size2(attributes, "kernel"),
    strides: size2(attributes, "stride"),
    pads: onnxPads(size2(attributes, "pad"), ceilPadding(attributes)),
  });
  const flat = (name: string, suffix: string): string => {
    const made = emit.temporary(suffix);
    emit.node("Reshape", [name, emit.constant([-1], "int64")], [made]);
    return made;
  };
  const [zeros, scattered] = [emit.temporary("zeros"), emit.temporary("scattered")];
  // Expand: zeros of the map's size need not be stored in the model.
  emit.node("Expand", [scalar(0, x!.type, emit), emit.constant([elements(x!)], "int64")], [zeros]);
  const inputs = [zeros, flat(indices, "places"), flat(emit.name(dy!), "dy.flat")];
  emit.node("ScatterElements", inputs, [scattered], { axis: 0, reduction: "add" });
  emit.node("Reshape", [scattered, emit.constant(sizes(x!), "int64")], [emit.name(node.outputs[0]!)]);
}

function byWindows(node: Node, emit: Lowering): void {
  const [dy, x, y] = node.inputs;
  const [batch, channels, ...map] = sizes(x!);
  const output = sizes(y!).slice(2);
  const { dtype } = x!.type;
  const planes = batch! * channels!;
  const [kh, kw] = size2(node.attributes, "kernel");
  const inner = (op: Operator, from: string, to: string, type: typeof x, attributes: Node["attributes"]): void => {
    // The operators beside this one write themselves: a node of theirs with these names.
    const [input, result] = [
      { ...type!, id: -1 },
      { ...node.outputs[0]!, id: -2 },
    ];
    const name = (value: { readonly id: number }): string => (value.id === -1 ? from : to);
    op.lower({ ...node, inputs: [input], outputs: [result], attributes }, { ...emit, name });
  };
  const step = (onnx: string, inputs: readonly string[], suffix: string, attributes = {}): string => {
    const made = emit.temporary(suffix);
    emit.node(onnx, inputs, [made], attributes);
    return made;
  };
  const flat = (name: string, suffix: string): string =>
    step("Reshape", [name, emit.constant([planes, 1, ...output], "int64")], suffix);
  const asNumber = (truth: string, suffix: string): string => step("Cast", [truth], suffix, { to: onnxType(dtype) });

  const seen = emit.temporary("seen");
  inner(windows, emit.name(x!), seen, x, { ...node.attributes, output });
  const below = asNumber(step("Less", [seen, flat(emit.name(y!), "maxima")], "below"), "below.number");
  // Padding is seen as 0 but is no value.
  const within = emit.constant([...inside(node.attributes, map, output)], dtype, [1, kh * kw, ...output]);
  const wins = step("Mul", [step("Sub", [scalar(1, x!.type, emit), below], "equal"), within], "wins");
  const place = step("CumSum", [wins, emit.constant([1], "int64", [])], "place");
  const early = asNumber(step("Less", [place, scalar(1.5, x!.type, emit)], "early"), "early.number");
  const given = step("Mul", [step("Mul", [wins, early], "first"), flat(emit.name(dy!), "dy.flat")], "given");
  const type = { ...x!, type: { dtype, shape: [planes, kh * kw, ...output] } };
  inner(scatterWindows, given, emit.name(node.outputs[0]!), type, {
    ...node.attributes,
    channels: channels!,
    input: map,
  });
}
