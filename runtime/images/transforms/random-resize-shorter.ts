import { TRANSFORM_WORDS } from "../../../compiler/words/transforms.js";
import { scaledTo, shorterTo } from "./resize.js";
import { BYTES, geometry } from "./transform.js";

const WITHOUT_RULES = { longest: undefined, like: undefined };

export const randomResizeShorter = geometry(TRANSFORM_WORDS.random_resize_shorter, {
  deterministic: ({ length: [low], interpolation }) => [{ kind: "resize_shorter", length: low, interpolation }],
  takes: BYTES,
  size: ({ length: [low, high], interpolation }, before) =>
    before && low === high ? scaledTo(before, { ...WITHOUT_RULES, length: low, interpolation }).size : undefined,
  apply(frame, { length: [low, high], interpolation }, random) {
    const length = low + Math.floor(random() * (high - low + 1));
    return shorterTo(frame, { ...WITHOUT_RULES, length, interpolation });
  },
});
