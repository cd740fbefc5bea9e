/** How the gradient of a convolution's weight is cut up: into stripes of images (weight_gradient.ts says what for). */
import { size2 } from "../attributes.js";
import { sizes } from "../formula.js";
import type { Node } from "../operator.js";

/** How the images are cut, so that a stripe's filters stay in the second-level cache of a core. */
export interface Stripes {
  readonly block: number;
  readonly batch: number;
  readonly channels: number;
  /** Channels of x that lie side by side: a block, or all where they are fewer. */
  readonly lanes: number;
  readonly out: number;
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly pad: readonly [number, number];
  readonly input: readonly [number, number];
  readonly output: readonly [number, number];
  /** Rows of dy in a stripe, and the number of stripes of an image. */
  readonly rows: number;
  readonly stripes: number;
  /** Stripes that share a block with the images, where there are fewer of those than fill it. */
  readonly sharing: number;
  /** Parts that sum for themselves, so that there is work for two threads. */
  readonly groups: number;
}

/** Bytes that a stripe's filters may take. */
const CACHE = 512 * 1024;
/** Output channels that ONNX Runtime goes through together, in blocks. */
const FILTER_SET = 4;

/** undefined where the sizes do not fill blocks. */
export function stripesOf(
  { attributes, inputs }: Pick<Node, "attributes" | "inputs">,
  block: number,
): Stripes | undefined {
  const [x, dy] = [sizes(inputs[0]!), sizes(inputs[1]!)] as [number[], number[]];
  const [batch, channels, ...input] = x as [number, number, number, number];
  const [, out, ...output] = dy as [number, number, number, number];
  const sharing = batch % block === 0 ? 1 : block / batch;
  if (!Number.isInteger(sharing)) return undefined;
  const filters = Math.min(out, FILTER_SET * block);
  const { rows, stripes } = cut(output, sharing, (height) => 4 * block * height * output[1] * filters < CACHE);
  const kernel = size2(attributes, "kernel");
  const lanes = Math.min(channels, block);
  const tasks = (channels / lanes) * Math.ceil(out / (FILTER_SET * block)) * kernel[0];
  const blocks = Math.max(1, batch / block);
  const even = blocks % 2 === 0 || (blocks === 1 && (stripes / sharing) % 2 === 0);
  const groups = tasks % 2 === 1 && tasks < 16 && even ? 2 : 1;
  const [stride, pad] = [size2(attributes, "stride"), size2(attributes, "pad")];
  return { block, batch, channels, lanes, out, kernel, stride, pad, input, output, rows, stripes, sharing, groups };
}

/** Whether a convolution's weight gradient can be written in stripes: its images fill blocks, or a part of one. */
export function fitsStripes(node: Pick<Node, "attributes" | "inputs">, block: number): boolean {
  return size2(node.attributes, "dilation").every((step) => step === 1) && stripesOf(node, block) !== undefined;
}

/**
 * Rows of a stripe and stripes of an image, a multiple of `sharing`: the highest stripes that fit into the cache, of
 * those with the fewest rows of zeros at the end.
 */
function cut(
  [height]: readonly [number, number],
  sharing: number,
  fits: (rows: number) => boolean,
): { readonly rows: number; readonly stripes: number } {
  const cuts = Array.from({ length: height }, (_, index) => {
    const rows = height - index;
    return { rows, stripes: Math.ceil(height / rows / sharing) * sharing };
  });
  const fitting = cuts.filter(({ rows }) => fits(rows));
  const total = (each: { readonly rows: number; readonly stripes: number }): number => each.rows * each.stripes;
  return (fitting.length > 0 ? fitting : cuts.slice(-1)).reduce((best, each) =>
    total(each) < total(best) ? each : best,
  );
}

/** Rows or columns of the input that this many of the output see. */
export function seen({ kernel, stride }: Stripes, axis: 0 | 1, count: number): number {
  return stride[axis] * (count - 1) + kernel[axis];
}
