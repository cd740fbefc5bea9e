import { interval, required, type Values } from "./parameter.js";
import { interpolation, shorterTo, sizeByShorter } from "./resize.js";
import { BYTES, SIDE, geometry } from "./transform.js";

const parameters = {
  length: required(
    interval("The least and the greatest length of the shorter side in pixels; [256, 480] in the paper", {
      ...SIDE,
      integer: true,
    }),
  ),
  interpolation,
};

export const randomResizeShorter = geometry({
  kind: "random_resize_shorter",
  doc:
    "Scale augmentation: scales the image until its shorter side has a length that is drawn for each image, every " +
    "integer of the interval being as likely (section 3.4, after VGG)",
  parameters,
  steady: ({ length: [low], interpolation }) => [{ kind: "resize_shorter", length: low, interpolation }],
  takes: BYTES,
  size: ({ length: [low, high] }: Values<typeof parameters>, before) =>
    low === high ? sizeByShorter(low, before) : undefined,
  apply: (frame, { length: [low, high], interpolation }, random) =>
    shorterTo(frame, low + Math.floor(random() * (high - low + 1)), interpolation),
});
