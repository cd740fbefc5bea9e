/** Images made ready for a model's runs: the same in threads and without them, in their order, with the errors that they have. */
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fromVersion1 } from "../../../compiler/metadata-version-1.js";
import { modelMetadata } from "../../../compiler/metadata.js";
import { openClassifier } from "../../../runtime/classification/classifier.js";
import { preparerFor } from "../../../runtime/data/preparer.js";
import type { InputPlan } from "../../../runtime/images/model-input.js";
import { grouped, inGroups, preparerHere, type Preparer } from "../../../runtime/images/preparing.js";
import { readImage } from "../../../runtime/images/read.js";
import { nameOf, type NamedSource } from "../../../runtime/images/source.js";
import { meanColour } from "../../support/onnx.js";
import { plainRecord } from "../../support/preprocess.js";

const COUNT = 40;
const preprocess = fromVersion1(plainRecord({ name: "small", resize: { shorter: 40 }, centerCrop: [32, 32] }));
const whole = fromVersion1(plainRecord({ name: "whole", resize: { shorter: 40, longest: 70 } }));

let root: string;
/** Files, bytes, and images that a function makes; of the files one is damaged and one isn't there. */
const sources: NamedSource[] = [];

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "resnetc-prepare-"));
  for (let i = 0; i < COUNT; i++) {
    const [width, height] = [50 + i, 90 - i];
    const data = Uint8Array.from({ length: width * height * 3 }, (_, k) => (k * (i + 3) + k * k) % 256);
    const file = path.join(root, `${i}.jpg`);
    await sharp(data, { raw: { width, height, channels: 3 } }).toFile(file);
    if (i % 3 === 0) sources.push({ name: `bytes ${i}`, bytes: await readFile(file) });
    else if (i % 3 === 1) sources.push({ name: `made ${i}`, pixels: () => ({ width, height, data }) });
    else sources.push(file);
  }
  await writeFile(path.join(root, "cut.jpg"), (await readFile(path.join(root, "2.jpg"))).subarray(0, 900));
  sources.splice(7, 0, path.join(root, "cut.jpg"), path.join(root, "absent.jpg"), {
    name: "no image",
    bytes: Uint8Array.of(1, 2, 3),
  });
});
afterAll(() => rm(root, { recursive: true }));

async function all<P extends InputPlan>(preparer: Preparer, plan: P, size = 3) {
  const groups = [];
  for await (const group of inGroups(grouped(sources, size), preparer, plan, sources.length)) groups.push(group);
  await preparer.close();
  return groups;
}

describe("images for a model", () => {
  const center = { kind: "center" } as const;
  it.each<[string, InputPlan]>([
    ["the middle", { kind: "views", preprocess, size: [32, 32], views: [center] }],
    ["ten crops", { kind: "views", preprocess, size: undefined, views: [{ kind: "ten crops" }] }],
    [
      "scales",
      { kind: "views", preprocess, size: undefined, views: [30, 45].map((shorter) => ({ kind: "whole", shorter })) },
    ],
    ["decoded", { kind: "pixels", channels: 3 }],
    ["decoded, in grey", { kind: "pixels", channels: 1 }],
    ["whole", { kind: "detector", preprocess: whole, model: "m", size: undefined, keepsPixels: false }],
    ["whole, kept", { kind: "detector", preprocess: whole, model: "m", size: [64, 64], keepsPixels: true }],
  ])("%s: the same in threads as here, with and beside the runs", async (_, plan) => {
    const here = await all(preparerHere(readImage), plan);
    expect(here.map((group) => group.length)).toEqual([...Array<number>(14).fill(3), 1]);
    expect(here.flat().map(({ name }) => name)).toEqual(sources.map(nameOf));
    const errors = here.flat().flatMap((each) => ("error" in each ? [each.error] : []));
    expect(errors.filter((error) => !error.includes("scaled to"))).toEqual([
      expect.stringMatching(/cut\.jpg: damaged or cut short/),
      `${path.join(root, "absent.jpg")}: no such file`,
      expect.stringMatching(/^no image: not an image/),
    ]);
    for (const options of [{ device: "cpu" }, { device: "webgpu" }] as const) {
      const threaded = await all(preparerFor(options, {}), plan);
      expect(threaded.map(plain)).toEqual(here.map(plain));
    }
  });

  it("a few are made ready without threads, and so are all once it is closed", async () => {
    const preparer = preparerFor({ device: "cpu" }, {});
    await preparer.close();
    const plan: InputPlan = { kind: "views", preprocess, size: [32, 32], views: [center] };
    expect((await all(preparer, plan)).map(plain)).toEqual((await all(preparerHere(readImage), plan)).map(plain));
  });
});

/**
 * To be compared: a decoder's bytes are a Buffer here and were an array in a thread, and what libvips adds to an error may get lost
 * where several threads decode.
 */
function plain(value: unknown): unknown {
  const text = JSON.stringify(value, (key, each: unknown) => {
    if (key === "error") return String(each).replace(/ \(.*\)$/, "");
    return isBytes(each) ? { ...each, data: digest(each.data) } : each;
  });
  return JSON.parse(text);
}

function digest({ buffer, byteOffset, byteLength }: Uint8Array | Float32Array): string {
  return createHash("sha256")
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest("hex");
}

function isBytes(value: unknown): value is { readonly data: Uint8Array | Float32Array } {
  const data = (value as { readonly data?: unknown } | null)?.data;
  return data instanceof Uint8Array || data instanceof Float32Array;
}

describe("ahead of the runs", () => {
  /** Tells what is being made ready whenever a group is handed out. */
  async function watched(besideRuns: boolean, ahead: number): Promise<{ asked: number; making: number }[]> {
    let [asked, making] = [0, 0];
    const preparer = {
      besideRuns,
      ahead: () => ahead,
      close: async () => undefined,
      begin: () => async (source: NamedSource) => {
        asked++;
        making++;
        await new Promise((resolve) => setTimeout(resolve, 5 + (asked % 3)));
        making--;
        return { name: nameOf(source), crops: [] };
      },
    } as Preparer;
    const plan: InputPlan = { kind: "pixels", channels: 3 };
    const seen: { asked: number; making: number }[] = [];
    const images = Array.from({ length: 10 }, (_, i) => `${i}`);
    for await (const group of inGroups(grouped(images, 2), preparer, plan, 10)) {
      expect(group.map(({ name }) => name)).toEqual(images.slice(2 * seen.length, 2 * seen.length + 2));
      seen.push({ asked, making });
    }
    return seen;
  }

  it("a network that has all cores has them for itself while it runs", async () => {
    const seen = await watched(false, 4);
    expect(seen.map(({ making }) => making)).toEqual([0, 0, 0, 0, 0]);
    expect(seen.map(({ asked }) => asked)).toEqual([4, 4, 8, 8, 10]);
  });

  it("else the next images are under way before it runs", async () => {
    const seen = await watched(true, 3);
    expect(seen.map(({ asked }) => asked)).toEqual([6, 8, 10, 10, 10]);
    expect(seen[0]!.making).toBeGreaterThan(0);
  });

  it("one group more where a group is all that is wanted", async () => {
    expect((await watched(true, 1)).map(({ asked }) => asked)).toEqual([4, 6, 8, 10, 10]);
  });
});

describe("a classifier", () => {
  const labels = ["red", "green", "blue"];
  const model = meanColour({ metadata: modelMetadata(preprocess, labels, "MeanColour") });

  it("says the same of many images as of each, and names those that can't be read", async () => {
    const classifier = await openClassifier(model, { device: "cpu", threads: 1 });
    const progress: number[] = [];
    const results = await classifier.classify(sources, { batch: 4, onProgress: (done) => progress.push(done) });
    expect(progress).toEqual(sources.map((_, i) => i + 1));
    for (const [i, source] of sources.entries()) {
      expect(await classifier.classify([source], { batch: 4 })).toEqual([results[i]]);
    }
    expect(results.filter((result) => "error" in result)).toHaveLength(3);
    await classifier.close();
    await expect(classifier.classify(sources)).rejects.toThrow("the session is closed");
  });
});
