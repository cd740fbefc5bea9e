/**
 * What other frameworks and languages call things, and what is written here: for whoever comes from PyTorch, Keras, Caffe
 * or Python. Lower case, underscores left out, so that `BatchNorm2d`, `batch_norm` and `batchnorm` are one.
 */
import { own } from "../../grammar/own.js";

const CONV = "`conv 3x3, 64` has the kernel and the channels that it gives";
const DEPTHWISE = "`conv 3x3, channels, groups: channels` filters each channel";
const NORM = "batch normalisation is `bn`";
const FC = "a fully connected layer is `fc 10`";
const REPEAT = "`basic(64) x 3` repeats one block, `for i in 1 .. 3 { ... }` several statements";
const POOL = "`max_pool 3x3, /2` and `avg_pool 2x2, /2` have the window and the stride";
const GLOBAL_POOL = "`global_avg_pool` leaves 1x1";
const TRANSPOSED = "a transposed convolution is `conv_transpose 2x2, 64, /2`";
const ADD = "`add { identity } { ... }` adds two branches, `residual { ... }` the shortcut";
const CONCAT = "`concat { identity } { ... }` joins branches along the channels";
const NO_AXES = "there are no axes to move: maps are [N, C, H, W], and `fc` flattens what it is given";
const INPUT = "`input image 3x224x224` names the input and has its channels, height and width";
const SEQUENCE = "layers follow one another in braces, `block name(width) { ... }` gives them a name";
const STRIDE = "a stride is written `/2`";
const TRUE = "write `true`";
const FALSE = "write `false`";
const RANGE = "`0 .. n - 1` are n numbers, both ends included";
const FUNCTION = "a formula is a `let`, `let f(n) = 2 * n`; a `block` is a flow of layers";

const FOREIGN: Readonly<Record<string, string>> = {
  // Layers
  conv1d: CONV,
  conv2d: CONV,
  conv3d: "maps have two sides: `conv 3x3, 64`",
  convolution: CONV,
  convolution2d: CONV,
  depthwiseconv: DEPTHWISE,
  depthwiseconv2d: DEPTHWISE,
  dwconv: DEPTHWISE,
  separableconv2d: DEPTHWISE,
  convtranspose: TRANSPOSED,
  convtranspose2d: TRANSPOSED,
  conv2dtranspose: TRANSPOSED,
  deconv: TRANSPOSED,
  deconvolution: TRANSPOSED,
  batchnorm: NORM,
  batchnorm2d: NORM,
  batchnormalization: NORM,
  norm: NORM,
  groupnorm: "`group_norm 32` has the number of groups",
  layernorm: "it is written `layer_norm`",
  layernormalization: "it is written `layer_norm`",
  instancenorm: "std/blocks has `instance_norm`",
  instancenorm2d: "std/blocks has `instance_norm`",
  linear: FC,
  dense: FC,
  innerproduct: FC,
  fullyconnected: FC,
  gemm: FC,
  mlp: FC,
  maxpool: POOL,
  maxpool2d: POOL,
  maxpooling2d: POOL,
  avgpool: POOL,
  avgpool2d: POOL,
  averagepooling2d: POOL,
  pool: POOL,
  pooling: POOL,
  adaptiveavgpool: GLOBAL_POOL,
  adaptiveavgpool2d: GLOBAL_POOL,
  globalaveragepooling2d: GLOBAL_POOL,
  globalpool: GLOBAL_POOL,
  gap: GLOBAL_POOL,
  mean: GLOBAL_POOL,
  activation: "activations are layers: `relu`, `sigmoid`, `tanh`, `silu`, `gelu`",
  swish: "it is called `silu`",
  hswish: "it is called `hard_swish`",
  hsigmoid: "it is called `hard_sigmoid`",
  logsoftmax: "it is `softmax`; the loss takes its logarithm",
  dropout2d: "`dropout 0.5` has the probability",
  stochasticdepth: "`drop_path 0.1` drops whole examples",
  droppath: "`drop_path 0.1` has the probability",
  zeropadding2d: "`pad 1` surrounds a map with zeros",
  zeropad2d: "`pad 1` surrounds a map with zeros",
  upsampling2d: "`upsample 2` has the factor",
  interpolate: "`upsample 2` has the factor, `resize_like map` takes another map's size",
  resizeto: "`resize_like map` takes another map's size",
  pixelshuffle: "channels can't become places; `conv_transpose 2x2, 64, /2` and `upsample 2` enlarge a map",
  cat: CONCAT,
  concatenate: CONCAT,
  eltwise: ADD,
  sumof: ADD,
  plus: ADD,
  mul: "`multiply { identity } { ... }` multiplies branches",
  mult: "`multiply { identity } { ... }` multiplies branches",
  shortcut: "`shortcuts projection_on_change` says it for every residual that follows",
  skip: "`residual { ... }` adds its shortcut; `label = ...` names a tensor to come back to",
  reshape: NO_AXES,
  view: NO_AXES,
  permute: NO_AXES,
  transpose: NO_AXES,
  squeeze: NO_AXES,
  unsqueeze: NO_AXES,
  sequential: SEQUENCE,
  modulelist: SEQUENCE,
  module: SEQUENCE,
  // Statements
  inputlayer: INPUT,
  placeholder: INPUT,
  data: INPUT,
  repeat: REPEAT,
  times: REPEAT,
  loop: REPEAT,
  while: REPEAT,
  elif: "write `else if`",
  elseif: "write `else if`",
  return: "a body gives what its last statement gives; `output` names several tensors",
  def: FUNCTION,
  function: FUNCTION,
  lambda: FUNCTION,
  print: "`resnetc summary` shows the shapes",
  // Values
  strides: STRIDE,
  true: TRUE,
  yes: TRUE,
  on: TRUE,
  false: FALSE,
  no: FALSE,
  off: FALSE,
  null: "leave the argument out",
  nil: "leave the argument out",
  range: RANGE,
  arange: RANGE,
  int: "`floor(...)` makes a whole number",
  str: "`text(...)` makes a string of a number",
  string: "`text(...)` makes a string of a number",
  pow: "multiply: `a * a`",
};

/** What to write in place of a name from elsewhere, as a sentence; undefined for names that no framework has. */
export function foreignName(name: string): string | undefined {
  const times = /^x([0-9]+)$/.exec(name)?.[1];
  if (times !== undefined) return `write \`x ${times}\`, with a space, to repeat what stands before it`;
  return own(FOREIGN, name.toLowerCase().replaceAll("_", ""));
}
