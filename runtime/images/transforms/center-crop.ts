import { TRANSFORM_WORDS } from "../../../compiler/words/transforms.js";
import { centerWindow } from "../crops.js";
import { cropFrame, frameSize } from "./frame.js";
import { ANY, geometry } from "./transform.js";

export const centerCrop = geometry(TRANSFORM_WORDS.center_crop, {
  takes: ANY,
  size: ({ size }) => size,
  apply: (frame, { size }) => cropFrame(frame, centerWindow(frameSize(frame), size)),
});
