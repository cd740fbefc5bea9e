/** Files and options that ask for a machine's whole memory are one line, at once. */
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { modelMetadata } from "../../compiler/metadata.js";
import { fromVersion1, type PreprocessVersion1 } from "../../compiler/metadata-version-1.js";
import { bench } from "../../runtime/bench.js";
import { openClassifier } from "../../runtime/classification/classifier.js";
import { openDetector } from "../../runtime/detection/index.js";
import { readModelInfo } from "../../runtime/onnx/model-info.js";
import { meanColour, onnxModel } from "../support/onnx.js";
import { plainRecord } from "../support/preprocess.js";

const HOW = plainRecord({ name: "how" });
const labels = ["red", "green", "blue"];

const small = () =>
  sharp({ create: { width: 8, height: 8, channels: 3, background: "#123456" } })
    .png()
    .toBuffer();

/** Megabytes and milliseconds that something takes beyond what was there. */
async function cost(run: () => Promise<unknown>): Promise<{ readonly megabytes: number; readonly ms: number }> {
  const [before, began] = [process.memoryUsage().rss, performance.now()];
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 5);
  await run().finally(() => clearInterval(timer));
  most = Math.max(most, process.memoryUsage().rss);
  return { megabytes: (most - before) / 2 ** 20, ms: performance.now() - began };
}

async function classified(
  changes: Parameters<typeof meanColour>[0],
  how: PreprocessVersion1,
  options = {},
): Promise<string> {
  const metadata = modelMetadata(fromVersion1(how), labels, "MeanColour");
  try {
    const classifier = await openClassifier(meanColour({ ...changes, metadata }), { device: "cpu" });
    try {
      const [result] = await classifier.classify([await small()], options);
      return result && "error" in result ? result.error : "classified";
    } finally {
      await classifier.close();
    }
  } catch (error) {
    expect((error as Error).name).toBe("SessionError");
    return (error as Error).message;
  }
}

describe("a model's own numbers", () => {
  it.each<[string, Parameters<typeof meanColour>[0], PreprocessVersion1, object, RegExp]>([
    ["a window", {}, { ...HOW, centerCrop: [6_000, 6_000] }, {}, /how: makes images of 6000x6000, more than the/],
    [
      "a window of 1e9",
      {},
      { ...HOW, centerCrop: [1e9, 1e9] },
      {},
      /center_crop: size must be \[height, width\], integers from 1 to 16384/,
    ],
    [
      "a long window",
      {},
      { ...HOW, centerCrop: [1, 1e9] },
      {},
      /center_crop: size must be \[height, width\], integers from 1 to 16384/,
    ],
    [
      "a size to scale to",
      {},
      { ...HOW, resize: { to: [1e9, 1e9] } },
      {},
      /resize: size must be \[height, width\], integers from 1 to 16384/,
    ],
    [
      "a shorter side",
      {},
      { ...HOW, resize: { shorter: 1e9 } },
      {},
      /resize_shorter: length must be an integer from 1 to 16384/,
    ],
    ["a shorter side that is cut", {}, { ...HOW, resize: { shorter: 9e15 }, centerCrop: [8, 8] }, {}, /length must be/],
    [
      "a shorter side that no image can have",
      {},
      { ...HOW, resize: { shorter: 16_384 } },
      {},
      /16384x16384 is more than the/,
    ],
    ["an input", { inputs: { image: ["N", 3, 2 ** 53, 2 ** 53] } }, HOW, {}, /./],
    [
      "an input of 1e6",
      { inputs: { image: ["N", 3, 1e6, 1e6] } },
      HOW,
      {},
      /input image of 1000000x1000000 is more than/,
    ],
    ["a batch", { inputs: { image: [1e9, 3, 8, 8] } }, HOW, {}, /input image: a tensor of 1000000000x3x8x8 has more/],
    [
      "a batch that is asked for",
      { inputs: { image: ["N", 3, 2000, 2000] } },
      HOW,
      { batch: 65_536 },
      /batch: a tensor of/,
    ],
    ["scales", {}, HOW, { scales: [99_999] }, /length must be an integer from 1 to 16384/],
    [
      "scales that fit an image but no network",
      {},
      HOW,
      { scales: [9_000] },
      /9000x9000 is more than the 25000000 pixels/,
    ],
  ])("%s", async (_, changes, how, options, message) => {
    let said = "";
    const { megabytes, ms } = await cost(async () => (said = await classified(changes, how, options)));
    expect(said).toMatch(message);
    expect(said).not.toContain("\n");
    expect(megabytes).toBeLessThan(500);
    expect(ms).toBeLessThan(5000);
  });

  it("of a detector", async () => {
    const outputs = { boxes: ["D", 4], scores: ["D"], labels: ["D"], images: ["D"] };
    const nodes = [
      { op: "ReduceMean", inputs: ["image"], outputs: ["boxes"] },
      { op: "ReduceMean", inputs: ["image"], outputs: ["scores"] },
      { op: "Shape", inputs: ["image"], outputs: ["labels"] },
      { op: "Shape", inputs: ["image"], outputs: ["images"] },
    ];
    const model = onnxModel({
      nodes,
      inputs: { image: ["N", 3, "H", "W"], image_info: ["N", 6] },
      outputs,
      whole: ["labels", "images"],
      metadata: modelMetadata(fromVersion1({ ...HOW, padTo: 1e9 }), labels, "Net", { boxes: "exclusive" }),
    });
    await expect(openDetector(model, { device: "cpu" })).rejects.toThrow(
      "pad_to: multiple must be an integer from 1 to 16384",
    );
  });

  it("of a benchmark", async () => {
    await expect(bench(meanColour({ inputs: { image: [1e9, 3, 8, 8] } }), { batchSizes: [1e9] })).rejects.toThrow(
      /a tensor of 1000000000x3x8x8/,
    );
  });

  it("names of classes", async () => {
    const metadata = modelMetadata(fromVersion1(HOW), ["red", "green", "x".repeat(5_000_000)], "MeanColour");
    await expect(openClassifier(meanColour({ metadata }), { device: "cpu" })).rejects.toThrow(
      /^model: metadata resnetc.labels has a name of 5000000 characters; at most 1000$/,
    );
  });

  it("a range below zero", async () => {
    expect(await classified({}, { ...HOW, range: -1 })).toMatch(
      /resnetc.preprocess: normalize: range must be a number from 1 to 255/,
    );
  });
});

describe("a file of millions of empty nodes", () => {
  it.each([
    ["nodes", [0x0a, 0x00]],
    ["inputs", [0x5a, 0x00]],
    ["initializers", [0x2a, 0x00]],
  ])(
    "%s",
    async (_, field) => {
      const count = 20_000_000;
      const length = count * field.length;
      const size: number[] = [];
      for (let rest = length; ; rest = Math.floor(rest / 128)) {
        size.push(rest >= 128 ? (rest % 128) | 0x80 : rest);
        if (rest < 128) break;
      }
      const file = Buffer.alloc(3 + size.length + length);
      file.set([0x08, 0x08, 0x3a, ...size]);
      file.fill(Buffer.from(field), 3 + size.length);
      const { megabytes, ms } = await cost(async () =>
        expect(() => readModelInfo(file)).toThrow(
          /^model: more than is read of a model: 1000000 nodes and tensors, 10000000 fields/,
        ),
      );
      expect(ms).toBeLessThan(30_000);
      expect(megabytes).toBeLessThan(1500);
    },
    60_000,
  );
});
