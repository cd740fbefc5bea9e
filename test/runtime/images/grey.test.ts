/** Grey images for networks of one channel: to the level as Pillow, the same on every way to a network. */
import { fromVersion1 } from "../../../compiler/metadata-version-1.js";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { Measurement } from "../../../runtime/data/measurement.js";
import { preparePipeline, type TransformSettings } from "../../../runtime/data/index.js";
import { writePlanes } from "../../../runtime/images/transforms/raster.js";
import { decodeImage } from "../../../runtime/images/decode.js";
import { detectorInput } from "../../../runtime/images/detector-input.js";
import { toGrey } from "../../../runtime/images/grey.js";
import type { Image } from "../../../runtime/images/image.js";
import { preprocessImage, prepareViews } from "../../../runtime/images/views.js";
import { plainRecord } from "../../support/preprocess.js";

// Made by test/oracle/make_grey.py with Pillow and torchvision.
const FOLDER = path.join(import.meta.dirname, "../../golden/images");
const golden = JSON.parse(readFileSync(path.join(FOLDER, "grey.json"), "utf8")) as {
  readonly grey: Readonly<Record<string, string>>;
  readonly colours: string;
  readonly photo: string;
};

const DECLARED = plainRecord({
  name: "grey",
  resize: { shorter: 40 },
  centerCrop: [32, 32],
  color: "grey",
  mean: [0.449],
  std: [0.226],
});
const GREY = fromVersion1(DECLARED);

/** Of the one channel that a grey image has. */
function digest({ data }: Image): string {
  expect(data.every((level, i) => level === data[i - (i % 3)])).toBe(true);
  return createHash("sha256")
    .update(data.filter((_, i) => i % 3 === 0))
    .digest("hex");
}

function colours(): Image {
  const data: number[] = [];
  for (let red = 0; red < 256; red += 5)
    for (let green = 0; green < 256; green += 7) for (let blue = 0; blue < 256; blue += 3) data.push(red, green, blue);
  return { width: data.length / 3, height: 1, data: Uint8Array.from(data) };
}

const photo = (): Promise<Image> => decodeImage(path.join(FOLDER, "photo.jpg"));

describe("grey", () => {
  it.each(Object.keys(golden.grey))("is Pillow's to the level: %s", async (file) => {
    expect(digest(toGrey(await decodeImage(path.join(FOLDER, file))))).toBe(golden.grey[file]);
  });

  it("of a hundred thousand colours", () => {
    expect(digest(toGrey(colours()))).toBe(golden.colours);
  });

  it("is preprocessed as torchvision does it, within the JPEG decoder's level", async () => {
    const expected = new Float32Array(new Uint8Array(Buffer.from(golden.photo, "base64")).buffer);
    const ours = preprocessImage(await photo(), GREY);
    expect(ours).toMatchObject({ channels: 1, height: 32, width: 32 });
    expect(ours.data).toHaveLength(expected.length);
    const worst = ours.data.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
    expect(worst).toBeLessThan(1.01 / 255 / 0.226);
  });

  it("has one plane in every view, and in a detector's input", async () => {
    const image = await photo();
    for (const view of [{ kind: "ten crops" }, { kind: "whole", shorter: 30 }] as const) {
      for (const planes of prepareViews(GREY, undefined, view)(image)) {
        expect(planes.channels).toBe(1);
        expect(planes.data).toHaveLength(planes.height * planes.width);
      }
    }
    for (const like of ["opencv", "torch", "pillow"] as const) {
      const { centerCrop: _, ...whole } = DECLARED;
      const { planes } = detectorInput(image, fromVersion1({ ...whole, resize: { shorter: 50, longest: 90, like } }));
      expect([planes.channels, planes.data.length]).toEqual([1, planes.height * planes.width]);
    }
  });
});

describe("a recipe's transforms in grey", () => {
  async function planes(transforms: readonly TransformSettings[], options = {}): Promise<Float32Array> {
    const image = await photo();
    const pipeline = preparePipeline(transforms, options);
    expect(pipeline.channels).toBe(1);
    const source = { size: [image.height, image.width] as const, pixels: () => image };
    const [raster] = await pipeline.run(source, { seed: 1, epoch: 0, index: 0 });
    const out = new Float32Array(raster!.width * raster!.height);
    writePlanes(raster!, out, 1);
    // The other two channels are the same, whatever was done.
    const three = new Float32Array(3 * out.length);
    writePlanes(raster!, three);
    expect(three).toEqual(Float32Array.of(...out, ...out, ...out));
    return out;
  }

  it("give what the declaration gives", async () => {
    const how: readonly TransformSettings[] = [
      { kind: "resize_shorter", length: 40 },
      { kind: "center_crop", size: [32, 32] },
      { kind: "normalize", color: "grey", mean: [0.449], std: [0.226] },
    ];
    const expected = preprocessImage(await photo(), GREY).data;
    expect(await planes(how)).toEqual(expected);
    // Without a word on colour the network's channels decide; a number for all channels is written three times.
    const silent = [...how.slice(0, 2), { kind: "normalize", mean: [0.449, 0.449, 0.449], std: [0.226, 0.226, 0.226] }];
    expect(await planes(silent, { channels: 1 })).toEqual(expected);
  });

  it("color_jitter changes brightness and contrast alone", async () => {
    const crop = { kind: "center_crop", size: [24, 24] };
    const plain = await planes([crop], { channels: 1 });
    const none = { kind: "color_jitter", brightness: 0, contrast: 0, saturation: 1, hue: 0.5 };
    expect(await planes([crop, none], { channels: 1 })).toEqual(plain);
    expect(await planes([crop, { ...none, brightness: 0.5 }], { channels: 1 })).not.toEqual(plain);
  });

  it("subtract_mean has one mean", async () => {
    const size = [8, 8] as const;
    const measurement = new Measurement(...size, 1);
    measurement.add(new Float32Array(64).fill(0.25));
    measurement.add(new Float32Array(64).fill(0.75));
    const statistics = measurement.result();
    expect(statistics).toMatchObject({ channelMean: [0.5], channelStd: [0.25] });
    const crop = { kind: "center_crop", size };
    const levels = await planes([crop], { channels: 1 });
    for (const per of ["pixel", "channel"]) {
      const subtract = { kind: "subtract_mean", per, divide: "std" };
      const made = await planes([crop, subtract], { channels: 1, statistics });
      made.forEach((value, i) => expect(value).toBeCloseTo((levels[i]! - 0.5) / 0.25, 5));
    }
    expect(() => preparePipeline([crop, { kind: "subtract_mean" }], { statistics })).toThrow(
      "subtract_mean: the mean was measured of 1 channel, the images have 3 channels",
    );
  });

  it.each<[string, readonly TransformSettings[], object, string]>([
    [
      "colour for one channel",
      [{ kind: "normalize", color: "bgr" }],
      { channels: 1 },
      "normalize: color bgr gives 3 channels, the network takes 1 channel: write color: grey",
    ],
    [
      "grey for three",
      [{ kind: "normalize", color: "grey" }],
      { channels: 3 },
      "normalize: color grey gives 1 channel, the network takes 3 channels",
    ],
    [
      "three means for one channel",
      [{ kind: "normalize", mean: [0.1, 0.2, 0.3] }],
      { channels: 1 },
      "normalize: mean has 3 numbers, and images of 1 channel take 1",
    ],
    [
      "one mean for three channels",
      [{ kind: "normalize", std: [0.1] }],
      {},
      "normalize: std has 1 numbers, and images of 3 channels take 3",
    ],
    [
      "ImageNet's colours",
      [{ kind: "color_pca" }],
      { channels: 1 },
      "color_pca: changes colours, and the images are grey",
    ],
  ])("contradictions are refused: %s", (_, transforms, options, message) => {
    expect(() => preparePipeline(transforms, options)).toThrow(message);
  });
});
