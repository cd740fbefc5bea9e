/**
 * torchvision's Mask R-CNN with random weights, compiled here, gives torchvision's boxes, and its masks: on the grid, and
 * in the image.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { elaborate, parseTarget } from "../../../compiler/index.js";
import { emitModel } from "../../../compiler/compile.js";
import { concat } from "../../../compiler/emit/onnx.js";
import { readMask, type MaskText } from "../../../runtime/data/masks/text.js";
import { eachRun } from "../../../runtime/data/masks/mask.js";
import { openDetector, type Detected, type Detector } from "../../../runtime/detection/detector.js";
import { pasteMask, type Corners, type MaskGrid } from "../../../runtime/detection/paste.js";
import { detectorInput, stack } from "../../../runtime/images/detector-input.js";
import type { Image } from "../../../runtime/images/image.js";
import { matchedValues, matchWeights } from "../../../runtime/weights/index.js";
import { fasterRcnnImage, floats } from "../../support/fasterrcnn-golden.js";
import { expectSame, listOf } from "../../support/found.js";
import { maskRcnnGolden, maskRcnnSource, pastingGolden } from "../../support/maskrcnn-golden.js";
import { uniform } from "../../support/oracle-weights.js";

const TOLERANCE = 1e-3;

type Size = Pick<Image, "width" | "height">;

/** 1 where the object is, row after row. */
function pixelsOf(mask: MaskText): Uint8Array {
  const [height, width] = mask.size;
  const pixels = new Uint8Array(width * height);
  eachRun(readMask(mask), (column, top, length) => {
    for (let row = top; row < top + length; row++) pixels[row * width + column] = 1;
  });
  return pixels;
}

/** The probabilities of a mask in the whole image, row after row. */
function inImage(grid: MaskGrid, box: Corners, { width, height }: Size): Float32Array {
  const pasted = pasteMask(grid, box, { width, height });
  const image = new Float32Array(width * height);
  for (let row = 0; row < pasted.height; row++) {
    const values = pasted.values.subarray(row * pasted.width, (row + 1) * pasted.width);
    image.set(values, (pasted.y + row) * width + pasted.x);
  }
  return image;
}

/** Pixels that are in one mask only, and whose probability is not so near to a half that either is right. */
function differing(a: Uint8Array, b: Uint8Array, probabilities: Float32Array, tolerance: number): number {
  return a.reduce(
    (sum, pixel, i) => sum + (pixel !== b[i] && Math.abs(probabilities[i]! - 0.5) > tolerance ? 1 : 0),
    0,
  );
}

describe.each(["image", "image_batch", "none"] as const)("torchvision's Mask R-CNN: %s", (name) => {
  const golden = maskRcnnGolden(name);
  const { shorter, longest } = golden.input;
  const images = golden.input.images.map((each) => ({
    name: each.name,
    pixels: fasterRcnnImage(each.name, each.size),
  }));
  let detector: Detector;
  let detected: Detected[];
  let raw: Record<"boxes" | "scores" | "masks" | "labels" | "images", ArrayLike<number>>;

  beforeAll(async () => {
    const how = `torchvision_detection(shorter: ${shorter}, longest: ${longest})`;
    const { model } = elaborate(parseTarget(`MaskRCNN_FPN(how: ${how})`));
    const match = matchWeights(maskRcnnSource(golden), model!.graph.parameters, model!.weightMaps);
    const { chunks, byteLength } = emitModel(model!, { weights: matchedValues(match) });
    detector = await openDetector(concat(chunks, byteLength), { device: "cpu" });
    detected = await detector.detect(
      images.map(({ name: file, pixels }) => ({ name: file, pixels: () => pixels })),
      { batch: images.length },
    );
    const { image, info } = stack(
      images.map(({ pixels }) => detectorInput(pixels, model!.preprocess!)),
      32,
    );
    const results = await detector.session.run({ image, image_info: info });
    const entries = Object.entries(results).map(([output, { data }]) => [
      output,
      Array.from<number | bigint, number>(data, Number),
    ]);
    raw = Object.fromEntries(entries) as typeof raw;
    expect(results["masks"]!.shape).toEqual([raw.scores.length, 28, 28]);
  }, 180_000);
  afterAll(() => detector.close());

  test("boxes are within 0.05 pixels, scores and masks within 1e-3, in the image too", () => {
    expect(detector.hasMasks).toBe(true);
    let seen = 0;
    golden.found.forEach((theirs, image) => {
      const rows = Array.from(raw.images, (_, row) => row).filter((row) => raw.images[row] === image);
      const all = listOf(raw.labels, raw.scores, raw.boxes);
      const classes = theirs.labels.map((label) => label - 1);
      const expected = listOf(classes, floats(theirs.scores), floats(theirs.boxes));
      const pairs = expectSame(
        rows.map((row) => all[row]!),
        expected,
      );
      const result = detected[image] as Extract<Detected, { objects: object }>;
      expect(result.objects).toHaveLength(rows.length);

      for (const mask of theirs.masks) {
        const row = rows[pairs[mask.row]!]!;
        const values = Float32Array.from({ length: 784 }, (_, i) => raw.masks[784 * row + i]!);
        const grid = floats(mask.grid);
        expect(Math.max(...grid.map((value, i) => Math.abs(value - values[i]!)))).toBeLessThan(TOLERANCE);

        const { pixels } = images[image]!;
        const ours = inImage({ width: 28, height: 28, values }, all[row]!.box as unknown as Corners, pixels);
        for (const [y, x, value] of mask.samples) {
          expect(Math.abs(ours[y * pixels.width + x]! - value)).toBeLessThan(TOLERANCE);
        }
        const text = result.objects[rows.indexOf(row)]!.mask!;
        const their = pixelsOf({ size: [pixels.height, pixels.width], counts: mask.rle });
        expect(differing(pixelsOf(text), their, ours, TOLERANCE)).toBe(0);
        seen++;
      }
    });
    expect(seen).toBe(name === "none" ? 0 : 4 * images.length);
  });
});

describe("a mask is pasted as torchvision pastes it", () => {
  const { size, cases } = pastingGolden();
  const [height, width] = size;

  test.each(cases.map((each) => [each.side, each.box, each] as const))("%i places, box %j", (side, box, golden) => {
    const grid = { width: side, height: side, values: uniform(golden.name, side * side, 0, 1) };
    const ours = inImage(grid, box, { width, height });
    const sum = ours.reduce((all, value) => all + value, 0);
    expect(Math.abs(sum - golden.sum)).toBeLessThan(1e-5 * Math.max(1, golden.sum));
    for (const [y, x, value] of golden.samples) expect(Math.abs(ours[y * width + x]! - value)).toBeLessThan(1e-5);
    const mask = { size, counts: golden.rle };
    const own = Uint8Array.from(ours, (value) => (value > 0.5 ? 1 : 0));
    expect(differing(own, pixelsOf(mask), ours, 1e-5)).toBe(0);
  });

  test("and nothing of a box that is outside of the image", () => {
    const grid = { width: 2, height: 2, values: Float32Array.of(1, 1, 1, 1) };
    for (const box of [
      [-20, 5, -5, 15],
      [90, 5, 95, 15],
      [5, -30, 15, -10],
      [5, 70, 15, 75],
    ] as const) {
      expect(inImage(grid, box, { width, height }).every((value) => value === 0)).toBe(true);
    }
  });
});
