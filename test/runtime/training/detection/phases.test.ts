/** Detectors trained in phases: what is kept between them, what stays to the bit, and taking a training up again anywhere. */
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { emitModel } from "../../../../compiler/compile.js";
import { concat } from "../../../../compiler/emit/onnx.js";
import type { Recipe } from "../../../../compiler/index.js";
import { openProposals } from "../../../../runtime/data/detection/proposals.js";
import { sampleSource } from "../../../../runtime/data/sample.js";
import { detectorInput, stack } from "../../../../runtime/images/detector-input.js";
import { readImage } from "../../../../runtime/images/read.js";
import { namedSources } from "../../../../runtime/images/source.js";
import { openSession } from "../../../../runtime/onnx/session.js";
import { openDetectionFeed } from "../../../../runtime/training/detection/feed.js";
import { openProposer } from "../../../../runtime/training/detection/keep-proposals.js";
import { readMetrics, type StepMetrics, type ValidationMetrics } from "../../../../runtime/training/metrics.js";
import type { TrainEvent, TrainOptions, TrainResult } from "../../../../runtime/training/request.js";
import { openWeights } from "../../../../runtime/weights/index.js";
import {
  alternatingRecipe,
  tinyDetector,
  tinyDetectorRecipe,
  tinyScenes,
  trainTiny,
} from "../../../support/tiny-detector-training.js";
import { lasting, stoppingAfter } from "../../../support/training-runs.js";

let root = "";
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "resnetc-phases-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const model = tinyDetector();
const at = (...names: string[]): string => path.join(root, ...names);

function run(folder: string, options: TrainOptions = {}, set: readonly string[] = []): Promise<TrainResult> {
  return trainTiny({ recipe: alternatingRecipe(set), folder: at(folder) }, options);
}

/** Updates after which the phases are over. */
const [RPN, HEADS, RPN_AGAIN, ALL] = [4, 7, 10, 13];
const events: TrainEvent[] = [];
let result: TrainResult;
let weights: ReadonlyMap<number, ReadonlyMap<string, Float32Array>>;

beforeAll(async () => {
  const kept: Promise<void>[] = [];
  result = await run("whole", {
    onEvent(event) {
      events.push(event);
      if (event.kind === "checkpoint") kept.push(copyFile(event.file, at(path.basename(event.file))));
    },
  });
  await Promise.all(kept);
  weights = new Map(
    await Promise.all([RPN, HEADS, RPN_AGAIN, ALL].map(async (step) => [step, await weightsAfter(step)] as const)),
  );
});

async function weightsAfter(step: number): Promise<ReadonlyMap<string, Float32Array>> {
  const source = await openWeights(at(`step-${step}.safetensors`));
  try {
    return new Map(model.graph.parameters.map(({ path: name }) => [name, source.read(name)]));
  } finally {
    source.close();
  }
}

/** Of these parts, parameters and statistics that are not the same to the bit. */
function changed(from: number, to: number, ...parts: readonly string[]): string[] {
  const [before, after] = [weights.get(from)!, weights.get(to)!];
  const bits = (values: Float32Array): string => Buffer.from(new Uint8Array(values.slice().buffer)).toString("hex");
  return [...before.keys()].filter(
    (name) => parts.includes(name.split(".")[0]!) && bits(before.get(name)!) !== bits(after.get(name)!),
  );
}

describe("a training in four phases", () => {
  it("is one training, which ends in one detector", async () => {
    expect(result).toMatchObject({ step: ALL, finished: true, exported: { from: "last", step: ALL } });
    const starts = events.flatMap((event) => (event.kind === "start" ? [event] : []));
    expect(starts.map(({ phase }) => phase)).toEqual([
      { name: "rpn", number: 1, of: 4, before: 0 },
      { name: "heads", number: 2, of: 4, before: RPN },
      { name: "rpn_on_shared", number: 3, of: 4, before: HEADS },
      { name: "heads_on_shared", number: 4, of: 4, before: RPN_AGAIN },
    ]);
    expect(starts.map(({ batch, length }) => [batch, length.steps])).toEqual([
      [4, 4],
      [2, 3],
      [4, 3],
      [2, 3],
    ]);
    const exported = await openWeights(result.run.weights);
    for (const [name, values] of weights.get(ALL)!) expect(exported.read(name), name).toEqual(values);
    exported.close();
  });

  it("tells of each update its phase and the losses of that, and measures what can be", () => {
    const metrics = readMetrics(result.run.metrics);
    const steps = metrics.filter((each): each is StepMetrics => each.kind === "step");
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: ALL }, (_, index) => index + 1));
    for (const { phase, losses, loss } of steps) {
      const of = phase!.startsWith("rpn") ? "proposal_losses" : "region_losses";
      expect(Object.keys(losses!).map((name) => name.split(".")[0])).toEqual([of, of]);
      expect(Number.isFinite(loss)).toBe(true);
    }
    const validations = metrics.filter((each): each is ValidationMetrics => each.kind === "validation");
    const measured = validations.map(({ phase, AP, AR }) => [phase, AP !== undefined, AR !== undefined]);
    expect(measured).toEqual([
      ["rpn", false, true],
      ["rpn", false, true],
      ["rpn_on_shared", true, false],
      ["rpn_on_shared", true, false],
      ["heads_on_shared", true, false],
      ["heads_on_shared", true, false],
    ]);
    const notices = events.flatMap((event) => (event.kind === "notice" ? [event.message] : []));
    expect(notices.filter((line) => line.includes("validations measure"))).toEqual([
      expect.stringContaining("AR, the recall of what it proposes"),
      expect.stringContaining("nothing: only the losses"),
    ]);
    expect(notices.filter((line) => line.includes("are computed, and kept in"))).toHaveLength(2);
  });

  it("keeps shared layers to the bit in phases three and four, and what a phase does not learn", () => {
    expect(changed(HEADS, RPN_AGAIN, "body", "head")).toEqual([]);
    expect(changed(RPN_AGAIN, ALL, "body", "rpn")).toEqual([]);
    expect(changed(HEADS, RPN_AGAIN, "rpn").length).toBeGreaterThan(0);
    expect(changed(RPN_AGAIN, ALL, "head").length).toBeGreaterThan(0);
    expect(changed(RPN, HEADS, "body").length).toBeGreaterThan(0);
  });

  it("begins the second phase with what the training began with", async () => {
    // A training of no head and no proposals has no other way to the RPN's first values.
    const only = await run("first", stoppingAfter(1), ["rpn.learning_rate=1e-30", "heads.learning_rate=1e-30"]);
    expect(only.step).toBe(1);
    const source = await openWeights(at("first", "checkpoints", "step-1.safetensors"));
    expect(weights.get(HEADS)!.get("rpn.conv.weight")).toEqual(source.read("rpn.conv.weight"));
    expect(weights.get(RPN)!.get("rpn.conv.weight")).not.toEqual(source.read("rpn.conv.weight"));
    source.close();
  });
});

describe("kept proposals", () => {
  it("are what the model proposes when it is run by itself", async () => {
    const { train: split } = tinyScenes();
    const kept = openProposals(result.run.proposals("rpn"), split.size);
    const then = weights.get(RPN)!;
    const sources = Array.from({ length: split.size }, (_, index) => sampleSource(split.reference(index)));
    const proposer = await openProposer(model, then, model.preprocess!, { device: "cpu", threads: 1 });
    const found = await proposer.detect(sources);
    await proposer.close();
    for (const [index, detected] of found.entries()) {
      const boxes = "objects" in detected ? detected.objects.map(({ box }) => box) : [];
      expect(boxes.length).toBeGreaterThan(5);
      expect(kept.of(index)).toHaveLength(boxes.length);
      boxes.forEach((box, row) => kept.of(index)[row]!.forEach((each, i) => expect(each).toBeCloseTo(box[i]!, 3)));
    }
    // And the regions that the detector itself would look at, made by other layers, are the first of them.
    const regions = model.graph.nodes.find(({ op }) => op === "top_regions")!.outputs[0]!;
    const outputs = [...model.graph.outputs, { name: "regions", value: regions }];
    const { chunks, byteLength } = emitModel({ ...model, graph: { ...model.graph, outputs } }, { weights: then });
    const session = await openSession(concat(chunks, byteLength), { device: "cpu", threads: 1 });
    const [source] = await namedSources([sources[0]!]);
    const { image, info } = stack([detectorInput(await readImage(source!), model.preprocess!)]);
    const { regions: given } = await session.run({ image, image_info: info }, ["regions"]);
    await session.close();
    const [rows, columns] = given!.shape as [number, number];
    expect(rows).toBeGreaterThan(3);
    for (let row = 0; row < Math.min(rows, kept.of(0).length); row++) {
      const [, x1, y1, x2, y2] = given!.data.subarray(row * columns, row * columns + 5) as unknown as number[];
      const [down, across] = [info.data[4]!, info.data[5]!];
      const own = [x1! / across, y1! / down, (x2! - x1!) / across, (y2! - y1!) / down];
      own.forEach((each, i) => expect(kept.of(0)[row]![i]).toBeCloseTo(each, 3));
    }
    kept.close();
  });

  it("go through the augmentations as the objects' boxes do", async () => {
    const objects = new Map<number, readonly (readonly [number, number, number, number])[]>();
    const data = tinyScenes();
    const { images, objects: all } = data.train.annotations();
    images.forEach(({ id }, index) => {
      objects.set(
        index,
        all.filter(({ image, isCrowd }) => image === id && !isCrowd).map(({ box }) => box),
      );
    });
    const scaled: Recipe["train"] = [
      { kind: "random_resize_shorter", length: [40, 60] },
      { kind: "flip_horizontal" },
      ...NORMALIZED,
    ];
    const recipe = { ...tinyDetectorRecipe(), train: scaled, batch: 2 };
    const feed = await openDetectionFeed(data, recipe, 1, {
      labels: model.labels!,
      rules: { crowd: "left_out", difficult: "learned", empty: "left_out" },
      model: "Tiny",
      workers: 0,
      proposals: {
        file: "",
        images: images.length,
        count: 0,
        of: (index) => objects.get(index)!,
        close: () => undefined,
      },
    });
    let taken = 0;
    for await (const { objects: own, proposals } of feed.training(0)) {
      expect(proposals!.count).toBe(own.count);
      expect(proposals!.boxes).toEqual(own.boxes);
      expect(proposals!.present).toEqual(own.present);
      if (++taken === 6) break;
    }
    await feed.close();
  });

  it("are written whole or not at all, and needed", async () => {
    const stopped = await run("cut", {
      ...stopOn((event) => event.kind === "proposing" && event.done > 2),
    });
    expect(stopped).toMatchObject({ step: RPN, finished: false });
    await expect(readFile(at("cut", "proposals-rpn.safetensors"))).rejects.toThrow("ENOENT");
    const again = await run("cut", { resume: true, ...stoppingAfter(RPN + 1) });
    expect(again.step).toBe(RPN + 1);
    const file = at("cut", "proposals-rpn.safetensors");
    expect(await readFile(file)).toEqual(await readFile(at("whole", "proposals-rpn.safetensors")));
    await rm(file);
    await expect(run("cut", { resume: true })).rejects.toThrow("proposals-rpn.safetensors: is not there");
  });
});

const NORMALIZED: Recipe["train"] = [{ kind: "normalize", mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] }];

/** Stops when something happens. */
function stopOn(is: (event: TrainEvent) => boolean): Pick<TrainOptions, "signal" | "onEvent"> {
  const stop = new AbortController();
  return { signal: stop.signal, onEvent: (event) => is(event) && stop.abort("stopped") };
}

describe("taking it up again", () => {
  it("within each phase and between them gives the same to the bit", async () => {
    for (const [index, step] of [2, RPN, 6, HEADS, 9, 12].entries()) {
      const stopped = await run("parts", { resume: index > 0, ...stoppingAfter(step) });
      expect(stopped).toMatchObject({ step, finished: false });
    }
    const ended = await run("parts", { resume: true });
    expect(ended).toMatchObject({ step: ALL, finished: true });
    expect(lasting(at("parts"))).toEqual(lasting(at("whole")));
    for (const file of ["model.safetensors", "model.onnx", "proposals-rpn.safetensors"]) {
      expect((await readFile(at("parts", file))).equals(await readFile(at("whole", file))), file).toBe(true);
    }
  });

  it("is refused with other settings of a phase, by its name", async () => {
    await expect(run("whole", { resume: true }, ["heads.batch=3"])).rejects.toThrow(
      /phase heads: `batch` was 2, it is 3 now/,
    );
  });
});
