/** Masks as runs of pixels: COCO's text of them, their size and place; against pycocotools (test/oracle/masks_golden.py). */
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { areaOf, boxOf, eachRun, Runs, type Mask } from "../../../runtime/data/masks/mask.js";
import { lengthOf, maskOf as pixelsOf } from "../../../runtime/data/masks/outline.js";
import { overlapOf, union } from "../../../runtime/data/masks/overlap.js";
import { readMask, writeMask } from "../../../runtime/data/masks/text.js";
import { uniform } from "../../support/oracle-weights.js";

interface Golden {
  readonly polygons: readonly {
    readonly size: readonly [height: number, width: number];
    readonly polygons: readonly (readonly number[])[];
    readonly counts: string;
    readonly area: number;
    readonly box: readonly number[];
  }[];
  readonly pairs: readonly {
    readonly size: readonly [height: number, width: number];
    readonly counts: readonly string[];
    readonly crowds: readonly number[];
    readonly overlaps: readonly (readonly number[])[];
  }[];
  readonly masks: readonly {
    readonly name: string;
    readonly how: readonly [height: number, width: number, share: number, square: number];
    readonly counts: string;
    readonly area: number;
    readonly box: readonly number[];
  }[];
}

const golden = JSON.parse(
  readFileSync(new URL("../../golden/detection/masks.json", import.meta.url), "utf8"),
) as Golden;

function maskOf(width: number, height: number, isInside: (x: number, y: number) => boolean): Mask {
  const runs = new Runs();
  for (let x = 0; x < width; x++) for (let y = 0; y < height; y++) runs.add(isInside(x, y), 1);
  return { width, height, runs: runs.finish() };
}

describe("a mask", () => {
  it.each(golden.masks.map((each) => [each.how.join(", "), each] as const))(
    "is pycocotools' text: %s",
    (_, { name, how: [height, width, share, square], counts, area, box }) => {
      const columns = Math.floor((width - 1) / square) + 1;
      const chosen = uniform(name, (Math.floor((height - 1) / square) + 1) * columns, 0, 1);
      const mask = maskOf(
        width,
        height,
        (x, y) => chosen[Math.floor(y / square) * columns + Math.floor(x / square)]! < Math.fround(share),
      );
      expect(writeMask(mask)).toEqual({ size: [height, width], counts });
      expect(readMask({ size: [height, width], counts })).toEqual(mask);
      expect([areaOf(mask), boxOf(mask)]).toEqual([area, box]);
    },
  );

  it("is what was written, of any runs", () => {
    const run = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 2 ** 31 - 1 }));
    fc.assert(
      fc.property(fc.array(run, { minLength: 1, maxLength: 12 }), (lengths) => {
        const mask = { width: lengths.reduce((a, b) => a + b), height: 1, runs: Uint32Array.from(lengths) };
        expect(readMask(writeMask(mask))).toEqual(mask);
      }),
    );
  });

  it("as large as there are takes no time to be boxed", () => {
    const width = 2 ** 31 - 1;
    expect(boxOf({ width, height: 1, runs: Uint32Array.of(1, width - 3, 2) })).toEqual([1, 0, width - 3, 1]);
  });

  it("is gone through by columns", () => {
    const visited: number[][] = [];
    const mask = maskOf(3, 4, (x, y) => (x === 0 && y > 1) || x === 1 || (x === 2 && y === 3));
    eachRun(mask, (...run) => visited.push(run));
    expect(visited).toEqual([
      [0, 2, 2],
      [1, 0, 4],
      [2, 3, 1],
    ]);
  });

  it.each([
    ["", "is of 0 pixels, and the image has 5 x 5"],
    ["d0", "is of 20 pixels, and the image has 5 x 5"],
    ["d0\u0001", "has a letter that no mask has, at 3"],
    ["€", "has a letter that no mask has, at 1"],
    ["T", "ends in a number"],
    ["oooooooooo0", "has a number of too many letters, at 8"],
    ["O", "has a negative run, at 1"],
  ])("that is none is refused: %j", (counts, message) => {
    expect(() => readMask({ size: [5, 5], counts })).toThrow(message);
  });
});

describe("outlines", () => {
  it.each(golden.polygons.map((each, index) => [index, each] as const))(
    "are pycocotools' pixels, case %i",
    (_, { size, polygons, counts, area, box }) => {
      const mask = pixelsOf({ size, polygons });
      expect(writeMask(mask)).toEqual({ size, counts });
      expect([areaOf(mask), boxOf(mask)]).toEqual([area, box]);
    },
  );

  it("are worth something: of several parts, out of the image, without area", () => {
    expect(golden.polygons.filter(({ polygons }) => polygons.length > 1).length).toBeGreaterThan(10);
    expect(golden.polygons.filter(({ area }) => area > 20).length).toBeGreaterThan(20);
    expect(golden.polygons.some(({ area }) => area === 0)).toBe(true);
    expect(golden.polygons.filter(({ polygons }) => polygons.flat().some((value) => value < 0)).length).toBeGreaterThan(
      3,
    );
  });

  it("have a length", () => expect(lengthOf([0, 0, 30, 0, 30, 40])).toBe(30 + 40 + 40));
});

describe("two masks", () => {
  it.each(golden.pairs.map((each, index) => [index, each] as const))(
    "overlap as pycocotools has it, case %i",
    (_, { size, counts, crowds, overlaps }) => {
      const masks = counts.map((each) => readMask({ size, counts: each }));
      const ours = masks.map((mask) => masks.map((other, i) => overlapOf(mask, other, crowds[i] === 1)));
      expect(ours).toEqual(overlaps);
    },
  );

  it("are joined pixel by pixel, however many", () => {
    const bits = fc.array(fc.boolean(), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(fc.array(bits, { minLength: 1, maxLength: 5 }), (all) => {
        const masks = all.map((each) => maskOf(3, 4, (x, y) => each[x * 4 + y]!));
        expect(union(masks)).toEqual(maskOf(3, 4, (x, y) => all.some((each) => each[x * 4 + y]!)));
      }),
    );
  });

  it("of different sizes are not compared", () => {
    const [a, b] = [maskOf(3, 4, () => true), maskOf(4, 3, () => true)];
    expect(() => overlapOf(a, b, false)).toThrow("masks of 3 x 4 and 4 x 3 can't be compared");
  });
});
