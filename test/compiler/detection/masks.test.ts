/** A second look at what was found: its regions, and the masks of its classes; worked out by hand, in each dialect. */
import { describe, expect, it } from "vitest";
import { compile, memoryHost } from "../../../compiler/index.js";
import { openSession } from "../../../runtime/onnx/session.js";
import { uniform } from "../../support/oracle-weights.js";
import type { Tensor } from "../emit/run.js";
import { DETECTORS } from "../ops/detection/webgpu.cases.js";
import { rows, runComposition, type Image } from "./run.js";

const tensor = (shape: readonly number[], ...data: readonly number[]): Tensor => ({
  shape,
  data: Float32Array.from(data),
});

/** Two images of different sizes; the second is half as high and a quarter as wide in the tensor as it was. */
const IMAGES: readonly Image[] = [
  { height: 100, width: 120, originalHeight: 100, originalWidth: 120, scaleY: 1, scaleX: 1 },
  { height: 80, width: 60, originalHeight: 160, originalWidth: 240, scaleY: 0.5, scaleX: 0.25 },
];
/** Far from one another, in pixels of the tensor. */
const REGIONS = tensor([3, 5], ...[1, 4, 8, 24, 40], ...[0, 10, 20, 30, 60], ...[1, 32, 48, 56, 76]);

/** Of one class and a background that stands first or last. */
function scores(isFirst: boolean, own: readonly number[] = [0.6, 0.7, 0.8]): Tensor {
  return tensor([3, 2], ...own.flatMap((score) => (isFirst ? [0.1, score] : [score, 0.1])));
}

/** Every place of a region's mask has the region's number, those of the background -1. */
function masks(isFirst: boolean, regions = 3): Tensor {
  const planes = Array.from({ length: regions }, (_, region) =>
    isFirst ? [-1, -1, region, region] : [region, region, -1, -1],
  );
  return tensor([regions, 2, 2, 1], ...planes.flat());
}

const run = (dialect: string, given: Readonly<Record<string, Tensor>>) =>
  runComposition({ regions1: REGIONS, ...given }, [100, 120], IMAGES, {
    dialect,
    body: `found = detect(regions1, scores1, nms: 0.5, keep: 10)
      again = found_regions(found)
      masked = with_masks(found, masks2)`,
    outputs: {
      ...{ boxes: "masked.boxes", images: "masked.images" },
      ...{ again: "again", masks: "masked.masks" },
    },
  });

describe.each([
  ["paper", true],
  ["detectron", true],
  ["detectron2", false],
  ["torchvision_detection", true],
])("what was found, by %s", (dialect, isFirst) => {
  it("is looked at where it is in the tensor, and has the masks of its classes", async () => {
    const result = await run(dialect, { scores1: scores(isFirst), masks2: masks(isFirst) });
    const { boxes, images, again } = result;
    // By image and score: the region in the first image, then of the second the surer one.
    expect(Array.from(images!.data, Number)).toEqual([0, 1, 1]);
    expect(rows(boxes!)).toEqual([
      [10, 20, 30, 60],
      [128, 96, 224, 152],
      [16, 16, 96, 80],
    ]);
    expect(rows(again!)).toEqual([
      [0, 10, 20, 30, 60],
      [1, 32, 48, 56, 76],
      [1, 4, 8, 24, 40],
    ]);
    // `masks2` are of these regions, in this order.
    expect(result["masks"]!.shape).toEqual([3, 2, 1]);
    expect([...result["masks"]!.data]).toEqual([0, 0, 1, 1, 2, 2]);
  });

  it("nothing, is one region without area and no mask", async () => {
    const result = await run(dialect, { scores1: scores(isFirst, [0, 0, 0]), masks2: masks(isFirst, 1) });
    expect(rows(result["again"]!)).toEqual([[0, 0, 0, -1, -1]]);
    expect(result["boxes"]!.shape).toEqual([0, 4]);
    expect(result["masks"]!.shape).toEqual([0, 2, 1]);
  });
});

it("in half precision masks are nearly the same", async () => {
  const host = memoryHost({ "net.resnet": DETECTORS["masks"]! });
  const image = { data: Float32Array.from(uniform("image", 2 * 3 * 48 * 64, -2, 2)), shape: [2, 3, 48, 64] };
  const [full, half] = await Promise.all(
    (["fp32", "fp16"] as const).map(async (precision) => {
      const { onnx } = compile("net.resnet", { host, precision, seed: 5 });
      const session = await openSession(onnx!, { device: "cpu" });
      const found = await session.run({ image, image_info: { data: new Float32Array(), shape: [0, 6] } });
      await session.close();
      return found;
    }),
  );
  expect(full!["masks"]!.shape).toEqual([20, 12, 12]);
  const of = (found: typeof full) =>
    (["labels", "images", "boxes", "masks"] as const).map((name) =>
      Array.from<number | bigint, number>(found![name]!.data, Number),
    );
  const [theirs, ours] = [of(full), of(half)] as [number[][], number[][]];
  // Scores that are nearly equal may have changed places.
  const differences = ours[0]!.flatMap((label, row) => {
    const twin = theirs[0]!.findIndex(
      (other, i) =>
        other === label &&
        theirs[1]![i] === ours[1]![row] &&
        [0, 1, 2, 3].every((k) => Math.abs(theirs[2]![4 * i + k]! - ours[2]![4 * row + k]!) < 0.5),
    );
    const at = (place: number, start: number): number => 144 * start + place;
    return twin < 0
      ? []
      : [
          Math.max(
            ...Array.from({ length: 144 }, (_, i) => Math.abs(theirs[3]![at(i, twin)]! - ours[3]![at(i, row)]!)),
          ),
        ];
  });
  expect(differences.length).toBeGreaterThan(15);
  expect(Math.max(...differences)).toBeLessThan(0.05);
  expect(Math.max(...theirs[3]!) - Math.min(...theirs[3]!)).toBeGreaterThan(0.2);
});
