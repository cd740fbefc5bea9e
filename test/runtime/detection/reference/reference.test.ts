/** The references on inputs whose answers are worked out by hand, in comments, or printed in the sources. */
import { describe, expect, it } from "vitest";
import { adjacentScales, maxout, refined, voted, wholeImage } from "./additions.js";
import { detectron2Anchors, paperAnchors, placed, torchvisionAnchors } from "./anchors.js";
import { clip, CLAMP, decode, iou, type Box, type Info } from "./boxes.js";
import { detectron2Detections, detectron2Proposals } from "./detectron2.js";
import { foregrounds, type Map3 } from "./maps.js";
import { PAPER_CODER, paperCandidates, paperDetections, paperProposals } from "./paper.js";
import { roiAlign, roiPool } from "./pooling.js";
import { PAPER_ANCHORS, PAPER_COCO_ANCHORS, TORCHVISION_ANCHORS } from "./published.js";
import { suppress } from "./scored.js";

/** Channels of one value each on a map of one place, or more where rows are given. */
function mapOf(channels: readonly (number | readonly number[])[], width = 1): Map3 {
  const values = channels.flatMap((channel) => channel);
  return { height: 1, width, values };
}

function info(height: number, width: number, scale = 1): Info {
  return {
    height,
    width,
    originalHeight: height / scale,
    originalWidth: width / scale,
    scaleY: scale,
    scaleX: scale,
  };
}

function expectBox(ours: Box | undefined, theirs: Box): void {
  expect(ours).toHaveLength(4);
  theirs.forEach((side, i) => expect(ours![i]).toBeCloseTo(side, 10));
}

describe("anchors", () => {
  it("are py-faster-rcnn's table", () => {
    expect(paperAnchors([8, 16, 32], [0.5, 1, 2])).toEqual(PAPER_ANCHORS);
    expect(paperAnchors([4], [0.5, 1, 2])).toEqual(PAPER_COCO_ANCHORS);
  });

  it("are Detectron2's, not rounded and by size", () => {
    const anchors = detectron2Anchors([32, 64], [0.5, 1, 2]);
    expectBox(anchors[0], [-22.627416997969522, -11.313708498984761, 22.627416997969522, 11.313708498984761]);
    expectBox(anchors[1], [-16, -16, 16, 16]);
    expectBox(anchors[4], [-32, -32, 32, 32]);
  });

  it("are torchvision's, rounded and by ratio", () => {
    expect(torchvisionAnchors([32], [0.5, 1, 2])).toEqual(TORCHVISION_ANCHORS);
  });

  it("stand at each place, row by row", () => {
    expect(placed([[0, 0, 1, 1]], { height: 2, width: 2 }, { y: 10, x: 16 })).toEqual([
      [0, 0, 1, 1],
      [16, 0, 17, 1],
      [0, 10, 1, 11],
      [16, 10, 17, 11],
    ]);
  });
});

describe("boxes", () => {
  it("overlap with and without the last pixel", () => {
    // 10 x 10 pixels each, of which 5 x 10 are shared: 50 / 150.
    expect(iou([0, 0, 9, 9], [5, 0, 14, 9], 1)).toBeCloseTo(1 / 3, 12);
    // 9 x 9 each, 4 x 9 shared: 36 / 126.
    expect(iou([0, 0, 9, 9], [5, 0, 14, 9], 0)).toBeCloseTo(36 / 126, 12);
    // Neighbours share the pixel that both name, and no more than a line otherwise.
    expect(iou([0, 0, 9, 9], [9, 0, 18, 9], 1)).toBeCloseTo(10 / 190, 12);
    expect(iou([0, 0, 9, 9], [9, 0, 18, 9], 0)).toBe(0);
    expect(iou([3, 3, 3, 3], [3, 3, 3, 3], 0)).toBe(0);
  });

  it("are decoded by py-faster-rcnn to a pixel more than they were", () => {
    // 10 wide with its last pixel, so the centre is 5 and the end 5 + 5.
    expect(decode([0, 0, 9, 9], [0, 0, 0, 0], PAPER_CODER)).toEqual([0, 0, 10, 10]);
    // The centre moves by 0.2 x 10, the width doubles: 7 - 10 and 7 + 10.
    expectBox(decode([0, 0, 9, 9], [0.2, 0, Math.log(2), 0], PAPER_CODER), [-3, 0, 17, 10]);
  });

  it("are decoded with weights, and sizes up to 62.5 times", () => {
    const coder = { one: 0, weights: [10, 10, 5, 5], clamp: CLAMP } as const;
    // dx = 2 / 10 of a width of 10; dw = 5 ln 2 / 5.
    expectBox(decode([0, 0, 10, 10], [2, 0, 5 * Math.log(2), 0], coder), [-3, 0, 17, 10]);
    expectBox(decode([0, 0, 10, 10], [0, 0, 1000, 0], coder), [5 - 312.5, 0, 5 + 312.5, 10]);
  });

  it("are clipped to the last pixel, or to the end", () => {
    expect(clip([-5, 3, 200, 99], 50, 100, 1)).toEqual([0, 3, 99, 49]);
    expect(clip([-5, 3, 200, 99], 50, 100, 0)).toEqual([0, 3, 100, 50]);
  });
});

describe("suppression", () => {
  it("keeps what overlaps by the threshold itself, and what only a dropped box overlaps", () => {
    const box = (x: number, score: number) => ({ box: [x, 0, x + 10, 10] as Box, score });
    // Neighbours 4 apart share 6 of 14: 0.43. The middle one is dropped, and so doesn't drop the last.
    expect(suppress([box(8, 0.7), box(0, 0.9), box(4, 0.8)], 0.4, 0).map(({ score }) => score)).toEqual([0.9, 0.7]);
    // 5 apart: exactly 5 / 15.
    expect(suppress([box(0, 0.9), box(5, 0.8)], 1 / 3, 0)).toHaveLength(2);
  });
});

describe("py-faster-rcnn", () => {
  it("reads backgrounds first", () => {
    // Two anchors: backgrounds 0 and 1, foregrounds ln 3 and 1.
    const [first, second] = foregrounds(mapOf([0, 1, Math.log(3), 1]));
    expect(first).toBeCloseTo(0.75, 12);
    expect(second).toBeCloseTo(0.5, 12);
  });

  const one = { scales: [1], ratios: [1] }; // anchors 0, 0, 15, 15 every 16 pixels
  const still = [0, 0, 0, 0];

  it("proposes what is large enough in the image, before it takes the best", () => {
    // Two places. The better box shrinks to half: 8 pixels in an image that was not scaled, of which 16 are wanted.
    const scores = mapOf(
      [
        [0, 0],
        [2, 1],
      ],
      2,
    );
    const offsets = mapOf([...still.slice(0, 2).map((x) => [x, x]), [Math.log(0.5), 0], [Math.log(0.5), 0]], 2);
    const proposals = paperProposals(scores, offsets, info(32, 64), { ...one, top: 1 });
    // The other is decoded from 16..31 to 16..32.
    expect(proposals.map(({ box }) => box)).toEqual([[16, 0, 32, 16]]);
    expect(proposals[0]!.score).toBeCloseTo(1 / (1 + Math.exp(-1)), 12);
    // At a scale of a half 8 are enough: its centre is 8, its sides 8, and the last pixel counts: 4..12 is 9 wide.
    const small = paperProposals(scores, offsets, info(32, 64, 0.5), { ...one, top: 1 });
    expect(small.map(({ box }) => box)).toEqual([[4, 4, 12, 12]]);
  });

  it("suppresses proposals with the last pixel counted", () => {
    // One place, two anchors of 16 x 16 and 32 x 32 pixels round the same middle. The first is 0..16 after decoding; the
    // second, -8..23, is -8..24 and clipped to 0..24: 17 x 17 of 25 x 25, 289 / 625 = 0.4624.
    const scores = mapOf([0, 0, 2, 1]);
    const offsets = mapOf([...still, ...still]);
    const propose = (iou: number) =>
      paperProposals(scores, offsets, info(64, 64), { scales: [1, 2], ratios: [1], iou }).length;
    expect(propose(0.4625)).toBe(2);
    expect(propose(0.4623)).toBe(1);
  });

  it("decodes detections in the image's own pixels", () => {
    // At a scale of 2 the region is 10..19 in the image, 10 wide: 10..20. Scaled afterwards it would be 10..20.25.
    const found = paperDetections(
      [[20, 20, 38, 38]],
      [[0.3, 0.1, 0.6]],
      [[...still, 1, 0, 0, 0, ...still]],
      info(200, 200, 2),
      { threshold: 0.2 },
    );
    expect(found).toEqual([{ box: [10, 10, 20, 20], score: 0.6, label: 1 }]);
  });

  it("keeps all that have the last kept one's score", () => {
    const regions: Box[] = [
      [0, 0, 9, 9],
      [20, 0, 29, 9],
      [40, 0, 49, 9],
      [60, 0, 69, 9],
    ];
    const probabilities = [0.9, 0.5, 0.5, 0.4].map((score) => [1 - score, score]);
    const offsets = regions.map(() => [...still, ...still]);
    const found = paperDetections(regions, probabilities, offsets, info(100, 100), { keep: 2 });
    expect(found.map(({ score }) => score)).toEqual([0.9, 0.5, 0.5]);
  });
});

describe("Detectron2", () => {
  const still = [0, 0, 0, 0];

  it("takes the best before it drops the empty, and clips to the end", () => {
    // Anchors of 32 pixels at 0, 16 and 32; the best is moved out of the image by 10 widths.
    const objectness = mapOf([[3, 2, 1]], 3);
    const offsets = mapOf(
      [
        [-10, 0, 0],
        [0, 0, 0],
        [0, 0, 0],
        [0, 0, 0],
      ],
      3,
    );
    const options = { sizes: [32], ratios: [1] };
    expect(detectron2Proposals(objectness, offsets, info(64, 64), { ...options, top: 1 })).toEqual([]);
    expect(detectron2Proposals(objectness, offsets, info(64, 64), { ...options, top: 2 })).toEqual([
      { box: [0, 0, 32, 16], score: 2 },
    ]);
    // 16 of 40 columns are shared with the next, and both stay.
    expect(detectron2Proposals(objectness, offsets, info(64, 40), options).map(({ box }) => box)).toEqual([
      [0, 0, 32, 16],
      [16, 0, 40, 16],
    ]);
  });

  it("drops what is not finite", () => {
    const objectness = mapOf([[NaN, 2]], 2);
    const offsets = mapOf(
      [
        [0, Infinity],
        [0, 0],
        [0, 0],
        [0, 0],
      ],
      2,
    );
    expect(detectron2Proposals(objectness, offsets, info(64, 64), { sizes: [32], ratios: [1] })).toEqual([]);
    const rows = [
      [0.6, 0.4],
      [0.6, NaN],
    ];
    const regions: Box[] = [
      [0, 0, 10, 10],
      [20, 0, 30, 10],
    ];
    expect(detectron2Detections(regions, rows, [still, still], info(64, 64))).toEqual([
      { box: [0, 0, 10, 10], score: 0.6, label: 0 },
    ]);
  });

  it("has the background last, and suppresses before it scales", () => {
    // Class 1 of two: dx = 5 / 10 of a width of 20. The image was twice as wide and three times as high.
    const of = { height: 60, width: 100, originalHeight: 180, originalWidth: 200, scaleY: 1 / 3, scaleX: 0.5 };
    const found = detectron2Detections([[0, 0, 20, 10]], [[0.04, 0.6, 0.36]], [[...still, 5, 0, 0, 0]], of);
    expect(found).toEqual([{ box: [20, 0, 60, 30], score: 0.6, label: 1 }]);
  });

  it("suppresses each class apart", () => {
    const regions: Box[] = [
      [0, 0, 10, 10],
      [0, 0, 10, 9],
    ];
    const rows = [
      [0.5, 0.3, 0.2],
      [0.4, 0.35, 0.25],
    ];
    const found = detectron2Detections(
      regions,
      rows,
      regions.map(() => [...still, ...still]),
      info(64, 64),
    );
    expect(found.map(({ score, label }) => [score, label])).toEqual([
      [0.5, 0],
      [0.35, 1],
    ]);
  });
});

describe("pooling", () => {
  const grid = { height: 5, width: 5, values: Array.from({ length: 25 }, (_, i) => i) };

  it("averages samples as Detectron2's test has it", () => {
    // tests/layers/test_roi_align.py
    const align = (aligned: boolean) => roiAlign(grid, [1, 1, 3, 3], [4, 4], { factor: 1, sampling: 0, aligned });
    const rows = (first: number) => [0, 2.5, 5, 7.5].flatMap((down) => [0, 0.5, 1, 1.5].map((x) => first + down + x));
    expect(align(false)).toEqual(rows(7.5));
    expect(align(true)).toEqual(rows(4.5));
  });

  it("takes maxima of bins that overlap, and 0 of none", () => {
    // 1.5 rounds to 2 and 3.4 to 3: 2 columns and rows in 3 bins of 2/3, which reach 2, 2..3 and 3.
    expect(roiPool(grid, [1.5, 1.5, 3.4, 3.4], [3, 3], 1)).toEqual([12, 13, 13, 17, 18, 18, 17, 18, 18]);
    expect(roiPool(grid, [7, 0, 9, 1], [1, 2], 1)).toEqual([0, 0]);
    // -0.5 rounds away from 0, to -1: 3 columns in 3 bins, the first of which is outside.
    expect(roiPool(grid, [-0.5, 0, 1, 0], [1, 3], 1)).toEqual([0, 0, 1]);
  });
});

describe("the paper's additions", () => {
  const still = [0, 0, 0, 0];

  it("refine by the likeliest class' box, and not by the background's", () => {
    // At a scale of 2: 10..19 in the image, moved by 10 and 10..20 wide after decoding; 40..60 in the tensor.
    const regions: Box[] = [[20, 20, 38, 38]];
    const again = refined(regions, [[0.5, 0.2, 0.3]], [[...still, ...still, 1, 0, 0, 0]], info(200, 200, 2));
    expect(again).toEqual([[40, 20, 60, 40]]);
  });

  it("let overlapping boxes of a class vote", () => {
    const box = (x: number, score: number, label = 0) => ({ box: [x, 0, x + 9, 9] as Box, score, label });
    // 10 x 10 pixels each; 2 apart 80 / 120 are shared, 4 apart 60 / 140 = 0.43, which is too little.
    const candidates = [box(0, 0.6), box(2, 0.2), box(4, 0.9), box(1, 0.9, 1)];
    const [kept] = voted([box(0, 0.6)], candidates);
    // (0.6 x 0 + 0.2 x 2) / 0.8 = 0.5
    expectBox(kept!.box, [0.5, 0, 9.5, 9]);
    expect(kept).toMatchObject({ score: 0.6, label: 0 });
    // 0.5 less, a vote of 0.2 counts for nothing; with all of them below, the box stays.
    expectBox(voted([box(0, 0.6)], candidates, { offset: -0.5 })[0]!.box, [0, 0, 9, 9]);
    expectBox(voted([box(0, 0.6)], candidates, { offset: -1 })[0]!.box, [0, 0, 9, 9]);
    // 3 apart 70 / 130 = 0.54 are shared; the threshold itself counts.
    expectBox(voted([box(0, 0.5)], [box(0, 0.5), box(3, 0.5)], { threshold: 70 / 130 })[0]!.box, [1.5, 0, 10.5, 9]);
  });

  it("find what two passes agree on", () => {
    // The second pass' region is better by its score and suppresses the first's; both vote, 1 to 3.
    const regions: Box[] = [
      [0, 0, 9, 9],
      [2, 0, 11, 9],
    ];
    const rows = [
      [0.8, 0.2],
      [0.4, 0.6],
    ];
    const offsets = regions.map(() => [...still, ...still]);
    const kept = paperDetections(regions, rows, offsets, info(100, 100));
    const candidates = paperCandidates(regions, rows, offsets, info(100, 100), 0.05);
    expect(kept).toEqual([{ box: [2, 0, 12, 10], score: 0.6, label: 0 }]);
    // (0.2 x 0 + 0.6 x 2) / 0.8 = 1.5; decoding has made 0..9 to 0..10 and 2..11 to 2..12.
    expectBox(voted(kept, candidates)[0]!.box, [1.5, 0, 11.5, 10]);
  });

  it("look at the whole image", () => {
    expect(wholeImage(info(60, 100), 1)).toEqual([0, 0, 99, 59]);
    expect(wholeImage(info(60, 100), 0)).toEqual([0, 0, 100, 60]);
  });

  it("choose two scales on either side of 224 x 224 pixels", () => {
    const factors = [1, 2, 3, 4, 5];
    const square = (side: number): Box => [0, 0, side - 1, side - 1];
    // 100 pixels a side: 300 at 3 is 39824 pixels off, 200 at 2 is 10176. Below, so the other is 3.
    expect(adjacentScales(square(100), factors, 1)).toEqual([1, 2]);
    // 80: 240 at 3 is 7424 off, 160 at 2 is 24576. Above, so the other is 2.
    expect(adjacentScales(square(80), factors, 1)).toEqual([2, 1]);
    // Nearest at the ends, with one neighbour.
    expect(adjacentScales(square(400), factors, 1)).toEqual([0, 1]);
    expect(adjacentScales(square(10), factors, 1)).toEqual([4, 3]);
    // Exactly 224: not above, so the other is the next.
    expect(adjacentScales(square(112), factors, 1)).toEqual([1, 2]);
  });

  it("take the larger of two responses", () => {
    expect(maxout([1, -2, 3], [0, -1, 5])).toEqual([1, -1, 5]);
  });
});
