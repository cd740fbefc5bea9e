/** Boxes go where the pixels go: a box is drawn, the image is transformed, and what is white is where the box is said to be. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { scaleByRules } from "../../../../runtime/images/scaled-size.js";
import type { TransformSettings } from "../../../../runtime/data/index.js";
import type { Box } from "../../../../runtime/data/objects.js";
import { NO_CHANCE, preparePipeline } from "../../../../runtime/images/transforms/pipeline.js";
import type { Raster } from "../../../../runtime/images/transforms/raster.js";

/** White on black. */
function drawn(width: number, height: number, [left, top, w, h]: Box): Raster {
  const data = new Uint8Array(width * height * 3);
  for (let y = top; y < top + h; y++) data.fill(255, (y * width + left) * 3, (y * width + left + w) * 3);
  return { width, height, data };
}

/** Round the pixels that are more than half white. */
function seen({ width, data, curve }: Raster, white: number): Box | undefined {
  const value = (at: number) => (data instanceof Uint8Array ? (curve?.[data[at]!] ?? data[at]! / 255) : data[at]!);
  const places = Array.from({ length: data.length / 3 }, (_, i) => i).filter((i) => value(3 * i) > white / 2);
  if (places.length === 0) return undefined;
  const [xs, ys] = [places.map((i) => i % width), places.map((i) => Math.floor(i / width))];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return [left, top, Math.max(...xs) + 1 - left, Math.max(...ys) + 1 - top];
}

const side = fc.integer({ min: 8, max: 60 });
const size = fc.tuple(side, side);
const geometry: fc.Arbitrary<TransformSettings> = fc.oneof(
  fc.record({ kind: fc.constant("pad"), margin: fc.integer({ min: 0, max: 9 }) }),
  fc.record({ kind: fc.constant("pad_to"), multiple: fc.integer({ min: 1, max: 16 }) }),
  fc.record({ kind: fc.constant("center_crop"), size }),
  fc.record({ kind: fc.constant("flip_horizontal"), probability: fc.constantFrom(0, 0.5, 1) }),
);
const scaling: fc.Arbitrary<TransformSettings> = fc.oneof(
  fc.record({ kind: fc.constant("resize"), size }),
  fc.record({ kind: fc.constant("random_resized_crop"), size }),
  fc.record({ kind: fc.constant("random_resize_shorter"), length: fc.constant([12, 50]) }),
  fc.record({
    kind: fc.constant("random_resize_shorter"),
    length: fc.constant([12, 48]),
    step: fc.constant(12),
    longest: fc.constant(60),
    like: fc.constantFrom("torch", "opencv", "pillow"),
  }),
  fc.record({
    kind: fc.constant("resize_shorter"),
    length: side,
    longest: fc.constantFrom(undefined, 40, 90),
    like: fc.constantFrom(undefined, "torch", "opencv", "pillow"),
  }),
);

describe("boxes", () => {
  it("are where the pixels are, through any transforms", () => {
    let compared = 0;
    fc.assert(
      fc.property(
        fc.array(geometry, { maxLength: 3 }),
        fc.option(scaling, { nil: undefined }),
        fc.array(geometry, { maxLength: 3 }),
        fc.tuple(fc.integer({ min: 20, max: 60 }), fc.integer({ min: 20, max: 60 })),
        fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.nat()),
        fc.nat({ max: 1000 }),
        (first, scale, then, [width, height], [a, b, c, d], seed) => {
          const w = 6 + (c % (width - 10));
          const h = 6 + (d % (height - 10));
          const box: Box = [a % (width - w), b % (height - h), w, h];
          const transforms = [...first, ...(scale ? [scale] : []), { kind: "normalize" }, ...then];
          const { finish } = preparePipeline(transforms).begin([height, width], { ...NO_CHANCE, seed }, [box]);
          const [out] = finish(drawn(width, height, box));
          const white = seen(out!, 1);
          const [said] = out!.boxes!;
          // What a filter leaves of a sliver may be grey.
          if (white === undefined) return void (said && expect(Math.min(said.box[2], said.box[3])).toBeLessThan(2));
          if (said === undefined) return void expect(Math.min(white[2], white[3])).toBeLessThan(2);
          compared++;
          const corners = ([x, y, w, h]: Box) => [x, y, x + w, y + h];
          corners(said.box).forEach((at, i) => expect(Math.abs(at - corners(white)[i]!)).toBeLessThanOrEqual(1.5));
        },
      ),
      { numRuns: 500 },
    );
    expect(compared).toBeGreaterThan(300);
  });

  const boxes = (transforms: TransformSettings[], given: Box[], [height, width] = [100, 200]) =>
    preparePipeline(transforms)
      .begin([height, width], NO_CHANCE, given)
      .finish(drawn(width, height, [0, 0, 1, 1]))[0]!.boxes;

  it("are clipped where the image is cut, and left out where nothing of them is left", () => {
    const crop = { kind: "center_crop", size: [40, 100] };
    expect(boxes([crop], [[0, 0, 60, 50], [0, 0, 50, 100], [60, 35, 10, 10], [140, 60, 60, 40]])).toEqual([
      { index: 0, box: [0, 0, 10, 20] },
      { index: 2, box: [10, 5, 10, 10] },
      { index: 3, box: [90, 30, 10, 10] },
    ]); // prettier-ignore
    // A margin that is cut off again brings nothing back.
    expect(boxes([crop, { kind: "pad", margin: 30 }], [[0, 0, 60, 50]])).toEqual([{ index: 0, box: [30, 30, 10, 20] }]);
  });

  it("that reach beyond the image end with it, and empty ones are left out", () => {
    expect(boxes([], [[-5, 90, 20, 20], [10, 10, 0, 5], [250, 0, 5, 5]])).toEqual([{ index: 0, box: [0, 90, 15, 10] }]); // prettier-ignore
  });

  it("are mirrored with it", () => {
    expect(boxes([{ kind: "flip_horizontal", probability: 1 }], [[10, 5, 30, 20]])).toEqual([
      { index: 0, box: [160, 5, 30, 20] },
    ]);
  });

  it.each(["torch", "opencv", "pillow", undefined] as const)(
    "are scaled by what a detector is told, like %s",
    (like) => {
      const resize = { shorter: 61, longest: 333, ...(like && { like }) };
      const { scale } = scaleByRules([100, 203], resize);
      const settings = { kind: "resize_shorter", length: 61, longest: 333, ...(like && { like }) };
      const [moved] = boxes([settings], [[10, 20, 30, 40]], [100, 203])!;
      const [down, across] = scale;
      [10 * across, 20 * down, 30 * across, 40 * down].forEach((at, i) => expect(moved!.box[i]).toBeCloseTo(at, 10));
    },
  );

  it("of ten crops are those of each", () => {
    const all = preparePipeline([{ kind: "ten_crop", size: [50, 50] }])
      .begin([100, 100], NO_CHANCE, [[0, 0, 20, 20]])
      .finish(drawn(100, 100, [0, 0, 1, 1]));
    const found = all.map(({ boxes }) => boxes!.map(({ box }) => box));
    expect(found.map((each) => each.length)).toEqual([1, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
    expect(found[0]).toEqual([[0, 0, 20, 20]]);
    expect(found[6]).toEqual([[30, 0, 20, 20]]);
  });
});
