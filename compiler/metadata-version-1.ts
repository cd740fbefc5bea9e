/** The preprocessing as models of version 1 carry it: a record of settings, carried out in an order that no list said. */
import type { Preprocess } from "./model.js";
import { LONGEST, TRANSFORM_WORDS, type TransformSettings } from "./words/transforms.js";
import { boundsOf } from "./words/values.js";

/** Scaled, cut from the middle, normalised, padded: in this order, whatever is absent left out. */
export interface PreprocessVersion1 {
  readonly name: string;
  readonly resize?:
    | { readonly shorter: number; readonly longest?: number; readonly like?: "opencv" | "torch" | "pillow" }
    | { readonly to: readonly [height: number, width: number] };
  readonly centerCrop?: readonly [height: number, width: number];
  readonly interpolation: "nearest" | "bilinear" | "bicubic";
  readonly color: "rgb" | "bgr" | "grey";
  readonly range: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly padTo?: number;
}

/** The same as the list of transforms that it stood for. What the words have narrower bounds for is written in these. */
export function fromVersion1(record: PreprocessVersion1): Preprocess {
  const { name, resize, centerCrop, interpolation, color, range, mean, std, padTo } = record;
  const transforms: TransformSettings[] = [];
  if (resize && "to" in resize) transforms.push({ kind: "resize", size: resize.to, interpolation });
  if (resize && "shorter" in resize) {
    const { shorter, longest, like } = resize;
    const rules = {
      // No image is as long as that.
      ...(longest !== undefined && { longest: Math.min(longest, LONGEST) }),
      ...(like !== undefined && { like }),
    };
    transforms.push({ kind: "resize_shorter", length: shorter, interpolation, ...rules });
  }
  if (centerCrop) transforms.push({ kind: "center_crop", size: centerCrop });
  transforms.push({ kind: "normalize", ...withinBounds({ mean, std, range }), color });
  if (padTo !== undefined) transforms.push({ kind: "pad_to", multiple: padTo });
  return { name, transforms };
}

type Numbers = Pick<PreprocessVersion1, "mean" | "std" | "range">;

/**
 * (x * range - mean) / std is the same with all three multiplied by a number. A power of two changes no bit of the result,
 * so one is looked for with which they are within their bounds; where there is none they stay as they are, and are refused.
 */
function withinBounds({ mean, std, range }: Numbers): Numbers {
  const schema = TRANSFORM_WORDS.normalize.arguments;
  for (const exponent of EXPONENTS) {
    const times = (value: number): number => value * 2 ** exponent;
    const scaled = { mean: mean.map(times), std: std.map(times), range: times(range) };
    const fits = (["mean", "std", "range"] as const).every((name) => {
      const { min, max } = boundsOf(schema[name].type);
      return [scaled[name]].flat().every((value) => value >= min && value <= max);
    });
    if (fits) return scaled;
  }
  return { mean, std, range };
}

/** Nearest to nothing first: 0, 1, -1, 2, ... */
const EXPONENTS = Array.from({ length: 81 }, (_, i) => (i % 2 === 1 ? (i + 1) / 2 : -i / 2));

export function isPreprocessVersion1(value: unknown): value is PreprocessVersion1 {
  if (typeof value !== "object" || value === null) return false;
  const { name, resize, centerCrop, interpolation, color, range, mean, std, padTo } = value as Record<string, unknown>;
  return (
    typeof name === "string" &&
    (resize === undefined || isResize(resize)) &&
    (centerCrop === undefined || isSize(centerCrop)) &&
    (padTo === undefined || isLength(padTo)) &&
    ["nearest", "bilinear", "bicubic"].includes(interpolation as string) &&
    ["rgb", "bgr", "grey"].includes(color as string) &&
    typeof range === "number" &&
    Number.isFinite(range) &&
    range > 0 &&
    areNumbers(mean, color === "grey" ? 1 : 3) &&
    areNumbers(std, color === "grey" ? 1 : 3) &&
    std.every((deviation) => deviation !== 0)
  );
}

function isResize(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (!("shorter" in value)) return "to" in value && isSize(value.to);
  const { shorter, longest, like } = value as Record<string, unknown>;
  return (
    isLength(shorter) &&
    (longest === undefined || isLength(longest)) &&
    (like === undefined || ["opencv", "torch", "pillow"].includes(like as string))
  );
}

function isSize(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every(isLength);
}

function isLength(value: unknown): boolean {
  return typeof value === "number" && Number.isInteger(value) && value > 0;
}

function areNumbers(value: unknown, count: number): value is readonly number[] {
  return Array.isArray(value) && value.length === count && value.every((n) => Number.isFinite(n));
}
