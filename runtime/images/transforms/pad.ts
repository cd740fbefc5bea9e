import { TRANSFORM_WORDS } from "../../../compiler/words/transforms.js";
import { cropFrame, frameSize } from "./frame.js";
import { ANY, geometry } from "./transform.js";

export const pad = geometry(TRANSFORM_WORDS.pad, {
  takes: ANY,
  size: ({ margin }, before) => before && [before[0] + 2 * margin, before[1] + 2 * margin],
  apply(frame, { margin }) {
    const [height, width] = frameSize(frame);
    return cropFrame(frame, { left: -margin, top: -margin, width: width + 2 * margin, height: height + 2 * margin });
  },
});
