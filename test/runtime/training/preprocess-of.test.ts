import { normalizationOf } from "../../../compiler/preprocess.js";
import { describe, expect, it } from "vitest";
import type { Statistics, TransformSettings } from "../../../runtime/data/index.js";
import { preparePipeline } from "../../../runtime/data/index.js";
import { writePlanes } from "../../../runtime/images/transforms/raster.js";
import { preprocessImage } from "../../../runtime/images/views.js";
import { preprocessOf } from "../../../runtime/training/preprocess-of.js";

const width = 40;
const height = 36;
const image = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 37 + (i >> 3) * 11) % 256);

function statistics(side: readonly [number, number]): Statistics {
  return {
    height: side[0],
    width: side[1],
    mean: Float32Array.from({ length: side[0] * side[1] * 3 }, (_, i) => 0.3 + (i % 17) / 50),
    channelMean: [0.5, 0.45, 0.4].map(Math.fround),
    channelStd: [0.25, 0.24, 0.26].map(Math.fround),
    samples: 10,
  };
}

/** What training's evaluation makes of the image. */
async function transformed(transforms: readonly TransformSettings[], measured: Statistics): Promise<Float32Array> {
  const pipeline = preparePipeline(transforms, { from: [height, width], statistics: measured });
  const source = { size: [height, width] as const, pixels: () => ({ width, height, data: image }) };
  const [raster] = await pipeline.run(source, { seed: 0, epoch: 0, index: 0 });
  const planes = new Float32Array(raster!.data.length);
  writePlanes(raster!, planes);
  return planes;
}

describe("the preprocessing of an evaluation", () => {
  it.each<[string, readonly TransformSettings[]]>([
    ["normalize", [{ kind: "normalize", mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.3] }]],
    ["normalize in 0 to 255, BGR", [{ kind: "normalize", mean: [103, 116, 123], range: 255, color: "bgr" }]],
    [
      "a middle part",
      [
        { kind: "center_crop", size: [32, 30] },
        { kind: "normalize", mean: [0.5, 0.5, 0.5] },
      ],
    ],
    ["scaling", [{ kind: "resize", size: [20, 24] }]],
    [
      "scaling the shorter side",
      [
        { kind: "resize_shorter", length: 30, interpolation: "bicubic" },
        { kind: "center_crop", size: [28, 28] },
      ],
    ],
    ["the mean of each channel", [{ kind: "subtract_mean", per: "channel" }]],
    [
      "mean and spread of each channel, 0 to 255",
      [{ kind: "subtract_mean", per: "channel", divide: "std", range: 255 }],
    ],
    ["the mean image", [{ kind: "subtract_mean" }]],
    ["the mean image and the spread, 0 to 255", [{ kind: "subtract_mean", divide: "std", range: 255 }]],
    ["a border", [{ kind: "pad", margin: 4 }]],
    [
      "a border of the mean's colour",
      [
        { kind: "subtract_mean", per: "channel" },
        { kind: "pad", margin: 4 },
      ],
    ],
    [
      "a border round the mean image, and a part of that",
      [{ kind: "subtract_mean" }, { kind: "pad", margin: 4 }, { kind: "center_crop", size: [42, 30] }],
    ],
    [
      "the mean image, cut and padded to multiples",
      [{ kind: "subtract_mean" }, { kind: "center_crop", size: [30, 33] }, { kind: "pad_to", multiple: 16 }],
    ],
    [
      "a border that is cut off again",
      [
        { kind: "pad", margin: 4 },
        { kind: "center_crop", size: [36, 40] },
      ],
    ],
  ])("says %s", async (_, transforms) => {
    const measured = statistics([height, width]);
    const expected = await transformed(transforms, measured);
    const { preprocess, meanImage, leftOut } = preprocessOf(transforms, measured);
    expect(leftOut).toEqual([]);
    const { data } = preprocessImage({ width, height, data: image }, preprocess);
    const found = meanImage ? data.map((value, i) => value - meanImage.data[i]!) : data;
    expect(found).toHaveLength(expected.length);
    const { range, std } = normalizationOf(preprocess);
    const scale = range / Math.min(...std);
    found.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(2e-6 * scale));
  });

  it("names ten crops of what a mean image was subtracted from: a model has one for all of them", () => {
    const crops = { kind: "ten_crop", size: [20, 20] };
    const measured = statistics([height, width]);
    expect(preprocessOf([{ kind: "subtract_mean" }, crops], measured).leftOut).toEqual(["ten_crop"]);
    expect(preprocessOf([{ kind: "subtract_mean", per: "channel" }, crops], measured).leftOut).toEqual([]);
    expect(preprocessOf([crops, { kind: "subtract_mean" }], statistics([20, 20])).leftOut).toEqual([]);
  });

  it("says where a mean image was cut with the middle, and fits no other view", () => {
    const measured = statistics([height, width]);
    const crop = { kind: "center_crop", size: [20, 20] };
    const views = (transforms: readonly TransformSettings[], of = measured) =>
      preprocessOf(transforms, of).meanImage!.views;
    expect(views([{ kind: "subtract_mean" }, crop])).toBe("center");
    expect(views([{ kind: "subtract_mean" }, { kind: "pad", margin: 4 }])).toBe("center");
    expect(views([{ kind: "subtract_mean" }])).toBeUndefined();
    expect(views([crop, { kind: "subtract_mean" }], statistics([20, 20]))).toBeUndefined();
  });

  it("names what is left to chance, which a model leaves out", () => {
    const { preprocess, leftOut } = preprocessOf(
      [{ kind: "random_crop", size: [20, 20] }, { kind: "color_jitter" }],
      undefined,
    );
    expect(leftOut).toEqual(["random_crop", "color_jitter"]);
    expect(preprocess.transforms).toEqual([{ kind: "center_crop", size: [20, 20] }]);
  });
});
