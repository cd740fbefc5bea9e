/** Networks of one channel, from training to classification; other numbers of channels are refused. */
import { normalizationOf } from "../../../compiler/preprocess.js";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  elaborate,
  elaborateRecipe,
  memoryHost,
  parseTarget,
  type Model,
  type Recipe,
} from "../../../compiler/index.js";
import { openClassifier } from "../../../runtime/classification/classifier.js";
import { openDataSet, type DataSet } from "../../../runtime/data/index.js";
import { evaluateModel } from "../../../runtime/classification/evaluate.js";
import { readModelMetadata } from "../../../runtime/onnx/model-metadata.js";
import { train } from "../../../runtime/training/trainer.js";
import { type TrainEvent } from "../../../runtime/training/request.js";

const SETTINGS = "optimizer sgd(momentum: 0.9)   batch 16   learning_rate 0.1   stop 30";
const SOURCE = `network Net(channels = 1, end = true) {
  input image [channels, 16, 16]
  stage conv1 { conv 3x3, 8, /2   bn   relu }
  head        { global_avg_pool   fc 2   if end { softmax } else { sigmoid } }
}
recipe normalized { ${SETTINGS}   train { normalize(mean: 0.5, std: 0.25)   flip_horizontal } }
recipe named { ${SETTINGS}   train { normalize(mean: 0.5, std: 0.25, color: grey) } }
recipe pixel { ${SETTINGS}   precise_statistics 32   train { center_crop 16x16   subtract_mean   flip_horizontal } }
recipe channel { ${SETTINGS}   train { subtract_mean(per: channel, divide: std) }
  evaluate { ten_crop 16x16   subtract_mean(per: channel, divide: std) } }
recipe coloured { ${SETTINGS}   train { normalize(mean: [0.4, 0.5, 0.6]) } }
`;
const host = memoryHost({ "net.resnet": SOURCE });

function model(call = ""): Model {
  const found = elaborate(parseTarget(`net.resnet#Net${call}`), { host });
  if (!found.model) throw new Error(JSON.stringify(found.diagnostics));
  return found.model;
}

function recipe(name: string): Recipe {
  const found = elaborateRecipe(parseTarget(`net.resnet#${name}`), { host });
  if (!found.recipe) throw new Error(JSON.stringify(found.diagnostics));
  return found.recipe;
}

let root: string;
let data: DataSet;
let runs = 0;
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "resnetc-grey-"));
  // Dark and light images, each of one colour, half of them stored in grey.
  for (const part of ["train", "val"]) {
    for (const [name, low] of [
      ["dark", 0],
      ["light", 160],
    ] as const) {
      const folder = path.join(root, "data", part, name);
      await mkdir(folder, { recursive: true });
      for (let i = 0; i < 24; i++) {
        const level = (step: number) => low + ((i * step) % 90);
        const background = { r: level(7), g: level(13), b: level(31) };
        const image = sharp({ create: { width: 16, height: 16, channels: 3, background } });
        await (i % 2 ? image.greyscale() : image).png().toFile(path.join(folder, `${i}.png`));
      }
    }
  }
  data = await openDataSet(path.join(root, "data"), { cache: false });
}, 60_000);
afterAll(() => rm(root, { recursive: true }));

async function trained(network: Model, name: string) {
  const events: TrainEvent[] = [];
  const folder = path.join(root, `run-${runs++}`);
  const result = await train(
    { model: network, recipe: recipe(name), data, folder, names: { target: "net", recipe: name, data: "data" } },
    { device: "cpu", threads: 1, workers: 0, sameThread: true, onEvent: (event) => events.push(event) },
  );
  const warnings = events.flatMap((event) => (event.kind === "warning" ? [event.message] : []));
  return { result, warnings };
}

describe("a network of one channel", () => {
  it.each(["normalized", "named", "pixel", "channel"])(
    "learns dark from light, and train, eval and classify agree: %s",
    async (name) => {
      const { result, warnings } = await trained(model(), name);
      expect(result.test!.error).toBeLessThan(0.05);
      const assumed = warnings.filter((line) => line.includes("takes one channel"));
      expect(assumed).toEqual(
        name === "named" ? [] : ["Net takes one channel: images are turned to grey (ITU-R 601-2 luma)"],
      );
      const { preprocess } = readModelMetadata(result.run.model, "model");
      expect(normalizationOf(preprocess!)).toMatchObject({
        color: "grey",
        mean: [expect.any(Number)],
        std: [expect.any(Number)],
      });

      const crops = name === "channel" ? 10 : 1;
      const evaluation = await evaluateModel(result.run.model, data, data.validation, { device: "cpu", crops });
      expect(evaluation.error).toBeCloseTo(result.test!.error!, 9);
      expect(evaluation.scores).toMatchObject({ kind: "probabilities" });

      const classifier = await openClassifier(result.run.model, { device: "cpu" });
      try {
        const files = ["dark", "light"].map((each) => path.join(root, "data/val", each, "2.png"));
        const results = await classifier.classify(files, { crops });
        const loss = results.map((each) => ("error" in each ? each.error : each.predictions[0]!.label));
        expect(loss).toEqual(["dark", "light"]);
      } finally {
        await classifier.close();
      }
    },
    60_000,
  );

  it("is not given colour", async () => {
    await expect(trained(model(), "coloured")).rejects.toThrow(
      "normalize: mean has 3 numbers, and images of 1 channel take 1",
    );
  });
});

describe("what can't be trained so is one line", () => {
  it.each([2, 4, 5])("%i channels", async (channels) => {
    await expect(trained(model(`(channels: ${channels})`), "normalized")).rejects.toThrow(
      `Net: its input has ${channels} channels; an image has 3, or 1 in grey`,
    );
  });

  it("grey images for three channels", async () => {
    await expect(trained(model("(channels: 3)"), "named")).rejects.toThrow(
      "normalize: color grey gives 1 channel, the network takes 3 channels",
    );
  });

  it("a network that ends in a sigmoid", async () => {
    await expect(trained(model("(end: false)"), "normalized")).rejects.toThrow(
      "the network ends in `sigmoid`: training compares the softmax of logits with the classes",
    );
  });
});
