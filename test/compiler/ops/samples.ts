/** Random uses of every operator: shapes and arguments that fit, small enough for the reference's loops. */
import fc from "fast-check";
import type { Attributes } from "../../../compiler/ir/types.js";
import { DETECTION_OPERATORS } from "../../../compiler/ops/detection/index.js";
import { LAYERS } from "../../../compiler/ops/index.js";
import { LOSS_OPERATORS } from "../../../compiler/ops/losses/index.js";

const OF_OTHERS: ReadonlySet<string> = new Set([...DETECTION_OPERATORS, ...LOSS_OPERATORS].map(({ name }) => name));

/** The layers of networks, each with samples here; detection/ has those of detectors, losses.test.ts the losses. */
export const SAMPLED: readonly string[] = [...LAYERS.keys()].filter((name) => !OF_OTHERS.has(name));

/** Layers that are not defined below 0. */
export const POSITIVE: ReadonlySet<string> = new Set(["square_root"]);

export interface Sample {
  readonly op: string;
  readonly shapes: readonly (readonly number[])[];
  readonly attributes: Attributes;
}

const size = (min: number, max: number) => fc.integer({ min, max });
const two = (min: number, max: number) =>
  fc.tuple(size(min, max), size(min, max)).map(([a, b]): readonly number[] => [a, b]);
const map4 = fc.tuple(size(1, 2), size(1, 6), size(1, 11), size(1, 11)).map((shape): readonly number[] => shape);
const tensor = fc.oneof(
  map4,
  fc.tuple(size(1, 3), size(1, 9)).map((shape): readonly number[] => shape),
);

const one = (
  op: string,
  shape: fc.Arbitrary<readonly number[]>,
  attributes: fc.Arbitrary<Attributes> = fc.constant({}),
) => fc.tuple(shape, attributes).map(([x, given]): Sample => ({ op, shapes: [x], attributes: given }));

/** Some of the attributes, others left to their defaults. */
const some = (attributes: Record<string, fc.Arbitrary<Attributes[string]>>): fc.Arbitrary<Attributes> =>
  fc.record(attributes, { requiredKeys: [] }) as fc.Arbitrary<Attributes>;

const conv: fc.Arbitrary<Sample> = fc
  .record({
    kernel: two(1, 5),
    groups: size(1, 3),
    perGroup: size(1, 3),
    outPerGroup: size(1, 3),
    optional: some({ stride: two(1, 3), dilation: two(1, 3), pad: two(0, 3), bias: fc.boolean() }),
    n: size(1, 2),
    extra: two(0, 7),
  })
  .map(({ kernel, groups, perGroup, outPerGroup, optional, n, extra }) => {
    const dilation = (optional["dilation"] ?? [1, 1]) as readonly number[];
    const spatial = kernel.map((k, axis) => (k - 1) * dilation[axis]! + 1 + extra[axis]!);
    const attributes = { ...optional, kernel, channels: groups * outPerGroup, groups };
    return { op: "conv", shapes: [[n, groups * perGroup, ...spatial]], attributes };
  });

/** Sizes from 1 on, kept small; padding that leaves something. */
const convTranspose: fc.Arbitrary<Sample> = fc
  .record({
    kernel: two(1, 4),
    groups: size(1, 3),
    perGroup: size(1, 3),
    outPerGroup: size(1, 3),
    stride: two(1, 3),
    optional: some({ dilation: two(1, 2), bias: fc.boolean() }),
    pad: fc.option(two(0, 2), { nil: undefined }),
    more: two(0, 2),
    n: size(1, 2),
    map: two(2, 5),
  })
  .map(({ kernel, groups, perGroup, outPerGroup, stride, optional, pad, more, n, map }) => {
    const attributes = {
      ...optional,
      ...(pad && { pad: pad.map((p, axis) => Math.min(p, Math.floor((kernel[axis]! - 1) / 2))) }),
      kernel,
      stride,
      channels: groups * outPerGroup,
      groups,
      output_pad: more.map((m, axis) => Math.min(m, stride[axis]! - 1)),
    };
    return { op: "conv_transpose", shapes: [[n, groups * perGroup, ...map]], attributes };
  });

/** A number of groups, and channels that it divides. */
const grouped = (op: string): fc.Arbitrary<Sample> =>
  fc.tuple(size(1, 4), size(1, 3), tensor).map(([groups, perGroup, [n, , ...rest]]) => ({
    op,
    shapes: [[n!, groups * perGroup, ...rest]],
    attributes: { groups },
  }));

const pool = (op: string, more: Record<string, fc.Arbitrary<Attributes[string]>>): fc.Arbitrary<Sample> =>
  fc
    .record({
      kernel: two(1, 4),
      optional: some({ stride: two(1, 4), ceil: fc.boolean(), ...more }),
      pad: fc.option(two(0, 3), { nil: undefined }),
      n: size(1, 2),
      c: size(1, 3),
      extra: two(0, 8),
    })
    .map(({ kernel, optional, pad, n, c, extra }) => ({
      op,
      shapes: [[n, c, ...kernel.map((k, axis) => k + extra[axis]!)]],
      attributes: { ...optional, kernel, ...(pad && { pad: pad.map((p, axis) => Math.min(p, kernel[axis]! - 1)) }) },
    }));

const merge = (op: string, other: (shape: readonly number[], n: number) => readonly number[]): fc.Arbitrary<Sample> =>
  fc.tuple(map4, fc.array(size(1, 4), { minLength: 1, maxLength: 3 })).map(([shape, others]) => ({
    op,
    shapes: [shape, ...others.map((n) => other(shape, n))],
    attributes: {},
  }));

const ELEMENTWISE = [
  ...["relu", "relu6", "sigmoid", "hard_sigmoid", "tanh", "silu", "hard_swish", "gelu", "square_root"],
  ...["softmax", "identity"],
];

export const SAMPLES: Readonly<Record<string, fc.Arbitrary<Sample>>> = {
  ...Object.fromEntries(ELEMENTWISE.map((op) => [op, one(op, tensor)])),
  conv,
  conv_transpose: convTranspose,
  fc: fc.oneof(
    one("fc", tensor, fc.record({ channels: size(1, 5), bias: fc.boolean() })),
    one("fc", map4, fc.record({ channels: size(1, 5), bias: fc.boolean(), each: fc.constant("pixel") })),
  ),
  bn: one("bn", tensor, some({ eps: fc.constantFrom(1e-3, 1e-5) })),
  layer_norm: one("layer_norm", tensor, some({ eps: fc.constantFrom(1e-3, 1e-5) })),
  group_norm: grouped("group_norm"),
  l2_norm: one("l2_norm", tensor, some({ eps: fc.constantFrom(1, 1e-12) })),
  scale: one("scale", tensor, fc.constant({ initial: 1e-6 })),
  prelu: one("prelu", tensor, some({ shared: fc.boolean() })),
  leaky_relu: one("leaky_relu", tensor, some({ slope: fc.constantFrom(0.1, 0.25, -1) })),
  max_pool: pool("max_pool", {}),
  avg_pool: pool("avg_pool", { count_padding: fc.boolean() }),
  global_avg_pool: one("global_avg_pool", map4),
  global_max_pool: one("global_max_pool", map4),
  subsample: one("subsample", map4, fc.record({ stride: two(1, 4) })),
  pad: one("pad", map4, fc.record({ amount: two(0, 3) })),
  crop: fc.tuple(map4, size(0, 99), size(0, 99)).map(([[n, c, h, w], a, b]) => {
    return { op: "crop", shapes: [[n!, c!, h!, w!]], attributes: { size: [1 + (a % h!), 1 + (b % w!)] } };
  }),
  crop_like: fc.tuple(map4, size(0, 99), size(0, 99), size(1, 3)).map(([[n, c, h, w], a, b, other]) => {
    const like = [n!, other, 1 + (a % h!), 1 + (b % w!)];
    return { op: "crop_like", shapes: [[n!, c!, h!, w!], like], attributes: {} };
  }),
  channel_shuffle: grouped("channel_shuffle"),
  pad_channels: fc
    .tuple(tensor, size(0, 4))
    .map(([x, more]) => ({ op: "pad_channels", shapes: [x], attributes: { channels: x[1]! + more } })),
  slice_channels: fc.tuple(tensor, size(0, 99), size(0, 99)).map(([x, a, b]) => {
    const from = a % x[1]!;
    return { op: "slice_channels", shapes: [x], attributes: { from, to: from + 1 + (b % (x[1]! - from)) } };
  }),
  upsample: one("upsample", map4, fc.record({ factor: two(1, 4), mode: fc.constantFrom("nearest", "bilinear") })),
  rescale: one(
    "rescale",
    fc.tuple(size(1, 2), size(1, 3), size(4, 11), size(4, 11)),
    fc.record({ factor: fc.constantFrom(1 / 3, 1 / 4, 2 / 3, 1, 4 / 3, 5 / 3, 2.5) }),
  ),
  resize_like: fc
    .tuple(map4, map4, fc.constantFrom("nearest", "bilinear"))
    .map(([x, like, mode]) => ({ op: "resize_like", shapes: [x, like], attributes: { mode } })),
  dropout: one("dropout", tensor, fc.constant({ probability: 0.5 })),
  drop_path: one("drop_path", tensor, fc.constant({ probability: 0.5 })),
  flatten: one("flatten", tensor),
  add: merge("add", (shape) => shape),
  maximum: merge("maximum", (shape) => shape),
  average: merge("average", (shape) => shape),
  multiply: merge("multiply", ([n, c, h, w], k) => [n!, k === 4 ? 1 : c!, k % 2 ? h! : 1, k % 3 ? w! : 1]),
  concat: merge("concat", ([n, , h, w], k) => [n!, k, h!, w!]),
};
