import { fiveWindows } from "../crops.js";
import { cropFrame, frameSize, mirrorFrame } from "./frame.js";
import { required, size } from "./parameter.js";
import { checkFits } from "./random-crop.js";
import { ANY, SIDE, geometry } from "./transform.js";

export const tenCrop = geometry({
  kind: "ten_crop",
  doc:
    "Ten images of one, whose scores are averaged: the four corners and the centre, and the same of the mirrored " +
    "image (AlexNet's testing, section 3.4)",
  parameters: { size: required(size("Height and width of each part in pixels", SIDE)) },
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
