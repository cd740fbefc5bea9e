import { TRANSFORM_WORDS } from "../../../compiler/words/transforms.js";
import { fiveWindows } from "../crops.js";
import { cropFrame, frameSize, mirrorFrame } from "./frame.js";
import { checkFits } from "./random-crop.js";
import { ANY, geometry } from "./transform.js";

export const tenCrop = geometry(TRANSFORM_WORDS.ten_crop, {
  takes: ANY,
  views: 10,
  size({ size }, before) {
    if (before) checkFits(before, size);
    return size;
  },
  apply(frame, { size }) {
    const image = frameSize(frame);
    checkFits(image, size);
    const windows = fiveWindows(image, size);
    const mirrored = mirrorFrame(frame);
    return [frame, mirrored].flatMap((side) => windows.map((window) => cropFrame(side, window)));
  },
});
