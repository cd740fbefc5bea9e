/** Box refinement (appendix B): every region becomes the box that was regressed for its likeliest class. */
import type { Value } from "../ir/types.js";
import { first, type Build, type Pictures } from "./build.js";
import type { Dialect } from "./dialect.js";
import { classScores, regressed, type Judged } from "./regress.js";

/** Regions [R, 5] in pixels of the input, to pool from again. */
export function refine(judged: Judged, dialect: Dialect, pictures: Pictures, build: Build): Value {
  const one = first(build);
  const scores = classScores(judged, dialect.background, build);
  const classes = scores.type.shape[1] as number;
  const boxes = one("pick_class", [regressed(judged, classes, dialect.background, dialect, pictures, build), scores]);
  if (dialect.detections.coordinates === "input") return one("with_boxes", [judged.regions, boxes]);
  const scale = one("picture_values", [pictures.info], { what: "scale" });
  const regions = one("with_boxes", [judged.regions, boxes]);
  const scaled = one("box_scale", [one("region_boxes", [regions]), one("rows_of_image", [scale, regions])], {
    divide: false,
  });
  return one("with_boxes", [regions, scaled]);
}
