/** Detectron2's proposals and detections (proposal_utils.py, fast_rcnn.py, postprocessing.py). */
import { detectron2Anchors, placed } from "./anchors.js";
import { clip, CLAMP, decode, isFinite, scale, sides, type Box, type Coder, type Info } from "./boxes.js";
import { deltaOf, deltas, logits, type Map3 } from "./maps.js";
import { ranked, suppress, suppressByLabel, type Detection, type Scored } from "./scored.js";

const RPN: Coder = { one: 0, weights: [1, 1, 1, 1], clamp: CLAMP };
const HEAD: Coder = { one: 0, weights: [10, 10, 5, 5], clamp: CLAMP };

export interface Detectron2Proposals {
  readonly sizes: readonly number[];
  readonly ratios: readonly number[];
  readonly stride: number;
  readonly top: number;
  readonly iou: number;
  readonly keep: number;
}

/** configs/Base-RCNN-C4.yaml */
const PROPOSALS: Detectron2Proposals = {
  sizes: [32, 64, 128, 256, 512],
  ratios: [0.5, 1, 2],
  stride: 16,
  top: 6000,
  iou: 0.7,
  keep: 1000,
};

/** Of one image, in the tensor's pixels; scores are logits. The best are chosen before anything is clipped or dropped. */
export function detectron2Proposals(
  objectness: Map3,
  offsets: Map3,
  info: Info,
  options: Partial<Detectron2Proposals> = {},
): Scored[] {
  const { sizes, ratios, stride, top, iou, keep } = { ...PROPOSALS, ...options };
  const scores = logits(objectness);
  const offset = deltas(offsets);
  const boxes = placed(detectron2Anchors(sizes, ratios), objectness, { y: stride, x: stride }).map(
    (anchor, i): Scored => ({ box: decode(anchor, offset[i]!, RPN), score: scores[i]! }),
  );
  const whole = ranked(boxes)
    .slice(0, top)
    .filter(({ box, score }) => isFinite(box) && Number.isFinite(score))
    .map(({ box, score }): Scored => ({ box: clip(box, info.height, info.width, 0), score }));
  return suppress(whole.filter(hasArea), iou, 0).slice(0, keep);
}

function hasArea({ box }: Scored): boolean {
  const { width, height } = sides(box, 0);
  return width > 0 && height > 0;
}

export interface Detectron2Detections {
  readonly threshold: number;
  readonly iou: number;
  readonly keep: number;
}

const DETECTIONS: Detectron2Detections = { threshold: 0.05, iou: 0.5, keep: 100 };

/**
 * Of one image, best first, in its own pixels. Rows of probabilities [K + 1], background last, and of deltas [4K].
 * Suppressed in the tensor's pixels and scaled afterwards, where boxes are clipped once more and empty ones dropped.
 */
export function detectron2Detections(
  regions: readonly Box[],
  probabilities: readonly (readonly number[])[],
  offsets: readonly ArrayLike<number>[],
  info: Info,
  options: Partial<Detectron2Detections> = {},
): Detection[] {
  const { threshold, iou, keep } = { ...DETECTIONS, ...options };
  const candidates = regions.flatMap((region, row) => {
    const scores = probabilities[row]!;
    const boxes = scores.slice(0, -1).map((_, label) => decode(region, deltaOf(offsets[row]!, label), HEAD));
    // A row with anything that is not finite is dropped whole.
    if (!boxes.every(isFinite) || !scores.every(Number.isFinite)) return [];
    return boxes.flatMap((box, label) => {
      const score = scores[label]!;
      return score > threshold ? [{ box: clip(box, info.height, info.width, 0), score, label }] : [];
    });
  });
  return ranked(suppressByLabel(candidates, iou, 0))
    .slice(0, keep)
    .map((found) => {
      const own = scale(found.box, info.originalHeight / info.height, info.originalWidth / info.width);
      return { ...found, box: clip(own, info.originalHeight, info.originalWidth, 0) };
    })
    .filter(hasArea);
}
