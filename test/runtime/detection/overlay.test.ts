import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { classColour, inkOn } from "../../../runtime/detection/overlay/colours.js";
import { drawDetections, overlay, type Mark } from "../../../runtime/detection/overlay/index.js";
import { LabelPlaces } from "../../../runtime/detection/overlay/labels.js";
import { shorten, widthOf } from "../../../runtime/detection/overlay/lettering.js";
import { Runs } from "../../../runtime/data/masks/mask.js";
import { writeMask } from "../../../runtime/data/masks/text.js";
import { decodeImage } from "../../../runtime/images/decode.js";
import type { Image } from "../../../runtime/images/image.js";

function plain(width: number, height: number, level: number): Image {
  return { width, height, data: new Uint8Array(width * height * 3).fill(level) };
}
const mark = (box: Mark["box"], more: Partial<Mark> = {}): Mark => ({
  box,
  class: 0,
  label: "cat",
  score: 0.87,
  ...more,
});

function pixel({ data, width }: Image, x: number, y: number): number[] {
  return [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
}
function rgb(colour: string): number[] {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}

test("a box is drawn where it is, in its class's colour, and the rest stays as it was", async () => {
  const image = await decodeImage(await drawDetections(plain(400, 300, 60), [mark([100, 120, 150, 80], { class: 2 })]));
  expect([image.width, image.height]).toEqual([400, 300]);
  const near = (actual: number[], expected: number[]) =>
    Math.max(...actual.map((value, i) => Math.abs(value - expected[i]!)));
  for (const [x, y] of [
    [175, 198],
    [102, 160],
    [247, 160],
  ] as const) {
    expect(near(pixel(image, x, y), rgb(classColour(2)))).toBeLessThan(12);
  }
  for (const [x, y] of [
    [175, 160],
    [50, 50],
    [300, 250],
    [98, 160],
    [252, 160],
  ] as const) {
    expect(pixel(image, x, y)).toEqual([60, 60, 60]);
  }
  // The label's plate stands on the box.
  expect(pixel(image, 102, 117)).toEqual(rgb(classColour(2)));
});

test("every colour has a line or an edge that stands out from any ground, and letters that can be read", () => {
  const luminance = (colour: readonly number[]) => {
    const [r, g, b] = colour.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  };
  const contrast = (a: number, b: number) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  for (let index = 0; index < 40; index++) {
    const colour = luminance(rgb(classColour(index)));
    expect(contrast(colour, luminance(rgb(inkOn(classColour(index)))))).toBeGreaterThan(4.5);
    for (let level = 0; level < 256; level += 5) {
      const ground = luminance([level, level, level]);
      const ink = luminance(rgb(inkOn(classColour(index))));
      expect(Math.max(contrast(ground, colour), contrast(ground, 0.4 * ground + 0.6 * ink))).toBeGreaterThan(1.5);
    }
  }
  expect(new Set(Array.from({ length: 20 }, (_, index) => classColour(index))).size).toBe(20);
});

/** Plates of labels: filled rectangles. */
function plates(svg: string): { x: number; y: number; width: number; height: number }[] {
  const found = svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)" fill="#/g);
  return [...found].map(([, x, y, width, height]) => ({ x: +x!, y: +y!, width: +width!, height: +height! }));
}
const boxes = (svg: string) => svg.match(/fill="none"/g)?.length ?? 0;

describe("labels", () => {
  test("of boxes at the borders stay in the image", () => {
    for (const box of [
      [0, 0, 60, 60],
      [-50, -50, 100, 100],
      [350, 250, 50, 50],
      [390, 0, 200, 10],
      [0, 0, 400, 300],
    ] as const) {
      const found = plates(overlay({ width: 400, height: 300 }, [mark(box, { label: "something" })]));
      expect(found).toHaveLength(1);
      const { x, y, width, height } = found[0]!;
      expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
      expect(x + width).toBeLessThanOrEqual(400);
      expect(y + height).toBeLessThanOrEqual(300);
    }
  });

  test("of hundreds of boxes are never on one another; every box is there, the surest on top", () => {
    const marks = Array.from({ length: 300 }, (_, i) =>
      mark([(i * 37) % 560, (i * 91) % 400, 60, 50], { class: i % 7, score: ((i * 13) % 300) / 300 }),
    );
    const svg = overlay({ width: 640, height: 480 }, marks);
    expect(boxes(svg)).toBe(600);
    const found = plates(svg);
    expect(found.length).toBeGreaterThan(40);
    found.forEach((a, i) =>
      found.slice(i + 1).forEach((b) => {
        expect(a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height).toBe(false);
      }),
    );
    const two = overlay({ width: 640, height: 480 }, [
      mark([0, 0, 9, 9], { class: 1 }),
      mark([0, 0, 9, 9], { score: 1 }),
    ]);
    expect(two.lastIndexOf(`stroke="${classColour(0)}"`)).toBeGreaterThan(
      two.lastIndexOf(`stroke="${classColour(1)}"`),
    );
  });

  test("that are long are shortened, and the score stays", () => {
    expect(shorten("zebra", 100)).toBe("zebra");
    const short = shorten("a very long label indeed", 6);
    expect(short).toMatch(/^a very.*…$/);
    expect(widthOf(short)).toBeLessThanOrEqual(6);
    expect(shorten("WWW", 0.5)).toBe("");
    const [plate] = plates(
      overlay({ width: 1000, height: 300 }, [mark([10, 100, 50, 50], { label: "W".repeat(500) })]),
    );
    expect(plate!.width).toBeLessThan(600);
  });

  test("may be of any letters, and none becomes markup", async () => {
    const labels = [
      "<b>&amp;\"'",
      "日本語",
      "\u0000\u001b[31m",
      "two\nlines",
      "𝒳 emoji 🦓",
      "\ud800",
      "",
      "a".repeat(10_000),
    ];
    for (const label of labels) {
      const bytes = await drawDetections(plain(320, 200, 0), [mark([20, 60, 100, 80], { label })]);
      expect((await decodeImage(bytes)).width).toBe(320);
    }
  });

  test("look the same without fonts: Latin letters are outlines", () => {
    expect(overlay({ width: 400, height: 300 }, [mark([9, 99, 99, 99], { label: "Çà 100 %, łódź" })])).not.toContain(
      "<text",
    );
  });

  test("take the next place where one is taken", () => {
    const places = new LabelPlaces(200, 200);
    const box = { x: 50, y: 50, width: 60, height: 60 };
    const taken = Array.from({ length: 9 }, () => places.take(box, 40, 10));
    expect(taken.slice(0, 4).map((area) => area?.y)).toEqual([40, 50, 110, 100]);
    expect(taken[4]).toBeUndefined();
  });
});

describe("masks", () => {
  /** A square of 40 x 40 at 100, 100. */
  const square = (width: number, height: number) => {
    const runs = new Runs();
    for (let x = 0; x < width; x++) {
      for (let y = 0; y < height; y++) runs.add(x >= 100 && x < 140 && y >= 100 && y < 140, 1);
    }
    return writeMask({ width, height, runs: runs.finish() });
  };
  const box: Mark["box"] = [90, 90, 60, 60];
  const drawn = async (...marks: Mark[]) => decodeImage(await drawDetections(plain(400, 300, 60), marks));

  test("are their class's colour over the image, with an edge", async () => {
    const image = await drawn(mark(box, { class: 2, mask: square(400, 300) }));
    const mixed = (share: number) => rgb(classColour(2)).map((value) => Math.round(60 * (1 - share) + value * share));
    expect(pixel(image, 120, 120)).toEqual(mixed(0.45));
    expect(pixel(image, 101, 101)).toEqual(mixed(0.45));
    for (const [x, y] of [
      [100, 120],
      [139, 120],
      [120, 100],
      [120, 139],
    ] as const) {
      expect(pixel(image, x, y)).toEqual(mixed(0.9));
    }
    expect(pixel(image, 98, 120)).toEqual([60, 60, 60]);
    expect(pixel(image, 141, 120)).toEqual([60, 60, 60]);
  });

  test("of the surest are above the others", async () => {
    const [sure, unsure] = [0.9, 0.6].map((score, index) => mark(box, { class: index, score, mask: square(400, 300) }));
    const image = await drawn(sure!, unsure!);
    expect(image.data).toEqual((await drawn(unsure!, sure!)).data);
    expect(pixel(image, 120, 120)[0]).toBeGreaterThan(pixel(image, 120, 120)[1]!);
  });

  test("are enlarged with the image, and refused where they are of another size", async () => {
    const small = plain(150, 150, 60);
    const image = await decodeImage(await drawDetections(small, [mark(box, { mask: square(150, 150) })]));
    expect(image.width).toBe(450);
    expect(pixel(image, 360, 360)).not.toEqual([60, 60, 60]);
    await expect(drawDetections(small, [mark(box, { mask: square(150, 151) })])).rejects.toThrow(
      "a mask of 150 x 151 does not go on an image of 150 x 150",
    );
    expect(small.data.every((value) => value === 60)).toBe(true);
  });
});

describe("images of any size", () => {
  test("tiny ones are enlarged, wide and high ones are not", async () => {
    for (const [width, height, zoom] of [
      [1, 1, 16],
      [48, 32, 7],
      [400, 2, 1],
      [10_000, 8, 1],
      [8, 10_000, 1],
    ] as const) {
      const bytes = await drawDetections(plain(width, height, 90), [mark([0, 0, width, height])]);
      const { width: w, height: h } = await decodeImage(bytes);
      expect([w, h]).toEqual([width * zoom, height * zoom]);
    }
    await expect(drawDetections(plain(40_000, 1, 0), [])).rejects.toThrow(
      "boxes can't be drawn on an image of 40000 x 1: 32767 is the most",
    );
  });

  test("lines and letters grow with the image", () => {
    const height = (side: number) =>
      plates(overlay({ width: side, height: side }, [mark([50, 200, 99, 99])]))[0]!.height;
    expect(height(4000)).toBeGreaterThan(2 * height(400));
  });

  test("no detections: the image itself", async () => {
    const image = plain(400, 300, 77);
    expect(Buffer.compare((await decodeImage(await drawDetections(image, []))).data, image.data)).toBe(0);
  });

  test("boxes outside and boxes that are none are left out; a box without size is a point", () => {
    const svg = overlay({ width: 400, height: 300 }, [
      mark([500, 0, 10, 10]),
      mark([-20, 0, 10, 10]),
      mark([NaN, 0, 10, 10]),
      mark([0, 0, NaN, 10]),
    ]);
    expect(boxes(svg)).toBe(0);
    expect(boxes(overlay({ width: 400, height: 300 }, [mark([5, 5, 0, 0])]))).toBe(2);
    expect(boxes(overlay({ width: 400, height: 300 }, [mark([-1e300, 0, Infinity, 10])]))).toBe(2);
  });

  test("JPEG", async () => {
    const bytes = await drawDetections(plain(400, 300, 77), [mark([50, 50, 99, 99])], { format: "jpeg" });
    expect((await sharp(bytes).metadata()).format).toBe("jpeg");
  });
});
