import { TRANSFORM_WORDS } from "../../../compiler/words/transforms.js";
import { mirrorFrame } from "./frame.js";
import { ANY, geometry } from "./transform.js";

export const flip = geometry(TRANSFORM_WORDS.flip_horizontal, {
  deterministic: () => [],
  takes: ANY,
  size: (_, before) => before,
  apply: (frame, { probability }, random) => (random() < probability ? mirrorFrame(frame) : frame),
});
