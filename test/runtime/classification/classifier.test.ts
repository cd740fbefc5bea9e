import { fromVersion1 } from "../../../compiler/metadata-version-1.js";
import { readFile } from "node:fs/promises";
import path from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import type { Preprocess } from "../../../compiler/model.js";
import {
  openClassifier,
  type Classified,
  type Classifier,
  type NamedImage,
} from "../../../runtime/classification/classifier.js";
import { decodeImage } from "../../../runtime/images/decode.js";
import type { Planes } from "../../../runtime/images/planes.js";
import { prepareViews, type View } from "../../../runtime/images/views.js";
import { modelMetadata } from "../../../compiler/metadata.js";
import { openSession } from "../../../runtime/onnx/session.js";
import { meanColour, tinyNetwork, type ModelText } from "../../support/onnx.js";
import { plainRecord } from "../../support/preprocess.js";

const PHOTO = path.join(import.meta.dirname, "../../golden/images/photo.jpg");

const DECLARED = plainRecord({ name: "small", resize: { shorter: 40 }, centerCrop: [32, 32] });
const preprocess = fromVersion1(DECLARED);
const labels = ["red", "green", "blue"];
const metadata = modelMetadata(preprocess, labels, "MeanColour");

async function solid(name: string, [r, g, b]: readonly [number, number, number]): Promise<NamedImage> {
  const image = sharp({ create: { width: 50, height: 44, channels: 3, background: { r, g, b } } });
  return { name, bytes: await image.png().toBuffer() };
}

async function withClassifier<T>(
  model: Uint8Array,
  use: (classifier: Classifier) => Promise<T>,
  options: Parameters<typeof openClassifier>[1] = {},
): Promise<T> {
  const classifier = await openClassifier(model, { device: "cpu", ...options });
  try {
    return await use(classifier);
  } finally {
    await classifier.close();
  }
}

function probabilitiesOf(result: Classified): number[] {
  if ("error" in result) throw new Error(result.error);
  return [...result.predictions].sort((a, b) => a.index - b.index).map(({ probability }) => probability);
}

function softmax(logits: readonly number[]): number[] {
  const powers = logits.map(Math.exp);
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** Mean probabilities of the tiny network over views, computed one by one. */
async function oneByOne(model: Uint8Array, file: string, tests: readonly View[], how: Preprocess): Promise<number[]> {
  const session = await openSession(model, { device: "cpu" });
  const image = await decodeImage(file);
  const all: Planes[] = tests.flatMap((view) => prepareViews(how, undefined, view)(image));
  const rows: Float32Array[] = [];
  for (const { data, height, width } of all) {
    const { probabilities } = await session.run({ image: { data, shape: [1, 3, height, width] } });
    rows.push(probabilities!.data as Float32Array);
  }
  await session.close();
  return Array.from(rows[0]!, (_, k) => rows.reduce((sum, row) => sum + row[k]!, 0) / rows.length);
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5));
}

describe("a classifier", () => {
  const colours = [
    ["sky", [40, 90, 250]],
    ["leaf", [30, 200, 10]],
    ["rose", [255, 0, 51]],
  ] as const;
  let images: NamedImage[];
  beforeAll(async () => {
    images = await Promise.all(colours.map(([name, colour]) => solid(name, colour)));
  });

  it("needs the .onnx alone: preprocessing, labels and name come with it", async () => {
    await withClassifier(meanColour({ metadata }), async (classifier) => {
      expect(classifier).toMatchObject({ network: "MeanColour", labels, preprocess, classes: 3 });
      const results = await classifier.classify(images, { top: 2, batch: 2 });
      expect(results.map(({ image }) => image)).toEqual(["sky", "leaf", "rose"]);
      const best = results.map((result) => ("error" in result ? [] : result.predictions.map(({ label }) => label)));
      expect(best).toEqual([
        ["blue", "green"],
        ["green", "red"],
        ["red", "blue"],
      ]);
      const [first] = await classifier.classify(images.slice(0, 1));
      expectClose(probabilitiesOf(first!), softmax([40 / 255, 90 / 255, 250 / 255]));
      expect(JSON.parse(JSON.stringify(first))).toEqual(first);
    });
  });

  it("takes preprocessing and labels that are given, over those of the model", async () => {
    const options = { preprocess: fromVersion1({ ...DECLARED, color: "bgr", range: 255 }), labels: ["x", "y", "z"] };
    await withClassifier(
      meanColour({ metadata }),
      async (classifier) => {
        const [result] = await classifier.classify([await solid("dark", [0, 1, 2])]);
        expectClose(probabilitiesOf(result!), softmax([2, 1, 0]));
        expect(result).toMatchObject({ predictions: [{ label: "x" }, { label: "y" }, { label: "z" }] });
      },
      options,
    );
  });

  it.each<[string, Partial<ModelText>]>([
    ["logits alone", { outputs: { logits: ["N", 3] } }],
    ["a distribution by another name", rename("probabilities", "prob")],
    ["scores by another name, not a distribution", rename("logits", "scores")],
  ])("reads %s", async (_, changes) => {
    await withClassifier(
      meanColour({ metadata, ...changes }),
      async (classifier) => {
        const [result] = await classifier.classify(images.slice(0, 1));
        expectClose(probabilitiesOf(result!), softmax([40 / 255, 90 / 255, 250 / 255]));
      },
      changes.outputs?.["scores"] ? { scores: "logits" } : {},
    );
  });

  it("averages scores at several positions", async () => {
    const nodes = [
      { op: "AveragePool", inputs: ["image"], outputs: ["map"], ints: { kernel_shape: [16, 16], strides: [16, 16] } },
    ];
    const model = meanColour({ metadata, nodes, outputs: { map: ["N", 3, "h", "w"] } });
    await withClassifier(
      model,
      async (classifier) => {
        const [result] = await classifier.classify(images.slice(0, 1));
        expectClose(probabilitiesOf(result!), softmax([40 / 255, 90 / 255, 250 / 255]));
      },
      { scores: "logits" },
    );
  });

  it("fills the batch of a model that has a fixed one", async () => {
    const model = meanColour({ metadata, inputs: { image: [2, 3, 32, 32] }, outputs: { logits: [2, 3] } });
    await withClassifier(model, async (classifier) => {
      const results = await classifier.classify(images);
      results.forEach((result, i) => expectClose(probabilitiesOf(result), softmax(colours[i]![1].map((c) => c / 255))));
    });
  });

  it("names classes by number without labels", async () => {
    await withClassifier(
      meanColour(),
      async (classifier) => {
        const [result] = await classifier.classify(images.slice(0, 1), { top: 1 });
        expect(result).toMatchObject({ predictions: [{ label: "class 2", index: 2 }] });
      },
      { preprocess },
    );
  });

  it("goes on after an image that can't be read, and says how far it is", async () => {
    await withClassifier(meanColour({ metadata }), async (classifier) => {
      const photo = await readFile(PHOTO);
      const cut = { name: "cut.jpg", bytes: photo.subarray(0, 4000) };
      const progress: string[] = [];
      const results = await classifier.classify([images[0]!, cut, "absent.jpg", PHOTO], {
        batch: 3,
        onProgress: (done, total) => progress.push(`${done}/${total}`),
      });
      expect(results.map((result) => "predictions" in result)).toEqual([true, false, false, true]);
      expect(results[1]).toEqual({
        image: "cut.jpg",
        error: expect.stringMatching(/^cut\.jpg: damaged or cut short/) as unknown,
      });
      expect(results[2]).toEqual({ image: "absent.jpg", error: "absent.jpg: no such file" });
      expect(progress).toEqual(["1/4", "2/4", "3/4", "4/4"]);
    });
  });

  it("says so when the scores are no numbers", async () => {
    const nodes = [
      { op: "GlobalAveragePool", inputs: ["image"], outputs: ["pool"] },
      { op: "Sub", inputs: ["pool", "pool"], outputs: ["zero"] },
      { op: "Div", inputs: ["zero", "zero"], outputs: ["nan"] },
      { op: "Flatten", inputs: ["nan"], outputs: ["logits"] },
    ];
    await withClassifier(meanColour({ metadata, nodes, outputs: { logits: ["N", 3] } }), async (classifier) => {
      const [result] = await classifier.classify(images.slice(0, 1));
      expect(result).toMatchObject({
        error: expect.stringMatching(/^sky: the network's scores are not finite/) as unknown,
      });
    });
  });
});

describe("the paper's tests", () => {
  const model = tinyNetwork({ metadata: modelMetadata(preprocess, undefined, "Tiny") });

  it("single crop", async () => {
    await withClassifier(model, async (classifier) => {
      const [result] = await classifier.classify([PHOTO]);
      expectClose(probabilitiesOf(result!), await oneByOne(model, PHOTO, [{ kind: "center" }], preprocess));
    });
  });

  it("ten crops: the mean of the probabilities of each", async () => {
    await withClassifier(model, async (classifier) => {
      const [result] = await classifier.classify([PHOTO], { crops: 10, batch: 4 });
      const expected = await oneByOne(model, PHOTO, [{ kind: "ten crops" }], preprocess);
      expectClose(probabilitiesOf(result!), expected);
      const [single] = await classifier.classify([PHOTO]);
      expect(Math.abs(probabilitiesOf(single!)[0]! - expected[0]!)).toBeGreaterThan(1e-5);
    });
  });

  it("several scales: the mean over the whole images and their mirrors", async () => {
    const scales = [24, 32, 56];
    await withClassifier(model, async (classifier) => {
      const [result, again] = await classifier.classify([PHOTO, PHOTO], { scales });
      const tests = scales.map((shorter) => ({ kind: "whole", shorter }) as const);
      expectClose(probabilitiesOf(result!), await oneByOne(model, PHOTO, tests, preprocess));
      expect(again).toEqual(result);
    });
  });
});

describe("one clear line", () => {
  const open = (model: Uint8Array, options = {}): Promise<Classifier> =>
    openClassifier(model, { device: "cpu", ...options });

  it.each<[string, Partial<ModelText>, object, RegExp]>([
    ["no preprocessing", {}, {}, /^model: carries no preprocessing; say which .*--preprocess torchvision/],
    ["labels that are too few", { metadata }, { labels: ["a"] }, /^model: 3 classes, but 1 labels$/],
    [
      "damaged metadata",
      { metadata: { "resnetc.preprocess": "?" } },
      {},
      /^model: metadata resnetc.preprocess is not JSON$/,
    ],
    [
      "an output that is not there",
      { metadata },
      { output: "boxes" },
      /^model: no output is called boxes \(outputs: prob/,
    ],
    ["flat input", { metadata, inputs: { image: ["N", 3] } }, {}, /^model: .*(not images|rank)/],
    [
      "four channels",
      { metadata, inputs: { image: ["N", 4, 8, 8] } },
      {},
      /^model: input image has 4 channels; an image has 3, or 1 in grey$/,
    ],
  ])("%s", async (_, changes, options, message) => {
    await expect(open(meanColour(changes), options)).rejects.toThrow(message);
  });

  it("outputs of which none is known to be the scores", async () => {
    const nodes = [
      { op: "Relu", inputs: ["image"], outputs: ["a"] },
      { op: "Tanh", inputs: ["image"], outputs: ["b"] },
    ];
    const model = meanColour({ metadata, nodes, outputs: { a: ["N", 3, "H", "W"], b: ["N", 3, "H", "W"] } });
    await expect(open(model)).rejects.toThrow(
      "model: none of its outputs (a, b) is called probabilities or logits; say which has the scores",
    );
  });

  it("scales for a network of fixed size", async () => {
    const fixed = tinyNetwork({ metadata, inputs: { image: ["N", 3, 32, 32] } });
    await withClassifier(
      fixed,
      async (classifier) => {
        const scaled = classifier.classify([PHOTO], { scales: [224] });
        await expect(scaled).rejects.toThrow(
          "model: its input is fixed to 32x32; for scales compile with --input 3xHxW",
        );
      },
      { labels: ["a", "b", "c", "d", "e"] },
    );
  });

  it("other views of an image for a model whose mean image was cut with the middle", async () => {
    const centred = modelMetadata(preprocess, labels, "MeanColour", undefined, undefined, "center");
    await withClassifier(meanColour({ metadata: centred }), async (classifier) => {
      expect(await classifier.classify([PHOTO])).toHaveLength(1);
      for (const options of [{ crops: 10 as const }, { scales: [224] }]) {
        await expect(classifier.classify([PHOTO], options)).rejects.toThrow(
          /^model: subtracts a mean image that was cut with the middle of the image: no crops and no scales; train with/,
        );
      }
    });
  });

  it.each([
    [{ crops: 5 as never }, "crops: 5 is neither 1 nor 10"],
    [{ scales: [] }, "scales: none given"],
    [{ scales: [224.5] }, "scales: 224.5 is not a positive whole number"],
    [{ scales: [224], crops: 10 as const }, "scales take the whole image: they do not go with crops"],
    [{ top: 0 }, "top: 0 is not a positive whole number"],
    [{ batch: -1 }, "batch: -1 is not a positive whole number"],
  ])("options %j", async (options, message) => {
    await withClassifier(meanColour({ metadata }), async (classifier) => {
      await expect(classifier.classify([PHOTO], options)).rejects.toThrow(message);
    });
  });
});

function rename(from: "probabilities" | "logits", to: string): Partial<ModelText> {
  const name = (tensor: string): string => (tensor === from ? to : tensor);
  const nodes = [
    { op: "GlobalAveragePool", inputs: ["image"], outputs: ["pool"] },
    { op: "Flatten", inputs: ["pool"], outputs: ["logits"] },
    { op: "Softmax", inputs: ["logits"], outputs: ["probabilities"] },
  ].map((node) => ({ ...node, inputs: node.inputs.map(name), outputs: node.outputs.map(name) }));
  return { nodes, outputs: { [to]: ["N", 3] } };
}
