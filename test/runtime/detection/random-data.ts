/** Images with objects and detections at random, of which many lie on one another and many scores are equal. */
import fc from "fast-check";
import type { Box, Detection, Annotations, GroundTruth } from "../../../runtime/data/objects.js";

export interface Case {
  readonly data: Annotations;
  readonly detections: readonly Detection[];
}

/** Sides whose products are the boundaries 1024 and 9216, and their neighbours. */
const SIDES = [1, 2, 8, 15, 16, 31, 32, 33, 64, 72, 95, 96, 97, 128, 144];
const OBJECT_AREAS = [0, 1, 1023.999, 1024, 1024.001, 9215.999, 9216, 9216.001, 20000];

const side = fc.oneof(fc.constantFrom(...SIDES), fc.integer({ min: 1, max: 160 }));
const fresh: fc.Arbitrary<Box> = fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 60 }), side, side);
/** Few scores, so that many are equal. */
const score = fc.oneof(fc.constantFrom(0, 0.25, 0.5, 0.9, 1), fc.double({ min: 0, max: 1, noNaN: true }));

/** @param isVoc objects may be difficult, not crowds */
export function randomCase({ isVoc = false, mayHaveZero = false } = {}): fc.Arbitrary<Case> {
  const object = (images: readonly number[], categories: readonly number[]) =>
    fc.record({
      image: fc.constantFrom(...images),
      category: fc.constantFrom(...categories),
      box: fresh,
      // Of an outline: less than the box's or not, which COCO doesn't check.
      ownArea: fc.option(fc.constantFrom(...OBJECT_AREAS)),
      isOdd: fc.integer({ min: 0, max: 4 }).map((value) => value === 0),
    });
  return fc
    .record({
      images: fc.uniqueArray(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 4 }),
      categories: fc.uniqueArray(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 3 }),
      firstId: fc.constantFrom(...(mayHaveZero ? [0, 1] : [1, 7])),
    })
    .chain(({ images, categories, firstId }) =>
      fc.array(object(images, categories), { maxLength: 12 }).chain((drafts) => {
        const objects = drafts.map(({ ownArea, isOdd, ...rest }, index): GroundTruth => ({
          ...rest,
          id: firstId + index,
          area: ownArea ?? rest.box[2] * rest.box[3],
          isCrowd: isOdd && !isVoc,
          isDifficult: isOdd && isVoc,
        }));
        const data: Annotations = {
          images: images.map((id) => ({ id, file: `${id}.png` })),
          categories: categories.map((id) => ({ id, name: `class ${id}` })),
          objects,
          warnings: [],
        };
        return fc.record({
          data: fc.constant(data),
          detections: fc.array(detectionNear(data), { maxLength: 24 }),
        });
      }),
    );
}

/** Somewhere, or at an object or a little beside it. */
function detectionNear({ images, categories, objects }: Annotations): fc.Arbitrary<Detection> {
  const image = fc.constantFrom(...images.map(({ id }) => id));
  const category = fc.constantFrom(...categories.map(({ id }) => id));
  const anywhere = fc.record({ image, category, box: fresh, score });
  if (objects.length === 0) return anywhere;
  const nudge = fc.constantFrom(0, 0, 0, 1, -1, 3, -4, 8);
  const near = fc
    .record({ object: fc.constantFrom(...objects), score, nudges: fc.tuple(nudge, nudge, nudge, nudge) })
    .map(({ object: { image, category, box }, score, nudges }): Detection => ({
      image,
      category,
      score,
      box: [box[0] + nudges[0], box[1] + nudges[1], Math.max(1, box[2] + nudges[2]), Math.max(1, box[3] + nudges[3])],
    }));
  return fc.oneof({ weight: 3, arbitrary: near }, { weight: 1, arbitrary: anywhere });
}
