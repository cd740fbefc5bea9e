import sharp from "sharp";
import { expect, test } from "vitest";
import { decodeImage } from "../../../runtime/images/decode.js";

const FORMATS = ["png", "jpeg", "webp", "gif", "tiff"] as const;
const SIZES = [
  [1, 1],
  [10_000, 8],
  [8, 10_000],
] as const;

test.each(FORMATS.flatMap((format) => SIZES.map((size) => [format, ...size] as const)))(
  "a %s of %d x %d is decoded",
  async (format, width, height) => {
    const grey = sharp({ create: { width, height, channels: 3, background: { r: 120, g: 120, b: 120 } } });
    const image = await decodeImage(await grey.toFormat(format).toBuffer());
    expect([image.width, image.height, image.data.length]).toEqual([width, height, width * height * 3]);
    expect(image.data.every((value) => Math.abs(value - 120) <= 2)).toBe(true);
  },
);
