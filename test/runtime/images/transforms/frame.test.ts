import fc from "fast-check";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import {
  allowedShrink,
  cropFrame,
  frameSize,
  mirrorFrame,
  pixelsIn,
  resizeFrame,
  wholeFrame,
  type Frame,
} from "../../../../runtime/images/transforms/frame.js";
import { preparePipeline } from "../../../../runtime/images/transforms/pipeline.js";
import type { Raster } from "../../../../runtime/images/transforms/raster.js";
import { openImage } from "../../../../runtime/images/decode.js";

type Step = (frame: Frame) => Frame;

const side = fc.integer({ min: 1, max: 12 });
const offset = fc.integer({ min: -6, max: 8 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constant<Step>(mirrorFrame),
  fc.tuple(side, side).map(
    ([height, width]): Step =>
      (frame) =>
        resizeFrame(frame, [height, width], "bilinear"),
  ),
  fc.tuple(offset, offset, side, side).map(
    ([left, top, width, height]): Step =>
      (frame) =>
        cropFrame(frame, { left, top, width, height }),
  ),
  // Cuts inside, which are the usual ones.
  fc.tuple(fc.nat(3), fc.nat(3)).map(([left, top]): Step => (frame) => {
    const [height, width] = frameSize(frame);
    const window = { left: Math.min(left, width - 1), top: Math.min(top, height - 1) };
    return cropFrame(frame, { ...window, width: width - window.left, height: height - window.top });
  }),
);

const source: Raster = { width: 9, height: 7, data: Uint8Array.from({ length: 189 }, (_, i) => (i * 73 + 11) % 256) };
const whole = wholeFrame([7, 9]);

describe("geometry that is collected", () => {
  it("gives the pixels that each step carried out on its own gives", () => {
    const property = fc.property(fc.array(step, { minLength: 1, maxLength: 5 }), (steps) => {
      const together = pixelsIn(
        steps.reduce((frame, next) => next(frame), whole),
        source,
      );
      const alone = steps.reduce(
        (raster, next) => pixelsIn(next(wholeFrame([raster.height, raster.width])), raster),
        source,
      );
      expect(together).toEqual(alone);
    });
    fc.assert(property, { numRuns: 400 });
  });

  it("never changes the source, and leaves it as it is where there is nothing to do", () => {
    const before = source.data.slice();
    expect(pixelsIn(whole, source)).toBe(source);
    expect(pixelsIn(mirrorFrame(mirrorFrame(whole)), source)).toBe(source);
    pixelsIn(mirrorFrame(whole), source);
    expect(source.data).toEqual(before);
  });
});

describe("large JPEGs are decoded smaller", () => {
  it("by as much as leaves the filter half of the work", () => {
    const shrinkTo = (height: number, width: number) =>
      allowedShrink(resizeFrame(wholeFrame([1600, 2400]), [height, width], "bilinear"));
    expect([shrinkTo(401, 601), shrinkTo(400, 600), shrinkTo(200, 300), shrinkTo(100, 150)]).toEqual([1, 2, 4, 8]);
    expect(allowedShrink(resizeFrame(wholeFrame([1600, 2400]), [100, 150], "nearest"))).toBe(1);
    expect(allowedShrink(wholeFrame([1600, 2400]))).toBe(1);
  });

  // Odd sizes too: the smaller image is then a little less than half.
  it.each([
    [1600, 1200],
    [1501, 1203],
  ])("without looking different: %ix%i", async (width, height) => {
    const data = new Uint8Array(width * height * 3);
    for (let y = 0, i = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let c = 0; c < 3; c++, i++)
          data[i] = 128 + 60 * Math.sin(x / (9 + c) + y / 31) + 60 * Math.cos(y / (7 + c));
      }
    }
    const jpeg = await sharp(data, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: 92 })
      .toBuffer();
    const image = await openImage(jpeg);
    expect([image.width, image.height]).toEqual([width, height]);
    const pipeline = preparePipeline([
      { kind: "resize_shorter", length: 224 },
      { kind: "center_crop", size: [200, 210] },
    ]);
    const size = [image.height, image.width] as const;
    const shrinks: number[] = [];
    const pixels = (shrink: 1 | 2 | 4 | 8) => {
      shrinks.push(shrink);
      return image.decode(shrink);
    };
    const [small] = await pipeline.run({ size, pixels }, { seed: 1, epoch: 0, index: 0 });
    const [exact] = await pipeline.run({ size, pixels: () => image.decode() }, { seed: 1, epoch: 0, index: 0 });
    expect(shrinks).toEqual([2]);
    expect([small!.height, small!.width]).toEqual([200, 210]);
    const differences = Array.from(small!.data, (level, i) => Math.abs(level - exact!.data[i]!));
    const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length;
    expect(mean).toBeLessThan(1);
  });
});
