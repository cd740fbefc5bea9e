import { TRANSFORM_WORDS } from "../../../compiler/words/transforms.js";
import type { Values } from "../../../compiler/words/schema.js";
import type { Size } from "../image.js";
import { conflict, isSampled, scaledTo, shorterTo } from "./resize.js";
import { BYTES, geometry } from "./transform.js";

type RandomResizeShorter = Values<typeof TRANSFORM_WORDS.random_resize_shorter.arguments>;

export const randomResizeShorter = geometry(TRANSFORM_WORDS.random_resize_shorter, {
  deterministic: ({ length: [low], step: _, ...how }) => [{ kind: "resize_shorter", length: low, ...how }],
  takes: BYTES,
  gives: (values) => (isSampled(values) ? "colour" : "bytes"),
  conflict({ length: [low, high], step = 1, ...how }) {
    if ((high - low) % step !== 0) return `steps of ${step} don't lead from ${low} to ${high}`;
    return conflict(how);
  },
  size: (values, before) => (before && values.length[0] === values.length[1] ? sizeAt(values, 0, before) : undefined),
  sizes: (values, before) => Array.from({ length: countOf(values) }, (_, index) => sizeAt(values, index, before)),
  apply(frame, values, random) {
    const index = Math.floor(random() * countOf(values));
    return shorterTo(frame, at(values, index));
  },
});

/** Lengths that may be drawn. */
function countOf({ length: [low, high], step = 1 }: RandomResizeShorter): number {
  return (high - low) / step + 1;
}

function at({ length: [low], step = 1, ...how }: RandomResizeShorter, index: number) {
  return { ...how, length: low + index * step };
}

function sizeAt(values: RandomResizeShorter, index: number, before: Size): Size {
  return scaledTo(before, at(values, index)).size;
}
