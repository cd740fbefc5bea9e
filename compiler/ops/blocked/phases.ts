/** The gradient of a convolution's input as convolutions of the output's: one for each phase of the stride. */
import { size2 } from "../attributes.js";
import { sizes } from "../formula.js";
import type { Node } from "../operator.js";

/** Rows (or columns) of the input that are the same distance from a multiple of the stride. */
export interface Phase {
  /** Taps of the kernel that meet them, in the order of the convolution. */
  readonly taps: readonly number[];
  readonly before: number;
  readonly after: number;
}

/**
 * With y = stride q + a, dx[y] is the sum over taps i = first + stride t, first = (a + pad) mod stride, of
 * dy[q + shift - t] w[i], shift = (a + pad - first) / stride: a convolution of dy by these taps in reverse order.
 */
function phases(kernel: number, stride: number, pad: number, input: number, output: number): readonly Phase[] {
  return Array.from({ length: stride }, (_, a): Phase => {
    const first = (a + pad) % stride;
    const count = Math.max(0, Math.ceil((kernel - first) / stride));
    const shift = (a + pad - first) / stride;
    const taps = Array.from({ length: count }, (__, u) => first + stride * (count - 1 - u));
    return { taps, before: count - 1 - shift, after: input / stride + shift - output };
  });
}

/** Those of the rows and those of the columns, one for each remainder by the stride. */
export function phasesOf({ attributes, inputs, outputs }: Pick<Node, "attributes" | "inputs" | "outputs">) {
  const [kernel, stride, pad] = [size2(attributes, "kernel"), size2(attributes, "stride"), size2(attributes, "pad")];
  const [dy, dx] = [sizes(inputs[0]!), sizes(outputs[0]!)];
  const along = (axis: 0 | 1): readonly Phase[] =>
    phases(kernel[axis], stride[axis], pad[axis], dx[2 + axis]!, dy[2 + axis]!);
  return [along(0), along(1)] as const;
}

/** Whether the input's gradient can be written in phases: each as large, none with less than no padding. */
export function fitsPhases(node: Node): boolean {
  const stride = size2(node.attributes, "stride");
  const input = sizes(node.outputs[0]!).slice(2);
  if (input.some((size, axis) => size % stride[axis]! !== 0)) return false;
  if (size2(node.attributes, "dilation").some((step) => step > 1)) return false;
  return phasesOf(node).every((axis) =>
    axis.every(({ taps, before, after }) => taps.length === 0 || (before >= 0 && after >= 0)),
  );
}
