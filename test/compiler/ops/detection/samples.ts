/** Random boxes, scores and regions: many that are the same, some without area, some outside of their image. */
import fc from "fast-check";
import type { Input } from "./run.js";

const whole = (min: number, max: number) => fc.integer({ min, max });

/** Whole corners, so that overlaps are exact in float32. */
const box = fc
  .tuple(whole(-4, 24), whole(-4, 24), whole(1, 14), whole(1, 14))
  .map(([x, y, width, height]) => [x, y, x + width, y + height]);

/** Of no width, or turned. */
const degenerate = fc
  .tuple(whole(-4, 24), whole(-4, 24), whole(-3, 0), whole(-3, 3))
  .map(([x, y, width, height]) => [x, y, x + width, y + height]);

export const anyBox: fc.Arbitrary<number[]> = fc.oneof(
  { weight: 6, arbitrary: box },
  // One of a few, so that some are the same.
  { weight: 3, arbitrary: fc.constantFrom<number[]>([0, 0, 9, 9], [1, 0, 10, 9], [0, 0, 9, 4], [-3, -3, 40, 40]) },
  { weight: 1, arbitrary: degenerate },
);

/** Few values, so that some are the same. */
export const score = fc.integer({ min: 0, max: 16 }).map((sixteenths) => sixteenths / 16);

export const LOWEST = Math.fround(-3.4e38);

export const anyScore = fc.oneof({ weight: 8, arbitrary: score }, { weight: 1, arbitrary: fc.constant(LOWEST) });

export const list = <T>(each: fc.Arbitrary<T>, length: number): fc.Arbitrary<T[]> =>
  fc.array(each, { minLength: length, maxLength: length });

export function input(sizes: string, shape: readonly number[], data: readonly number[]): Input {
  return { sizes, shape, data };
}

export function indices(sizes: string, shape: readonly number[], data: readonly number[]): Input {
  return { sizes, shape, data, dtype: "int64" };
}

/** [lead, 4] */
export const boxes = (sizes: string, lead: readonly number[], each = anyBox): fc.Arbitrary<Input> =>
  list(
    each,
    lead.reduce((a, b) => a * b, 1),
  ).map((rows) => input(sizes, [...lead, 4], rows.flat()));

export const values = (sizes: string, shape: readonly number[], each: fc.Arbitrary<number>): fc.Arbitrary<Input> =>
  list(
    each,
    shape.reduce((a, b) => a * b, 1),
  ).map((data) => input(sizes, shape, data));

/** [R, 5] of images below `batch`, in any order. */
export const regions = (count: number, batch: number, each = anyBox): fc.Arbitrary<Input> =>
  list(fc.tuple(whole(0, batch - 1), each), count).map((rows) =>
    input(
      "R 5",
      [count, 5],
      rows.flatMap(([image, corners]) => [image, ...corners]),
    ),
  );

/** [N, 6]: images of different sizes, in the tensor and originally. */
export const info = (batch: number): fc.Arbitrary<Input> =>
  list(fc.tuple(whole(1, 40), whole(1, 40), whole(1, 90), whole(1, 90)), batch).map((rows) =>
    input(
      "N 6",
      [batch, 6],
      rows.flatMap(([h, w, height, width]) => [h, w, height, width, Math.fround(h / height), Math.fround(w / width)]),
    ),
  );

/** Sizes of a case: images, rows (none among them), classes. */
export const counts = fc.record({ batch: whole(1, 3), rows: whole(0, 7), classes: whole(1, 3) });
