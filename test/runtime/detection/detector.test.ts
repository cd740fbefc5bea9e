import { fromVersion1 } from "../../../compiler/metadata-version-1.js";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { modelMetadata } from "../../../compiler/metadata.js";
import { openClassifier } from "../../../runtime/classification/classifier.js";
import {
  openDetector,
  type Detected,
  type Detector,
  type DetectorOptions,
} from "../../../runtime/detection/detector.js";
import type { NamedImage } from "../../../runtime/images/source.js";
import { detectorMetadata, SMALL_DECLARED, SMALL_PREPROCESS, solidPng } from "../../support/detection-data.js";
import { readMask } from "../../../runtime/data/masks/text.js";
import { areaOf, boxOf } from "../../../runtime/data/masks/mask.js";
import { METADATA_KEYS } from "../../../compiler/metadata.js";
import { nodesWith, wholeImage, wholeImageWithMasks } from "../../support/detector.js";
import { meanColour, tinyNetwork, type ModelText } from "../../support/onnx.js";

const PHOTO = path.join(import.meta.dirname, "../../golden/images/photo.jpg");

const preprocess = SMALL_PREPROCESS;
const labels = ["red", "green", "blue"];
const metadata = (boxes: "inclusive" | "exclusive" = "exclusive") => detectorMetadata(labels, boxes);

async function solid(
  name: string,
  width: number,
  height: number,
  colour: readonly [number, number, number],
): Promise<NamedImage> {
  return { name, bytes: await solidPng(width, height, colour) };
}

async function withDetector<T>(
  model: Uint8Array,
  use: (detector: Detector) => Promise<T>,
  options: DetectorOptions = {},
): Promise<T> {
  const detector = await openDetector(model, { device: "cpu", ...options });
  try {
    return await use(detector);
  } finally {
    await detector.close();
  }
}

const close = (value: number): number => expect.closeTo(value, 5) as number;
const images = (): Promise<NamedImage[]> =>
  Promise.all([
    solid("sky", 50, 40, [0, 102, 255]),
    solid("leaf", 40, 90, [51, 204, 0]),
    solid("night", 30, 30, [20, 10, 0]),
    solid("rose", 300, 20, [153, 51, 51]),
  ]);
const FOUND = [
  { image: "sky", width: 50, height: 40, objects: [{ label: "blue", index: 2, score: 1, box: [0, 0, 50, 40] }] },
  {
    image: "leaf",
    width: 40,
    height: 90,
    objects: [{ label: "green", index: 1, score: close(0.8), box: [0, 0, 40, 90] }],
  },
  { image: "night", width: 30, height: 30, objects: [] },
  {
    image: "rose",
    width: 300,
    height: 20,
    objects: [{ label: "red", index: 0, score: close(0.6), box: [0, 0, 300, 20] }],
  },
];

describe("a detector", () => {
  it.each([1, 2, 3, 4, 9])("needs the .onnx alone; %d images at a time give the same", async (batch) => {
    await withDetector(wholeImage({ metadata: metadata() }), async (detector) => {
      expect(detector).toMatchObject({ network: "Whole", labels, preprocess });
      expect(await detector.detect(await images(), { batch })).toEqual(FOUND);
    });
  });

  it("gives the network a tensor padded to the largest, and where each image is in it", async () => {
    // Boxes that are the image's height and width in the tensor, and the tensor's own.
    const model = wholeImage({
      metadata: metadata(),
      nodes: nodesWith({ op: "Concat", inputs: ["size", "tensor"], outputs: ["all_boxes"], ints: { axis: 1 } }, [
        { op: "Slice", inputs: ["image_info", "0", "2", "1"], outputs: ["size"] },
        { op: "Shape", inputs: ["image"], outputs: ["shape"] },
        { op: "Slice", inputs: ["shape", "2", "4", "0"], outputs: ["sides"] },
        { op: "Cast", inputs: ["sides"], outputs: ["floats"], ints: { to: 1 } },
        { op: "Mul", inputs: ["size", "zeros"], outputs: ["none"] },
        { op: "Add", inputs: ["none", "floats"], outputs: ["tensor"] },
      ]),
      constants: {
        ...Object.fromEntries([0, 1, 2, 4].map((n) => [n, { shape: [1], data: BigInt64Array.of(BigInt(n)) }])),
        zeros: { shape: [], data: Float32Array.of(0) },
        least: { shape: [], data: Float32Array.of(-1) },
      },
    });
    await withDetector(model, async (detector) => {
      const seen = async (batch: number) =>
        (await detector.detect(await images(), { batch })).map((each) => {
          const [height, width, right, below] = (each as Extract<Detected, { objects: object }>).objects[0]!.box;
          return [height, width, right + height, below + width];
        });
      expect(await seen(1)).toEqual([
        [24, 30, 32, 32],
        [54, 24, 64, 32],
        [24, 24, 32, 32],
        [4, 60, 16, 64],
      ]);
      expect(await seen(2)).toEqual([
        [24, 30, 64, 32],
        [54, 24, 64, 32],
        [24, 24, 32, 64],
        [4, 60, 32, 64],
      ]);
    });
  });

  it("converts boxes that contain their last pixels", async () => {
    const first = (await images()).slice(0, 1);
    const boxOf = async (model: Uint8Array, options?: DetectorOptions) =>
      withDetector(
        model,
        async (detector) => {
          const [result] = await detector.detect(first);
          return (result as Extract<Detected, { objects: object }>).objects[0]!.box;
        },
        options,
      );
    expect(await boxOf(wholeImage({ metadata: metadata("inclusive") }))).toEqual([0, 0, 51, 41]);
    const silent = modelMetadata(preprocess, labels, "Whole");
    expect(await boxOf(wholeImage({ metadata: silent }))).toEqual([0, 0, 50, 40]);
    expect(await boxOf(wholeImage({ metadata: silent }), { boxes: "inclusive" })).toEqual([0, 0, 51, 41]);
  });

  it("leaves out what is less sure than asked for", async () => {
    await withDetector(wholeImage({ metadata: metadata() }), async (detector) => {
      const results = await detector.detect(await images(), { score: 0.7, batch: 4 });
      expect(results.map((each) => "objects" in each && each.objects.length)).toEqual([1, 1, 0, 0]);
    });
  });

  it("takes preprocessing and labels that are given, and numbers without labels", async () => {
    const first = (await images()).slice(0, 1);
    const swapped = { preprocess: fromVersion1({ ...SMALL_DECLARED, color: "bgr" }), labels: ["x", "y", "z"] };
    await withDetector(
      wholeImage({ metadata: metadata() }),
      async (detector) => {
        expect(await detector.detect(first)).toMatchObject([{ objects: [{ label: "x", index: 0 }] }]);
      },
      swapped,
    );
    await withDetector(
      wholeImage(),
      async (detector) => {
        expect(await detector.detect(first)).toMatchObject([{ objects: [{ label: "class 2" }] }]);
      },
      { preprocess },
    );
  });

  it("repeats the last image for a model of a fixed batch, and fills a fixed size", async () => {
    const fixed = { inputs: { image: [3, 3, 64, 64], image_info: [3, 6] } };
    await withDetector(wholeImage({ metadata: metadata(), ...fixed }), async (detector) => {
      expect(await detector.detect(await images())).toEqual(FOUND);
    });
    const low = { inputs: { image: ["N", 3, 32, 64], image_info: ["N", 6] } };
    await withDetector(wholeImage({ metadata: metadata(), ...low }), async (detector) => {
      const results = await detector.detect(await images(), { batch: 2 });
      expect(results[0]).toEqual(FOUND[0]);
      expect(results[1]).toEqual({
        image: "leaf",
        error: "leaf: scaled to 54x24, it doesn't go into model, whose input is 32x64",
      });
    });
  });

  it("goes on after images that can't be read, hands each on with its pixels, and says how far it is", async () => {
    await withDetector(wholeImage({ metadata: metadata() }), async (detector) => {
      const cut = { name: "cut.jpg", bytes: (await readFile(PHOTO)).subarray(0, 4000) };
      const made = { name: "made", pixels: () => ({ width: 2, height: 1, data: Uint8Array.of(0, 255, 0, 0, 255, 0) }) };
      const progress: string[] = [];
      const handed: [string, number | undefined][] = [];
      const results = await detector.detect([cut, "absent.jpg", made, PHOTO], {
        batch: 2,
        onProgress: (done, total) => progress.push(`${done}/${total}`),
        onImage: async (detected, pixels) => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          handed.push([path.basename(detected.image), pixels?.width]);
        },
      });
      expect(results[0]).toMatchObject({ error: expect.stringMatching(/^cut\.jpg: damaged or cut short/) as string });
      expect(results[1]).toEqual({ image: "absent.jpg", error: "absent.jpg: no such file" });
      expect(results[2]).toMatchObject({ width: 2, height: 1, objects: [{ label: "green", box: [0, 0, 2, 1] }] });
      expect(results[3]).toMatchObject({ width: 203, height: 151 });
      expect(progress).toEqual(["1/4", "2/4", "3/4", "4/4"]);
      expect(handed).toEqual([
        ["cut.jpg", undefined],
        ["absent.jpg", undefined],
        ["made", 2],
        ["photo.jpg", 203],
      ]);
    });
  });

  it("ends with what goes wrong where images are handed to", async () => {
    await withDetector(wholeImage({ metadata: metadata() }), async (detector) => {
      const onImage = () => Promise.reject(new Error("the disk is full"));
      await expect(detector.detect(await images(), { onImage })).rejects.toThrow("the disk is full");
    });
  });

  it("names the image on which the network fails, alone among its batch", async () => {
    // A window of 40 rows does not fit into the lower tensors.
    const pool = { op: "MaxPool", inputs: ["image"], outputs: ["pooled"], ints: { kernel_shape: [40, 8] } };
    const colours = { op: "ReduceMax", inputs: ["pooled"], outputs: ["colours"], ints: { axes: [2, 3], keepdims: 0 } };
    const model = wholeImage({ metadata: metadata(), nodes: nodesWith(colours, [pool]) });
    await withDetector(model, async (detector) => {
      const results = await detector.detect(await images());
      expect(results.map((each) => "error" in each)).toEqual([true, false, true, true]);
      expect(results[0]).toMatchObject({ error: expect.stringMatching(/^sky: model: [^\n]*MaxPool/) as string });
      // With the high one, the others' tensor is high enough.
      const together = await detector.detect((await images()).slice(0, 2), { batch: 2 });
      expect(together).toEqual(FOUND.slice(0, 2));
      const low = await detector.detect((await images()).slice(2), { batch: 2 });
      expect(low.map((each) => "error" in each && each.error.slice(0, 6))).toEqual(["night:", "rose: "]);
    });
  });

  it("says so when boxes are no numbers", async () => {
    const constants = { corners: { shape: [6, 4], data: new Float32Array(24).fill(NaN) } };
    const model = wholeImage({ metadata: metadata(), constants });
    await withDetector(model, async (detector) => {
      const [result] = await detector.detect((await images()).slice(0, 1));
      expect(result).toEqual({
        image: "sky",
        error: "sky: model: its boxes are not finite numbers; do weights and preprocessing fit?",
      });
    });
  });
});

describe("masks", () => {
  // The left half of every box.
  const HALF = [
    [1, 0],
    [1, 0],
  ];
  const withMasks = (boxes: "inclusive" | "exclusive" = "exclusive") => ({
    ...metadata(boxes),
    [METADATA_KEYS.masks]: "grid",
  });
  const masksOf = (results: readonly Detected[]) =>
    results.map((each) => ("error" in each ? each.error : each.objects.map(({ mask }) => mask && readMask(mask))));

  it("are of the image's size, where the box is", async () => {
    // Two places of a box of 50 columns and a border of one on either side: 101 columns from -25 on. Likelier than a half
    // are those from the middle of the first border and place (x = 0) to the middle of both places (x = 25); not the corners.
    await withDetector(wholeImageWithMasks(HALF, { metadata: withMasks() }), async (detector) => {
      expect(detector.hasMasks).toBe(true);
      const results = await detector.detect((await images()).slice(0, 3), { batch: 3 });
      expect(results.map((each) => "objects" in each && each.objects.length)).toEqual([1, 1, 0]);
      const [[sky], [leaf]] = masksOf(results) as [ReturnType<typeof readMask>[], ReturnType<typeof readMask>[]];
      expect(sky).toMatchObject({ width: 50, height: 40 });
      expect(boxOf(sky!)).toEqual([0, 0, 25, 40]);
      expect(areaOf(sky!)).toBeGreaterThan(0.8 * 25 * 40);
      expect(areaOf(sky!)).toBeLessThan(25 * 40);
      expect(leaf).toMatchObject({ width: 40, height: 90 });
      const [more] = masksOf(await detector.detect((await images()).slice(0, 1), { maskThreshold: 0.1 }));
      expect(areaOf((more as ReturnType<typeof readMask>[])[0]!)).toBeGreaterThan(25 * 40);
    });
  });

  it("lie between the corners that the model gave, whatever pixel a box ends with", async () => {
    const of = (boxes: "inclusive" | "exclusive"): Promise<unknown> =>
      withDetector(wholeImageWithMasks(HALF, { metadata: withMasks(boxes) }), async (detector) =>
        masksOf(await detector.detect(await images())),
      );
    expect(await of("inclusive")).toEqual(await of("exclusive"));
  });

  it("of other people's models are known by their output's axes", async () => {
    const flat = { outputs: { boxes: ["D", 4], scores: ["D"], labels: ["D"], images: ["D"], masks: ["D", 1, 2, 2] } };
    const silent = modelMetadata(preprocess, labels, "Whole");
    const has = (model: Uint8Array): Promise<boolean> => withDetector(model, (each) => Promise.resolve(each.hasMasks));
    expect(await has(wholeImageWithMasks(HALF, { metadata: silent }))).toBe(true);
    expect(await has(wholeImage({ metadata: silent }))).toBe(false);
    const nodes = nodesWith(
      { op: "Compress", inputs: ["all_labels", "keep"], outputs: ["labels"], ints: { axis: 0 } },
      [{ op: "Identity", inputs: ["grid"], outputs: ["masks"] }],
    );
    const constants = { grid: { shape: [1, 1, 2, 2], data: new Float32Array(4) } };
    expect(await has(wholeImage({ metadata: silent, nodes, constants, ...flat }))).toBe(false);
    // One of ours that names an output so has none unless it says so.
    expect(await has(wholeImageWithMasks(HALF, { metadata: metadata() }))).toBe(false);
  });

  it("that are none are told", async () => {
    await expect(openDetector(wholeImage({ metadata: withMasks() }), { device: "cpu" })).rejects.toThrow(
      "model: says that it has masks, and has no output of them",
    );
    const broken = wholeImageWithMasks([[NaN]], { metadata: withMasks() });
    await withDetector(broken, async (detector) => {
      expect(masksOf(await detector.detect((await images()).slice(0, 1)))).toEqual([
        "sky: model: its masks are not finite numbers; do weights and preprocessing fit?",
      ]);
    });
    await expect(
      openDetector(wholeImage({ metadata: { ...metadata(), [METADATA_KEYS.masks]: "round" } }), { device: "cpu" }),
    ).rejects.toThrow('model: metadata resnetc.masks is "round", not grid');
  });
});

describe("one clear line", () => {
  const open = (model: Uint8Array, options: DetectorOptions = {}): Promise<Detector> =>
    openDetector(model, { device: "cpu", ...options });

  it("a model that is no detector", async () => {
    await expect(open(tinyNetwork())).rejects.toThrow(
      "model: not a detector: from image it gives probabilities, logits, and a detector gives boxes, scores, labels, " +
        "images from image, image_info",
    );
  });

  it("a detector that is asked to classify", async () => {
    await expect(openClassifier(wholeImage({ metadata: metadata() }), { device: "cpu" })).rejects.toThrow(
      "model: a detector, which finds objects and doesn't classify: use detect",
    );
  });

  it.each<[string, Partial<ModelText>, DetectorOptions, RegExp]>([
    ["no preprocessing", {}, {}, /^model: carries no preprocessing; say which it was trained with$/],
    [
      "metadata that say something else of boxes",
      { metadata: { "resnetc.task": "detection", "resnetc.boxes": "round" } },
      {},
      /^model: metadata resnetc\.boxes is "round", not inclusive or exclusive$/,
    ],
    [
      "no word of boxes",
      { metadata: { "resnetc.task": "detection" } },
      {},
      /^model: metadata resnetc\.boxes is missing$/,
    ],
    ["another task", { metadata: { "resnetc.task": "song" } }, {}, /^model: metadata resnetc\.task is "song", not det/],
    [
      "weights that are missing",
      { inputs: { image: ["N", 3, "H", "W"], image_info: ["M", 6], w: [1], v: [2] } },
      { preprocess },
      /^model: 2 more inputs than a detector has \(was it compiled without weights\?\)$/,
    ],
    [
      "a preprocessing that crops",
      {},
      { preprocess: fromVersion1({ ...SMALL_DECLARED, centerCrop: [20, 20] }) },
      /^model: preprocessing small has center_crop; a detector needs the whole image, scaled$/,
    ],
    [
      "a resampler that the rules don't have",
      {},
      { preprocess: fromVersion1({ ...SMALL_DECLARED, interpolation: "bicubic" }) },
      /^model: preprocessing small: resize_shorter: like torch is bilinear, not bicubic$/,
    ],
  ])("%s", async (_, changes, options, message) => {
    await expect(open(wholeImage(changes), options)).rejects.toThrow(message);
  });

  it("labels that are too few", async () => {
    await withDetector(
      wholeImage({ metadata: metadata() }),
      async (detector) => {
        await expect(detector.detect(await images())).rejects.toThrow("model: found class 2, but there are 2 labels");
      },
      { labels: ["a", "b"] },
    );
  });

  it.each([
    [{ batch: 0 }, "batch: 0 is not a positive whole number"],
    [{ score: 1.5 }, "score: 1.5 is not from 0 to 1"],
    [{ maskThreshold: -1 }, "maskThreshold: -1 is not from 0 to 1"],
  ])("options %j", async (options, message) => {
    await withDetector(wholeImage({ metadata: metadata() }), async (detector) => {
      await expect(detector.detect([PHOTO], options)).rejects.toThrow(message);
    });
  });
});

describe("images of odd shapes and kinds", () => {
  const golden = (file: string): string => path.join(import.meta.dirname, "../../golden/images", file);

  it("are all done or refused in a line", async () => {
    await withDetector(wholeImage({ metadata: metadata() }), async (detector) => {
      const odd = await Promise.all([solid("dot", 1, 1, [255, 0, 0]), solid("thread", 10_000, 8, [0, 255, 0])]);
      const kinds = ["alpha.png", "deep.png", "cmyk.jpg", "grey.jpg", "animated.gif", "turned.jpg"].map(golden);
      const results = await detector.detect([...odd, ...kinds], { batch: 3 });
      const sizes = results.map((each) => ("error" in each ? each.error : [each.width, each.height]));
      expect(sizes).toEqual([
        [1, 1],
        [10_000, 8],
        [33, 21],
        [33, 21],
        [33, 21],
        [33, 21],
        [33, 21],
        [21, 33],
      ]);
      expect(results[0]).toMatchObject({ objects: [{ box: [0, 0, 1, 1] }] });
      expect(results[1]).toMatchObject({ objects: [{ box: [0, 0, 10_000, 8] }] });
    });
  });

  it("a long one without a limit is refused, and the others are done", async () => {
    const endless = fromVersion1({ ...SMALL_DECLARED, resize: { shorter: 600, like: "opencv" } });
    await withDetector(
      wholeImage({ metadata: metadata() }),
      async (detector) => {
        const images = [await solid("thread", 10_000, 8, [0, 255, 0]), await solid("dot", 1, 1, [255, 0, 0])];
        const results = await detector.detect(images);
        expect(results[0]).toEqual({
          image: "thread",
          error: "thread: 10000x8 is too much for a detector: scaled it would be 750000x600",
        });
        expect(results[1]).toMatchObject({ objects: [{ label: "red" }] });
      },
      { preprocess: endless },
    );
  });
});

it("classifiers are not taken for detectors by their metadata alone", async () => {
  await expect(openDetector(meanColour({ metadata: metadata() }), { device: "cpu" })).rejects.toThrow(
    /^model: not a detector/,
  );
});
