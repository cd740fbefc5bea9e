/** Trainings on several ranks under real launchers, beside the same of one process. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Recipe } from "../../../compiler/index.js";
import { readMetrics, type Metrics, type StepMetrics } from "../../../runtime/training/metrics.js";
import type { TrainResult } from "../../../runtime/training/request.js";
import { train } from "../../../runtime/training/trainer.js";
import { openWeights } from "../../../runtime/weights/index.js";
import { rankProgram, runRanks, type Mpi, type RankProgram, type RanksRun } from "../../support/mpi.js";
import { requestOf, type Job } from "./jobs.js";

let program: RankProgram;
let root: string;
beforeAll(async () => {
  program = await rankProgram(path.join(import.meta.dirname, "training.ts"));
  root = await mkdtemp(path.join(os.tmpdir(), "resnetc-ranks-"));
});
afterAll(async () => {
  await program.remove();
  await rm(root, { recursive: true });
});

const host = os.hostname();
const at = (name: string): string => path.join(root, name);
const onRanks = (mpi: Mpi, size: number, job: Job): Promise<RanksRun> =>
  runRanks(mpi, size, program, [JSON.stringify(job)]);

async function alone(job: Job): Promise<TrainResult> {
  return train(await requestOf(job), { device: "cpu", threads: 1, workers: 0, sameThread: true });
}

/** What the rank of this number told. */
function toldBy(run: RanksRun, rank: number): Record<string, unknown> {
  const found = (run.told as { rank: number }[]).find((each) => each.rank === rank);
  if (!found) throw new Error(`rank ${rank} told nothing (${run.code}): ${run.stderr}`);
  return found;
}

async function stateOf(folder: string, name: string): Promise<Map<string, Float32Array>> {
  const source = await openWeights(path.join(folder, "checkpoints", name));
  const state = new Map([...source.tensors.keys()].map((tensor) => [tensor, source.read(tensor)]));
  source.close();
  return state;
}

const stepsOf = (folder: string): StepMetrics[] =>
  readMetrics(path.join(folder, "metrics.jsonl")).filter((line): line is StepMetrics => line.kind === "step");

/** Largest difference of the losses of any update, and of the weights (and momenta) after the last. */
async function differences(folder: string, other: string, steps: number, but = /^$/) {
  const [ours, theirs] = [folder, other].map((each) => stepsOf(each).map(({ loss }) => loss));
  expect(ours).toHaveLength(steps);
  expect(theirs).toHaveLength(steps);
  const [a, b] = await Promise.all([folder, other].map((each) => stateOf(each, `step-${steps}.safetensors`)));
  expect([...a!.keys()]).toEqual([...b!.keys()]);
  const names = [...a!.keys()].filter((name) => !but.test(name));
  return {
    loss: Math.max(...ours!.map((loss, step) => Math.abs(loss - theirs![step]!))),
    state: Math.max(
      ...names.flatMap((name) => [...a!.get(name)!].map((value, i) => Math.abs(value - b!.get(name)![i]!))),
    ),
  };
}

/** What a rank told, without what only its own clock says. */
function withoutTimes(told: unknown): unknown {
  const { rank: _rank, ...rest } = told as Record<string, unknown>;
  return JSON.parse(JSON.stringify(rest, (key, value: unknown) => (key === "seconds" ? undefined : value)));
}

/** Lines of validations and tests. */
const validations = (folder: string): unknown[] =>
  readMetrics(path.join(folder, "metrics.jsonl")).flatMap((line: Metrics) => {
    const { seconds: _seconds, ...rest } = line;
    return line.kind === "step" ? [] : [rest];
  });

async function modelOf(folder: string): Promise<Map<string, Float32Array>> {
  const source = await openWeights(path.join(folder, "model.safetensors"));
  const weights = new Map([...source.tensors.keys()].map((name) => [name, source.read(name)]));
  source.close();
  return weights;
}

const WRITTEN = ["metrics.jsonl", "model.onnx", "model.safetensors"];
const FIFTY: Partial<Recipe> = { stop: { steps: 50 }, frozenBatchNorm: true, checkpointEvery: 50, validateEvery: 25 };

// What many of them are compared with.
beforeAll(() => alone({ folder: at("one"), network: "Tiny", recipe: FIFTY }));

describe("with frozen batch norms any number of ranks gives what one gives", () => {
  // Of 16 images 3 ranks compute 6, 5 and 5.
  it.each<[Mpi, number]>([
    ["openmpi", 2],
    ["openmpi", 4],
    ["mpich", 3],
  ])("%s, %i ranks", async (mpi, size) => {
    const folder = at(`${mpi}-${size}`);
    const run = await onRanks(mpi, size, { folder, network: "Tiny", recipe: FIFTY, sameThread: false });
    expect([run.code, run.stderr]).toEqual([0, ""]);
    const { loss, state } = await differences(folder, at("one"), 50);
    expect(loss).toBeLessThan(1e-5);
    expect(state).toBeLessThan(1e-5);
    // Every rank knows what the validations found, and only one wrote.
    const [one] = run.told.map(withoutTimes);
    expect(run.told.map(withoutTimes)).toEqual(run.told.map(() => one));
    const names = (await readdir(folder)).map((name) => name.replace(/^events.*/, "events")).sort();
    expect(names).toEqual(["checkpoints", "config.json", "events", ...WRITTEN, "training.log"]);
    const log = await readFile(path.join(folder, "training.log"), "utf8");
    expect(log).toContain(`on cpu on ${size} ranks (`);
    expect(log.match(/ended after 50 updates/g)).toHaveLength(1);
  });

  it("stopped on four by a signal that one was given, resumed on two of the other MPI", async () => {
    const job: Job = { folder: at("resumed"), network: "Tiny", recipe: FIFTY };
    const stopped = await onRanks("mpich", 4, { ...job, mishap: "stops", rank: 2, at: 20 });
    expect(stopped.code).toBe(0);
    for (const told of stopped.told) expect(told).toMatchObject({ finished: false, step: 21 });
    const log = await readFile(path.join(at("resumed"), "training.log"), "utf8");
    expect(log).toContain("stopped after 21 updates: it was enough");
    expect((await onRanks("openmpi", 2, { ...job, resume: true })).code).toBe(0);
    const { loss, state } = await differences(at("resumed"), at("one"), 50);
    expect(loss).toBeLessThan(1e-5);
    expect(state).toBeLessThan(1e-5);
  });
});

describe("with fewer bits", () => {
  it.each<[Mpi, number]>([
    ["openmpi", 2],
    ["mpich", 3],
  ])("gradients go between %s's %i ranks in fp16: rounded, and all have the same", async (mpi, size) => {
    const folder = at(`${mpi}-halves`);
    const run = await onRanks(mpi, size, { folder, network: "Tiny", recipe: FIFTY, gradients: "fp16" });
    // Replicas that are not the same to the bit end a job.
    expect([run.code, run.stderr]).toEqual([0, ""]);
    const { loss, state } = await differences(folder, at("one"), 50);
    expect(loss).toBeGreaterThan(1e-7);
    expect(loss).toBeLessThan(0.03);
    expect(state).toBeLessThan(0.03);
    const log = await readFile(path.join(folder, "training.log"), "utf8");
    expect(log).toContain(`on cpu on ${size} ranks (`);
    expect(log).toContain("gradients in fp16)");
  });

  it("of one process there is nothing to send, which is told", async () => {
    const notices: string[] = [];
    const request = await requestOf({ folder: at("alone-halves"), network: "Tiny", recipe: { stop: { steps: 1 } } });
    await train(request, {
      ...{ device: "cpu", threads: 1, workers: 0, sameThread: true, gradients: "fp16" },
      onEvent: (event) => event.kind === "notice" && notices.push(event.message),
    });
    expect(notices).toContainEqual(expect.stringContaining("gradients in fp16 are for several ranks"));
  });

  it("mixed precision on two ranks gives what it gives on one, but for its rounding", async () => {
    const recipe: Partial<Recipe> = { ...FIFTY, precision: "mixed" };
    await alone({ folder: at("mixed-precision-one"), network: "Tiny", recipe });
    const run = await onRanks("openmpi", 2, { folder: at("mixed-precision"), network: "Tiny", recipe });
    expect([run.code, run.stderr]).toEqual([0, ""]);
    const { loss, state } = await differences(at("mixed-precision"), at("mixed-precision-one"), 50);
    expect(loss).toBeLessThan(5e-3);
    expect(state).toBeLessThan(5e-3);
  });
});

describe("what is drawn by chance follows from the images, wherever they are computed", () => {
  it("dropout and mixed images, in a batch of two parts among three", async () => {
    const recipe: Partial<Recipe> = {
      ...{ stop: { steps: 12 }, checkpointEvery: 12, frozenBatchNorm: true, accumulate: 2 },
      ...{ mixup: { alpha: 0.5, probability: 0.8 }, cutmix: { alpha: 1, probability: 0.8 } },
    };
    await alone({ folder: at("mixed-one"), network: "Dropping", recipe });
    const run = await onRanks("openmpi", 3, { folder: at("mixed"), network: "Dropping", recipe });
    expect([run.code, run.stderr]).toEqual([0, ""]);
    const { loss, state } = await differences(at("mixed"), at("mixed-one"), 12);
    expect(loss).toBeLessThan(1e-5);
    expect(state).toBeLessThan(1e-5);
  });

  it("what a detector is trained by, and its average precision", async () => {
    const recipe: Partial<Recipe> = { batch: 5 };
    const job: Job = { folder: at("detector-one"), network: "detector", settings: "norm: false", recipe };
    await alone(job);
    const run = await onRanks("mpich", 2, { ...job, folder: at("detector") });
    expect([run.code, run.stderr]).toEqual([0, ""]);
    const { loss, state } = await differences(at("detector"), at("detector-one"), 8);
    expect(loss).toBeLessThan(1e-5);
    expect(state).toBeLessThan(1e-5);
    expect(validations(at("detector"))).toEqual(validations(at("detector-one")));
  });
});

describe("batch norms", () => {
  const recipe: Partial<Recipe> = { stop: { steps: 10 }, checkpointEvery: 1 };
  const STATISTICS = /running_/;

  it("two ranks are one that computes its batch in two parts", async () => {
    const job: Job = { folder: at("parts"), network: "Tiny", recipe: { ...recipe, accumulate: 2 } };
    await alone(job);
    const run = await onRanks("openmpi", 2, { folder: at("norms"), network: "Tiny", recipe });
    expect([run.code, run.stderr]).toEqual([0, ""]);
    const { loss, state } = await differences(at("norms"), at("parts"), 10, STATISTICS);
    expect(loss).toBeLessThan(1e-5);
    expect(state).toBeLessThan(1e-5);
  });

  it("running statistics are the mean of those that each rank comes to", async () => {
    const one: Partial<Recipe> = { stop: { steps: 1 } };
    const whole = { ...one, batch: 16 };
    await alone({ folder: at("first-part"), network: "Tiny", recipe: { ...one, batch: 8 } });
    await alone({ folder: at("both-parts"), network: "Tiny", recipe: { ...whole, accumulate: 2 } });
    expect((await onRanks("mpich", 2, { folder: at("averaged"), network: "Tiny", recipe: whole })).code).toBe(0);
    const [first, both, averaged] = await Promise.all(
      ["first-part", "both-parts", "averaged"].map((name) => stateOf(at(name), "step-1.safetensors")),
    );
    const names = [...averaged!.keys()].filter((name) => STATISTICS.test(name));
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      const before = name.endsWith("running_var") ? 1 : 0;
      averaged!.get(name)!.forEach((value, at) => {
        // With 0.9 of what was before: first = 0.9 before + 0.1 a, both = 0.9 first + 0.1 b.
        const [a, ab] = [first!.get(name)![at]!, both!.get(name)![at]!];
        expect(value).toBeCloseTo((a + 0.9 * before + (ab - 0.9 * a)) / 2, 5);
      });
    }
  });
});

describe("evaluations are shared out", () => {
  // The weights stay as they are, so that nothing is rounded otherwise.
  const recipe: Partial<Recipe> = { learningRate: 1e-30, stop: { steps: 2 }, validateEvery: 1, batch: 8 };
  const still = { named: "with_mean", recipe: { ...recipe, frozenBatchNorm: true } };

  it("a classifier's numbers are those of one process, to the bit", async () => {
    const job: Job = { folder: at("judged-one"), network: "TwoHeads", ...still, images: [80, 43] };
    await alone(job);
    expect((await onRanks("openmpi", 3, { ...job, folder: at("judged") })).code).toBe(0);
    expect(validations(at("judged"))).toEqual(validations(at("judged-one")));
    expect(validations(at("judged"))).toHaveLength(3);
  });

  it("precise statistics are means over the images of all ranks", async () => {
    const job = { network: "Dropping", named: "with_mean", recipe: { ...recipe, preciseStatistics: 40 } };
    await alone({ ...job, folder: at("precise-one") });
    const run = await onRanks("mpich", 2, { ...job, folder: at("precise") });
    expect([run.code, run.told, run.stderr]).toEqual([0, expect.anything(), ""]);
    const [ours, theirs] = await Promise.all([at("precise"), at("precise-one")].map(modelOf));
    const means = [...ours!.keys()].filter((name) => name.endsWith("running_mean"));
    expect(means.length).toBeGreaterThan(0);
    for (const name of means) {
      ours!.get(name)!.forEach((value, at) => expect(value).toBeCloseTo(theirs!.get(name)![at]!, 5));
    }
  });
});

describe("what goes wrong on one rank", () => {
  /** Training images of these numbers as files, which one rank does not find. */
  async function images(
    name: string,
    rank: number,
    numbers: readonly number[],
  ): Promise<NonNullable<Job["unreadable"]>> {
    const { default: sharp } = await import("sharp");
    const blank = sharp({ create: { width: 32, height: 32, channels: 3, background: "#808080" } });
    const png = await blank.png().toBuffer();
    await mkdir(at(name));
    await Promise.all(numbers.map((number) => writeFile(path.join(at(name), `${number}.png`), png)));
    return { rank, images: numbers, folder: at(name) };
  }

  const base: Pick<Job, "network" | "recipe"> = { network: "Tiny", recipe: FIFTY };

  it("images that it alone can't read: the first rank tells of them, and training goes on", async () => {
    const unreadable = await images("few", 1, [3, 20, 50, 60]);
    const recipe = { ...FIFTY, stop: { steps: 10 } };
    const run = await onRanks("openmpi", 2, { ...base, recipe, folder: at("unread"), unreadable });
    expect(toldBy(run, 0)).toMatchObject({ finished: true });
    const { warnings, unreadable: count } = toldBy(run, 0) as { warnings: string[]; unreadable: number };
    expect(count).toBe(warnings.length);
    expect(count).toBeGreaterThan(0);
    for (const warning of warnings) expect(warning).toMatch(/few-away\/(3|20|50|60)\.png: /);
  });

  it("strict: all ranks throw what one has met, and what was learned is saved", async () => {
    const unreadable = await images("most", 1, Array.from({ length: 80 }, (_, image) => image).slice(2));
    const run = await onRanks("mpich", 2, { ...base, folder: at("strict"), unreadable, strict: true });
    for (const told of run.told) {
      expect(told).toMatchObject({ failed: expect.stringContaining("most-away") as string, name: "DataError", on: 1 });
    }
    expect(await readdir(path.join(at("strict"), "checkpoints"))).toHaveLength(1);
  });

  it("other data than the others have: refused", async () => {
    const run = await onRanks("openmpi", 2, { ...base, folder: at("other"), other: 1 });
    const failed = `rank 0 on ${host} and rank 1 on ${host} do not train the same: what differs is train`;
    for (const told of run.told)
      expect(told).toMatchObject({ failed: expect.stringContaining(failed) as string, on: 0 });
  });

  it("more ranks than images in a part of the batch: refused", async () => {
    const recipe = { ...FIFTY, batch: 4, accumulate: 2 };
    const run = await onRanks("mpich", 3, { ...base, recipe, folder: at("many") });
    const failed = "recipe quick: a batch of 4, in 2 parts can't be shared out among 3 ranks";
    for (const told of run.told) expect(told).toMatchObject({ failed: expect.stringContaining(failed) as string });
  });

  it.each([
    { mpi: "openmpi", mishap: "killed", says: /rank 1 with PID \d+ on node \S+ exited on signal 9/ },
    // What MPICH says of it is on the standard output: the process and its machine.
    { mpi: "mpich", mishap: "killed", says: /^$/m },
    { mpi: "openmpi", mishap: "throws", says: /^$/m },
    { mpi: "mpich", mishap: "hangs", says: /^rank 1 on \S+ hangs: rank 0 on \S+ has waited for \d+ s/m },
  ] as const)("$mpi: one that is $mishap ends the job, and all go on from the checkpoint", async (mishap) => {
    const { mpi, says } = mishap;
    const folder = at(`${mpi}-${mishap.mishap}`);
    const recipe = { ...FIFTY, checkpointEvery: 10 };
    const job: Job = { ...base, recipe, folder, mishap: mishap.mishap, rank: 1, at: 25, patience: 1 };
    const lost = await onRanks(mpi, 2, job);
    expect(lost.code).not.toBe(0);
    expect(lost.stderr).toMatch(says);
    expect(lost.seconds).toBeLessThan(30);
    expect((await readdir(path.join(folder, "checkpoints"))).sort()).toContain("step-20.safetensors");
    const again = await onRanks(mpi, 2, { ...base, recipe, folder, resume: true });
    expect([again.code, again.stderr]).toEqual([0, ""]);
    const { loss, state } = await differences(folder, at("one"), 50);
    expect(loss).toBeLessThan(1e-5);
    expect(state).toBeLessThan(1e-5);
  });
});
