import { mirrorFrame } from "./frame.js";
import { number } from "./parameter.js";
import { ANY, geometry } from "./transform.js";

export const flip = geometry({
  kind: "flip_horizontal",
  doc: "Exchanges left and right in some of the images (section 3.4)",
  parameters: { probability: number("Share of the images that are mirrored", { min: 0, max: 1 }, 0.5) },
  steady: () => [],
  takes: ANY,
  size: (_, before) => before,
  apply: (frame, { probability }, random) => (random() < probability ? mirrorFrame(frame) : frame),
});
