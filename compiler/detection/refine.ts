/** Box refinement (appendix B): every region becomes the box that was regressed for its likeliest class. */
import type { Value } from "../ir/types.js";
import { first, ofImages, type Build, type Images } from "./build.js";
import type { Dialect } from "./dialect.js";
import { classScores, regressed, type Judged } from "./regress.js";

/** Regions [R, 5] in pixels of the input, to pool from again. */
export function refine(judged: Judged, dialect: Dialect, images: Images, build: Build): Value {
  const one = first(build);
  const scores = classScores(judged, dialect.background, build);
  const classes = scores.type.shape[1] as number;
  const boxes = regressed(judged, classes, dialect.background, dialect, images, build);
  const inInput = dialect.detections.coordinates === "input" ? boxes : scaled(boxes);
  return one("with_boxes", [judged.regions, one("pick_class", [inInput, scores])], { inclusive: dialect.inclusive });

  function scaled(from: Value): Value {
    return one("box_scale", [from, ofImages("scale", images, judged.regions, one)], { divide: false });
  }
}
