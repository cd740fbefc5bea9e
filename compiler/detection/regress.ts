/** Regions moved and resized by the deltas that a head gives for each class. */
import type { Value } from "../ir/types.js";
import { first, ofImages, type Build, type Images } from "./build.js";
import type { Dialect } from "./dialect.js";

/** What a head says of regions. */
export interface Judged {
  /** [R, 5] */
  readonly regions: Value;
  /** [R, K + 1] probabilities, the background among them; [R, K] where there is none. */
  readonly scores: Value;
  /** [R, 4K], or [R, 4(K + 1)] with the background's; undefined: the regions are the boxes. */
  readonly deltas: Value | undefined;
}

/** Without the background: [R, K]. */
export function classScores({ scores }: Judged, background: Dialect["background"] | "none", build: Build): Value {
  return withoutBackground(scores, background, build);
}

/** A box for each class, [R, K, 4], in the dialect's coordinates, clipped to the image. `classes` is K. */
export function regressed(
  { regions, deltas }: Judged,
  classes: number,
  background: Dialect["background"] | "none",
  dialect: Dialect,
  images: Images,
  build: Build,
): Value {
  const one = first(build);
  const { inclusive, lastPixel, clamp, regionWeights } = dialect;
  const inImage = dialect.detections.coordinates === "image";
  const own = one("region_boxes", [regions]);
  const from = inImage ? one("box_scale", [own, ofImages("scale", images, regions, one)], { divide: true }) : own;
  const boxes = deltas === undefined ? from : one("box_decode", [from, classDeltas(deltas)], decoding());
  return one("box_clip", [boxes, ofImages(inImage ? "original" : "size", images, regions, one)], { inclusive });

  function classDeltas(all: Value): Value {
    const split = one("split_classes", [all]);
    const given = split.type.shape[1];
    return given === classes ? split : withoutBackground(split, background, build);
  }
  function decoding() {
    return { weights: [...regionWeights], clamp, inclusive, last_pixel: lastPixel };
  }
}

function withoutBackground(values: Value, background: Dialect["background"] | "none", build: Build): Value {
  if (background === "none") return values;
  const all = values.type.shape[1] as number;
  const [from, to] = background === "first" ? [1, all] : [0, all - 1];
  return first(build)("slice", [values], { axes: [1], from: [from], to: [to] });
}
