import { centerWindow } from "../crops.js";
import { cropFrame, frameSize } from "./frame.js";
import { required, size } from "./parameter.js";
import { ANY, SIDE, geometry } from "./transform.js";

export const centerCrop = geometry({
  kind: "center_crop",
  doc: "Cuts the middle out, with zeros round it where the image is smaller; rounded as torchvision does",
  parameters: { size: required(size("Height and width of the part in pixels", SIDE)) },
  takes: ANY,
  size: ({ size }) => size,
  apply: (frame, { size }) => cropFrame(frame, centerWindow(frameSize(frame), size)),
});
