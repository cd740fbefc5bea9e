/** Boxes after each transform, against those computed by hand; images in the corner of their canvas. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeDetectionBatch, type KnownObjects } from "../../../../runtime/data/detection/batch.js";
import { SAMPLES } from "../../../../runtime/data/sample.js";
import type { Box } from "../../../../runtime/data/objects.js";
import type { Size } from "../../../../runtime/images/image.js";
import type { TransformSettings } from "../../../../runtime/images/transforms/index.js";
import { preparePipeline } from "../../../../runtime/images/transforms/pipeline.js";

let root: string;
const file = (name: string) => path.join(root, `${name}.png`);

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "resnetc-boxes-"));
  for (const [name, width, height] of [["wide", 40, 30], ["tall", 24, 32]] as const) {
    const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => 1 + ((i * i) % 255));
    await sharp(data, { raw: { width, height, channels: 3 } }).png().toFile(file(name));
  }
}); // prettier-ignore
afterAll(() => rm(root, { recursive: true }));

const BOXES: readonly Box[] = [[10, 5, 8, 6], [30, 20, 10, 10], [0, 0, 4, 4]]; // prettier-ignore

function make(
  transforms: readonly TransformSettings[],
  canvases: readonly Size[],
  images: readonly (KnownObjects & { readonly name: string })[] = [{ name: "wide", boxes: BOXES, labels: [3, 0, 7] }],
  seed = 1,
) {
  const order = {
    references: images.map(({ name }) => ({ kind: "file", file: file(name) }) as const),
    indices: images.map((_, index) => index),
    objects: images,
    canvases,
    seed,
    epoch: 0,
  };
  return makeDetectionBatch(order, preparePipeline(transforms), SAMPLES, () => undefined);
}

describe("boxes of a batch", () => {
  it.each<[string, TransformSettings[], number[][], number[], number[]]>([
    ["as they are", [], [[10, 5, 18, 11], [30, 20, 40, 30], [0, 0, 4, 4]], [3, 0, 7], [30, 40, 30, 40, 1, 1]],
    [
      "mirrored",
      [{ kind: "flip_horizontal", probability: 1 }],
      [[22, 5, 30, 11], [0, 20, 10, 30], [36, 0, 40, 4]],
      [3, 0, 7],
      [30, 40, 30, 40, 1, 1],
    ],
    [
      "scaled to a shorter side",
      [{ kind: "resize_shorter", length: 60 }],
      [[20, 10, 36, 22], [60, 40, 80, 60], [0, 0, 8, 8]],
      [3, 0, 7],
      [60, 80, 30, 40, 2, 2],
    ],
    [
      "scaled up to a longer side by py-faster-rcnn's rules, whose boxes follow what was asked for",
      [{ kind: "resize_shorter", length: 60, longest: 70, like: "opencv" }],
      [[17.5, 8.75, 31.5, 19.25], [52.5, 35, 70, 52], [0, 0, 7, 7]],
      [3, 0, 7],
      [52, 70, 30, 40, 1.75, 1.75],
    ],
    [
      "scaled to one of several lengths, of which there is one",
      [{ kind: "random_resize_shorter", length: [45, 45], step: 32, longest: 1333, like: "pillow" }],
      [[15, 7.5, 27, 16.5], [45, 30, 60, 45], [0, 0, 6, 6]],
      [3, 0, 7],
      [45, 60, 30, 40, 1.5, 1.5],
    ],
    [
      "stretched",
      [{ kind: "resize", size: [60, 40] }],
      [[10, 10, 18, 22], [30, 40, 40, 60], [0, 0, 4, 8]],
      [3, 0, 7],
      [60, 40, 30, 40, 2, 1],
    ],
    [
      "cut: clipped, or left out",
      [{ kind: "center_crop", size: [20, 24] }],
      [[2, 0, 10, 6], [22, 15, 24, 20]],
      [3, 0],
      [20, 24, 20, 24, 1, 1],
    ],
    [
      "cut and scaled: the part is the original",
      [{ kind: "center_crop", size: [20, 24] }, { kind: "resize", size: [40, 48] }],
      [[4, 0, 20, 12], [44, 30, 48, 40]],
      [3, 0],
      [40, 48, 20, 24, 2, 2],
    ],
    [
      "scaled and cut",
      [{ kind: "resize_shorter", length: 60 }, { kind: "center_crop", size: [40, 40] }],
      [[0, 0, 16, 12], [40, 30, 40, 40]].slice(0, 1),
      [3],
      [40, 40, 20, 20, 2, 2],
    ],
    [
      "padded",
      [{ kind: "pad", margin: 5 }],
      [[15, 10, 23, 16], [35, 25, 45, 35], [5, 5, 9, 9]],
      [3, 0, 7],
      [40, 50, 40, 50, 1, 1],
    ],
    [
      "with colours changed, which moves nothing",
      [{ kind: "color_jitter" }, { kind: "color_pca" }, { kind: "normalize" }, { kind: "random_erasing", probability: 1 }],
      [[10, 5, 18, 11], [30, 20, 40, 30], [0, 0, 4, 4]],
      [3, 0, 7],
      [30, 40, 30, 40, 1, 1],
    ],
    [
      "mirrored after the mean was subtracted",
      [{ kind: "resize_shorter", length: 60 }, { kind: "normalize" }, { kind: "flip_horizontal", probability: 1 }],
      [[44, 10, 60, 22], [0, 40, 20, 60], [72, 0, 80, 8]],
      [3, 0, 7],
      [60, 80, 30, 40, 2, 2],
    ],
  ])("%s", async (_, transforms, boxes, labels, info) => {
    const { objects, info: row, canvas, failures } = await make(transforms, [[96, 96]]);
    expect(failures).toEqual([]);
    expect(canvas).toEqual([96, 96]);
    expect([...row]).toEqual(info.map(Math.fround));
    expect([...objects.labels]).toEqual(labels);
    expect([...objects.boxes]).toEqual(boxes.flat().map(Math.fround));
    expect(objects).toMatchObject({ count: boxes.length, present: Float32Array.from(labels, () => 1) });
  }); // prettier-ignore

  it("cut anywhere, and stretched: where the part was taken from, by the pixels", async () => {
    // Values tell the place: red is the column, green the row.
    const data = Uint8Array.from({ length: 40 * 30 * 3 }, (_, i) => [Math.floor(i / 3) % 40, Math.floor(i / 120), 0][i % 3]!);
    await sharp(data, { raw: { width: 40, height: 30, channels: 3 } }).png().toFile(file("places"));
    for (let seed = 0; seed < 20; seed++) {
      const images = [{ name: "places", boxes: BOXES, labels: [0, 1, 2] }];
      const made = await make([{ kind: "random_crop", size: [16, 16] }], [[16, 16]], images, seed);
      const [left, top] = [made.images[0]! * 255, made.images[256]! * 255].map(Math.round) as [number, number];
      const expected = BOXES.map(([x, y, w, h]) => [x - left, y - top, x - left + w, y - top + h])
        .map((corners) => corners.map((at) => Math.min(16, Math.max(0, at))))
        .map(([x1, y1, x2, y2], label) => ({ label, corners: [x1!, y1!, x2!, y2!] }))
        .filter(({ corners: [x1, y1, x2, y2] }) => x2! > x1! && y2! > y1!);
      const count = Math.max(1, expected.length);
      expect(made.objects.count).toBe(count);
      expect([...made.objects.boxes]).toEqual(expected.length === 0 ? [0, 0, 0, 0] : expected.flatMap(({ corners }) => corners));
      expect([...made.objects.present]).toEqual(expected.length === 0 ? [0] : expected.map(() => 1));
    }
  }); // prettier-ignore

  it("of a part of any size and proportion, scaled: as the part is", async () => {
    // Each pixel is 40 levels from the next, so that the first and the last of a row tell which columns were cut out.
    const data = Uint8Array.from({ length: 6 * 6 * 3 }, (_, i) => [40 * (Math.floor(i / 3) % 6), 40 * Math.floor(i / 18), 0][i % 3]!);
    await sharp(data, { raw: { width: 6, height: 6, channels: 3 } }).png().toFile(file("steps"));
    const crop = { kind: "random_resized_crop", size: [60, 60], scale: [0.2, 1], interpolation: "nearest" };
    const parts = new Set<string>();
    for (let seed = 0; seed < 30; seed++) {
      const made = await make([crop], [[64, 64]], [{ name: "steps", boxes: [[0, 0, 6, 6], [1, 2, 3, 1]], labels: [0, 1] }], seed); // prettier-ignore
      const level = (channel: number, row: number, column: number) =>
        Math.round((made.images[(channel * 64 + row) * 64 + column]! * 255) / 40);
      const [left, top, right, bottom] = [level(0, 0, 0), level(1, 0, 0), level(0, 0, 59) + 1, level(1, 59, 0) + 1];
      const [across, down] = [60 / (right - left), 60 / (bottom - top)];
      parts.add(`${right - left}x${bottom - top}`);
      const place = (at: number, from: number, to: number, scale: number) => (Math.min(Math.max(at, from), to) - from) * scale;
      const expected = [[0, 0, 6, 6], [1, 2, 4, 3]]
        .map(([x1, y1, x2, y2]) => [
          place(x1!, left, right, across), place(y1!, top, bottom, down), place(x2!, left, right, across), place(y2!, top, bottom, down),
        ])
        .filter(([x1, y1, x2, y2]) => x2! > x1! && y2! > y1!);
      expect([...made.objects.boxes]).toEqual(expected.flat().map(Math.fround));
      expect([...made.info]).toEqual([60, 60, bottom - top, right - left, down, across].map(Math.fround));
    }
    expect(parts.size).toBeGreaterThan(5);
  }); // prettier-ignore

  it("that single precision leaves nothing of are left out", async () => {
    const boxes: Box[] = [[30, 10, 1e-7, 5], [30, 10, 1e-3, 5]]; // prettier-ignore
    const { objects } = await make([], [[32, 64]], [{ name: "wide", boxes, labels: [1, 2] }]);
    expect([...objects.labels]).toEqual([2]);
  });
});

describe("images of a batch", () => {
  const images = [
    { name: "wide", boxes: BOXES.slice(0, 2), labels: [1, 2] },
    { name: "tall", boxes: [], labels: [] },
    { name: "tall", boxes: [[1, 2, 3, 4]] as Box[], labels: [5] },
  ];
  const normalize = { kind: "normalize", mean: [0.5, 0.25, 0.125], std: [0.5, 1, 2] };

  it("lie in the upper left corner of the smallest canvas that holds them all, zeros behind them", async () => {
    const made = await make([normalize], [[32, 32], [32, 40], [40, 40], [64, 64]], images); // prettier-ignore
    expect(made.canvas).toEqual([32, 40]);
    expect(made.images).toHaveLength(3 * 3 * 32 * 40);
    for (const [n, { name }] of images.entries()) {
      const { data, info } = await sharp(file(name)).raw().toBuffer({ resolveWithObject: true });
      for (let c = 0; c < 3; c++) {
        for (let y = 0; y < 32; y++) {
          for (let x = 0; x < 40; x++) {
            const isInside = y < info.height && x < info.width;
            const level = isInside ? data[(y * info.width + x) * 3 + c]! / 255 : 0;
            const expected = isInside ? (level - normalize.mean[c]!) / normalize.std[c]! : 0;
            const at = ((n * 3 + c) * 32 + y) * 40 + x;
            if (Math.abs(made.images[at]! - expected) > 1e-6) expect([n, c, y, x, made.images[at]]).toEqual(expected);
          }
        }
      }
    }
    expect([...made.info]).toEqual([30, 40, 30, 40, 1, 1, 32, 24, 32, 24, 1, 1, 32, 24, 32, 24, 1, 1]);
  });

  it("have as many rows of objects as the one with most; those that are none are not present", async () => {
    const { objects } = await make([], [[64, 64]], images);
    expect(objects.count).toBe(2);
    expect([...objects.present]).toEqual([1, 1, 0, 0, 1, 0]);
    expect([...objects.labels]).toEqual([1, 2, 0, 0, 5, 0]);
    expect([...objects.boxes.subarray(8)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 6, 0, 0, 0, 0]);
    const none = await make([], [[64, 64]], [images[1]!]);
    expect(none.objects).toMatchObject({ count: 1, present: Float32Array.of(0) });
  });

  it("that can't be read or cut are told, each, and nothing is made", async () => {
    const others = [...images, { name: "nowhere", boxes: [], labels: [] }];
    const made = await make([{ kind: "random_crop", size: [31, 20] }], [[64, 64]], others);
    expect(made.images).toHaveLength(0);
    expect(made.failures.map(({ place }) => place)).toEqual([0, 3]);
    expect(made.failures[0]!.message).toMatch(/wide\.png: 30x40 is smaller than the 31x20 that is cut out/);
    expect(made.failures[1]!.message).toMatch(/nowhere\.png: no such file/);
  });

  it("that go into no canvas are an error, which names one", async () => {
    await expect(make([], [[30, 40]], images)).rejects.toThrow(
      /tall\.png: is 24x32 after the transforms \(from 24x32\), and no canvas holds it/,
    );
  });
});
