import { TRANSFORM_WORDS } from "../../../compiler/words/transforms.js";
import type { Size } from "../image.js";
import { ImageError } from "../image.js";
import { cropFrame, frameSize } from "./frame.js";
import { ANY, geometry } from "./transform.js";

export const randomCrop = geometry(TRANSFORM_WORDS.random_crop, {
  deterministic: ({ size }) => [{ kind: "center_crop", size }],
  takes: ANY,
  size({ size }, before) {
    if (before) checkFits(before, size);
    return size;
  },
  apply(frame, { size }, random) {
    const [height, width] = frameSize(frame);
    checkFits([height, width], size);
    const top = Math.floor(random() * (height - size[0] + 1));
    const left = Math.floor(random() * (width - size[1] + 1));
    return cropFrame(frame, { left, top, width: size[1], height: size[0] });
  },
});

/** @throws {ImageError} */
export function checkFits(image: Size, part: Size): void {
  if (part[0] <= image[0] && part[1] <= image[1]) return;
  throw new ImageError(`${image.join("x")} is smaller than the ${part.join("x")} that is cut out`);
}
