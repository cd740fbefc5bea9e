/** Which tensors of a weight file make one of our parameters, by the framework that wrote it. */
import type { WeightMap } from "../../compiler/model.js";
import type { Parameter } from "../../compiler/ir/types.js";
import { BATCH_NORM_EPSILON } from "./epsilon.js";

type Role = Parameter["role"];

/** Tensors of the file, the first of which has the parameter's values, and what is computed from them. */
export interface ParameterOrigin {
  readonly tensors: readonly string[];
  /** Of the first tensor, where a rename says so. Absent: the parameter's. */
  readonly shape?: readonly number[];
  /** Absent: the first tensor as it is. */
  readonly compute?: (...values: Float32Array[]) => Float32Array;
  /** What is to be told of such values, if anything. */
  readonly doubt?: (...values: Float32Array[]) => string | undefined;
}

/** The origins that a parameter of a layer can have, in order of preference. `theirs`: what the rename gave. */
export type Layout = (theirs: string, role: Role) => readonly ParameterOrigin[];

export const LAYOUTS: Readonly<Record<WeightMap["format"], Layout>> = { pytorch, caffe, detectron2 };

const PYTORCH_SUFFIX: Readonly<Record<Role, string>> = {
  weight: "weight",
  bias: "bias",
  scale: "weight",
  offset: "bias",
  running_mean: "running_mean",
  running_var: "running_var",
};

function pytorch(theirs: string, role: Role): readonly ParameterOrigin[] {
  return [{ tensors: [`${theirs}.${PYTORCH_SUFFIX[role]}`] }];
}

/** Layers that one of ours is on their side: `bn_conv1 + scale_conv1`. */
function layersOf(theirs: string): readonly string[] {
  return theirs.split("+").map((layer) => layer.trim());
}

/**
 * Caffe has two layers for a batch norm: BatchNorm with sums of statistics and the factor that they are to be divided by
 * (batch_norm_layer.cpp), and Scale. A third name is the convolution before it; if that has a bias, which ours has not,
 * the mean takes it up: (x + b) - m = x - (m - b).
 */
function caffe(theirs: string, role: Role): readonly ParameterOrigin[] {
  const [layer = "", scale = "", convolution] = layersOf(theirs);
  switch (role) {
    case "weight":
      return [{ tensors: [`${layer}/0`] }];
    case "bias":
      return [{ tensors: [`${layer}/1`] }];
    case "scale":
      return [{ tensors: [`${scale}/0`] }];
    case "offset":
      return [{ tensors: [`${scale}/1`] }];
    case "running_var":
      return [{ tensors: [`${layer}/1`, `${layer}/2`], compute: divideByFactor, doubt: doubtFactor }];
    case "running_mean":
      return withBias(
        { tensors: [`${layer}/0`, `${layer}/2`], compute: divideByFactor, doubt: doubtFactor },
        convolution,
        "/1",
      );
  }
}

/** As Caffe (batch_norm_layer.cpp): with a factor of 0 both statistics are 0. One that is no number spreads. */
function divideByFactor(sums: Float32Array = new Float32Array(0), factor?: Float32Array): Float32Array {
  const [by = 0] = factor ?? [];
  const scale = by === 0 ? 0 : 1 / by;
  return sums.map((sum) => sum * scale);
}

/** A factor of 0 is that of a network that was never trained; statistics beside it are another program's work. */
function doubtFactor(sums: Float32Array, factor?: Float32Array): string | undefined {
  if (factor?.[0] !== 0 || sums.every((sum) => sum === 0)) return undefined;
  return "a factor of 0 beside statistics that are not 0";
}

/** Detectron2's, and Detectron's, which folded the statistics into scale and offset (`_s`, `_b`). */
function detectron2(theirs: string, role: Role): readonly ParameterOrigin[] {
  const [layer = "", convolution] = layersOf(theirs);
  const first = (...suffixes: readonly string[]): ParameterOrigin[] =>
    suffixes.map((suffix) => ({ tensors: [`${layer}${suffix}`] }));
  const constant = (value: number): ParameterOrigin => ({
    tensors: [`${layer}_s`],
    compute: (values = new Float32Array(0)) => values.map(() => value),
  });
  switch (role) {
    case "weight":
      return first("_w");
    case "bias":
      return first("_b");
    case "scale":
      return first("_gamma", "_s");
    case "offset":
      return first("_beta", "_b");
    case "running_mean":
      return [...first("_running_mean", "_rm"), constant(0)].flatMap((origin) => withBias(origin, convolution, "_b"));
    case "running_var":
      // Folded statistics: a variance with which the batch norm changes nothing.
      return [...first("_running_var", "_riv"), constant(1 - BATCH_NORM_EPSILON)];
  }
}

/** The origin of a mean, first with the bias of the convolution before it, where there is one. */
function withBias(mean: ParameterOrigin, convolution: string | undefined, suffix: string): readonly ParameterOrigin[] {
  if (convolution === undefined) return [mean];
  const compute = (...values: Float32Array[]): Float32Array => {
    const bias = values.at(-1);
    const means = mean.compute?.(...values.slice(0, -1)) ?? values[0] ?? new Float32Array(0);
    return means.map((value, i) => value - (bias?.[i] ?? 0));
  };
  return [{ ...mean, tensors: [...mean.tensors, `${convolution}${suffix}`], compute }, mean];
}
