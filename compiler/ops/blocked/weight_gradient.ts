/** Gradient of a convolution's weight, written as a blocked convolution itself. */
import { int } from "../attributes.js";
import { sizes } from "../formula.js";
import { convWeightGradient } from "../gradients/conv_weight_gradient.js";
import type { Operator } from "../operator.js";
import { writeDepthwise } from "./depthwise.js";
import { inputNames, steps, type Steps } from "./steps.js";
import { seen, stripesOf, type Stripes } from "./stripes.js";

/**
 * x, blocked, or plain with fewer channels than a block, and dy, blocked, to the gradient of the weight [O, C, kh, kw].
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
    const plan = stripesOf(node, int(node.attributes, "block"))!;
    const s = steps(emit);
    const [x, dy] = inputNames(node, emit);
    const { out, channels, lanes, kernel, block, groups, stripes, batch, output, stride, rows } = plan;
    const input = s.reshape(writeImages(x!, plan, s), [
      channels / lanes,
      batch * stripes,
      seen(plan, 0, rows),
      seen(plan, 1, output[1]) * lanes,
    ]);
    const filter = s.reshape(writeStripes(dy!, plan, s), [groups * out, (batch * stripes) / groups, rows, output[1]]);
    let sums = s.blocked("Conv", [input, filter], {
      kernel_shape: [rows, output[1]],
      strides: [1, 1],
      pads: [0, 0, 0, 0],
      dilations: [stride[0], stride[1] * lanes],
      group: groups,
    });
    const taps = kernel[0] * kernel[1];
    const inner = channels / lanes;
    if (groups > 1) {
      const parts = s.reshape(sums, [inner, groups, out * taps * lanes]);
      sums = s.onnx("ReduceSum", [parts, s.vector([1])], { keepdims: 0 });
    }
    // [C / lanes][O / block][taps][lanes][block of O] to [O][C / lanes][taps][lanes] to [O][C][taps]
    const apart = s.reshape(sums, [(inner * out) / block, block, taps * lanes, 1]);
    let filters = s.blocked("ReorderOutput", [apart], { channels: block });
    if (inner > 1) filters = s.rearrange(filters, [inner, out, taps * lanes], [1, 0, 2]);
    if (taps > 1 && lanes === block) {
      filters = s.blocked("ReorderOutput", [s.reshape(filters, [out * inner, block, taps, 1])], { channels: block });
    } else if (taps > 1) {
      filters = s.transpose(filters, [out * inner, taps, lanes], [0, 2, 1]);
    }
    s.reshape(filters, sizes(node.outputs[0]!), emit.name(node.outputs[0]!));
  },
};

/** x to [C / lanes][images and stripes in blocks][rows seen][columns seen][lanes][block of images and stripes]. */
function writeImages(x: string, plan: Stripes, s: Steps): string {
  const { batch, channels, lanes, output, stride, rows, stripes, sharing } = plan;
  const inner = channels / lanes;
  const [height, width] = [seen(plan, 0, rows), seen(plan, 1, output[1])];
  const padded = writePadded(x, plan, s);
  const order: number[] = [];
  for (let part = 0; part < inner; part += 1) {
    for (let image = 0; image < batch; image += 1) {
      for (let stripe = 0; stripe < stripes; stripe += 1) {
        const first = (image * inner + part) * padded.height + stride[0] * rows * stripe;
        for (let row = 0; row < height; row += 1) order.push(first + row);
      }
    }
  }
  const lines = batch * inner * padded.height;
  const isOrdered = order.length === lines && order.every((line, index) => line === index);
  const chosen = isOrdered
    ? padded.x
    : s.onnx("Gather", [s.reshape(padded.x, [lines, width * lanes]), s.vector(order)], { axis: 0 });
  const values = (stripes / sharing) * height * width * lanes;
  return s.blocked("ReorderInput", [s.reshape(chosen, [inner, batch * sharing, values, 1])]);
}

/** x with zeros round its maps, as far as windows reach: [N][C / lanes][height][columns seen][lanes]. */
function writePadded(x: string, plan: Stripes, s: Steps): { readonly x: string; readonly height: number } {
  const { batch, channels, lanes, block, input, output, pad, stride, rows, stripes } = plan;
  const bottom = Math.max(0, stride[0] * rows * (stripes - 1) + seen(plan, 0, rows) - pad[0] - input[0]);
  const right = seen(plan, 1, output[1]) - pad[1] - input[1];
  const height = pad[0] + input[0] + bottom;
  if (lanes === block && right >= 0) {
    // The identity as a depthwise convolution: it works with all threads, Pad with one.
    return { x: writeDepthwise(x, [1], { channels, block, pads: [pad[0], pad[1], bottom, right] }, s), height };
  }
  const maps = (batch * channels) / lanes;
  const side = lanes === block ? x : s.transpose(x, [batch, channels, input[0] * input[1]], [0, 2, 1]);
  const sides = s.vector([0, pad[0], pad[1] * lanes, 0, bottom, right * lanes]);
  const shape = [maps, input[0], input[1] * lanes];
  return { x: s.onnx("Pad", [s.reshape(side, shape), sides], { mode: "constant" }), height };
}

/** dy to [groups][O / block][blocks of images and stripes][rows][columns][block of images and stripes][block of O]. */
function writeStripes(dy: string, plan: Stripes, s: Steps): string {
  const { batch, out, block, groups, stripes, sharing, rows, output } = plan;
  const images = Math.min(batch, block);
  const [blocks, parts, rest] = [batch / images, out / block, stripes / sharing];
  const pixels = rows * output[1];
  const missing = (rows * stripes - output[0]) * output[1] * block;
  let whole = dy;
  if (missing > 0) {
    const flat = s.reshape(dy, [batch * parts, output[0] * output[1] * block]);
    whole = s.onnx("Pad", [flat, s.vector([0, 0, 0, missing])], { mode: "constant" });
  }
  if (groups === 1) {
    return s.rearrange(whole, [blocks, images, parts, sharing, rest, pixels, block], [2, 0, 4, 5, 1, 3, 6]);
  }
  if (blocks % groups === 0) {
    const shape = [groups, blocks / groups, images, parts, sharing, rest, pixels, block];
    return s.rearrange(whole, shape, [0, 3, 1, 5, 6, 2, 4, 7]);
  }
  // One block of images then.
  const shape = [blocks, images, parts, sharing, groups, rest / groups, pixels, block];
  return s.rearrange(whole, shape, [4, 2, 0, 5, 6, 1, 3, 7]);
}
