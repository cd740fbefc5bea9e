/** ONNX's ConvTranspose: the layer of that name, and the gradient of a convolution's input. */
import { int, size2 } from "./attributes.js";
import type { Lowering } from "./lowering.js";
import type { Attributes, Node } from "./operator.js";
import { onnxPads } from "./windows.js";
import { writer } from "./write.js";

/** Groups of several input channels: ONNX Runtime's WebGPU gives wrong numbers of those. */
export function isMisreadOnWebgpu(weight: readonly number[], attributes: Attributes): boolean {
  const groups = int(attributes, "groups");
  return groups > 1 && weight[0] !== groups;
}

/**
 * Inputs are x, weight [C, channels/groups, kh, kw] and perhaps bias; `more` are rows and columns at the end. `apart`: a
 * ConvTranspose for each group, which is right on every device.
 */
export function writeTransposed(node: Node, emit: Lowering, more: readonly number[], apart: boolean): void {
  const { attributes } = node;
  const w = writer(node, emit);
  const groups = int(attributes, "groups");
  const window = {
    kernel_shape: size2(attributes, "kernel"),
    strides: size2(attributes, "stride"),
    pads: onnxPads(size2(attributes, "pad")),
    dilations: size2(attributes, "dilation"),
    output_padding: more,
  };
  if (!apart) return w.give("ConvTranspose", w.inputs, { ...window, group: groups });
  const parts = node.inputs.map((input, index) => {
    const axis = index === 0 ? 1 : 0;
    const size = (input.type.shape[axis] as number) / groups;
    return (group: number): string =>
      w.slice(w.inputs[index]!, axis, group * size, (group + 1) * size, `${["x", "weight", "bias"][index]}${group}`);
  });
  const made = Array.from({ length: groups }, (_, group) =>
    w.step(
      "ConvTranspose",
      parts.map((part) => part(group)),
      `group${group}`,
      { ...window, group: 1 },
    ),
  );
  w.give("Concat", made, { axis: 1 });
}
