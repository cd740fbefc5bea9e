import { accepts } from "../../../../compiler/words/values.js";
import { readFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { exponential, randomStream } from "../../../../runtime/random.js";
import { cropFrame, pixelsIn, resizeFrame, wholeFrame } from "../../../../runtime/images/transforms/frame.js";
import { preparePipeline, deterministicTransforms } from "../../../../runtime/images/transforms/pipeline.js";
import { valuesOf, writePlanes, type Raster } from "../../../../runtime/images/transforms/raster.js";
import { Measurement } from "../../../../runtime/data/measurement.js";
import type { Statistics } from "../../../../runtime/images/statistics.js";
import {
  adjustBrightness,
  adjustContrast,
  adjustHue,
  adjustSaturation,
} from "../../../../runtime/images/transforms/color-adjust.js";
import { colourShift } from "../../../../runtime/images/transforms/color-pca.js";
import type { TransformSettings } from "../../../../runtime/images/transforms/index.js";
import { drawErased } from "../../../../runtime/images/transforms/random-erasing.js";
import { largestInMiddle } from "../../../../runtime/images/transforms/random-resized-crop.js";
import { TRANSFORM_KINDS } from "../../../../runtime/images/transforms/index.js";
import { decodeImage } from "../../../../runtime/images/decode.js";

interface Expected {
  readonly shape: readonly number[];
  readonly sum: number;
  readonly values: readonly (readonly [index: number, value: number])[];
}

// Made by test/oracle/make_data.py with Pillow and torchvision.
const GOLDEN = path.join(import.meta.dirname, "../../../golden");
const golden = JSON.parse(readFileSync(path.join(GOLDEN, "data/transforms.json"), "utf8")) as {
  readonly cases: readonly (Expected & { readonly transforms: readonly TransformSettings[]; readonly view?: number })[];
  readonly crops: readonly (Expected & {
    readonly window: { readonly top: number; readonly left: number; readonly height: number; readonly width: number };
  })[];
  readonly colours: readonly (Expected & { readonly kind: string; readonly amount: number })[];
};

let image: Raster;
beforeAll(async () => {
  image = await decodeImage(path.join(GOLDEN, "images/rgb.jpg.rgb.png"));
});

const KEY = { seed: 1, epoch: 0, index: 0 };

async function run(
  transforms: readonly TransformSettings[],
  raster = image,
  key = KEY,
  statistics?: Statistics,
): Promise<readonly Raster[]> {
  const size = [raster.height, raster.width] as const;
  const pipeline = preparePipeline(transforms, { from: size, ...(statistics && { statistics }) });
  const out = await pipeline.run({ size, pixels: () => raster }, key);
  expect(out).toHaveLength(pipeline.views);
  if (pipeline.size) expect([out[0]!.height, out[0]!.width]).toEqual(pipeline.size);
  // What is done to levels alone is not done to the pixels yet.
  return out.map(({ width, height, data, curve }) => {
    return curve ? { width, height, data: valuesOf({ width, height, data, curve }) } : { width, height, data };
  });
}

function planesOf(raster: Raster): Float32Array {
  const planes = new Float32Array(raster.width * raster.height * 3);
  writePlanes(raster, planes);
  return planes;
}

function expectPlanes(planes: Float32Array, shape: readonly number[], expected: Expected, tolerance: number): void {
  expect(shape).toEqual(expected.shape);
  for (const [index, value] of expected.values) expect(Math.abs(planes[index]! - value)).toBeLessThanOrEqual(tolerance);
  let sum = 0;
  planes.forEach((value, i) => (sum += (value * ((i % 97) + 1)) / 97));
  expect(Math.abs(sum - expected.sum)).toBeLessThanOrEqual(tolerance * planes.length);
}

describe("transforms do what torchvision's do", () => {
  it.each(golden.cases.map((each) => [JSON.stringify(each.transforms), each.view ?? 0, each] as const))(
    "%s, image %i",
    async (_, view, expected) => {
      const raster = (await run(expected.transforms))[view]!;
      // Bytes are exact; normalised values have several operations in fp32 behind them.
      expectPlanes(
        planesOf(raster),
        [3, raster.height, raster.width],
        expected,
        raster.data instanceof Uint8Array ? 1e-7 : 2e-5,
      );
    },
  );

  it.each(golden.crops.map((each) => [JSON.stringify(each.window), each] as const))(
    "resized crop %s",
    (_, expected) => {
      const whole = wholeFrame([image.height, image.width]);
      const raster = pixelsIn(resizeFrame(cropFrame(whole, expected.window), [16, 18], "bilinear"), image);
      expectPlanes(planesOf(raster), [3, raster.height, raster.width], expected, 1e-7);
    },
  );

  const adjust: Record<string, (rgb: Float32Array, amount: number) => void> = {
    brightness: adjustBrightness,
    contrast: adjustContrast,
    saturation: adjustSaturation,
    hue: adjustHue,
  };
  it.each(golden.colours.map((each) => [each.kind, each.amount, each] as const))(
    "%s by %f",
    (kind, amount, expected) => {
      const data = Float32Array.from(image.data, (level) => level / 255);
      adjust[kind]!(data, amount);
      expectPlanes(planesOf({ ...image, data }), [3, image.height, image.width], expected, 2e-6);
    },
  );
});

describe("random transforms", () => {
  const small: Raster = { width: 4, height: 3, data: Uint8Array.from({ length: 36 }, (_, i) => i + 1) };
  const many = (transforms: readonly TransformSettings[], raster: Raster, count: number) =>
    Promise.all(
      Array.from({ length: count }, async (_, index) => (await run(transforms, raster, { ...KEY, index }))[0]!),
    );

  it("pad then crop gives every position as often, zeros outside", async () => {
    const images = await many(
      [
        { kind: "pad", margin: 1 },
        { kind: "random_crop", size: [3, 4] },
      ],
      small,
      900,
    );
    const counts = new Map<string, number>();
    for (const { data } of images) {
      // Where the pixel with values 16, 17, 18 (second row, second column) went tells the position.
      const at = data.indexOf(16);
      expect(at % 3).toBe(0);
      expect([data[at + 1], data[at + 2]]).toEqual([17, 18]);
      counts.set(`${at}`, (counts.get(`${at}`) ?? 0) + 1);
      const zeros = data.filter((value) => value === 0).length;
      const [row, column] = [Math.floor(at / 12), (at / 3) % 4];
      expect(zeros).toBe(36 - 3 * (3 - Math.abs(row - 1)) * (4 - Math.abs(column - 1)));
    }
    expect(counts.size).toBe(9);
    for (const count of counts.values()) expect(Math.abs(count - 100)).toBeLessThan(40);
  });

  it("mirrors half of the images", async () => {
    const images = await many([{ kind: "flip_horizontal" }], small, 1000);
    const mirrored = images.filter(({ data }) => data[0] === 10);
    expect([...mirrored[0]!.data.slice(0, 12)]).toEqual([10, 11, 12, 7, 8, 9, 4, 5, 6, 1, 2, 3]);
    expect(images.filter(({ data }) => data[0] === 1)).toHaveLength(1000 - mirrored.length);
    expect(Math.abs(mirrored.length - 500)).toBeLessThan(60);
  });

  it("scales the shorter side to every length of the interval", async () => {
    const images = await many([{ kind: "random_resize_shorter", length: [6, 8] }], small, 150);
    const sizes = new Set(images.map(({ width, height }) => `${height}x${width}`));
    expect([...sizes].sort()).toEqual(["6x8", "7x9", "8x10"]);
  });

  it("or to some of them, by the rules and up to the longer side that are asked for", async () => {
    const rules = { step: 4, longest: 15, like: "pillow" };
    const images = await many([{ kind: "random_resize_shorter", length: [8, 16], ...rules }], small, 150);
    const sizes = new Set(images.map(({ width, height }) => `${height}x${width}`));
    // 12x16 and 16x21 are longer than 15.
    expect([...sizes].sort()).toEqual(["11x15", "8x11"]);
  });

  it("AlexNet's colours: the same shift for all pixels, of the spread that the eigenvalues give", async () => {
    const grey: Raster = { width: 2, height: 1, data: Uint8Array.of(51, 51, 51, 102, 102, 102) };
    const images = await many([{ kind: "color_pca" }], grey, 2000);
    const shifts = images.map(({ data }) => [0, 1, 2].map((c) => data[c]! - 0.2));
    for (const [i, { data }] of images.entries()) {
      for (const c of [0, 1, 2]) expect(data[3 + c]! - 0.4).toBeCloseTo(shifts[i]![c]!, 6);
    }
    // Variance of red: the sum over the components of (entry x eigenvalue x 0.1)^2.
    const variance = shifts.reduce((sum, [red]) => sum + red! * red!, 0) / shifts.length;
    const expected = [-0.5675 * 0.2175, 0.7192 * 0.0188, 0.4009 * 0.0045].reduce((sum, x) => sum + (x * 0.1) ** 2, 0);
    expect(variance / expected).toBeGreaterThan(0.85);
    expect(variance / expected).toBeLessThan(1.15);
    expect(colourShift([0, 1, 0])).toEqual([0.7192 * 0.0188, -0.0045 * 0.0188, -0.6948 * 0.0188]);
  });

  it("GoogLeNet's crops have the areas and proportions that were asked for", () => {
    const kind = TRANSFORM_KINDS.get("random_resized_crop")!;
    if (!kind.moves) throw new Error();
    const values = { size: [5, 5], scale: [0.2, 0.5], ratio: [0.5, 2], interpolation: "bilinear" };
    for (let i = 0; i < 300; i++) {
      const frame = kind.apply(wholeFrame([300, 400]), values, randomStream(`test ${i}`)) as ReturnType<
        typeof wholeFrame
      >;
      const { left, top, width, height } = frame[0]!.cut;
      const area = (width * height) / 120_000;
      expect(area).toBeGreaterThan(0.195);
      expect(area).toBeLessThan(0.505);
      expect(width / height).toBeGreaterThan(0.49);
      expect(width / height).toBeLessThan(2.03);
      expect([left >= 0, top >= 0, left + width <= 400, top + height <= 300]).toEqual([true, true, true, true]);
    }
    // torchvision's rule for images that are too long for the proportions.
    expect(largestInMiddle([10, 100], [0.75, 4 / 3])).toEqual({ left: 43, top: 0, width: 13, height: 10 });
    expect(largestInMiddle([100, 10], [0.75, 4 / 3])).toEqual({ left: 0, top: 43, width: 10, height: 13 });
    expect(largestInMiddle([30, 30], [0.75, 4 / 3])).toEqual({ left: 0, top: 0, width: 30, height: 30 });
  });

  it("jitter changes an image within the bounds, and not where it is told nothing", async () => {
    const none = { kind: "color_jitter", brightness: 0, contrast: 0, saturation: 0, hue: 0 };
    const same = (await run([none]))[0]!;
    image.data.forEach((level, i) => expect(same.data[i]! * 255).toBeCloseTo(level, 3));
    const grey: Raster = { width: 1, height: 1, data: Uint8Array.of(100, 100, 100) };
    const images = await many([{ ...none, brightness: 0.5 }], grey, 200);
    const factors = images.map(({ data }) => (data[0]! * 255) / 100);
    expect(Math.min(...factors)).toBeGreaterThanOrEqual(0.5);
    expect(Math.max(...factors)).toBeLessThanOrEqual(1.5);
    expect(Math.max(...factors) - Math.min(...factors)).toBeGreaterThan(0.9);
  });
});

describe("means of the training images", () => {
  const measured = () => {
    const measurement = new Measurement(1, 2);
    // Red, green and blue planes of two images of two pixels.
    measurement.add(Float32Array.of(0, 0.5, 0.25, 0.25, 1, 1));
    measurement.add(Float32Array.of(0.5, 1, 0.25, 0.75, 0, 1));
    return measurement.result();
  };
  const raster: Raster = { width: 2, height: 1, data: Uint8Array.of(255, 0, 51, 102, 0, 255) };

  it("are measured", () => {
    const { mean, channelMean, channelStd, samples } = measured();
    expect([...mean]).toEqual([0.25, 0.25, 0.5, 0.75, 0.5, 1]);
    expect(channelMean).toEqual([0.5, 0.375, 0.75]);
    expect(channelStd[0]).toBeCloseTo(Math.sqrt(0.125), 7);
    expect(samples).toBe(2);
  });

  it("are subtracted of each pixel, with zeros round it where padding comes after", async () => {
    const [out] = await run([{ kind: "subtract_mean" }, { kind: "pad", margin: 1 }], raster, KEY, measured());
    const middle = out!.data.slice(4 * 3 + 3, 4 * 3 + 9);
    [0.75, -0.25, -0.3, -0.35, -0.5, 0].forEach((value, i) => expect(middle[i]).toBeCloseTo(value, 6));
    expect(out!.data.filter((value) => value === 0)).toHaveLength(36 - 5);
  });

  it("are subtracted of each channel and divided", async () => {
    const transform = { kind: "subtract_mean", per: "channel", divide: "std", range: 255 };
    const [out] = await run([transform], raster, KEY, measured());
    expect(out!.data[0]).toBeCloseTo((0.5 / Math.sqrt(0.125)) * 255, 2);
    expect(out!.data[4]).toBeCloseTo((-0.375 / Math.sqrt((0.0625 * 3 + 0.5625) / 4 - 0.375 ** 2)) * 255, 2);
  });
});

describe("a list of transforms is checked before anything is read", () => {
  const statistics = new Measurement(32, 32);
  statistics.add(new Float32Array(3 * 32 * 32));
  const of32 = { from: [32, 32] as const, statistics: statistics.result() };
  const cases: readonly (readonly [TransformSettings[], string])[] = [
    [[{ kind: "flop" }], "no transform is named flop"],
    [[{ kind: "random_crops", size: [8, 8] }], "no transform is named random_crops (did you mean random_crop?)"],
    [[{ kind: "pad" }], "pad: margin is missing: an integer from 0 to 4096"],
    [[{ kind: "pad", margin: 1.5 }], "pad: margin must be an integer from 0 to 4096, not 1.5"],
    [[{ kind: "pad", margins: 1 }], "pad: no setting is named margins (did you mean margin?)"],
    [[{ kind: "random_crop", size: [40, 40] }], "random_crop: 32x32 is smaller than the 40x40 that is cut out"],
    [
      [{ kind: "random_resize_shorter", length: [9, 8] }],
      "random_resize_shorter: length must be [low, high], integers from 1 to 16384, not [9,8]",
    ],
    [
      [{ kind: "random_resize_shorter", length: [640, 800], step: 50 }],
      "random_resize_shorter: steps of 50 don't lead from 640 to 800",
    ],
    [
      [{ kind: "random_resize_shorter", length: [64, 80], like: "opencv", interpolation: "bicubic" }],
      "random_resize_shorter: like opencv is bilinear, not bicubic",
    ],
    [[{ kind: "normalize", std: [1, 0, 1] }], "normalize: std must be 3 numbers from 0.000001 to 1000, not [1,0,1]"],
    [
      [{ kind: "resize", size: [8, 8], like: "torch", interpolation: "nearest" }],
      "resize: like torch is bilinear, not nearest",
    ],
    [
      [{ kind: "normalize" }, { kind: "resize", size: [8, 8] }],
      "resize: has to come before normalize, which changes what the values mean",
    ],
    [
      [{ kind: "subtract_mean" }, { kind: "color_pca" }],
      "color_pca: has to come before subtract_mean, which changes what the values mean",
    ],
    [
      [{ kind: "pad", margin: 4 }, { kind: "subtract_mean" }],
      "subtract_mean: the mean image is 32x32 and the images are 40x40 there",
    ],
  ];
  it.each(cases)("%j", (transforms, message) => {
    expect(() => preparePipeline(transforms, of32)).toThrow(message);
  });

  it("a mean that was not measured; images without a known size have that of the mean", async () => {
    expect(() => preparePipeline([{ kind: "subtract_mean" }], { from: [32, 32] })).toThrow("was not measured");
    const { statistics } = of32;
    const pipeline = preparePipeline([{ kind: "subtract_mean" }], { statistics });
    expect(pipeline.size).toEqual([32, 32]);
    const odd = { width: 4, height: 3, data: new Uint8Array(36) };
    const run = pipeline.run({ size: [3, 4], pixels: () => odd }, { seed: 1, epoch: 0, index: 0 });
    await expect(run).rejects.toThrow(
      "the mean image is 32x32, this image 3x4 there; center_crop or resize before subtract_mean brings all to one size",
    );
  });

  it("what comes out has a size that is known where it can be", () => {
    const size = (transforms: TransformSettings[]) => preparePipeline(transforms).size;
    expect(size([{ kind: "random_resize_shorter", length: [256, 480] }])).toBeUndefined();
    expect(
      size([
        { kind: "resize_shorter", length: 256 },
        { kind: "ten_crop", size: [224, 224] },
      ]),
    ).toEqual([224, 224]);
  });
});

describe("random numbers", () => {
  const list = [{ kind: "random_crop", size: [20, 20] }, { kind: "flip_horizontal" }, { kind: "color_pca" }];

  it("depend on the seed, the epoch and the sample alone", async () => {
    const [first, again] = [await run(list), await run(list)];
    expect(first).toEqual(again);
    for (const other of [{ seed: 2 }, { epoch: 1 }, { index: 1 }]) {
      expect((await run(list, image, { ...KEY, ...other }))[0]!.data).not.toEqual(first[0]!.data);
    }
  });

  it("a transform more doesn't change those of the others before it", async () => {
    const [plain] = await run(list);
    const [more] = await run([...list, { kind: "color_jitter", brightness: 0, contrast: 0, saturation: 0 }]);
    plain!.data.forEach((value, i) => expect(more!.data[i]).toBeCloseTo(Math.min(1, Math.max(0, value)), 6));
  });

  it("the exponential function is exact to the last bits", () => {
    for (let x = -20; x <= 20; x += 0.37) expect(Math.abs(exponential(x) / Math.exp(x) - 1)).toBeLessThan(4e-15);
  });
});

it("nothing is left to chance in evaluation", () => {
  const paper = [
    { kind: "random_resize_shorter", length: [256, 480] },
    { kind: "random_crop", size: [224, 224] },
    { kind: "flip_horizontal" },
    { kind: "color_pca" },
    { kind: "subtract_mean" },
  ];
  expect(deterministicTransforms(paper)).toEqual([
    { kind: "resize_shorter", length: 256, interpolation: "bilinear" },
    { kind: "center_crop", size: [224, 224] },
    { kind: "subtract_mean" },
  ]);
});

it("every setting says what it does, and defaults are values that it takes", () => {
  for (const { parameters } of TRANSFORM_KINDS.values()) {
    for (const parameter of Object.values(parameters)) {
      expect(parameter.doc.length).toBeGreaterThan(10);
      if (parameter.default !== undefined) expect(accepts(parameter, parameter.default)).toBe(true);
      else expect(parameter.presence).not.toBe("default");
    }
  }
});

describe("random_erasing", () => {
  const raster: Raster = { width: 40, height: 30, data: new Uint8Array(40 * 30 * 3).fill(200) };
  const transforms = (settings: object): TransformSettings[] => [
    { kind: "normalize" },
    { kind: "random_erasing", ...settings },
  ];
  /** The rectangle that is not as the rest of the image; undefined: there is none. */
  const erased = ({ data, width }: Raster) => {
    const rest = Math.fround(200 / 255);
    const places = [...data.keys()].filter((i) => data[i] !== rest).map((i) => Math.floor(i / 3));
    if (places.length === 0) return undefined;
    const [rows, columns] = [places.map((at) => Math.floor(at / width)), places.map((at) => at % width)];
    const [top, left] = [Math.min(...rows), Math.min(...columns)];
    const [height, across] = [Math.max(...rows) - top + 1, Math.max(...columns) - left + 1];
    expect(places.length).toBe(height * across * 3);
    return { height, width: across, values: [...data].filter((value) => value !== rest) };
  };

  it("erases one rectangle in the share of images, of the area and proportion that were asked for", async () => {
    const found = [];
    for (let index = 0; index < 300; index++) {
      const [out] = await run(transforms({ scale: [0.1, 0.3], ratio: [0.5, 2] }), raster, { ...KEY, index });
      found.push(erased(out!));
    }
    const parts = found.filter((part) => part !== undefined);
    expect(parts.length / found.length).toBeGreaterThan(0.4);
    expect(parts.length / found.length).toBeLessThan(0.6);
    for (const { height, width, values } of parts) {
      // A side is rounded to whole pixels.
      expect(height * width).toBeGreaterThan(0.1 * 1200 - 20);
      expect(height * width).toBeLessThan(0.3 * 1200 + 20);
      expect(height / width).toBeGreaterThan(0.5 * 0.9);
      expect(height / width).toBeLessThan(2 * 1.1);
      expect(new Set(values)).toEqual(new Set([0]));
    }
    // Half of the logarithms of the proportions on each side of 0.
    const taller = parts.filter(({ height, width }) => height > width).length / parts.length;
    expect(taller).toBeGreaterThan(0.35);
    expect(taller).toBeLessThan(0.65);
  });

  it("fills with numbers of a normal distribution, new in every channel", async () => {
    const [out] = await run(transforms({ probability: 1, scale: [0.5, 0.6], ratio: [1, 1], fill: "noise" }), raster);
    const { values } = erased(out!)!;
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.1);
    expect(Math.abs(variance - 1)).toBeLessThan(0.15);
    expect(new Set(values).size).toBeGreaterThan(0.99 * values.length);
  });

  it("draws as torchvision's RandomErasing.get_params does, from the same numbers", () => {
    // Area 0.1, proportion e^0; too tall at first: area 0.9 of 10x40, which no height below 10 gives.
    const drawn = [0.9, 0.5, 0.1, 0.5, 0.25, 0.75];
    const random = () => drawn.shift()!;
    expect(drawErased([10, 40], [0, 1], [1, 1], random)).toEqual({ height: 6, width: 6, top: 1, left: 26 });
    expect(drawn).toEqual([]);
    expect(drawErased([10, 40], [0.9, 1], [1, 1], () => 0.5)).toBeUndefined();
  });

  it("stands after what subtracts the mean, and not in an evaluation", async () => {
    await expect(run([{ kind: "random_erasing" }])).rejects.toThrow(
      "random_erasing: has to come after what subtracts the mean: normalize or subtract_mean",
    );
    expect(deterministicTransforms(transforms({}))).toEqual([{ kind: "normalize" }]);
  });
});
