/** From regions with the class probabilities and boxes of one or more heads to what is in the image. */
import type { Value } from "../ir/types.js";
import { first, joined, ofImages, type Build, type Images } from "./build.js";
import type { Dialect } from "./dialect.js";
import { classScores, regressed, type Judged } from "./regress.js";

export interface DetectSettings {
  /** Of two boxes of a class that overlap by more than this the better stays. */
  readonly nms: number;
  /** Boxes are averaged with those that were suppressed and overlap by at least this (box voting); 0: they are not. */
  readonly vote: number;
  /** Added to a voter's score, which then is its weight. */
  readonly voteOffset: number;
  /** Detections of an image, at most. */
  readonly keep: number;
  readonly background: Dialect["background"] | "none";
}

export interface Detections {
  /** [D, 4] in pixels of the original image; by image, then by score. */
  readonly boxes: Value;
  /** [D] */
  readonly scores: Value;
  /** [D] int64, the background not counted. */
  readonly labels: Value;
  /** [D] int64: row of the batch. */
  readonly images: Value;
}

export function detect(
  judged: readonly Judged[],
  settings: DetectSettings,
  dialect: Dialect,
  images: Images,
  build: Build,
): Detections {
  const one = first(build);
  const { background } = settings;
  const { threshold, minSize, ties } = dialect.detections;
  const { inclusive } = dialect;
  const regions = joined(
    judged.map((each) => each.regions),
    one,
  );
  const scoresOfAll = joined(
    judged.map((each) => classScores(each, background, build)),
    one,
  );
  const classes = scoresOfAll.type.shape[1] as number;
  const boxes = joined(
    judged.map((each) => regressed(each, classes, background, dialect, images, build)),
    one,
  );
  // The region without area that stands for none at all.
  const own = one("region_boxes", [regions]);
  const real = one("mask_small", [scoresOfAll, own], { min_size: 0, inclusive, strict: true });
  const scores = minSize > 0 ? one("mask_small", [real, boxes], { min_size: minSize, inclusive, strict: false }) : real;
  const [candidates, sure] = build("batched_nms", [boxes, scores, regions, images.info], {
    threshold,
    iou: settings.nms,
    inclusive,
  });
  const { keep } = settings;
  const [picks, best, rows, labels] = build("top_detections", [candidates!, sure!, images.info], { keep, ties });
  const voting = { iou: settings.vote, inclusive, threshold, offset: settings.voteOffset };
  const kept =
    settings.vote > 0 ? one("box_vote", [boxes, scores, regions, picks!], voting) : one("pick_boxes", [boxes, picks!]);
  const found = { boxes: kept, scores: best!, images: rows!, labels: labels! };
  return dialect.detections.coordinates === "image" ? found : inImage(found, picks!, dialect, images, build);
}

/** From pixels of the input to those of the original image. */
function inImage(
  found: Detections,
  picks: Value,
  { inclusive, detections }: Dialect,
  images: Images,
  build: Build,
): Detections {
  const one = first(build);
  const scaled = one("box_scale", [found.boxes, ofImages("scale", images, picks, one)], { divide: true });
  if (!detections.clip) return { ...found, boxes: scaled };
  const clipped = one("box_clip", [scaled, ofImages("original", images, picks, one)], { inclusive });
  const scores = one("mask_small", [found.scores, clipped], { min_size: 0, inclusive, strict: true });
  const [sure, boxes, rows, labels] = build("select_valid", [scores, clipped, found.images, found.labels]);
  return { boxes: boxes!, scores: sure!, images: rows!, labels: labels! };
}
