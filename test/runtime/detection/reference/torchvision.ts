/** torchvision's proposals over a pyramid, and its detections (models/detection/rpn.py, roi_heads.py, transform.py). */
import { placed, torchvisionAnchors } from "./anchors.js";
import { area, clip, CLAMP, decode, scale, sides, type Box, type Coder, type Info } from "./boxes.js";
import { deltaOf, deltas, logits, softmax, type Map3 } from "./maps.js";
import { ranked, suppress, suppressByLabel, type Detection, type Scored } from "./scored.js";

const RPN: Coder = { one: 0, weights: [1, 1, 1, 1], clamp: CLAMP };
const HEAD: Coder = { one: 0, weights: [10, 10, 5, 5], clamp: CLAMP };

export interface Level {
  readonly objectness: Map3;
  readonly deltas: Map3;
  readonly sizes: readonly number[];
}

export interface TorchvisionProposals {
  readonly ratios: readonly number[];
  readonly minSize: number;
  /** Of each level. */
  readonly top: number;
  readonly iou: number;
  readonly keep: number;
}

const PROPOSALS: TorchvisionProposals = { ratios: [0.5, 1, 2], minSize: 1e-3, top: 1000, iou: 0.7, keep: 1000 };

/**
 * Of one image, in the tensor's pixels; `tensor` is the batch's size with its padding, by which anchors are spaced.
 * Scores are probabilities. Levels are suppressed apart and then ranked together.
 */
export function torchvisionProposals(
  levels: readonly Level[],
  tensor: { readonly height: number; readonly width: number },
  info: Info,
  options: Partial<TorchvisionProposals> = {},
): Scored[] {
  const { ratios, minSize, top, iou, keep } = { ...PROPOSALS, ...options };
  const kept = levels.flatMap((level) => {
    const { height, width } = level.objectness;
    const step = { y: Math.floor(tensor.height / height), x: Math.floor(tensor.width / width) };
    const scores = logits(level.objectness);
    const offset = deltas(level.deltas);
    const boxes = placed(torchvisionAnchors(level.sizes, ratios), level.objectness, step).map((anchor, i): Scored => ({
      box: decode(anchor, offset[i]!, RPN),
      score: scores[i]!,
    }));
    const large = ranked(boxes)
      .slice(0, top)
      .map(({ box, score }): Scored => ({
        box: clip(box, info.height, info.width, 0),
        score: 1 / (1 + Math.exp(-score)),
      }))
      .filter(({ box }) => isLarge(box, minSize));
    return suppress(large, iou, 0);
  });
  return ranked(kept).slice(0, keep);
}

function isLarge(box: Box, minSize: number): boolean {
  const { width, height } = sides(box, 0);
  return width >= minSize && height >= minSize;
}

/** The pyramid's level that a region is pooled from (ops/poolers.py): 0 for the first, of strides 4 to 32. */
export function torchvisionLevel(region: Box, levels = 4): number {
  const exact = Math.floor(4 + Math.log2(Math.sqrt(area(region, 0)) / 224) + 1e-6);
  return Math.max(2, Math.min(levels + 1, exact)) - 2;
}

export interface TorchvisionDetections {
  readonly threshold: number;
  readonly minSize: number;
  readonly iou: number;
  readonly keep: number;
}

const DETECTIONS: TorchvisionDetections = { threshold: 0.05, minSize: 1e-2, iou: 0.5, keep: 100 };

/** Of one image, best first, in its own pixels. Rows of logits [K + 1] and deltas [4(K + 1)], background first. */
export function torchvisionDetections(
  regions: readonly Box[],
  classLogits: readonly (readonly number[])[],
  offsets: readonly ArrayLike<number>[],
  info: Info,
  options: Partial<TorchvisionDetections> = {},
): Detection[] {
  const { threshold, minSize, iou, keep } = { ...DETECTIONS, ...options };
  const candidates = regions.flatMap((region, row) =>
    softmax(classLogits[row]!)
      .slice(1)
      .flatMap((score, label) => {
        const box = clip(decode(region, deltaOf(offsets[row]!, label + 1), HEAD), info.height, info.width, 0);
        return score > threshold && isLarge(box, minSize) ? [{ box, score, label }] : [];
      }),
  );
  return ranked(suppressByLabel(candidates, iou, 0))
    .slice(0, keep)
    .map((found) => ({
      ...found,
      box: scale(found.box, info.originalHeight / info.height, info.originalWidth / info.width),
    }));
}
