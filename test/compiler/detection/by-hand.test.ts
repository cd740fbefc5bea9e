/** What the paper adds to the detector (appendix B), on inputs whose answers are worked out by hand. */
import { describe, expect, it } from "vitest";
import type { Tensor } from "../emit/run.js";
import { rows, runComposition, type Image } from "./run.js";

const tensor = (shape: readonly number[], ...data: readonly number[]): Tensor => ({
  shape,
  data: Float32Array.from(data),
});
const whole = (height: number, width: number): Image => ({
  ...{ height, width, originalHeight: height, originalWidth: width, scaleY: 1, scaleX: 1 },
});

/** Deltas as they are, so that the arithmetic is short. */
const paper = "paper(deltas: [1, 1, 1, 1])";

const detections = { boxes: "found.boxes", scores: "found.scores" };

describe("box refinement", () => {
  it("pools again from the box of the likeliest class", async () => {
    // A region from pixel 20 to pixel 29: ten wide, its centre at 25. Of classes 1 and 2 the second is likelier; its
    // deltas move the centre by half a width to 30 and double the width to 20: 20 to 40, and nothing along y.
    const { again } = await runComposition(
      {
        regions: tensor([1, 5], 0, 20, 20, 29, 29),
        scores: tensor([1, 3], 0.5, 0.2, 0.3),
        deltas: tensor([1, 12], ...[0, 0, 0, 0], ...[0.1, 0.1, 0, 0], ...[0.5, 0, Math.LN2, 0]),
      },
      [100, 100],
      [whole(100, 100)],
      { dialect: paper, body: "again = refine(regions, scores, deltas)", outputs: { again: "again" } },
    );
    expect(rows(again!)[0]!.map((value) => Math.round(value * 1e4) / 1e4)).toEqual([0, 20, 20, 40, 30]);
  });

  it("joins the boxes of both passes before they are suppressed", async () => {
    // The second pass finds the first one's object at a better score, and one that the first did not find.
    const { boxes, scores } = await runComposition(
      {
        regions1: tensor([1, 5], 0, 0, 0, 9, 9),
        scores1: tensor([1, 2], 0.4, 0.6),
        regions2: tensor([2, 5], ...[0, 0, 0, 9, 9], ...[0, 50, 50, 69, 69]),
        scores2: tensor([2, 2], ...[0.2, 0.8], ...[0.7, 0.3]),
      },
      [100, 100],
      [whole(100, 100)],
      {
        dialect: paper,
        body: `regions = concat_rows [regions1, regions2]   scores = concat_rows [scores1, scores2]
          found = detect(regions, scores, nms: 0.3, keep: 100)`,
        outputs: detections,
      },
    );
    expect(rows(boxes!)).toEqual([
      [0, 0, 9, 9],
      [50, 50, 69, 69],
    ]);
    expect([...scores!.data]).toEqual([Math.fround(0.8), Math.fround(0.3)]);
  });
});

describe("box voting", () => {
  it("averages a box with those of its class that it suppressed, weighted by their scores", async () => {
    // Exclusive boxes. 0..10 at 0.6 and 0..12 at 0.3 overlap by 100 / 120 = 0.83; 0..30 at 0.5 overlaps the first by
    // 100 / 300 = 0.33: suppressed at 0.3, no voter at 0.5. Far edge: (0.6 * 10 + 0.3 * 12) / 0.9 = 10.667.
    const { boxes, scores } = await runComposition(
      {
        regions: tensor([3, 5], ...[0, 0, 0, 10, 10], ...[0, 0, 0, 12, 10], ...[0, 0, 0, 30, 10]),
        given: tensor([3, 2], ...[0.4, 0.6], ...[0.7, 0.3], ...[0.5, 0.5]),
      },
      [100, 100],
      [whole(100, 100)],
      {
        dialect: "torchvision_detection",
        body: "found = detect(regions, given, nms: 0.3, keep: 100, vote: 0.5)",
        outputs: detections,
      },
    );
    expect(rows(boxes!)[0]!.map((value) => value.toFixed(3))).toEqual(["0.000", "0.000", "10.667", "10.000"]);
    expect([...scores!.data]).toEqual([Math.fround(0.6)]);
  });
});

describe("global context", () => {
  it("sets the maximum of the whole image, without its padding, beside each region's", async () => {
    // Two images in a tensor of 4x4 pixels, the second 2 wide; the map is the image itself. Regions inclusive.
    const map = tensor(
      [2, 1, 4, 4],
      ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
      ...[20, 21, 99, 99, 22, 23, 99, 99, 24, 25, 99, 99, 26, 27, 99, 99],
    );
    const regions = tensor([3, 5], ...[0, 0, 0, 1, 1], ...[1, 0, 0, 0, 0], ...[1, 1, 1, 1, 2]);
    const { both } = await runComposition({ map, regions }, [4, 4], [whole(4, 4), whole(4, 2)], {
      dialect: paper,
      body: `whole = whole_image
          scene = roi_pool map, 1x1 on whole
          both = concat { roi_pool map, 1x1 on regions } { rows_of_image regions on scene }`,
      outputs: { both: "both" },
    });
    // The maximum of [1, 2, 5, 6] beside that of 1 to 16; 20, and 23 to 25, beside 27: not 99, which is padding.
    expect(rows(both!)).toEqual([
      [6, 16],
      [20, 27],
      [25, 27],
    ]);
  });
});

describe("multi-scale testing", () => {
  it("takes the two adjacent scales at which a region is nearest to 224 pixels, by maxout", async () => {
    // Maps of an image at half, once and twice its size: every value of one is 10, of the others 20 and 5.
    const sizes = [16, 32, 64];
    const fill = [10, 20, 5];
    const maps = Object.fromEntries(
      sizes.map((side, level) => [
        `map${level}`,
        tensor([1, 1, side, side], ...new Array<number>(side * side).fill(fill[level]!)),
      ]),
    );
    // Inclusive squares of 448, 224 and 112 pixels are 224 at half, once and twice the size. The second scale is the
    // next larger, since none is beyond 224; of the last the only neighbour. One of 300 is nearest at once its size, or
    // 90000 to 50176 pixels, beyond it: the second is the next smaller.
    const squares = [448, 224, 112, 300].map((side) => [0, 0, 0, side - 1, side - 1]);
    const regions = tensor([4, 5], ...squares.flat());
    const { merged } = await runComposition({ ...maps, regions }, [512, 512], [whole(512, 512)], {
      dialect: paper,
      body: `maps = identity on [map0, map1, map2]
          merged = maximum { scale_roi_pool(maps, 1x1) on regions } { scale_roi_pool(maps, 1x1, second: true) on regions }`,
      outputs: { merged: "merged" },
      strides: { map0: 32, map1: 16, map2: 8 },
    });
    expect([...merged!.data]).toEqual([20, 20, 20, 20]);
  });

  it("asks the nearest scale alone what the region is at it", async () => {
    const maps = {
      map0: tensor([1, 1, 16, 16], ...new Array<number>(256).fill(1)),
      map1: tensor([1, 1, 32, 32], ...new Array<number>(1024).fill(2)),
    };
    const regions = tensor([2, 5], ...[0, 0, 0, 447, 447], ...[0, 0, 0, 99, 99]);
    const { first, second } = await runComposition({ ...maps, regions }, [512, 512], [whole(512, 512)], {
      dialect: paper,
      body: `first = scale_roi_pool([map0, map1], 1x1) on regions
          second = scale_roi_pool([map0, map1], 1x1, second: true) on regions`,
      outputs: { first: "first", second: "second" },
      strides: { map0: 32, map1: 16 },
    });
    expect([...first!.data]).toEqual([1, 2]);
    expect([...second!.data]).toEqual([2, 1]);
  });
});
