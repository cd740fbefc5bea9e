/** Gradient of a convolution's weight, written as a blocked convolution itself. */
import { int, size2 } from "../attributes.js";
import { sizes } from "../formula.js";
import { convWeightGradient } from "../gradients/conv_weight_gradient.js";
import type { Node, Operator } from "../operator.js";
import { inputNames, steps, type Steps } from "./steps.js";

/**
 * x, dy, blocked, to the gradient of the weight [O, C, kh, kw].
 *
 * dw[o, c, i, j] = sum over n, h, w of dy[n, o, h, w] x[n, c, stride h + i, stride w + j] is a convolution whose input
 * channels are images: a block of them, for each of which the rows are cut into stripes. What is summed in one go are
 * the images and stripes (its channels) and the rows and columns of a stripe (its kernel, dilated by the stride); its
 * filters are the channels of dy, its batch the blocks of channels of x, and the channels in a block lie side by side
 * along its width, which the dilation steps over: every vector is full, and a result is used as often as it is loaded.
 * The height of a stripe is such that its filters fit into a core's second-level cache.
 */
export const blockedConvWeightGradient: Operator = {
  name: "blocked_conv_weight_gradient",
  doc: "Gradient of a convolution's weight from blocked maps.",
  infer: (inputs, attributes) => convWeightGradient.infer(inputs, attributes),
  lower(node, emit) {
    const plan = planOf(node)!;
    const s = steps(emit);
    const [x, dy] = inputNames(node, emit);
    const { out, channels, kernel, block, groups, stripes, batch, output, stride, rows } = plan;
    const input = s.reshape(writeImages(x!, plan, s), [
      channels / block,
      batch * stripes,
      seen(plan, 0, rows),
      seen(plan, 1, output[1]) * block,
    ]);
    const filter = s.reshape(writeStripes(dy!, plan, s), [groups * out, (batch * stripes) / groups, rows, output[1]]);
    let sums = s.blocked("Conv", [input, filter], {
      kernel_shape: [rows, output[1]],
      strides: [1, 1],
      pads: [0, 0, 0, 0],
      dilations: [stride[0], stride[1] * block],
      group: groups,
    });
    const taps = kernel[0] * kernel[1];
    const inner = channels / block;
    if (groups > 1) {
      const parts = s.reshape(sums, [inner, groups, out * taps * block]);
      sums = s.onnx("ReduceSum", [parts, s.vector([1])], { keepdims: 0 });
    }
    // [C / block][O / block][taps][block of C][block of O] to [O][C][taps]
    const apart = s.reshape(sums, [(inner * out) / block, block, taps * block, 1]);
    let rowsOfO = s.blocked("ReorderOutput", [apart], { channels: block });
    if (inner > 1) rowsOfO = s.transpose(rowsOfO, [inner, out, taps * block], [1, 0, 2]);
    const last = s.reshape(rowsOfO, [out * inner, block, taps, 1]);
    const inOrder = taps === 1 ? last : s.blocked("ReorderOutput", [last], { channels: block });
    s.reshape(inOrder, sizes(node.outputs[0]!), emit.name(node.outputs[0]!));
  },
};

interface Plan {
  readonly block: number;
  readonly batch: number;
  readonly channels: number;
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
function planOf({ attributes, inputs }: Pick<Node, "attributes" | "inputs">): Plan | undefined {
  const block = int(attributes, "block");
  const [x, dy] = [sizes(inputs[0]!), sizes(inputs[1]!)] as [number[], number[]];
  const [batch, channels, ...input] = x as [number, number, number, number];
  const [, out, ...output] = dy as [number, number, number, number];
  const sharing = batch % block === 0 ? 1 : block / batch;
  if (!Number.isInteger(sharing)) return undefined;
  const filters = Math.min(out, FILTER_SET * block);
  const possible = divisors(output[0]).filter((rows) => (output[0] / rows) % sharing === 0);
  if (possible.length === 0) return undefined;
  const fitting = possible.filter((rows) => 4 * block * rows * output[1] * filters < CACHE);
  const rows = fitting.length > 0 ? Math.max(...fitting) : Math.min(...possible);
  const stripes = output[0] / rows;
  const kernel = size2(attributes, "kernel");
  const tasks = (channels / block) * Math.ceil(out / (FILTER_SET * block)) * kernel[0];
  const blocks = Math.max(1, batch / block);
  const even = blocks % 2 === 0 || (blocks === 1 && (stripes / sharing) % 2 === 0);
  const groups = tasks % 2 === 1 && tasks < 16 && even ? 2 : 1;
  const [stride, pad] = [size2(attributes, "stride"), size2(attributes, "pad")];
  return { block, batch, channels, out, kernel, stride, pad, input, output, rows, stripes, sharing, groups };
}

export function fitsBlockedWeightGradient(node: Pick<Node, "attributes" | "inputs">): boolean {
  return size2(node.attributes, "dilation").every((step) => step === 1) && planOf(node) !== undefined;
}

function divisors(size: number): readonly number[] {
  return Array.from({ length: size }, (_, index) => index + 1).filter((each) => size % each === 0);
}

/** Rows or columns of the input that this many of the output see. */
function seen({ kernel, stride }: Plan, axis: 0 | 1, count: number): number {
  return stride[axis] * (count - 1) + kernel[axis];
}

/** x to [C / block][images and stripes in blocks][rows seen][columns seen][block of C][block of images and stripes]. */
function writeImages(x: string, plan: Plan, s: Steps): string {
  const { batch, channels, block, input, output, pad, stride, rows, stripes, sharing } = plan;
  const inner = channels / block;
  const [height, width] = [seen(plan, 0, rows), seen(plan, 1, output[1])];
  // Rows with their padding, and one of zeros, of which the stripes are then put together.
  const lines = batch * inner * input[0];
  const right = width - input[1] - pad[1];
  const sides = s.vector([0, pad[1] * block, 1, right * block]);
  const padded = s.onnx("Pad", [s.reshape(x, [lines, input[1] * block]), sides], { mode: "constant" });
  const order: number[] = [];
  for (let part = 0; part < inner; part += 1) {
    for (let image = 0; image < batch; image += 1) {
      for (let stripe = 0; stripe < stripes; stripe += 1) {
        for (let row = 0; row < height; row += 1) {
          const y = stride[0] * rows * stripe + row - pad[0];
          order.push(y < 0 || y >= input[0] ? lines : (image * inner + part) * input[0] + y);
        }
      }
    }
  }
  const chosen = s.onnx("Gather", [padded, s.vector(order)], { axis: 0 });
  const values = (stripes / sharing) * height * width * block;
  return s.blocked("ReorderInput", [s.reshape(chosen, [inner, batch * sharing, values, 1])]);
}

/** dy to [groups][O / block][blocks of images and stripes][rows][columns][block of images and stripes][block of O]. */
function writeStripes(dy: string, plan: Plan, s: Steps): string {
  const { batch, out, block, groups, stripes, sharing, rows, output } = plan;
  const images = Math.min(batch, block);
  const [blocks, parts, rest] = [batch / images, out / block, stripes / sharing];
  const pixels = rows * output[1];
  if (groups === 1) {
    return s.transpose(dy, [blocks, images, parts, sharing, rest, pixels, block], [2, 0, 4, 5, 1, 3, 6]);
  }
  if (blocks % groups === 0) {
    const shape = [groups, blocks / groups, images, parts, sharing, rest, pixels, block];
    return s.transpose(dy, shape, [0, 3, 1, 5, 6, 2, 4, 7]);
  }
  // One block of images then.
  const shape = [blocks, images, parts, sharing, groups, rest / groups, pixels, block];
  return s.transpose(dy, shape, [4, 2, 0, 5, 6, 1, 3, 7]);
}
