import { TRANSFORM_WORDS } from "../../../compiler/words/transforms.js";
import type { Size } from "../image.js";
import { cropFrame, frameSize } from "./frame.js";
import { ANY, geometry } from "./transform.js";

export const padTo = geometry(TRANSFORM_WORDS.pad_to, {
  takes: ANY,
  size: ({ multiple }, before) => before && upTo(before, multiple),
  apply(frame, { multiple }) {
    const [height, width] = upTo(frameSize(frame), multiple);
    return cropFrame(frame, { left: 0, top: 0, width, height });
  },
});

function upTo([height, width]: Size, multiple: number): Size {
  return [Math.ceil(height / multiple) * multiple, Math.ceil(width / multiple) * multiple];
}
