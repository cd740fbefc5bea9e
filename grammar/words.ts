/**
 * Words that take bare arguments.
 *
 * Statements need no separator (`conv 1x1, 64   bn   relu`), so the parser has to know which words are followed by
 * arguments without parentheses and which stand alone. That is all this table says to the parser; highlighting and
 * hover read the rest. A word that is not here is called with parentheses (`basic(64)`) or stands alone (`relu`).
 * A test holds the compiler's operators and settings against it.
 */

/** Where a word may stand. */
export type WordContext = "layer" | "network" | "preprocess" | "weights" | "recipe" | "transform" | "dialect";

/** A word of the language and what it is for. */
export interface Word {
  readonly word: string;
  readonly context: WordContext;
  /** With bare arguments at least one is required: `fc classes`. Without, `name` alone or `name(...)`. */
  readonly bare: boolean;
  /** One sentence, shown by hover. */
  readonly doc: string;
}

const word = (context: WordContext, name: string, bare: boolean, doc: string): Word => ({
  word: name,
  context,
  bare,
  doc,
});

/** All words of layers, settings and transforms, by context. */
export const WORDS: readonly Word[] = [
  word("layer", "conv", true, "Convolution: kernel, channels, /stride, pad, dilation, groups, bias."),
  word("layer", "conv_transpose", true, "Transposed convolution: kernel, channels, /stride, pad, output_pad, bias."),
  word("layer", "fc", true, "Fully connected layer: outputs, bias, each: image or pixel."),
  word("layer", "bn", false, "Batch normalisation over each channel."),
  word("layer", "layer_norm", false, "Normalisation over the channels of each place."),
  word("layer", "group_norm", true, "Normalisation over groups of channels of each example."),
  word("layer", "l2_norm", false, "The channels of each place divided by their Euclidean length."),
  word("layer", "scale", true, "Each channel times a learned factor; its initial value."),
  word("layer", "relu", false, "max(x, 0)."),
  word("layer", "leaky_relu", false, "x where positive, else slope * x."),
  word("layer", "prelu", false, "x where positive, else a learned slope times x."),
  word("layer", "relu6", false, "min(max(x, 0), 6)."),
  word("layer", "sigmoid", false, "1 / (1 + exp(-x))."),
  word("layer", "hard_sigmoid", false, "clip(x / 6 + 1/2, 0, 1)."),
  word("layer", "tanh", false, "Hyperbolic tangent."),
  word("layer", "silu", false, "x * sigmoid(x), also called swish."),
  word("layer", "hard_swish", false, "x * clip(x / 6 + 1/2, 0, 1)."),
  word("layer", "gelu", false, "x * P(X <= x) for a standard normal X."),
  word("layer", "softmax", false, "Probabilities over the channels."),
  word("layer", "max_pool", true, "Maximum over windows: kernel, /stride, pad, ceil."),
  word("layer", "avg_pool", true, "Average over windows: kernel, /stride, pad, ceil, count_padding."),
  word("layer", "global_avg_pool", false, "Average over height and width, leaving 1x1."),
  word("layer", "global_max_pool", false, "Maximum over height and width, leaving 1x1."),
  word("layer", "subsample", true, "Keeps every n-th row and column."),
  word("layer", "pad", true, "Zeros around height and width."),
  word("layer", "crop", true, "The middle of the map, of this height and width."),
  word("layer", "pad_channels", true, "Zero channels appended until there are as many as given."),
  word("layer", "slice_channels", true, "The channels from the first argument up to the second, which is left out."),
  word("layer", "channel_shuffle", true, "The first channel of each group, then the second of each, and so on."),
  word("layer", "upsample", true, "Enlarges height and width by a whole factor: nearest or bilinear."),
  word("layer", "dropout", true, "Zeroes values with the given probability while training."),
  word("layer", "drop_path", true, "Zeroes whole examples with the given probability while training."),
  word("layer", "flatten", false, "Channels, height and width as one dimension."),
  word("layer", "identity", false, "What arrives, unchanged."),
  word("layer", "nothing", false, "In a shortcut declaration: no shortcut at all, as in the plain networks."),
  word("layer", "add", false, "Sum of the branches that follow, each in braces."),
  word("layer", "multiply", false, "Product of the branches that follow, broadcast over height and width."),
  word("layer", "maximum", false, "Elementwise maximum of the branches that follow (maxout)."),
  word("layer", "concat", false, "The branches that follow, one after the other along the channels."),
  word("layer", "average", false, "Elementwise mean of the branches that follow."),
  word("layer", "residual", false, "The braces plus the network's shortcut round them."),
  word("layer", "shared", false, "A part that is used by its label, several times with the same weights."),
  word(
    "layer",
    "resize_like",
    true,
    "Enlarges or shrinks height and width to those of another map: nearest or bilinear.",
  ),
  word("layer", "crop_like", true, "The middle of the map, as high and wide as another map."),
  word("layer", "rescale", true, "Height and width times a factor, bilinear."),
  word("layer", "propose", true, "Regions from objectness and delta maps: sizes, ratios, top, nms, keep."),
  word("layer", "roi_pool", true, "Maxima over a grid in each region that arrives: maps, size, levels."),
  word(
    "layer",
    "roi_align",
    true,
    "Averages over a grid in each region that arrives: maps, size, sampling, aligned, levels.",
  ),
  word("layer", "refine", true, "Regions moved to the box of their likeliest class: regions, scores, deltas."),
  word("layer", "join", true, "Regions, or their values, one after the other."),
  word("layer", "whole_image", false, "Each image as a region."),
  word("layer", "of_image", true, "For each region that arrives its image's row of a tensor."),
  word("layer", "detect", true, "Boxes, labels and scores: regions, scores, deltas, nms, vote, keep."),
  word("network", "shortcuts", true, "The shortcut kind that every residual below uses."),
  word("network", "preprocess", true, "How an image becomes this network's input."),
  word("network", "labels", true, "The names of the classes, in order."),
  word("network", "weights", true, "The name maps by which other people's weights load into this network."),
  word("network", "dialect", true, "The rules of boxes, anchors and suppression that a detector follows."),
  word("network", "output", true, "The labelled tensors that the network gives, in order."),
  word(
    "preprocess",
    "resize",
    true,
    "Scales the image: shorter: side (longest: at most, like: whose rules), or to: HxW.",
  ),
  word("preprocess", "pad_to", true, "Zeros on the right and below, up to multiples of this."),
  word("preprocess", "center_crop", true, "Cuts the middle: HxW."),
  word("preprocess", "color", true, "Order of the channels: rgb or bgr; or grey, one channel."),
  word("preprocess", "range", true, "The value that white has: 1 or 255."),
  word("preprocess", "subtract", true, "Subtracted from each channel, in the order of `color`."),
  word("preprocess", "divide", true, "Each channel is divided by it after the subtraction."),
  word("preprocess", "interpolation", true, "bilinear, bicubic or nearest."),
  word("weights", "rename", true, "Our layer's or tensor's path, then theirs; {i}, {2 * j + 1} stand for numbers."),
  word("weights", "include", true, "Another name map; ours, theirs: what its names begin with here."),
  word("weights", "ignore", true, "Names on their side that may be there and are not needed."),
  word("weights", "format", true, "pytorch, caffe or detectron2: how each layer's tensors are laid out and suffixed."),
  word("weights", "stride_in", true, "The kernel that carries a bottleneck's stride in these weights: 1x1 or 3x3."),
  word("weights", "epsilon", true, "What these weights' batch norms add to the variance; by default what ours do."),
  word("weights", "trained_with", true, "The preprocessing that these weights were trained with."),
  word(
    "dialect",
    "box_rule",
    true,
    "inclusive (x2 is the last pixel) or exclusive; last_pixel: decoded boxes end with it.",
  ),
  word(
    "dialect",
    "delta_rule",
    true,
    "What head deltas are divided by, and the limit of their logarithms: regions, clamp.",
  ),
  word(
    "dialect",
    "anchor_rule",
    true,
    "rounding: none, corners or base; order: by_ratio or by_size; step: fixed or grid.",
  ),
  word("dialect", "objectness_rule", true, "softmax (two channels an anchor) or sigmoid (one)."),
  word("dialect", "proposal_rule", true, "rank: before or after decoding; min_size, scaled, strict: boxes left out."),
  word("dialect", "background_rule", true, "first or last among the classes."),
  word("dialect", "detection_rule", true, "coordinates: input or image; threshold, min_size, clip, ties."),
  word("recipe", "optimizer", true, "sgd(momentum, weight_decay, nesterov) or adamw(beta1, beta2, weight_decay)."),
  word("recipe", "batch", true, "Images of an update; accumulate: the parts that it is computed in."),
  word("recipe", "learning_rate", true, "The base rate, and what it does: divide, plateau, cosine, one_cycle, ..."),
  word("recipe", "warm_up", true, "A lower rate at first: until_error, or over so many steps or epochs."),
  word(
    "recipe",
    "stop",
    true,
    "The end: a number of updates, or of epochs; patience: earlier, where nothing improves.",
  ),
  word("recipe", "label_smoothing", true, "The share of the probability that is spread over all classes."),
  word("recipe", "class_weights", true, "Weight of each class in the loss: a list, or balanced."),
  word("recipe", "sampling", true, "shuffled, or balanced: each class equally often."),
  word("recipe", "clip_norm", true, "The largest norm that the gradients together may have."),
  word("recipe", "gradient_norm", false, "The norm of all gradients is measured."),
  word("recipe", "ema", true, "Decay of the moving average of the weights; warm_up: lower at first."),
  word("recipe", "precision", true, "fp32 or mixed."),
  word("recipe", "freeze", true, "Stages or layers that stay as they are, for so many epochs or for ever."),
  word("recipe", "stage_rate", true, "Stages or layers whose learning rate is so many times the others'."),
  word("recipe", "zero_init_residual", false, "Every residual block begins as an identity."),
  word("recipe", "recompute", true, "Stages computed again on the way back, to save memory."),
  word("recipe", "seed", true, "What all that is random is made from."),
  word("recipe", "validate", true, "Updates between validations; raw: of the weights as they are too."),
  word("recipe", "checkpoint", true, "Updates between checkpoints."),
  word("recipe", "precise_statistics", true, "Images over which batch norms are averaged after training."),
  word("recipe", "test_scales", true, "Shorter sides at which the trained network is tested, whole images, averaged."),
  word("recipe", "train", false, "Transforms of the training images, in braces."),
  word("recipe", "evaluate", false, "Transforms of the validation images, in braces."),
  word("transform", "random_crop", true, "Cuts out a part of this size, anywhere."),
  word("transform", "flip_horizontal", false, "Mirrors half of the images."),
  word("transform", "ten_crop", true, "Four corners and the centre, and their mirror images."),
  word("transform", "resize_shorter", true, "Scales the shorter side to this length."),
  word("transform", "random_resize_shorter", true, "Scales the shorter side to a length drawn from this interval."),
  word("transform", "random_resized_crop", true, "Cuts out a part of random size and shape and scales it."),
  word("transform", "color_pca", false, "AlexNet's colour augmentation."),
  word("transform", "color_jitter", false, "Random brightness, contrast, saturation and hue."),
  word("transform", "subtract_mean", false, "Subtracts the training images' mean."),
  word("transform", "normalize", false, "Subtracts numbers from the channels and divides them."),
];

const BARE = new Set(WORDS.filter((entry) => entry.bare).map((entry) => entry.word));

/** Whether the word is followed by arguments without parentheses. */
export function takesBareArguments(name: string): boolean {
  return BARE.has(name);
}
