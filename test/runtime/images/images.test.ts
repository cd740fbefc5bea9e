import { fromVersion1, type PreprocessVersion1 } from "../../../compiler/metadata-version-1.js";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeImage } from "../../../runtime/images/decode.js";
import { ImageError } from "../../../runtime/images/image.js";
import type { Preprocess } from "../../../compiler/model.js";
import type { TransformSettings } from "../../../compiler/words/transforms.js";
import { preprocessImage, prepareViews, type View } from "../../../runtime/images/views.js";
import { plainPreprocess } from "../../support/preprocess.js";

// Made by test/oracle/make_images.py with Pillow and torchvision.
const GOLDEN = path.join(import.meta.dirname, "../../golden/images");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "resnetc-images-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("decoding gives Pillow's pixels", () => {
  const files = [
    "rgb.jpg",
    "progressive.jpg",
    "turned.jpg",
    "grey.jpg",
    "cmyk.jpg",
    "cmyk.tif",
    "rgb.webp",
    "rgb.tif",
    "animated.gif",
    "palette.png",
    "bits.png",
    "alpha.png",
    "alpha.webp",
    "grey_alpha.png",
    "deep.png",
  ];
  it.each(files)("%s", async (file) => {
    const image = await decodeImage(path.join(GOLDEN, file));
    const expected = await decodeImage(path.join(GOLDEN, `${file}.rgb.png`));
    expect([image.width, image.height]).toEqual([expected.width, expected.height]);
    // JPEG and WebP decoders may differ by a level between versions; the others are exact.
    const tolerance = /jpg|rgb\.webp/.test(file) ? 2 : 0;
    expect(largestDifference(image.data, expected.data)).toBeLessThanOrEqual(tolerance);
  });

  it("PNG, which the references are stored in, is read as it was written", async () => {
    const pixels = Uint8Array.from({ length: 5 * 4 * 3 }, (_, i) => (i * 37) % 256);
    const png = await sharp(pixels, { raw: { width: 5, height: 4, channels: 3 } })
      .png()
      .toBuffer();
    const image = await decodeImage(png);
    expect(image).toMatchObject({ width: 5, height: 4 });
    expect([...image.data]).toEqual([...pixels]);
  });
});

describe("preprocessing gives torchvision's tensors", () => {
  interface Case {
    readonly file: string;
    /** As version 1 had it. */
    readonly preprocess: PreprocessVersion1;
    readonly view: View;
    readonly tensors: readonly {
      readonly shape: readonly number[];
      readonly sum: number;
      readonly at: readonly number[];
      readonly values: readonly number[];
    }[];
  }
  const cases = JSON.parse(readFileSync(path.join(GOLDEN, "tensors.json"), "utf8")) as readonly Case[];
  const title = ({ file, preprocess, view }: Case): string =>
    [
      file,
      view.kind,
      preprocess.interpolation,
      JSON.stringify({ ...preprocess.resize, ...view }),
      preprocess.centerCrop,
    ]
      .filter(Boolean)
      .join(" ");

  it.each(cases.map((each) => [title(each), each] as const))("%s", async (_, { file, preprocess, view, tensors }) => {
    const image = await decodeImage(path.join(GOLDEN, file));
    const ours = prepareViews(fromVersion1(preprocess), undefined, view)(image);
    expect(ours.map(({ height, width }) => [3, height, width])).toEqual(tensors.map(({ shape }) => shape));
    // A level of difference in a JPEG decoder is 1/255 of the range over the standard deviation; PNG is exact.
    const level = preprocess.range / 255 / Math.min(...preprocess.std);
    const tolerance = file.endsWith(".png") ? 1e-5 * preprocess.range : 1.01 * level;
    tensors.forEach(({ at, values, sum }, i) => {
      const { data } = ours[i]!;
      expect(
        largestDifference(
          at.map((index) => data[index]!),
          values,
        ),
      ).toBeLessThanOrEqual(tolerance);
      const total = data.reduce((a, b) => a + b, 0);
      expect(Math.abs(total - sum) / data.length).toBeLessThan(tolerance / 20);
    });
  });

  it("follows a network of another input size in proportion", async () => {
    const image = await decodeImage(path.join(GOLDEN, "photo.jpg"));
    const declared = plainPreprocess({ resize: { shorter: 64 }, centerCrop: [56, 56] });
    const asked = preprocessImage(image, declared, [112, 112]);
    const same = preprocessImage(image, plainPreprocess({ resize: { shorter: 128 }, centerCrop: [112, 112] }));
    expect(asked).toEqual(same);
  });

  it("cuts the network's size where the declaration does not say", async () => {
    const image = await decodeImage(path.join(GOLDEN, "photo.jpg"));
    const asked = preprocessImage(image, plainPreprocess({ resize: { shorter: 64 } }), [56, 48]);
    expect(asked).toEqual(preprocessImage(image, plainPreprocess({ resize: { shorter: 64 }, centerCrop: [56, 48] })));
  });
});

describe("views stand behind all that moves pixels", () => {
  const of = (...transforms: TransformSettings[]): Preprocess => ({ name: "listed", transforms });
  const photo = decodeImage(path.join(GOLDEN, "photo.jpg"));
  const normalize = { kind: "normalize", mean: [0.2, 0.3, 0.4] };
  const bordered: TransformSettings[] = [
    { kind: "resize_shorter", length: 32 },
    { kind: "center_crop", size: [28, 28] },
    normalize,
    { kind: "pad", margin: 2 },
  ];

  it("a network of the size that comes out of a cut with a border is given what is declared", async () => {
    const image = await photo;
    const declared = preprocessImage(image, of(...bordered));
    expect([declared.height, declared.width]).toEqual([32, 32]);
    expect(preprocessImage(image, of(...bordered), [32, 32])).toEqual(declared);
    for (const crop of prepareViews(of(...bordered), [32, 32], { kind: "ten crops" })(image)) {
      expect([crop.height, crop.width, crop.data[0]]).toEqual([32, 32, 0]);
    }
  });

  it("one of another size is given the same part, with the border in proportion", async () => {
    const image = await photo;
    const twice: TransformSettings[] = [
      { kind: "resize_shorter", length: 64 },
      { kind: "center_crop", size: [56, 56] },
      normalize,
      { kind: "pad", margin: 4 },
    ];
    expect(preprocessImage(image, of(...bordered), [64, 64])).toEqual(preprocessImage(image, of(...twice)));
    const cut = { kind: "center_crop", size: [60, 60] };
    const to = (side: number): TransformSettings => ({ kind: "resize", size: [side, side] });
    expect(preprocessImage(image, of(cut, to(32)), [48, 48])).toEqual(preprocessImage(image, of(cut, to(48))));
  });

  it("a mirrored view is the mirror of the other, border and all", async () => {
    const image = await photo;
    const padded = of({ kind: "resize_shorter", length: 30 }, normalize, { kind: "pad_to", multiple: 32 });
    const [seen, mirrored] = prepareViews(padded, undefined, { kind: "ten crops" })(image);
    const { width, data } = seen!;
    expect(data.some((value) => value !== 0)).toBe(true);
    const reversed = data.map((_, at) => data[at - (at % width) + width - 1 - (at % width)]!);
    expect(mirrored!.data).toEqual(reversed);
  });
});

describe("images of odd shapes", () => {
  const solid = (width: number, height: number) => ({
    width,
    height,
    data: Uint8Array.from({ length: width * height * 3 }, (_, i) => [10, 20, 30][i % 3]!),
  });
  const declared = plainPreprocess({ resize: { shorter: 256 }, centerCrop: [224, 224] });

  it.each([
    [1, 1],
    [10_000, 8],
    [3, 9_001],
  ])("%d x %d", (width, height) => {
    const { data } = preprocessImage(solid(width, height), declared);
    const plane = 224 * 224;
    expect(data).toHaveLength(3 * plane);
    for (let channel = 0; channel < 3; channel++) {
      const values = new Set(data.subarray(channel * plane, (channel + 1) * plane));
      expect([...values]).toEqual([Math.fround((10 + 10 * channel) / 255)]);
    }
  });

  it("a whole image too long to be scaled up is refused", () => {
    const scale = (): unknown => prepareViews(declared, undefined, { kind: "whole", shorter: 640 })(solid(10_000, 8));
    expect(scale).toThrow("800000x640 is more than the 25000000 pixels that a network may be given");
  });

  it("ten crops need an image that is large enough", () => {
    const crop = (): unknown =>
      prepareViews(plainPreprocess({ centerCrop: [32, 32] }), undefined, { kind: "ten crops" })(solid(40, 30));
    expect(crop).toThrow("30x40 is smaller than the 32x32 that is cut out");
  });
});

describe("files that are no good images", () => {
  const jpeg = readFileSync(path.join(GOLDEN, "photo.jpg"));
  const png = readFileSync(path.join(GOLDEN, "tall.png"));
  const flipped = Buffer.from(png);
  for (let i = 0; i < 9; i++) flipped[Math.floor(flipped.length * (0.2 + 0.08 * i))]! ^= 0x55;
  const cut = (file: string): Buffer => {
    const bytes = readFileSync(path.join(GOLDEN, file));
    return bytes.subarray(0, bytes.length / 2);
  };

  it.each<[string, Buffer, RegExp]>([
    ["empty.jpg", Buffer.alloc(0), /: empty, not an image$/],
    [
      "text.jpg",
      Buffer.from("Not an image at all. ".repeat(20)),
      /: not an image in a format that is read \(JPEG, .+\)$/,
    ],
    ["head.jpg", jpeg.subarray(0, 200), /: damaged or cut short \(.+\)$/],
    ["cut.jpg", jpeg.subarray(0, jpeg.length - 900), /: damaged or cut short \(.+\)$/],
    ["cut.png", cut("tall.png"), /: damaged or cut short \(.+\)$/],
    ["cut.webp", cut("rgb.webp"), /: damaged or cut short \(.+\)$/],
    ["cut.tif", cut("rgb.tif"), /: damaged or cut short \(.+\)$/],
    ["cut.gif", cut("animated.gif"), /: damaged or cut short \(.+\)$/],
    ["flipped.png", flipped, /: damaged or cut short \(.+\)$/],
    [
      "drawing.svg",
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
      /: is SVG, which is not read/,
    ],
  ])("%s", async (name, bytes, message) => {
    const file = path.join(folder, name);
    await writeFile(file, bytes);
    const error = await decodeImage(file).catch((problem: unknown) => problem);
    expect(error).toBeInstanceOf(ImageError);
    const text = (error as ImageError).message;
    expect(text).toMatch(message);
    expect(text.startsWith(`${file}: `)).toBe(true);
    expect(text).not.toContain("\n");
  });

  it("too many pixels, before they are decoded", async () => {
    const options = { maxPixels: 1000, name: "photo.jpg" };
    await expect(decodeImage(jpeg, options)).rejects.toThrow("photo.jpg: 203x151 is more than 1000 pixels");
  });

  it("no file, and a folder", async () => {
    await expect(decodeImage(path.join(folder, "absent.jpg"))).rejects.toThrow(/absent.jpg: no such file$/);
    await expect(decodeImage(folder)).rejects.toThrow(/: a folder, not an image$/);
  });
});

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}
