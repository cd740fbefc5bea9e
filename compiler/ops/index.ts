/** Every operator. One line here and one file beside it add another. */
import { add } from "./add.js";
import { average } from "./average.js";
import { avgPool } from "./avg_pool.js";
import { bn } from "./bn.js";
import { BLOCKED_OPERATORS } from "./blocked/index.js";
import { cast } from "./cast.js";
import { channelShuffle } from "./channel_shuffle.js";
import { concat } from "./concat.js";
import { conv } from "./conv.js";
import { convTranspose } from "./conv_transpose.js";
import { crop } from "./crop.js";
import { cropLike } from "./crop_like.js";
import { dequantize } from "./dequantize.js";
import { DETECTION_OPERATORS } from "./detection/index.js";
import { dropPath } from "./drop_path.js";
import { dropout } from "./dropout.js";
import { fc } from "./fc.js";
import { flatten } from "./flatten.js";
import { gelu } from "./gelu.js";
import { globalAvgPool } from "./global_avg_pool.js";
import { globalMaxPool } from "./global_max_pool.js";
import { GRADIENT_OPERATORS } from "./gradients/index.js";
import { groupNorm } from "./group_norm.js";
import { hardSigmoid } from "./hard_sigmoid.js";
import { hardSwish } from "./hard_swish.js";
import { identity } from "./identity.js";
import { imagePixels } from "./image_pixels.js";
import { l2Norm } from "./l2_norm.js";
import { layerNorm } from "./layer_norm.js";
import { leakyRelu } from "./leaky_relu.js";
import { LOSS_OPERATORS } from "./losses/index.js";
import { maximum } from "./maximum.js";
import { maxPool } from "./max_pool.js";
import { multiply } from "./multiply.js";
import type { Operator } from "./operator.js";
import { pad } from "./pad.js";
import { padChannels } from "./pad_channels.js";
import { prelu } from "./prelu.js";
import { quantize } from "./quantize.js";
import { relu } from "./relu.js";
import { relu6 } from "./relu6.js";
import { rescale } from "./rescale.js";
import { resizeLike } from "./resize_like.js";
import { restore } from "./restore.js";
import { scale } from "./scale.js";
import { sigmoid } from "./sigmoid.js";
import { silu } from "./silu.js";
import { sliceChannels } from "./slice_channels.js";
import { softmax } from "./softmax.js";
import { squareRoot } from "./square_root.js";
import { subsample } from "./subsample.js";
import { tanh } from "./tanh.js";
import { TENSOR_OPERATORS } from "./tensor/index.js";
import { upsample } from "./upsample.js";

/** By name, as `node.op` and the source have it. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  [
    ...[conv, convTranspose, fc],
    ...[bn, layerNorm, groupNorm, l2Norm, scale],
    ...[relu, leakyRelu, prelu, relu6, sigmoid, hardSigmoid, tanh, silu, hardSwish, gelu, squareRoot, softmax],
    ...[maxPool, avgPool, globalAvgPool, globalMaxPool, subsample],
    ...[pad, crop, cropLike, upsample, rescale, resizeLike],
    ...[padChannels, sliceChannels, channelShuffle],
    ...[dropout, dropPath, flatten, identity],
    ...[add, multiply, maximum, average, concat],
    ...[cast, quantize, dequantize, restore, imagePixels],
    ...TENSOR_OPERATORS,
    ...GRADIENT_OPERATORS,
    ...LOSS_OPERATORS,
    ...BLOCKED_OPERATORS,
    ...DETECTION_OPERATORS,
  ].map((operator): [string, Operator] => [operator.name, operator]),
);

/** Those of them that a source can name: the others are what the compiler writes layers with. */
export const LAYERS: ReadonlyMap<string, Operator> = new Map([...OPERATORS].filter(([, { layer }]) => layer));

/** The record of a node's operator; a name that is not there is a mistake of the compiler. */
export function operator(name: string): Operator {
  const found = OPERATORS.get(name);
  if (found === undefined) throw new TypeError(`there is no operator ${name}`);
  return found;
}
