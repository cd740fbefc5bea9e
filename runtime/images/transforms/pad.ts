import { cropFrame, frameSize } from "./frame.js";
import { integer, required } from "./parameter.js";
import { ANY, geometry } from "./transform.js";

export const pad = geometry({
  kind: "pad",
  doc:
    "Adds a border of zeros on every side: the mean colour where the mean has been subtracted before (so the paper's 4 " +
    "pixels for CIFAR-10, section 4.2), black where it has not",
  parameters: { margin: required(integer("Width of the border in pixels", { min: 0, max: 4096 })) },
  takes: ANY,
  size: ({ margin }, before) => before && [before[0] + 2 * margin, before[1] + 2 * margin],
  apply(frame, { margin }) {
    const [height, width] = frameSize(frame);
    return cropFrame(frame, { left: -margin, top: -margin, width: width + 2 * margin, height: height + 2 * margin });
  },
});
