/** Masks through crops, scales and flips, on cells: pixels where they fit, averages of pixels where not. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cellsFor, cellsOf, placesIn, seenMask } from "../../../../runtime/data/detection/mask-cells.js";
import { Runs, type Mask } from "../../../../runtime/data/masks/mask.js";
import { preparePipeline, type SampleKey } from "../../../../runtime/images/transforms/pipeline.js";
import type { TransformSettings } from "../../../../runtime/images/transforms/index.js";

const KEY: SampleKey = { seed: 5, epoch: 0, index: 0 };

function maskOfPixels(width: number, height: number, isInside: (x: number, y: number) => boolean): Mask {
  const runs = new Runs();
  for (let x = 0; x < width; x++) for (let y = 0; y < height; y++) runs.add(isInside(x, y), 1);
  return { width, height, runs: runs.finish() };
}

/** An image whose red channel is the mask, put through the transforms, and how it is seen. */
async function seen(mask: Mask, isInside: (x: number, y: number) => boolean, transforms: readonly TransformSettings[]) {
  const { width, height } = mask;
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data[3 * (y * width + x)] = isInside(x, y) ? 255 : 0;
  const source = { size: [height, width] as const, pixels: () => ({ width, height, data }), boxes: [] };
  const [raster] = await preparePipeline(transforms).run(source, KEY);
  return raster!;
}

/** The mask in pixels of the tensor, by its cells. */
function pixels(
  values: Float32Array,
  count: number,
  frame: readonly number[],
  width: number,
  height: number,
): number[] {
  const cell = [(frame[2]! - frame[0]!) / count, (frame[3]! - frame[1]!) / count];
  return Array.from({ length: width * height }, (_, at) => {
    const x = Math.floor(((at % width) + 0.5 - frame[0]!) / cell[0]!);
    const y = Math.floor((Math.floor(at / width) + 0.5 - frame[1]!) / cell[1]!);
    return x < 0 || y < 0 || x >= count || y >= count ? 0 : values[y * count + x]!;
  });
}

const star = (x: number, y: number): boolean => x > 5 && x < 31 && y > 3 && y < 25 && (x * y) % 7 < 4;

describe("masks of objects", () => {
  it.each<[string, readonly TransformSettings[]]>([
    ["as they are", []],
    ["mirrored", [{ kind: "flip_horizontal", probability: 1 }]],
    ["cut", [{ kind: "random_crop", size: [20, 24] }]],
    ["with a border of zeros", [{ kind: "pad", margin: 4 }]],
    ["twice as large", [{ kind: "resize", size: [60, 80], interpolation: "nearest" }]],
    ["smaller", [{ kind: "resize", size: [14, 16], interpolation: "nearest" }]],
    [
      "one after the other, also after colours were changed",
      [
        { kind: "pad", margin: 3 },
        { kind: "random_crop", size: [30, 36] },
        { kind: "normalize", mean: [0, 0, 0], std: [1, 1, 1], range: 1 },
        { kind: "flip_horizontal", probability: 1 },
        { kind: "pad_to", multiple: 8 },
      ],
    ],
  ])("move with their image, %s", async (_, transforms) => {
    const mask = maskOfPixels(40, 30, star);
    const raster = await seen(mask, star, transforms);
    const one = seenMask(mask, placesIn(raster.frame!));
    const count = cellsFor([one]);
    const values = new Float32Array(count * count);
    const frame = cellsOf(one, count, values);
    const { width, height, data } = raster;
    const expected = Array.from({ length: width * height }, (_unused, at) => (data[3 * at]! > 0 ? 1 : 0));
    expect(pixels(values, count, frame, width, height)).toEqual(expected);
    expect(expected.some((each) => each > 0)).toBe(true);
  });

  it("take as many cells as the largest needs, in steps, and no more than 256", () => {
    const ofWidth = (width: number) =>
      seenMask(
        maskOfPixels(600, 10, (x) => x >= 20 && x < 20 + width),
        placesIn(preparedFrame(600, 10)),
      );
    expect(cellsFor([])).toBe(32);
    expect(cellsFor([ofWidth(30)])).toBe(32);
    expect(cellsFor([ofWidth(30), ofWidth(31)])).toBe(64);
    expect(cellsFor([ofWidth(500)])).toBe(256);
  });

  it("of large objects are averages: nothing is lost or added", () => {
    fc.assert(
      fc.property(fc.integer({ min: 255, max: 590 }), fc.integer({ min: 0, max: 10 }), (width, left) => {
        const mask = maskOfPixels(600, 12, (x, y) => x >= left && x < left + width && y > 2 && y < 9);
        const one = seenMask(mask, placesIn(preparedFrame(600, 12)));
        const count = cellsFor([one]);
        expect(count).toBe(256);
        const values = new Float32Array(count * count);
        const [x1, y1, x2, y2] = cellsOf(one, count, values);
        const area = ((x2 - x1) / count) * ((y2 - y1) / count);
        // Beyond the image's border it goes on.
        const sides = [left === 0, left + width === 600].filter(Boolean).length;
        const beyond = sides * 6 * ((x2 - x1) / count);
        const sum = values.reduce((all, each) => all + each, 0) * area;
        expect(Math.abs(sum - 6 * width - beyond)).toBeLessThan(0.01 * 6 * width + 1e-3);
        expect(Math.max(...values)).toBeLessThanOrEqual(1 + 1e-6);
      }),
      { numRuns: 20 },
    );
  });

  it("that are cut away have no cell, and go on beyond the border that they touch", () => {
    const places = placesIn(preparedFrame(40, 30));
    const none = seenMask(
      maskOfPixels(40, 30, () => false),
      places,
    );
    const values = new Float32Array(32 * 32);
    cellsOf(none, 32, values);
    expect(values.every((each) => each === 0)).toBe(true);
    const corner = seenMask(
      maskOfPixels(40, 30, (x, y) => x >= 30 && y >= 20),
      places,
    );
    const [x1, y1] = cellsOf(corner, 32, values);
    const at = (x: number, y: number): number => values[(y - y1) * 32 + x - x1]!;
    expect([at(30, 20), at(39, 29), at(40, 29), at(39, 30), at(29, 25), at(35, 19)]).toEqual([1, 1, 1, 1, 0, 0]);
  });
});

/** An image as it is. */
function preparedFrame(width: number, height: number) {
  const window = { left: 0, top: 0, width, height };
  return [
    { cut: window, scaled: [height, width] as const, interpolation: "nearest" as const, window, mirrored: false },
  ];
}
