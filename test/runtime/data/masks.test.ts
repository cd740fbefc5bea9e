/** Masks as runs of pixels: COCO's text of them, their size and place; against pycocotools (test/oracle/masks_golden.py). */
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { areaOf, boxOf, eachRun, Runs, type Mask } from "../../../runtime/data/masks/mask.js";
import { readMask, writeMask } from "../../../runtime/data/masks/text.js";
import { uniform } from "../../support/oracle-weights.js";

interface Golden {
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
