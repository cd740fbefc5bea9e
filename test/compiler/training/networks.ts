/** The networks whose training is held against PyTorch's. */
import { elaborate, parseTarget } from "../../../compiler/index.js";
import { memoryHost } from "../../../compiler/host.js";
import type { Model } from "../../../compiler/model.js";
import { logitsOf } from "../../../compiler/passes/take-logits.js";
import type { TrainingOptions } from "../../../compiler/training/contract.js";

export interface OracleNetwork {
  readonly target: string;
  readonly source?: string;
  /** Of the images: [N, 3, H, W]. */
  readonly image: readonly [number, number, number, number];
  readonly smoothing?: number;
  /** Images have any number of classes. */
  readonly multiLabel?: true;
  /**
   * Factor of the last batch norm's weight in a bottleneck. Without it fifty random layers double every rounding error
   * in each step: PyTorch's own losses in fp32 and float64 are 1e-3 apart after three.
   */
  readonly residualGain?: number;
  /** Twenty steps of this, instead of one gradient. */
  readonly training?: OracleTraining;
}

export interface OracleTraining {
  readonly steps: number;
  /** Batches that take turns. */
  readonly batches: number;
  readonly optimizer: "sgd" | "adamw";
  readonly learning_rate: number;
  readonly momentum: number;
  readonly weight_decay: number;
  readonly nesterov: boolean;
  readonly clip_norm?: number;
}

const SGD: OracleTraining = {
  steps: 20,
  batches: 4,
  optimizer: "sgd",
  learning_rate: 0.05,
  momentum: 0.9,
  weight_decay: 1e-4,
  nesterov: false,
};

const imports = `import { basic, bottleneck, bottleneck_v15, se_bottleneck, preactivation, preactivation_bottleneck } from "std/blocks"
import { zero_padding, projection_on_change, average_projection } from "std/shortcuts"
`;

/** A network of two small stages of this block. */
const staged = (block: string, shortcut: string, more = ""): string => `${imports}
network Small {
  input image 3x20x20
  shortcuts ${shortcut}
  stage conv1 { conv 3x3, 8   bn   relu }
  stage conv2 { ${block} }
  stage conv3 /2 { ${block} }
  head { ${more} global_avg_pool   fc 7   softmax }
}
`;

export const NETWORKS: Readonly<Record<string, OracleNetwork>> = {
  cifar8: { target: "CifarResNet(depth: 8)", image: [6, 3, 32, 32] },
  basic: { target: "small.resnet", source: staged("basic(8) x 2", "projection_on_change"), image: [4, 3, 20, 20] },
  bottleneck: {
    target: "small.resnet",
    source: staged("bottleneck(4) x 2", "projection_on_change"),
    image: [4, 3, 20, 20],
  },
  resnext: {
    target: "small.resnet",
    source: staged("bottleneck_v15(8, groups: 4, base_width: 64)", "projection_on_change"),
    image: [4, 3, 20, 20],
    smoothing: 0.1,
  },
  squeeze: {
    target: "small.resnet",
    source: staged("se_bottleneck(4, reduction: 4)", "average_projection"),
    image: [4, 3, 20, 20],
  },
  preactivation: {
    target: "small.resnet",
    source: staged("preactivation(8) x 2", "projection_on_change", "bn relu"),
    image: [4, 3, 20, 20],
  },
  layers: {
    target: "small.resnet",
    source: `network Small {
  input image 3x21x19
  stage conv1 { conv 5x3, 8, /2, pad: 1, bias: true   bn   gelu   max_pool 3x3, /2, ceil: true }
  stage conv2 {
    concat { conv 3x3, 6, dilation: 2   silu } { conv 1x1, 4   leaky_relu(slope: 0.1) } { max_pool 3x3   conv 1x1, 2   tanh }
    multiply { identity } { global_avg_pool   conv 1x1, 12, bias: true   hard_sigmoid }
    maximum { conv 3x3, 8 } { conv 1x1, 8 }
    upsample 2, bilinear   avg_pool 3x3, /2, count_padding: true   upsample 2   relu6
    slice_channels 1, 7   pad 1   dropout 0.3   subsample 2
  }
  head { conv 3x3, 9, pad: 0   avg_pool 2x2, ceil: true   flatten   fc 16   bn   sigmoid   dropout 0.5   fc 7   softmax }
}
`,
    image: [5, 3, 21, 19],
  },
  norms: {
    target: "small.resnet",
    source: `network Small {
  input image 3x19x21
  stage stem { conv 4x4, 12, /2, pad: 1, bias: true   layer_norm(eps: 1e-6) }
  stage mixed {
    residual { conv 3x3, 12, groups: 12   group_norm 3   fc 24, each: pixel   gelu   fc 12, each: pixel   scale 0.5   drop_path 0.4 }
    channel_shuffle 3   prelu   group_norm 12
    residual { fc 12, bias: false, each: pixel   hard_swish   prelu(initial: -0.5, shared: true)   drop_path 0 }
  }
  stage up { conv_transpose 3x3, 8, /2, output_pad: 1, bias: true   l2_norm   scale 3   conv_transpose 4x2, 12, pad: 1, groups: 2   crop 14x15 }
  head     { conv 3x3, 10, /2   hard_swish   global_avg_pool   flatten   layer_norm   fc 9   group_norm 3   prelu   fc 7   softmax }
}
`,
    image: [5, 3, 19, 21],
  },
  // As GoogLeNet: a second head beside the flow, in training alone (arXiv:1409.4842).
  auxiliary_steps: {
    target: "small.resnet",
    source: `network Small {
  input image 3x20x20
  stage conv1 { conv 3x3, 8   bn   relu }
  stage conv2 /2 { conv 3x3, 12   bn   relu }
  stage side { conv 1x1, 4, bias: true   relu   global_avg_pool   fc 7 }
  aux = cross_entropy image.labels, weight: 0.3
  conv2
  stage conv3 /2 { conv 3x3, 16   bn   relu }
  head { global_avg_pool   conv 1x1, 7, bias: true   cross_entropy image.labels   softmax }
}
`,
    image: [8, 3, 20, 20],
    smoothing: 0.1,
    training: { ...SGD, learning_rate: 0.02, steps: 5 },
  },
  several_labels_steps: {
    target: "small.resnet",
    source: `network Small {
  input image 3x20x20
  stage conv1 /2 { conv 3x3, 8   bn   relu }
  stage side { global_avg_pool   fc 3 }
  early = focal image.labels, weight: 2, gamma: 1.5
  conv1
  stage conv2 /2 { conv 3x3, 16   bn   relu }
  head { global_avg_pool   fc 3   binary_cross_entropy image.labels   sigmoid }
}
`,
    image: [8, 3, 20, 20],
    multiLabel: true,
    training: { ...SGD, learning_rate: 0.02, steps: 5 },
  },
  resnet20_steps: {
    target: "CifarResNet(depth: 20)",
    image: [32, 3, 32, 32],
    training: { ...SGD, learning_rate: 0.01 },
  },
  resnet50_steps: {
    target: "ResNet(bottleneck, [3, 4, 6, 3], classes: 10)",
    image: [16, 3, 64, 64],
    residualGain: 0.25,
    training: { ...SGD, learning_rate: 0.001 },
  },
  // Small enough for a software WebGPU adapter.
  webgpu_steps: {
    target: "CifarResNet(depth: 20)",
    image: [4, 3, 32, 32],
    training: { ...SGD, learning_rate: 0.01, steps: 5 },
  },
  nesterov_steps: {
    target: "CifarResNet(depth: 8)",
    image: [8, 3, 32, 32],
    smoothing: 0.1,
    training: { ...SGD, nesterov: true, clip_norm: 1, weight_decay: 1e-2 },
  },
  adamw_steps: {
    target: "CifarResNet(depth: 8)",
    image: [8, 3, 32, 32],
    training: { ...SGD, optimizer: "adamw", learning_rate: 0.002, weight_decay: 0.05 },
  },
};

export function modelOf({ target, source, image }: OracleNetwork): Model {
  const host = memoryHost(source === undefined ? {} : { "small.resnet": source });
  const [, , height, width] = image;
  const inputShape = [3, height, width];
  const { model, diagnostics } = elaborate(parseTarget(target), { host, input: inputShape });
  if (model) return model;
  throw new Error(diagnostics.map((each) => each.message).join("; "));
}

/** Layers, arguments and names: what PyTorch needs to build the same network. */
export function describe(network: OracleNetwork): unknown {
  const { graph, losses } = modelOf(network);
  const targets = new Map(losses?.targets.map((each) => [each.value.id, each.name]));
  const name = (value: { readonly id: number; readonly name: string }): string =>
    graph.inputs.some((input) => input.value.id === value.id)
      ? "image"
      : (targets.get(value.id) ?? names.get(value.id)!);
  const names = new Map(graph.parameters.map((each) => [each.value.id, each.path]));
  for (const node of graph.nodes) names.set(node.outputs[0]!.id, node.path);
  const logits = logitsOf(graph, losses !== undefined);
  return {
    image: network.image,
    classes: logits.type.shape[1],
    smoothing: network.smoothing ?? 0,
    ...(network.residualGain !== undefined && { residual_gain: network.residualGain }),
    ...(network.training && { training: network.training }),
    parameters: Object.fromEntries(graph.parameters.map((each) => [each.path, each.value.type.shape])),
    nodes: graph.nodes.map((node) => ({
      op: node.op,
      inputs: node.inputs.map(name),
      output: node.path,
      attributes: node.attributes,
    })),
    logits: name(logits),
    ...(network.multiLabel && { multi_label: true }),
    ...(losses && {
      losses: losses.nodes.map((node) => ({
        op: node.op,
        name: node.path,
        inputs: node.inputs.map(name),
        attributes: node.attributes,
      })),
    }),
  };
}

export function optionsOf({ image, smoothing, training, multiLabel }: OracleNetwork): TrainingOptions {
  const decay = { weightDecay: training?.weight_decay ?? 0 };
  return {
    batch: image[0],
    labelSmoothing: smoothing ?? 0,
    ...(multiLabel && { multiLabel }),
    ...(training?.clip_norm !== undefined && { clipNorm: training.clip_norm }),
    optimizer:
      training?.optimizer === "adamw"
        ? { kind: "adamw", ...decay }
        : { kind: "sgd", momentum: training?.momentum ?? 0, nesterov: training?.nesterov ?? false, ...decay },
  };
}
