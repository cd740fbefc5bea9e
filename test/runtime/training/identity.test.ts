/** What makes a training itself: what is compared when it goes on, and what may be otherwise. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { elaborate, memoryHost, parseTarget, type Model, type Recipe } from "../../../compiler/index.js";
import type { DataSet, LabelledSplit } from "../../../runtime/data/index.js";
import { networkDigest, splitDigests } from "../../../runtime/training/fingerprint.js";
import { train } from "../../../runtime/training/trainer.js";
import { type TrainEvent, type TrainOptions, type TrainResult } from "../../../runtime/training/request.js";
import { openWeights } from "../../../runtime/weights/index.js";
import { safetensorsChunks } from "../../../runtime/weights/write-safetensors.js";
import { writeWhole } from "../../../runtime/files.js";
import { NAMES, tinyData, tinyModel, tinyRecipe } from "./tiny.js";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "resnetc-identity-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const SOURCE = `network Small {
  input image 3x32x32
  stage conv1 { conv 3x3, 4, /4   bn   relu }
  head        { global_avg_pool   fc 10   softmax }
}
`;

function model(source = SOURCE, name = "net.resnet"): Model {
  const { model: found, diagnostics } = elaborate(parseTarget(name), { host: memoryHost({ [name]: source }) });
  if (!found) throw new Error(JSON.stringify(diagnostics));
  return found;
}

interface Given extends TrainOptions {
  readonly model?: Model;
  readonly recipe?: Partial<Recipe>;
  readonly data?: DataSet;
  readonly names?: typeof NAMES;
  readonly folder?: string;
}

async function run({
  recipe,
  data,
  names = NAMES,
  model: net,
  folder = "run",
  ...options
}: Given): Promise<TrainResult> {
  const request = { model: net ?? model(), recipe: tinyRecipe(recipe), data: data ?? (await tinyData()), names };
  return train(
    { ...request, folder: path.join(root, folder) },
    { device: "cpu", threads: 1, sameThread: true, ...options },
  );
}

async function begun(given: Given = {}): Promise<void> {
  const stop = new AbortController();
  const onEvent = (event: TrainEvent): unknown => event.kind === "step" && event.metrics.step === 4 && stop.abort();
  await run({ ...given, signal: stop.signal, onEvent });
}

const refusal = (given: Given): Promise<string> =>
  run({ resume: true, ...given }).then(
    () => "went on",
    (error: Error) => error.message,
  );

const weightsOf = (value: number): Map<string, Float32Array> =>
  new Map(
    model().graph.parameters.map((each) => {
      const size = each.value.type.shape.reduce<number>((product, dim) => product * (dim as number), 1);
      return [each.path, new Float32Array(size).fill(value)];
    }),
  );

describe("a training goes on only with", () => {
  it("its network, whose edited layer is named", async () => {
    await begun();
    expect(await refusal({ model: model(SOURCE.replace("relu", "gelu")) })).toMatch(
      /was begun with another network: (it had no|it had) conv1\.\w+; go on with that, or train into another folder$/,
    );
    expect(await refusal({ model: model(SOURCE.replace("bn ", "bn(momentum: 0.01) ")) })).toMatch(
      /another network: conv1\.bn is not what it was/,
    );
    expect(await refusal({ model: model(SOURCE.replace("/4 ", "/2 ")) })).toMatch(/another network: /);
  });

  it("its classes, of which the first that was renamed is told", async () => {
    await begun();
    const data = await tinyData();
    const classes = data.classes.map((name, index) => (index === 3 ? "zeppelin" : name));
    expect(await refusal({ data: { ...data, classes } })).toContain(
      `was begun with other classes: number 4 was "${data.classes[3]}", it is "zeppelin" now`,
    );
    const swapped = [data.classes[1]!, data.classes[0]!, ...data.classes.slice(2)];
    expect(await refusal({ data: { ...data, classes: swapped } })).toContain("was begun with other classes: number 1");
  });

  it("its training and validation images", async () => {
    await begun();
    expect(await refusal({ data: await tinyData(80, 30) })).toContain("was begun with 40 validation images, not 30");
    expect(await refusal({ data: await tinyData(96, 40) })).toContain("was begun with 80 training images, not 96");
    const data = await tinyData();
    const other: LabelledSplit = { ...data.validation, reference: (index) => data.validation.reference(index + 100) };
    expect(await refusal({ data: { ...data, validation: other } })).toContain(
      "was begun with other validation images: as many, but of other names or classes",
    );
    const relabelled: LabelledSplit = { ...data.train, label: (index) => (index === 7 ? 0 : data.train.label(index)) };
    expect(await refusal({ data: { ...data, train: relabelled } })).toContain("was begun with other training images");
  });

  it("its weights, where they are named again", async () => {
    await begun({ weights: weightsOf(0.1) });
    expect(await refusal({ weights: weightsOf(0.2) })).toContain("was begun with other weights than the file has now");
    expect(await refusal({ weights: weightsOf(0.1) })).toBe("went on");
    // Neither named nor forgotten: what was kept is compared the next time, too.
    expect(await refusal({})).toBe("went on");
    expect(await refusal({ weights: weightsOf(0.2) })).toContain("other weights");
    await begun({ folder: "random" });
    expect(await refusal({ folder: "random", weights: weightsOf(0.1) })).toContain(
      "was begun with random weights, not with a file's",
    );
  });

  it("its seed and its recipe, each setting of which is named", async () => {
    await begun();
    expect(await refusal({ recipe: { seed: 7 } })).toContain("was begun with seed 0, not 7");
    expect(await refusal({ recipe: { emaDecay: 0.9 } })).toContain("`ema` was not given, it is 0.9 now");
    expect(await refusal({ recipe: { batch: 8 } })).toContain("`batch` was 16, it is 8 now");
    expect(await refusal({ recipe: { checkpointEvery: 3 } })).toBe("went on");
  });
});

describe("a training does not mind", () => {
  it("other names of the same things, and another place of its source", async () => {
    await begun();
    const names = { target: "elsewhere.resnet#Net", recipe: "x", data: "/abs/shapes" };
    const moved = `// a comment\n\n${SOURCE.replaceAll("  stage", "    stage").replace("Small", "Renamed")}`;
    expect(await refusal({ names, model: model(moved, "elsewhere.resnet") })).toBe("went on");
  });

  it("where its files are, how their folders are written, and how letters are composed", () => {
    const files = (folder: string, form: "NFC" | "NFD"): Pick<DataSet<LabelledSplit>, "train" | "validation"> => {
      const split = (name: "train" | "validation"): LabelledSplit => ({
        name,
        size: 4,
        isLight: false,
        label: (index) => index % 2,
        reference: (index) => ({
          kind: "file",
          file: path.join(folder, name, `é${index % 2}`.normalize(form), `${index}.png`),
        }),
      });
      return { train: split("train"), validation: split("validation") };
    };
    const here = splitDigests(files("/a/data", "NFC"));
    expect(splitDigests(files("/mnt/far/away", "NFC"))).toEqual(here);
    expect(splitDigests(files("data", "NFD"))).toEqual(here);
    expect(here.train.digest).not.toBe(here.validation.digest);
    const renamed = files("/a/data", "NFC");
    const reference: LabelledSplit["reference"] = (index) =>
      index === 2 ? { kind: "file", file: "/a/data/train/é0/other.png" } : renamed.train.reference(index);
    expect(splitDigests({ ...renamed, train: { ...renamed.train, reference } }).train).not.toEqual(here.train);
  });

  it("but each of a graph's parts counts", () => {
    const digest = (source: string): string => networkDigest(model(source).graph).digest;
    const same = digest(SOURCE);
    expect(digest(SOURCE.replace("Small", "Other"))).toBe(same);
    for (const [from, to] of [
      ["3x3, 4", "3x3, 5"],
      ["relu", "relu6"],
      ["fc 10", "fc 10, bias: false"],
      ["/4 ", "/4, bias: true "],
      ["global_avg_pool", "global_max_pool"],
      ["3x32x32", "3x64x64"],
    ] as const) {
      expect(digest(SOURCE.replace(from, to)), to).not.toBe(same);
    }
  });
});

describe("the length of a training", () => {
  const notices = async (given: Given): Promise<string[]> => {
    const found: string[] = [];
    await run({ ...given, resume: true, onEvent: (event) => event.kind === "notice" && found.push(event.message) });
    return found;
  };

  it("may be changed, and what follows for the rate is said", async () => {
    await begun({ recipe: { stop: { steps: 8 } } });
    const [line, ...others] = await notices({ recipe: { stop: { steps: 16 } } });
    expect(others).toEqual([]);
    expect(line).toMatch(
      /^16 updates in place of 8: from here on the learning rate is that of a cosine schedule over 16: 0\.0\d+ at update 5, not 0\.0\d+; the warm-up is not made again$/,
    );
    const steps = (await readFile(path.join(root, "run/metrics.jsonl"), "utf8")).match(/"learningRate":[\d.e-]+/g)!;
    expect(Number(line!.split(": ")[2]!.split(" ")[0])).toBeCloseTo(Number(steps[4]!.slice(15)), 4);
    expect(await notices({ recipe: { stop: { steps: 16 } } })).toEqual([]);
  });

  it("is no matter for a rate that does not depend on it", async () => {
    const recipe: Partial<Recipe> = { schedule: { kind: "constant" }, stop: { steps: 8 } };
    await begun({ recipe });
    expect(await notices({ recipe: { ...recipe, stop: { steps: 6 } } })).toEqual([
      "6 updates in place of 8: the learning rate does not depend on the length",
    ]);
  });

  it("is not below what was made", async () => {
    await begun();
    expect(await refusal({ recipe: { stop: { steps: 2 } } })).toMatch(
      /has made 4 updates already, more than the 2 asked for$/,
    );
  });
});

it("a checkpoint of an earlier version goes on, and what could not be compared is said", async () => {
  await begun();
  const folder = path.join(root, "run/checkpoints");
  for (const name of await readdir(folder)) {
    const file = path.join(folder, name);
    const source = await openWeights(file);
    const {
      version: _v,
      length: _l,
      identity,
      ...rest
    } = JSON.parse(source.metadata["resnetc.checkpoint"]!) as {
      version: number;
      length: unknown;
      identity: Record<string, unknown>;
    };
    const { content: _c, resnetc: _r, ...old } = identity;
    const text = JSON.stringify({ version: 1, ...rest, identity: old });
    const { crc32 } = await import("node:zlib");
    const tensors = [...source.tensors.values()].map((each) => {
      const data = source.read(each.name);
      return { ...each, dtype: "float32" as const, data: () => data };
    });
    source.close();
    const sum = crc32(text).toString(16).padStart(8, "0");
    await writeWhole(file, safetensorsChunks(tensors, { "resnetc.checkpoint": text, "resnetc.checkpoint.crc32": sum }));
  }
  const warnings: string[] = [];
  const result = await run({
    resume: true,
    onEvent: (event) => event.kind === "warning" && warnings.push(event.message),
  });
  expect(result).toMatchObject({ finished: true, step: 12 });
  expect(warnings.join("\n")).toMatch(/of an earlier version.*whether they are the same was not compared/);
  expect(warnings).toHaveLength(1);
  await begun({ model: tinyModel(), folder: "other" });
  expect(await refusal({ folder: "other" })).toMatch(/another network/);
});
