/**
 * From the maps and heads of a network to regions and detections: the blocks of std/detection, as ONNX
 * Runtime runs it, against the references in float64 (test/runtime/detection/reference/, no line shared), for each
 * dialect over random batches of images of different sizes. The seeds are fixed: a comparison within a millionth of
 * its threshold falls out one way in float32 and the other in float64, and none of these does.
 */
import { describe, expect, it } from "vitest";
import { fillNormal, randomStream } from "../../../compiler/emit/random.js";
import { refined, voted } from "../../runtime/detection/reference/additions.js";
import type { Box } from "../../runtime/detection/reference/boxes.js";
import { detectron2Detections, detectron2Proposals } from "../../runtime/detection/reference/detectron2.js";
import { softmax, type Map3 } from "../../runtime/detection/reference/maps.js";
import { paperCandidates, paperDetections, paperProposals } from "../../runtime/detection/reference/paper.js";
import type { Detection, Scored } from "../../runtime/detection/reference/scored.js";
import { torchvisionDetections, torchvisionProposals } from "../../runtime/detection/reference/torchvision.js";
import type { Tensor } from "../emit/run.js";
import { rows, runComposition, type Image } from "./run.js";

const SEEDS = [1, 2, 3, 4, 5, 6];
/** The tensor of a batch of two; the second image leaves some of it empty. */
const IMAGE = [96, 160] as const;

const images = (kind: "opencv" | "torch"): readonly Image[] => {
  const original = [
    [60, 100],
    [75, 80],
  ] as const;
  return original.map(([originalHeight, originalWidth], index) => {
    const scale = [1.6, 1.2][index]!;
    const [height, width] = [Math.round(originalHeight * scale), Math.round(originalWidth * scale)];
    const [scaleY, scaleX] =
      kind === "opencv" ? [scale, scale] : [height / originalHeight, (width - 1) / originalWidth];
    return { height, width: kind === "opencv" ? width : width - 1, originalHeight, originalWidth, scaleY, scaleX };
  });
};

function normal(shape: readonly number[], name: string, std = 1): Tensor {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  fillNormal(data, std, randomStream(name));
  return { shape, data };
}

/** One image's part of [N, C, h, w]. */
function mapOf({ shape, data }: Tensor, image: number): Map3 {
  const [, channels, height, width] = shape as [number, number, number, number];
  const size = channels * height * width;
  return { height, width, values: data.subarray(image * size, (image + 1) * size) };
}

const expectedRegions = (byImage: readonly (readonly Scored[])[]): number[][] =>
  byImage.flatMap((found, image) => found.map(({ box }) => [image, ...box]));

/** Boxes are up to hundreds of pixels: float32 and float64 differ by less than a thousandth of one. */
function expectClose(
  actual: readonly (readonly number[])[],
  expected: readonly (readonly number[])[],
  within = 1e-3,
): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((row, index) => {
    row.forEach((value, column) => expect(Math.abs(value - expected[index]![column]!)).toBeLessThan(within));
  });
}

describe("proposals", () => {
  const [height, width] = [IMAGE[0] / 16, IMAGE[1] / 16];

  it.each(SEEDS)("of the paper, seed %i", async (seed) => {
    const sizes = [32, 64, 128];
    const objectness = normal([2, 2 * 9, height, width], `o${seed}`, 2);
    const deltas = normal([2, 4 * 9, height, width], `d${seed}`, 0.4);
    const of = images("opencv");
    const { regions, scores } = await runComposition({ objectness, deltas }, IMAGE, of, {
      dialect: "paper",
      body: "found = propose(objectness, deltas, [[32, 64, 128]], [0.5, 1, 2], top: 300, nms: 0.7, keep: 40)",
      outputs: { regions: "found", scores: "found.scores" },
      strides: { objectness: 16 },
    });
    const expected = of.map((image, index) =>
      paperProposals(mapOf(objectness, index), mapOf(deltas, index), image, {
        ...{ scales: sizes.map((size) => size / 16), top: 300, keep: 40 },
      }),
    );
    expectClose(rows(regions!), expectedRegions(expected));
    expectClose(
      rows(scores!),
      expected.flat().map(({ score }) => [score]),
      1e-5,
    );
  });

  it.each(SEEDS)("of Detectron2, seed %i", async (seed) => {
    const sizes = [32, 64, 128];
    const objectness = normal([2, 9, height, width], `o${seed}`, 2);
    const deltas = normal([2, 4 * 9, height, width], `d${seed}`, 0.4);
    const of = images("torch");
    const { regions } = await runComposition({ objectness, deltas }, IMAGE, of, {
      dialect: "detectron2",
      body: "found = propose(objectness, deltas, [[32, 64, 128]], [0.5, 1, 2], top: 200, nms: 0.7, keep: 50)",
      outputs: { regions: "found" },
      strides: { objectness: 16 },
    });
    const expected = of.map((image, index) =>
      detectron2Proposals(mapOf(objectness, index), mapOf(deltas, index), image, { sizes, top: 200, keep: 50 }),
    );
    expectClose(rows(regions!), expectedRegions(expected));
  });

  it.each(SEEDS)("of torchvision over a pyramid, seed %i", async (seed) => {
    // The coarsest grid does not divide the tensor: its step is 53, not 64.
    const shapes = [
      [24, 40],
      [12, 20],
      [3, 3],
    ] as const;
    const sizes = [[16], [32], [64]];
    const inputs = Object.fromEntries(
      shapes.flatMap(([h, w], level) => [
        [`objectness${level}`, normal([2, 3, h, w], `o${level}.${seed}`, 2)],
        [`deltas${level}`, normal([2, 12, h, w], `d${level}.${seed}`, 0.4)],
      ]),
    );
    const of = images("torch");
    const { regions } = await runComposition(inputs, IMAGE, of, {
      dialect: "torchvision_detection",
      body: `found = propose([objectness0, objectness1, objectness2], [deltas0, deltas1, deltas2], [[16], [32], [64]],
        [0.5, 1, 2], top: 100, nms: 0.7, keep: 60)`,
      outputs: { regions: "found" },
      strides: { objectness0: 4, objectness1: 8, objectness2: 16 },
    });
    const expected = of.map((image, index) =>
      torchvisionProposals(
        shapes.map((_, level) => ({
          objectness: mapOf(inputs[`objectness${level}`]!, index),
          deltas: mapOf(inputs[`deltas${level}`]!, index),
          sizes: sizes[level]!,
        })),
        { height: IMAGE[0], width: IMAGE[1] },
        image,
        { top: 100, keep: 60 },
      ),
    );
    expectClose(rows(regions!), expectedRegions(expected));
  });

  it("are one region without area where every box is too small", async () => {
    const objectness = normal([1, 2 * 3, 2, 2], "o");
    const deltas = normal([1, 4 * 3, 2, 2], "d", 0.1);
    const small = { height: 32, width: 32, originalHeight: 1, originalWidth: 1, scaleY: 32, scaleX: 32 };
    const { regions } = await runComposition({ objectness, deltas }, [32, 32], [small], {
      dialect: "paper",
      body: "found = propose(objectness, deltas, [[32]], [0.5, 1, 2], top: 100, nms: 0.7, keep: 10)",
      outputs: { regions: "found" },
      strides: { objectness: 16 },
    });
    expect(rows(regions!)).toEqual([[0, 0, 0, -1, -1]]);
  });
});

const CLASSES = 4;

interface Head {
  readonly regions: Tensor;
  readonly logits: Tensor;
  readonly scores: Tensor;
  readonly deltas: Tensor;
}

/** Twelve regions of each image, in clusters that overlap, with what a head says of them. */
function randomHead(seed: number, of: readonly Image[], boxes: number, name = ""): Head {
  const each = 12;
  const next = randomStream(`regions${name}${seed}`);
  const uniform = (low: number, high: number): number => low + (high - low) * next();
  const regions = of.flatMap(({ height, width }, image) =>
    Array.from({ length: each }, () => {
      const [x, y] = [uniform(0, width * 0.6), uniform(0, height * 0.6)];
      return [image, x, y, x + uniform(8, width * 0.4), y + uniform(8, height * 0.4)];
    }),
  );
  const count = regions.length;
  const logits = normal([count, CLASSES + 1], `l${name}${seed}`, 2);
  const scores = {
    shape: logits.shape,
    data: Float32Array.from(rows(logits).flatMap((row) => softmax(row))),
  };
  return {
    regions: { shape: [count, 5], data: Float32Array.from(regions.flat()) },
    logits,
    scores,
    deltas: normal([count, 4 * boxes], `h${name}${seed}`, 1),
  };
}

/** An image's rows: boxes of its regions, and what the head says of them. */
function ofImage({ regions, logits, scores, deltas }: Head, image: number) {
  const own = rows(regions).flatMap((row, index) => (row[0] === image ? [index] : []));
  const take = (tensor: Tensor): number[][] => own.map((index) => rows(tensor)[index]!);
  return {
    boxes: take(regions).map((row) => row.slice(1) as unknown as Box),
    logits: take(logits),
    probabilities: take(scores),
    deltas: take(deltas),
  };
}

/** @param settings of `detect`, as they are written */
async function detections(
  heads: readonly Head[],
  of: readonly Image[],
  dialect: string,
  settings: string,
): Promise<number[][]> {
  const inputs = Object.fromEntries(
    heads.flatMap(({ regions, scores, deltas }, index) => [
      [`regions${index}`, regions],
      [`scores${index}`, scores],
      [`deltas${index}`, deltas],
    ]),
  );
  const all = (what: string): string => `concat_rows [${heads.map((_, index) => `${what}${index}`).join(", ")}]`;
  const found = await runComposition(inputs, IMAGE, of, {
    dialect,
    body: `regions = ${all("regions")}   scores = ${all("scores")}   deltas = ${all("deltas")}
      found = detect(regions, scores, deltas, ${settings})`,
    outputs: { boxes: "found.boxes", scores: "found.scores", labels: "found.labels", images: "found.images" },
  });
  const numbers = (name: string): number[] => Array.from(found[name]!.data, Number);
  const [images, labels, scores] = [numbers("images"), numbers("labels"), numbers("scores")];
  return rows(found["boxes"]!).map((box, index) => [images[index]!, labels[index]!, scores[index]!, ...box]);
}

const expectedRows = (byImage: readonly (readonly Detection[])[]): number[][] =>
  byImage.flatMap((found, image) => found.map(({ label, score, box }) => [image, label, score, ...box]));

/** Released models of py-faster-rcnn have the deltas' deviations in their weights, and the reference is theirs. */
const released = "paper(deltas: [1, 1, 1, 1])";

describe("detections", () => {
  it.each(SEEDS)("of the paper, seed %i", async (seed) => {
    const of = images("opencv");
    const head = randomHead(seed, of, CLASSES + 1);
    const small = { ...head, deltas: { ...head.deltas, data: head.deltas.data.map((value) => value / 5) } };
    const expected = of.map((image, index) => {
      const { boxes, probabilities, deltas } = ofImage(small, index);
      return paperDetections(boxes, probabilities, deltas, image, { iou: 0.3, keep: 9 });
    });
    expectClose(await detections([small], of, released, "nms: 0.3, keep: 9"), expectedRows(expected));
  });

  it.each(SEEDS)("of Detectron2, seed %i", async (seed) => {
    const of = images("torch");
    const head = randomHead(seed, of, CLASSES);
    const expected = of.map((image, index) => {
      const { boxes, probabilities, deltas } = ofImage(head, index);
      return detectron2Detections(boxes, probabilities, deltas, image, { keep: 11 });
    });
    expectClose(await detections([head], of, "detectron2", "nms: 0.5, keep: 11"), expectedRows(expected));
  });

  it.each(SEEDS)("of torchvision, seed %i", async (seed) => {
    const of = images("torch");
    const head = randomHead(seed, of, CLASSES + 1);
    const expected = of.map((image, index) => {
      const { boxes, logits, deltas } = ofImage(head, index);
      // Its way back is by the ratio of sizes, which need not be the scale.
      const info = {
        ...image,
        originalHeight: image.height / image.scaleY,
        originalWidth: image.width / image.scaleX,
      };
      return torchvisionDetections(boxes, logits, deltas, info, { keep: 10 });
    });
    const found = await detections([head], of, "torchvision_detection", "nms: 0.5, keep: 10");
    expectClose(found, expectedRows(expected));
  });

  it.each(SEEDS)("of two passes, voted, seed %i", async (seed) => {
    const of = images("opencv");
    const passes = ["a", "b"].map((name) => {
      const head = randomHead(seed, of, CLASSES + 1, name);
      return { ...head, deltas: { ...head.deltas, data: head.deltas.data.map((value) => value / 5) } };
    });
    const expected = of.map((image, index) => {
      const candidates = passes.flatMap((head) => {
        const { boxes, probabilities, deltas } = ofImage(head, index);
        return paperCandidates(boxes, probabilities, deltas, image, 0.05);
      });
      const union = passes.map((head) => ofImage(head, index));
      const kept = paperDetections(
        union.flatMap(({ boxes }) => boxes),
        union.flatMap(({ probabilities }) => probabilities),
        union.flatMap(({ deltas }) => deltas),
        image,
        { iou: 0.3, keep: 9 },
      );
      return voted(kept, candidates, { threshold: 0.5, one: 1 });
    });
    const found = await detections(passes, of, released, "nms: 0.3, keep: 9, vote: 0.5");
    expectClose(found, expectedRows(expected));
  });

  it("are none of a region without area", async () => {
    const one = { height: 96, width: 160, originalHeight: 96, originalWidth: 160, scaleY: 1, scaleX: 1 };
    const head = {
      regions: { shape: [1, 5], data: Float32Array.of(0, 0, 0, -1, -1) },
      logits: normal([1, CLASSES + 1], "l"),
      scores: { shape: [1, CLASSES + 1], data: Float32Array.of(0, 1, 0, 0, 0) },
      deltas: normal([1, 4 * (CLASSES + 1)], "d"),
    };
    for (const dialect of ["paper", "torchvision_detection"]) {
      expect(await detections([head], [one], dialect, "nms: 0.5, keep: 100")).toEqual([]);
    }
  });
});

describe("refinement", () => {
  it.each(SEEDS)("moves regions to the boxes of their likeliest classes, seed %i", async (seed) => {
    const of = images("opencv");
    const head = randomHead(seed, of, CLASSES + 1);
    const deltas = { ...head.deltas, data: head.deltas.data.map((value) => value / 5) };
    const { regions, scores } = head;
    const { again } = await runComposition({ regions, scores, deltas }, IMAGE, of, {
      dialect: released,
      body: "again = refine(regions, scores, deltas)",
      outputs: { again: "again" },
    });
    const expected = of.flatMap((image, index) => {
      const own = ofImage({ ...head, deltas }, index);
      return refined(own.boxes, own.probabilities, own.deltas, image).map((box) => [index, ...box]);
    });
    expectClose(rows(again!), expected);
  });
});
