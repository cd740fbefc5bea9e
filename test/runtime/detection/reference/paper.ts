/** py-faster-rcnn's proposals and detections (lib/rpn/proposal_layer.py, lib/fast_rcnn/test.py). */
import { paperAnchors, placed } from "./anchors.js";
import { clip, decode, scale, sides, type Box, type Coder, type Delta, type Info } from "./boxes.js";
import { deltaOf, deltas, foregrounds, type Map3 } from "./maps.js";
import { ranked, suppress, suppressByLabel, type Detection, type Scored } from "./scored.js";

/** Released models have the normalisation of their deltas in the weights. */
export const PAPER_CODER: Coder = { one: 1, weights: [1, 1, 1, 1], clamp: Infinity };

export interface PaperProposals {
  readonly scales: readonly number[];
  readonly ratios: readonly number[];
  readonly stride: number;
  /** Of the original image, on both sides. */
  readonly minSize: number;
  readonly top: number;
  readonly iou: number;
  readonly keep: number;
}

const PROPOSALS: PaperProposals = {
  scales: [8, 16, 32],
  ratios: [0.5, 1, 2],
  stride: 16,
  minSize: 16,
  top: 6000,
  iou: 0.7,
  keep: 300,
};

/** Of one image, in the tensor's pixels: decoded, clipped, without the small ones; then the best, suppressed. */
export function paperProposals(
  scores: Map3,
  offsets: Map3,
  info: Info,
  options: Partial<PaperProposals> = {},
): Scored[] {
  const { scales, ratios, stride, minSize, top, iou, keep } = { ...PROPOSALS, ...options };
  const probabilities = foregrounds(scores);
  const offset = deltas(offsets);
  const boxes = placed(paperAnchors(scales, ratios), scores, { y: stride, x: stride })
    .map((anchor, i) => decode(anchor, offset[i]!, PAPER_CODER))
    .map((box, i): Scored => ({ box: clip(box, info.height, info.width, 1), score: probabilities[i]! }))
    .filter(({ box }) => {
      const { width, height } = sides(box, 1);
      return width >= minSize * info.scaleX && height >= minSize * info.scaleY;
    });
  return suppress(ranked(boxes).slice(0, top), iou, 1).slice(0, keep);
}

export interface PaperDetections {
  readonly threshold: number;
  readonly iou: number;
  readonly keep: number;
}

const DETECTIONS: PaperDetections = { threshold: 0.05, iou: 0.3, keep: 100 };

/** The box that a region's delta gives in the image's own pixels: regions are scaled before they are decoded. */
export function paperBox(region: Box, delta: Delta, info: Info): Box {
  const own = scale(region, 1 / info.scaleY, 1 / info.scaleX);
  return clip(decode(own, delta, PAPER_CODER), info.originalHeight, info.originalWidth, 1);
}

/** Every class of every region above the threshold. Rows of probabilities [K + 1] and deltas [4(K + 1)], background first. */
export function paperCandidates(
  regions: readonly Box[],
  probabilities: readonly (readonly number[])[],
  offsets: readonly ArrayLike<number>[],
  info: Info,
  threshold: number,
): Detection[] {
  return regions.flatMap((region, row) =>
    probabilities[row]!.slice(1).flatMap((score, label) =>
      score > threshold ? [{ box: paperBox(region, deltaOf(offsets[row]!, label + 1), info), score, label }] : [],
    ),
  );
}

/** Of one image, best first. As many as have no less than the `keep`-th score: more, where that occurs twice. */
export function paperDetections(
  regions: readonly Box[],
  probabilities: readonly (readonly number[])[],
  offsets: readonly ArrayLike<number>[],
  info: Info,
  options: Partial<PaperDetections> = {},
): Detection[] {
  const { threshold, iou, keep } = { ...DETECTIONS, ...options };
  const candidates = paperCandidates(regions, probabilities, offsets, info, threshold);
  return best(suppressByLabel(candidates, iou, 1), keep);
}

function best(detections: readonly Detection[], keep: number): Detection[] {
  const ordered = ranked(detections);
  const least = ordered[keep - 1]?.score ?? -Infinity;
  return ordered.filter(({ score }) => score >= least);
}
