import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { areaOf, canvasFor, chooseCanvases, type Need } from "../../../../runtime/data/detection/canvases.js";
import type { Size } from "../../../../runtime/images/image.js";

const need = (height: number, width: number, batches = 1): Need => ({ size: [height, width], batches });

describe("canvases", () => {
  it("are the sizes, rounded up, where these are few", () => {
    expect(chooseCanvases([need(800, 1066), need(1066, 800), need(801, 1060), need(800, 1066)], 32, 8)).toEqual([
      [800, 1088],
      [1088, 800],
      [832, 1088],
    ]);
  });

  it("where there are more, those are put together that add least, by the batches that are in them", () => {
    const needs = [need(320, 320, 5), need(320, 352, 1), need(320, 640, 10), need(640, 320, 10)];
    expect(chooseCanvases(needs, 32, 3)).toEqual([[320, 352], [320, 640], [640, 320]]); // prettier-ignore
    // 320x352 goes up to 320x640, of which there are few, rather than a thousand times 320x320 to 320x352.
    const other = [need(320, 320, 1000), need(320, 352, 1), need(320, 640, 10), need(640, 320, 10)];
    expect(chooseCanvases(other, 32, 3)).toEqual([[320, 320], [320, 640], [640, 320]]); // prettier-ignore
    expect(chooseCanvases(other, 32, 1)).toEqual([[640, 640]]);
  });

  it("hold everything that is needed, and the smallest that holds is found", () => {
    const side = fc.integer({ min: 1, max: 4000 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(side, side, fc.nat({ max: 9 })), { minLength: 1, maxLength: 400 }),
        fc.integer({ min: 1, max: 8 }),
        (sizes, most) => {
          const canvases = chooseCanvases(
            sizes.map(([height, width, batches]) => need(height, width, batches)),
            32,
            most,
          );
          expect(canvases.length).toBeLessThanOrEqual(most);
          for (const side of canvases.flat()) expect(side % 32).toBe(0);
          for (const [height, width] of sizes) {
            const canvas = canvasFor(canvases, [height, width])!;
            expect(canvas[0] >= height && canvas[1] >= width).toBe(true);
            const others = canvases.filter((each) => each[0] >= height && each[1] >= width);
            expect(areaOf(canvas)).toBe(Math.min(...others.map(areaOf)));
          }
        },
      ),
      { numRuns: 60 },
    );
    const two: Size[] = [[320, 640], [640, 320]]; // prettier-ignore
    expect(canvasFor(two, [400, 400])).toBeUndefined();
  });
});
