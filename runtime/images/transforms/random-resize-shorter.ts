import { TRANSFORM_WORDS } from "../../../compiler/words/transforms.js";
import { shorterTo, sizeByShorter } from "./resize.js";
import { BYTES, geometry } from "./transform.js";

export const randomResizeShorter = geometry(TRANSFORM_WORDS.random_resize_shorter, {
  steady: ({ length: [low], interpolation }) => [{ kind: "resize_shorter", length: low, interpolation }],
  takes: BYTES,
  size: ({ length: [low, high] }, before) => (low === high ? sizeByShorter(low, before) : undefined),
  apply: (frame, { length: [low, high], interpolation }, random) =>
    shorterTo(frame, low + Math.floor(random() * (high - low + 1)), interpolation),
});
