/** Images of kinds and sizes that are seldom seen. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { deflateSync } from "node:zlib";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { preparePipeline } from "../../../runtime/images/transforms/pipeline.js";
import type { TransformSettings } from "../../../runtime/images/transforms/index.js";
import { decodeImage, openImage } from "../../../runtime/images/decode.js";
import { ImageError, type Image } from "../../../runtime/images/image.js";
import { kindOf } from "../../../runtime/images/kinds.js";
import { pixelCount, withRoomFor } from "../../../runtime/images/memory.js";

// Made by test/oracle/make_odd_images.py with Pillow.
const GOLDEN = path.join(import.meta.dirname, "../../golden/images/odd");

describe("Pillow's pixels", () => {
  it.each(readdirSync(GOLDEN).filter((name) => !name.endsWith(".rgb.png")))("%s", async (file) => {
    // Under a name that says something else: the content decides.
    const image = await decodeImage(readFileSync(path.join(GOLDEN, file)), { name: "called.JPEG" });
    const expected = await decodeImage(path.join(GOLDEN, `${file}.rgb.png`));
    expect([image.width, image.height]).toEqual([expected.width, expected.height]);
    expect(Buffer.from(image.data).equals(Buffer.from(expected.data))).toBe(true);
  });

  const bitmap = readFileSync(path.join(GOLDEN, "24.bmp"));
  const changed = (at: number, ...bytes: readonly number[]): Buffer => {
    const copy = Buffer.from(bitmap);
    copy.set(bytes, at);
    return copy;
  };
  it.each<[string, Buffer, RegExp]>([
    ["cut", bitmap.subarray(0, bitmap.length - 4), /damaged or cut short \(a BMP without all of its pixels\)$/],
    ["a header alone", bitmap.subarray(0, 30), /damaged or cut short/],
    ["a header that is none", changed(14, 41), /a BMP with a header of 41 bytes is not read$/],
    ["a depth that is none", changed(28, 7), /a BMP of 7 bits a pixel is not read$/],
    ["a JPEG inside", changed(30, 4), /a BMP of compression 4 at 24 bits is not read$/],
    ["no width", changed(18, 0, 0, 0, 0), /damaged or cut short \(a BMP of 0x7\)$/],
    ["a width below zero", changed(18, 255, 255, 255, 255), /damaged or cut short \(a BMP of -1x7\)$/],
    ["too many pixels", changed(18, 0, 0, 0, 127), /x7 is more than 100000000 pixels$/],
    ["pixels from far away", changed(10, 255, 255, 255, 127), /damaged or cut short/],
    ["a PGM cut short", Buffer.from("P5 9 9 255\n0123"), /a PNM without all of its pixels/],
    ["a PGM of words", Buffer.from("P2 9 nine 255\n"), /a PNM without its numbers/],
    ["a PPM above white", Buffer.from("P3 1 1 7 1 8 2\n"), /a level of 8, and white at 7/],
  ])("a bitmap that is none: %s", async (_, bytes, message) => {
    const error = await decodeImage(bytes, { name: "a" }).catch((problem: unknown) => problem);
    expect(error).toBeInstanceOf(ImageError);
    expect((error as ImageError).message).toMatch(message);
  });
});

describe("EXIF orientation", () => {
  const [WIDTH, HEIGHT] = [601, 403];
  const stored = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % WIDTH, Math.floor(i / 3 / WIDTH)];
    return 127 + 100 * Math.sin(x / 11 + (i % 3)) * Math.cos(y / 7) + ((x * 31 + y * 17) % 20);
  });
  const jpeg = (orientation: number, grey = false) => {
    const image = sharp(stored, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });
    return (grey ? image.toColourspace("b-w") : image).jpeg({ quality: 92 }).withMetadata({ orientation }).toBuffer();
  };
  /** The image as the camera was held, by the definition of each orientation. */
  const upright = ({ width, height, data }: Image, orientation: number): Image => {
    const isTurned = orientation >= 5;
    const out = new Uint8Array(data.length);
    const [wide, tall] = isTurned ? [height, width] : [width, height];
    for (let y = 0; y < tall; y++) {
      for (let x = 0; x < wide; x++) {
        // First column of the image is stored as ..., by TIFF 6.0, tag 274.
        const [column, row] = [
          [x, y],
          [width - 1 - x, y],
          [width - 1 - x, height - 1 - y],
          [x, height - 1 - y],
          [y, x],
          [y, height - 1 - x],
          [width - 1 - y, height - 1 - x],
          [width - 1 - y, x],
        ][orientation - 1] as [number, number];
        for (let c = 0; c < 3; c++) out[(y * wide + x) * 3 + c] = data[(row * width + column) * 3 + c]!;
      }
    }
    return { width: wide, height: tall, data: out };
  };

  it.each([1, 2, 3, 4, 5, 6, 7, 8])("%i, at every reduction what the stored image gives", async (orientation) => {
    for (const isGrey of [false, true]) {
      const plain = await openImage(await jpeg(1, isGrey));
      const held = await openImage(await jpeg(orientation, isGrey));
      expect([held.width, held.height]).toEqual(orientation >= 5 ? [HEIGHT, WIDTH] : [WIDTH, HEIGHT]);
      for (const shrink of [1, 2, 4, 8] as const) {
        const expected = upright(await plain.decode(shrink), orientation);
        const image = await held.decode(shrink);
        expect([image.width, image.height]).toEqual([expected.width, expected.height]);
        expect(Buffer.from(image.data).equals(Buffer.from(expected.data))).toBe(true);
      }
    }
  });

  it.each([1, 3, 5, 6, 7, 8])(
    "%i: what training cuts differs from full decoding as little as without",
    async (held) => {
      const shown = upright({ width: WIDTH, height: HEIGHT, data: stored }, held);
      const raw = { width: shown.width, height: shown.height, channels: 3 } as const;
      const plain = await sharp(shown.data, { raw }).jpeg({ quality: 92 }).toBuffer();
      const difference = async (bytes: Buffer, transforms: readonly TransformSettings[]) => {
        const image = await openImage(bytes);
        const made = async (isWhole: boolean) => {
          const pixels = (shrink: 1 | 2 | 4 | 8) => image.decode(isWhole ? 1 : shrink);
          const source = { size: [image.height, image.width] as const, pixels };
          return (await preparePipeline(transforms).run(source, { seed: 1, epoch: 0, index: 5 }))[0]!.data;
        };
        const [reduced, whole] = [await made(false), await made(true)];
        return Array.from(reduced, (value, i) => Math.abs(value - whole[i]!)).reduce((a, b) => a + b) / whole.length;
      };
      for (const transforms of [
        [{ kind: "resize", size: [40, 50] }],
        [{ kind: "random_resized_crop", size: [32, 32] }],
        [
          { kind: "resize_shorter", length: 48 },
          { kind: "center_crop", size: [40, 40] },
        ],
      ]) {
        const without = await difference(plain, transforms);
        expect(without).toBeGreaterThan(0);
        expect(await difference(await jpeg(held), transforms)).toBeLessThan(without * 1.1 + 0.1);
      }
    },
  );
});

describe("what is no image that is read is told for what it is, before any decoder sees it", () => {
  const box = (brand: string, ...others: readonly string[]) => {
    const size = Buffer.alloc(4);
    size.writeUInt32BE(16 + 4 * others.length);
    return Buffer.concat([size, Buffer.from(`ftyp${brand}\0\0\0\0${others.join("")}`, "latin1"), Buffer.alloc(40)]);
  };
  it.each<[string, Buffer, RegExp]>([
    ["HEIC", box("heic", "mif1"), /is HEIC, which is not read; save it as JPEG or PNG/],
    ["AVIF", box("avif", "mif1", "miaf"), /is AVIF, which/],
    ["AVIF that says so second", box("mif1", "avif"), /is AVIF, which/],
    ["a video", box("isom", "mp41"), /is a video, which/],
    ["JPEG XL", Buffer.from("ff0a000000000000", "hex"), /is JPEG XL, which/],
    ["JPEG XL in its box", Buffer.from("0000000c4a584c200d0a870a", "hex"), /JPEG XL|format that is read/],
    ["JPEG 2000", Buffer.from("0000000c6a5020200d0a870a00", "hex"), /JPEG 2000|format that is read/],
    ["SVG", Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), /is SVG, which is not read; draw it into a PNG/],
    ["SVG with a head", Buffer.from('\ufeff<?xml version="1.0"?>\n<!-- a --><!DOCTYPE svg>\n<svg/>'), /is SVG, which/],
    ["PDF", Buffer.from("%PDF-1.7\n"), /is PDF, which/],
    ["Photoshop", Buffer.from("8BPS\0\x01"), /is Photoshop's format, which/],
    ["a web page", Buffer.from("<!DOCTYPE html><html>"), /is a web page, which is not read; download the image itself/],
    ["git-lfs", Buffer.from("version https://git-lfs.github.com/spec/v1\n"), /run `git lfs pull`/],
    ["AppleDouble", Buffer.from("0005160700020000", "hex"), /is AppleDouble, macOS's notes on another file/],
    ["an array", Buffer.from("\x93NUMPY\x01\0", "latin1"), /is a NumPy array, which/],
    ["an archive", Buffer.from("PK\x03\x04"), /is an archive, which is not read; unpack it/],
    ["words", Buffer.from("BMW drivers; P5 is a level"), /not an image in a format that is read \(JPEG, PNG/],
  ])("%s", async (_, bytes, message) => {
    expect(kindOf(bytes)?.decoder).toBeUndefined();
    await expect(decodeImage(bytes, { name: "a.jpg" })).rejects.toThrow(message);
  });
});

describe("limits", () => {
  /** A black PNG of a bit a pixel, in a few kB. */
  const png = (width: number, height: number): Buffer => {
    const chunk = (kind: string, data: Buffer) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(data.length);
      // The sum is looked at by decoders alone.
      return Buffer.concat([length, Buffer.from(kind, "latin1"), data, Buffer.alloc(4)]);
    };
    const header = Buffer.alloc(13);
    header.writeUInt32BE(width, 0);
    header.writeUInt32BE(height, 4);
    header.set([1, 0, 0, 0, 0], 8);
    const data = deflateSync(Buffer.alloc(1000));
    return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", header), chunk("IDAT", data)]);
  };

  it.each([
    [100_000_000, 1],
    [1, 30_000_000],
    [65_536, 1],
  ])("a side of %i x %i is refused before anything is decoded", async (width, height) => {
    const bmp = Buffer.from(readFileSync(path.join(GOLDEN, "24.bmp")));
    bmp.writeInt32LE(width, 18);
    bmp.writeInt32LE(height, 22);
    const pgm = Buffer.from(`P5 ${width} ${height} 255\n`);
    for (const bytes of [bmp, pgm, png(width, height)]) {
      const error = await decodeImage(bytes, { name: "long" }).catch((problem: unknown) => problem);
      expect(error).toBeInstanceOf(ImageError);
      expect((error as Error).message).toMatch(/^long: (\d+x\d+ is too long: a side may have 65535 pixels|damaged)/);
    }
  });

  it("no more than a hundred million pixels are in the making at once, over all images", async () => {
    let [now, most, done] = [0, 0, 0];
    const one = (pixels: number) =>
      withRoomFor(pixels, async () => {
        now += pixels;
        most = Math.max(most, now);
        await new Promise((resolve) => setTimeout(resolve, 1));
        now -= pixels;
        done++;
      });
    await Promise.all([30e6, 100e6, 300e6, 1, 60e6, 10e6, 100e6].map(one));
    expect(done).toBe(7);
    // The one that is larger than all has the room to itself.
    expect(most).toBe(300e6);
    await expect(withRoomFor(5, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(pixelCount()[0]).toBe(0);
  });
});
