import { fromVersion1, type PreprocessVersion1 } from "../../../compiler/metadata-version-1.js";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { decodeImage } from "../../../runtime/images/decode.js";
import { detectorInput, stack, type DetectorInput } from "../../../runtime/images/detector-input.js";
import type { Image } from "../../../runtime/images/image.js";
import { placesByRatio, placesByScale, sample, type Places } from "../../../runtime/images/sample.js";
import { scaleByRules } from "../../../runtime/images/scaled-size.js";
import { plainPreprocess } from "../../support/preprocess.js";

// Made by test/oracle/make_detector_images.py with torchvision, OpenCV and Pillow.
const GOLDEN = path.join(import.meta.dirname, "../../golden/images");
type Rules = "torch" | "opencv" | "pillow";
interface Golden {
  readonly sizes: readonly ({ readonly from: [number, number] } & Readonly<Record<Rules, [number, number] | null>>)[];
  readonly tensors: readonly {
    readonly file: string;
    /** As version 1 had it. */
    readonly preprocess: PreprocessVersion1;
    readonly info: readonly number[];
    readonly shape: readonly number[];
    readonly sum: number;
    readonly at: readonly number[];
    readonly values: readonly number[];
  }[];
}
const { sizes, tensors } = JSON.parse(readFileSync(path.join(GOLDEN, "detector.json"), "utf8")) as Golden;

describe("the size of the scaled image", () => {
  it.each<[Rules, number, number]>([
    ["torch", 800, 1333],
    ["pillow", 800, 1333],
    ["opencv", 600, 1000],
  ])("like %s", (like, shorter, longest) => {
    const ours = sizes.map(({ from }) => scaleByRules(from, { shorter, longest, like }).size);
    expect(ours).toEqual(sizes.map((row, i) => row[like] ?? ours[i]));
    expect(sizes.filter((row) => row[like] !== null).length).toBeGreaterThan(150);
  });

  it("where the rules differ, so do the sizes", () => {
    const of = (like: Rules | undefined, shorter: number, longest: number) =>
      scaleByRules([484, 622], { shorter, longest, ...(like && { like }) }).size;
    expect([of("torch", 800, 1333), of("pillow", 800, 1333), of(undefined, 800, 1333)]).toEqual([
      [799, 1028],
      [800, 1028],
      [800, 1028],
    ]);
  });

  it("without rules, the longer side's limit is torchvision's max_size", () => {
    // torchvision.transforms.functional._compute_resized_image_output_size: int(700 * 500 / 1000)
    expect(scaleByRules([300, 600], { shorter: 500, longest: 700 }).size).toEqual([350, 700]);
    expect(scaleByRules([600, 301], { shorter: 500, longest: 700 }).size).toEqual([700, 351]);
  });

  it.each<Rules>(["torch", "opencv", "pillow"])("like %s, a thread keeps a pixel", (like) => {
    const { size, scale } = scaleByRules([4, 40_000], { shorter: 600, longest: 1000, like });
    // Single precision leaves torchvision a pixel less.
    const width = like === "torch" ? 999 : 1000;
    expect(size).toEqual([1, width]);
    expect(scale).toEqual(like === "opencv" ? [1 / 40, 1 / 40] : [1 / 4, width / 40_000]);
  });
});

describe("images as detectors are given them", () => {
  it.each(tensors.map((each) => [`${each.file} like ${JSON.stringify(each.preprocess.resize)}`, each] as const))(
    "%s",
    async (_, { file, preprocess, info, shape, sum, at, values }) => {
      const ours = detectorInput(await decodeImage(path.join(GOLDEN, file)), fromVersion1(preprocess));
      expect(ours.info).toEqual(info.map((value) => expect.closeTo(value, 9) as unknown));
      const { image } = stack([ours], preprocess.padTo);
      expect(image.shape).toEqual([1, ...shape]);
      // A JPEG decoder may differ by a level between versions. Otherwise single precision is what differs.
      const level = preprocess.range / 255 / Math.min(...preprocess.std);
      const tolerance = file.endsWith(".jpg") ? 1.01 * level : 5e-3 * level;
      at.forEach((index, i) => expect(Math.abs(image.data[index]! - values[i]!)).toBeLessThan(tolerance));
      const total = image.data.reduce((a, b) => a + b, 0);
      expect(Math.abs(total - sum) / image.data.length).toBeLessThan(tolerance / 20);
    },
  );
});

describe("sampling", () => {
  const noise = (width: number, height: number): Image => ({
    width,
    height,
    data: Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 7919 + Math.floor(i / 7) * 31) % 256),
  });

  /** By definition, in double precision: the mean of the four pixels round a place. */
  function byDefinition(image: Image, y: number, x: number, channel: number): number {
    const level = (row: number, column: number) => {
      const [r, c] = [Math.max(0, Math.min(image.height - 1, row)), Math.max(0, Math.min(image.width - 1, column))];
      return image.data[(r * image.width + c) * 3 + channel]!;
    };
    const [top, left] = [Math.floor(y), Math.floor(x)];
    const [down, right] = [y - top, x - left];
    return (
      (1 - down) * ((1 - right) * level(top, left) + right * level(top, left + 1)) +
      down * ((1 - right) * level(top + 1, left) + right * level(top + 1, left + 1))
    );
  }

  it.each([
    [13, 9, 40, 31],
    [40, 31, 13, 9],
    [1, 1, 5, 4],
    [1, 7, 3, 2],
    [2, 2, 2, 2],
    [64, 3, 5, 50],
  ])("%d x %d to %d x %d", (width, height, toWidth, toHeight) => {
    const image = noise(width, height);
    const check = (rows: Places, columns: Places, y: (i: number) => number, x: (i: number) => number) => {
      const values = sample(image, rows, columns);
      expect(values).toHaveLength(toHeight * toWidth * 3);
      values.forEach((value, i) => {
        const [row, column] = [Math.floor(i / 3 / toWidth), Math.floor(i / 3) % toWidth];
        expect(value * 255).toBeCloseTo(byDefinition(image, y(row), x(column), i % 3), 2);
      });
    };
    const ratio = (from: number, to: number) => (i: number) => ((i + 0.5) * from) / to - 0.5;
    check(
      placesByRatio(height, toHeight),
      placesByRatio(width, toWidth),
      ratio(height, toHeight),
      ratio(width, toWidth),
    );
    const byScale = (scale: number) => (i: number) => (i + 0.5) / scale - 0.5;
    check(placesByScale(height, toHeight, 1.7), placesByScale(width, toWidth, 0.6), byScale(1.7), byScale(0.6));
  });
});

describe("several images in one tensor", () => {
  const input = (height: number, width: number, value: number): DetectorInput => ({
    planes: { channels: 3, height, width, data: new Float32Array(3 * height * width).fill(value) },
    info: [height, width, height * 2, width * 2, 0.5, 0.5],
  });

  it("lie at the top left, zeros elsewhere, up to a multiple", () => {
    const { image, info } = stack([input(3, 5, 1), input(4, 2, 2)], 4);
    expect(image.shape).toEqual([2, 3, 4, 8]);
    const plane = (index: number) =>
      Array.from({ length: 4 }, (_, y) => image.data.subarray(index * 32 + y * 8, index * 32 + y * 8 + 8).join(""));
    for (const index of [0, 1, 2]) expect(plane(index)).toEqual(["11111000", "11111000", "11111000", "00000000"]);
    for (const index of [3, 4, 5]) expect(plane(index)).toEqual(["22000000", "22000000", "22000000", "22000000"]);
    expect([...info.data]).toEqual([3, 5, 6, 10, 0.5, 0.5, 4, 2, 8, 4, 0.5, 0.5]);
    expect(info.shape).toEqual([2, 6]);
  });

  it("fill the size that a model fixes", () => {
    expect(stack([input(3, 5, 1)], 1, [8, 9]).image.shape).toEqual([1, 3, 8, 9]);
  });
});

describe("without rules", () => {
  const bytes = { range: 255 };
  const image: Image = { width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 4, 5, 6) };

  it("no scaling: the pixels", () => {
    const { planes, info } = detectorInput(image, plainPreprocess(bytes));
    expect([...planes.data]).toEqual([1, 4, 2, 5, 3, 6]);
    expect(info).toEqual([1, 2, 1, 2, 1, 1]);
  });

  it("a fixed size", () => {
    expect(detectorInput(image, plainPreprocess({ ...bytes, resize: { to: [4, 6] } })).info).toEqual([
      4, 6, 1, 2, 4, 3,
    ]);
  });

  it("a long image without a limit is refused before memory is spent", () => {
    const long: Image = { width: 10_000, height: 8, data: new Uint8Array(240_000) };
    const scale = () => detectorInput(long, plainPreprocess({ ...bytes, resize: { shorter: 600, like: "torch" } }));
    expect(scale).toThrow("10000x8 is too much for a detector: scaled it would be 750000x600");
    const limited = detectorInput(
      long,
      plainPreprocess({ ...bytes, resize: { shorter: 600, longest: 1000, like: "opencv" } }),
    );
    expect(limited.info).toEqual([1, 1000, 8, 10_000, 0.1, 0.1]);
  });
});
