/** What a recipe asks for beside the plain course of a training: each does what it says, and is taken up again to the bit. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Recipe } from "../../../compiler/index.js";
import { emaDecayAt } from "../../../compiler/training/contract.js";
import { subset, type DataSet } from "../../../runtime/data/index.js";
import { progressAfter, reasonToStop, type Progress } from "../../../runtime/training/early-stopping.js";
import { readMetrics, type Metrics, type ValidationMetrics } from "../../../runtime/training/metrics.js";
import { checkThaws, phaseOf, thawSteps } from "../../../runtime/training/phases.js";
import { train } from "../../../runtime/training/trainer.js";
import { type TrainEvent, type TrainOptions, type TrainResult } from "../../../runtime/training/request.js";
import { openWeights } from "../../../runtime/weights/index.js";
import { NAMES, tinyData, tinyModel, tinyRecipe } from "./tiny.js";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "resnetc-features-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

interface Given extends TrainOptions {
  readonly recipe?: Partial<Recipe>;
  readonly folder?: string;
  readonly data?: DataSet;
}

async function run({ recipe, folder = "run", data, ...options }: Given = {}): Promise<TrainResult> {
  const request = { model: tinyModel(), recipe: tinyRecipe(recipe), data: data ?? (await tinyData()), names: NAMES };
  return train(
    { ...request, folder: path.join(root, folder) },
    { device: "cpu", threads: 1, sameThread: true, ...options },
  );
}

const bytes = (folder: string, file: string): Promise<Buffer> => readFile(path.join(root, folder, file));
const metricsOf = (folder: string): Metrics[] => readMetrics(path.join(root, folder, "metrics.jsonl"));
const validations = (folder: string): ValidationMetrics[] =>
  metricsOf(folder).flatMap((each) => (each.kind === "validation" ? [each] : []));
const lasting = (folder: string): unknown[] =>
  metricsOf(folder).map(({ seconds: _s, ...rest }) =>
    rest.kind === "step" ? { ...rest, imagesPerSecond: 0, waiting: 0 } : rest,
  );

/** Stops after this many updates. */
function stoppingAfter(step: number): Pick<TrainOptions, "signal" | "onEvent"> {
  const stop = new AbortController();
  return {
    signal: stop.signal,
    onEvent: (event) => event.kind === "step" && event.metrics.step === step && stop.abort(),
  };
}

async function weightsOf(file: string): Promise<ReadonlyMap<string, Float32Array>> {
  const source = await openWeights(path.join(root, file));
  const found = new Map([...source.tensors.keys()].map((name) => [name, source.read(name)] as const));
  source.close();
  return found;
}

describe("everything together", () => {
  const recipe: Partial<Recipe> = {
    optimizer: { kind: "adamw" },
    learningRate: 0.01,
    schedule: { kind: "one_cycle", pctStart: 0.3, divFactor: 25, finalDivFactor: 1e4, anneal: "cosine" },
    accumulate: 2,
    mixup: { alpha: 0.4, probability: 0.8 },
    cutmix: { alpha: 1, probability: 1 },
    sampling: "balanced",
    classWeights: [1, 2, 3, 1, 2, 3, 1, 2, 3, 4],
    gradientNorm: true,
    emaDecay: 0.99,
    emaWarmUp: true,
    validateRaw: true,
    zeroInitResidual: true,
    thaws: [
      { stages: ["conv1"], after: 6, unit: "step" },
      { stages: ["conv2"], after: 3, unit: "step" },
    ],
    stageRates: [{ stage: "head", times: 10 }],
  };

  it.each([2, 5, 9])(
    "stopped after %i updates and taken up again is the uninterrupted one, bit for bit",
    async (at) => {
      const { warmUp: _none, ...plain } = tinyRecipe();
      const whole = { ...plain, ...recipe, name: "quick" };
      const of = (options: Given): Promise<TrainResult> =>
        tinyData().then((data) =>
          train(
            { model: tinyModel(), recipe: whole, data, names: NAMES, folder: path.join(root, options.folder!) },
            { device: "cpu", threads: 1, sameThread: true, ...options },
          ),
        );
      await of({ folder: "whole" });
      const stopped = await of({ folder: "parts", ...stoppingAfter(at) });
      expect(stopped.finished).toBe(false);
      await of({ folder: "parts", resume: true });
      for (const file of ["model.safetensors", "checkpoints/step-12.safetensors"]) {
        const [one, two] = [await weightsOf(`whole/${file}`), await weightsOf(`parts/${file}`)];
        expect([...two.keys()]).toEqual([...one.keys()]);
        for (const [name, values] of one) expect(two.get(name), name).toEqual(values);
      }
      expect(lasting("parts")).toEqual(lasting("whole"));
      const norms = metricsOf("whole").flatMap((each) => (each.kind === "step" ? [each.gradientNorm] : []));
      expect(norms).toHaveLength(12);
      expect(norms.every((norm) => norm! > 0)).toBe(true);
    },
  );
});

describe("early stopping", () => {
  it("counts validations without an improvement by more than the least one", () => {
    const stop = { patience: 2, minDelta: 0.01 };
    let progress: Progress | undefined;
    const reasons = [0.5, 0.4, 0.395, 0.391, 0.38].map((error) => {
      progress = progressAfter(stop, progress, error);
      return reasonToStop(stop, progress) !== undefined;
    });
    // 0.395 and 0.391 are less than 0.01 below 0.4.
    expect(reasons).toEqual([false, false, false, true, false]);
    const equal = progressAfter({ patience: 1, minDelta: 0 }, { lowest: 0.4, waited: 0 }, 0.4);
    expect(reasonToStop({ patience: 1, minDelta: 0 }, equal)).toBe(
      "the validation error has not fallen below 40.00 % for 1 validation",
    );
    expect(reasonToStop({ patience: 3, minDelta: 0.01 }, { lowest: 0.4, waited: 3 })).toBe(
      "the validation error has not fallen below 40.00 % by more than 1.00 % for 3 validations",
    );
    expect(reasonToStop(undefined, { lowest: 0.4, waited: 9 })).toBeUndefined();
  });

  // A rate of next to nothing: the first validation stays the best.
  const stuck: Partial<Recipe> = {
    learningRate: 1e-12,
    schedule: { kind: "constant" },
    validateEvery: 2,
    earlyStop: { patience: 2, minDelta: 0.5 },
  };

  it("ends a training with a model, says why, and ends it again where it is taken up", async () => {
    const events: TrainEvent[] = [];
    const result = await run({ recipe: stuck, onEvent: (event) => events.push(event) });
    expect(result).toMatchObject({ step: 6, finished: true, exported: { from: "last", step: 6 } });
    expect(result.stoppedEarly).toMatch(/^the validation error has not fallen below .* for 2 validations$/);
    expect(events.flatMap((each) => (each.kind === "notice" ? [each.message] : []))).toContain(
      `ended after 6 of 12 updates: ${result.stoppedEarly}`,
    );
    expect(await readdir(path.join(root, "run"))).toContain("model.onnx");
    const again = await run({ recipe: stuck, resume: true });
    expect(again).toMatchObject({ step: 6, finished: true, stoppedEarly: result.stoppedEarly });
    // More patience goes on.
    const patient = await run({ recipe: { ...stuck, earlyStop: { patience: 4, minDelta: 0.5 } }, resume: true });
    expect(patient.step).toBe(10);
    const { earlyStop: _none, ...rest } = stuck;
    const last = await run({ recipe: rest, resume: true });
    expect(last.step).toBe(12);
    expect(last.stoppedEarly).toBeUndefined();
  });

  it("is the same where it was stopped between", async () => {
    await run({ folder: "whole", recipe: stuck });
    await run({ folder: "parts", recipe: stuck, ...stoppingAfter(3) });
    const result = await run({ folder: "parts", recipe: stuck, resume: true });
    expect(result.step).toBe(6);
    expect(await bytes("parts", "model.safetensors")).toEqual(await bytes("whole", "model.safetensors"));
  });

  it("needs something to validate with", async () => {
    const data = { ...(await tinyData()), validation: subset((await tinyData()).validation, new Uint32Array()) };
    await expect(run({ recipe: stuck, data })).rejects.toThrow(
      /has no validation images, by which `stop` with `patience`/,
    );
  });
});

describe("stages that thaw", () => {
  const thaws = [{ stages: ["conv1"], after: 4, unit: "step" }] as const;

  it("stay to the bit until then, their statistics too, and learn after", async () => {
    await run({ recipe: { thaws, checkpointEvery: 1 }, ...stoppingAfter(4) });
    const before = await weightsOf("run/checkpoints/step-4.safetensors");
    await run({
      recipe: { thaws: [{ stages: ["conv1"], after: 1, unit: "step" }], stop: { steps: 4 } },
      folder: "other",
    });
    const other = await weightsOf("other/checkpoints/step-4.safetensors");
    const first = await run({ folder: "first", recipe: { stop: { steps: 5 }, thaws }, ...stoppingAfter(1) });
    const start = await weightsOf(`first/checkpoints/step-${first.step}.safetensors`);
    for (const name of ["conv1.conv.weight", "conv1.bn.running_mean"]) {
      expect(before.get(name), name).toEqual(start.get(name));
      expect(other.get(name), name).not.toEqual(before.get(name));
    }
    expect(before.get("head.fc.weight")).not.toEqual(start.get("head.fc.weight"));
    await run({ recipe: { thaws, checkpointEvery: 1 }, resume: true });
    const after = await weightsOf("run/checkpoints/step-12.safetensors");
    expect(after.get("conv1.conv.weight")).not.toEqual(before.get("conv1.conv.weight"));
  });

  it("do so by updates or epochs, and before the end", () => {
    const length = { steps: 40, stepsPerEpoch: 10 };
    const recipe: Pick<Recipe, "thaws"> = {
      thaws: [
        { stages: ["a"], after: 3, unit: "epoch" },
        { stages: ["b"], after: 1, unit: "epoch" },
      ],
    };
    expect(thawSteps(recipe, length)).toEqual([10, 30]);
    expect([0, 9, 10, 29, 30].map((step) => phaseOf([10, 30], step))).toEqual([0, 0, 1, 1, 2]);
    expect(() => checkThaws(recipe, length)).not.toThrow();
    expect(() => checkThaws(recipe, { steps: 30, stepsPerEpoch: 10 })).toThrow(
      "freeze a: they would thaw after 3 epochs and training ends after 30 updates",
    );
  });

  it("that are not there are named before anything runs, with what comes near", async () => {
    await expect(run({ recipe: { stageRates: [{ stage: "hed", times: 2 }] } })).rejects.toThrow(
      "Tiny has no stage, block or layer hed; did you mean head?",
    );
  });
});

describe("averages that warm up", () => {
  it("are nearer to the weights in a short training, and both are measured", async () => {
    const recipe = { emaDecay: 0.9999, validateRaw: true } as const;
    await run({ folder: "cold", recipe });
    await run({ folder: "warm", recipe: { ...recipe, emaWarmUp: true } });
    const distance = async (folder: string): Promise<number> => {
      const state = await weightsOf(`${folder}/checkpoints/step-12.safetensors`);
      const [weights, average] = [state.get("head.fc.weight")!, state.get("ema.head.fc.weight")!];
      return Math.hypot(...weights.map((value, at) => value - average[at]!));
    };
    expect(await distance("warm")).toBeLessThan((await distance("cold")) / 3);
    await run({ folder: "plain" });
    const loss = (folder: string): number[] => validations(folder).map((each) => (each.raw ?? each).loss!);
    expect(loss("warm")).toEqual(loss("plain"));
    expect(validations("cold").every((each) => each.raw!.loss !== each.loss)).toBe(true);
    expect(validations("plain").every((each) => each.raw === undefined)).toBe(true);
  });

  it("are the recurrence of their definition", async () => {
    const recipe: Partial<Recipe> = { emaDecay: 0.5, emaWarmUp: true, stop: { steps: 4 }, checkpointEvery: 1 };
    let average: Float64Array | undefined;
    for (let step = 1; step <= 4; step++) {
      await run({ folder: `to${step}`, recipe, ...stoppingAfter(step) });
      const state = await weightsOf(`to${step}/checkpoints/step-${step}.safetensors`);
      const weights = state.get("head.fc.weight")!;
      const decay = emaDecayAt(0.5, step - 1);
      if (average === undefined) average = Float64Array.from(state.get("ema.head.fc.weight")!);
      else average = average.map((value, at) => decay * value + (1 - decay) * weights[at]!);
      state.get("ema.head.fc.weight")!.forEach((value, at) => expect(value).toBeCloseTo(average![at]!, 6));
    }
  });
});

describe("class weights by inverse frequency", () => {
  it("are those of the data, are told, and need an image of each class", async () => {
    const data = await tinyData();
    const counts = new Array<number>(10).fill(0);
    for (let index = 0; index < data.train.size; index++) counts[data.train.label(index)]!++;
    const weights = counts.map((count) => data.train.size / (10 * count));
    const events: TrainEvent[] = [];
    await run({ folder: "balanced", recipe: { classWeights: "balanced" }, onEvent: (event) => events.push(event) });
    await run({ folder: "listed", recipe: { classWeights: weights } });
    expect(await bytes("balanced", "model.safetensors")).toEqual(await bytes("listed", "model.safetensors"));
    const notices = events.flatMap((each) => (each.kind === "notice" ? [each.message] : []));
    expect(notices[0]).toMatch(/^class weights, by inverse frequency: from [\d.]+ \(\w+\) to [\d.]+ \(\w+\)$/);
    const few = {
      ...data,
      train: subset(
        data.train,
        Uint32Array.from({ length: 20 }, () => 0),
      ),
    };
    await expect(run({ folder: "few", recipe: { classWeights: "balanced" }, data: few })).rejects.toThrow(
      /class_weights balanced: there is no training image of \w+/,
    );
    await expect(run({ folder: "short", recipe: { classWeights: [1, 2] } })).rejects.toThrow(
      "2 class weights for 10 classes: one for each is needed",
    );
  });
});

// ---- TensorBoard, read by hand: the wire format of protocol buffers and no schema of ours

interface Field {
  readonly number: number;
  readonly value: bigint | Buffer;
}

function* fieldsOf(bytes: Buffer): Generator<Field> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const take = (length: number): Buffer => bytes.subarray(at, (at += length));
    const wire = key & 7;
    yield { number: key >> 3, value: wire === 0 ? varint() : take(wire === 1 ? 8 : wire === 5 ? 4 : Number(varint())) };
  }
}

const field = (bytes: Buffer, number: number): Field["value"] | undefined =>
  [...fieldsOf(bytes)].find((each) => each.number === number)?.value;

interface LoggedImage {
  readonly tag: string;
  readonly step: number;
  readonly height: number;
  readonly width: number;
  readonly colorspace: number;
  readonly png: Buffer;
}

async function imagesOf(folder: string): Promise<LoggedImage[]> {
  const [name] = (await readdir(path.join(root, folder))).filter((each) => each.startsWith("events.out"));
  const bytes = await readFile(path.join(root, folder, name!));
  const found: LoggedImage[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = Number(bytes.readBigUInt64LE(at));
    const event = bytes.subarray(at + 12, at + 12 + length);
    at += 16 + length;
    const summary = field(event, 5) as Buffer | undefined;
    const value = summary && (field(summary, 1) as Buffer | undefined);
    const image = value && (field(value, 4) as Buffer | undefined);
    if (!image) continue;
    const [height, width, colorspace] = [1, 2, 3].map((number) => Number(field(image, number)));
    const tag = (field(value, 1) as Buffer).toString("utf8");
    const png = field(image, 4) as Buffer;
    found.push({
      tag,
      step: Number(field(event, 2) ?? 0n),
      height: height!,
      width: width!,
      colorspace: colorspace!,
      png,
    });
  }
  return found;
}

describe("images in TensorBoard", () => {
  it("are those of the first batch and of each validation, and change nothing in the training", async () => {
    await run({ folder: "shown", images: 5 });
    await run({ folder: "plain" });
    expect(await bytes("shown", "model.safetensors")).toEqual(await bytes("plain", "model.safetensors"));
    expect(await imagesOf("plain")).toEqual([]);
    const images = await imagesOf("shown");
    expect(images.map(({ tag, step }) => [tag, step])).toEqual([
      ["train/images", 0],
      ["validation/images", 4],
      ["validation/images", 8],
      ["validation/images", 12],
    ]);
    for (const { png, height, width, colorspace } of images) {
      expect(await sharp(png).metadata()).toMatchObject({ format: "png", height, width, channels: 3 });
      expect(colorspace).toBe(3);
    }
  });

  it("have the colours that the images had before they were normalised", async () => {
    const recipe = { train: [{ kind: "normalize", mean: [0.4, 0.5, 0.6], std: [0.2, 0.25, 0.3], color: "bgr" }] };
    await run({ images: 1, recipe, ...stoppingAfter(1) });
    const [logged] = await imagesOf("run");
    const shown = await sharp(logged!.png).raw().toBuffer({ resolveWithObject: true });
    await run({ folder: "bytes", images: 1, recipe: { train: [{ kind: "normalize" }] }, ...stoppingAfter(1) });
    const [plain] = await imagesOf("bytes");
    const pixels = await sharp(plain!.png).raw().toBuffer({ resolveWithObject: true });
    // The shape itself, above its name.
    for (let y = 6; y < 134; y += 3) {
      for (let x = 6; x < 134; x += 3) {
        const at = (y * shown.info.width + x) * 3;
        for (const channel of [0, 1, 2]) {
          expect(Math.abs(shown.data[at + channel]! - pixels.data[at + channel]!)).toBeLessThanOrEqual(1);
        }
      }
    }
  });
});
