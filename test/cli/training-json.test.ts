/** Exported training graphs, run with ONNX Runtime's Node binding from `training.json` alone. */
import Ajv from "ajv";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import * as ort from "#onnxruntime";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { GraphDescription, TrainingDescription } from "../../compiler/training/describe.js";
import { writeTraining } from "../../cli/training-files.js";
import { elaborateRecipe, parseTarget } from "../../compiler/index.js";
import { buildTraining } from "../../compiler/training/build.js";
import { recipeOptions } from "../../compiler/training/from-recipe.js";
import { fileHost } from "../../runtime/host.js";
import { openDeviceEngine } from "../../runtime/training/device-engine.js";
import { emitTrainingGraphs } from "../../compiler/training/graphs.js";
import { initialState } from "../../runtime/training/initial-state.js";
import { uniform } from "../support/oracle-weights.js";
import { tinyModel } from "../runtime/training/tiny.js";

const RECIPE = `recipe r {
  optimizer adamw()   batch 8, accumulate: 2   learning_rate 0.01   stop 6
  ema 0.9, warm_up: true   freeze conv1, steps: 2
}`;

/** Those of a GPU hold the state in vectors, and are right on a processor too. */
const DEVICES = ["cpu", "webgpu", "cuda"] as const;

let root = "";
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "resnetc-training-json-"));
  const recipe = path.join(root, "r.resnet");
  await writeFile(recipe, RECIPE);
  for (const device of DEVICES) await writeTraining(tinyModel(), path.join(root, device), { recipe, seed: 5, device });
});
afterAll(() => rm(root, { recursive: true, force: true }));

const description = async (folder: string): Promise<TrainingDescription> =>
  JSON.parse(await readFile(path.join(folder, "training.json"), "utf8")) as TrainingDescription;

/** The eight bytes of a length, JSON, data: all that a reader of safetensors needs. */
async function readInitial(file: string): Promise<Map<string, Float32Array>> {
  const bytes = await readFile(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, 8 + length)) as Record<
    string,
    { data_offsets?: [number, number] }
  >;
  return new Map(
    Object.entries(header).flatMap(([name, { data_offsets: offsets }]) => {
      if (!offsets) return [];
      const data = bytes.subarray(8 + length + offsets[0], 8 + length + offsets[1]);
      return [[name, new Float32Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength))]];
    }),
  );
}

const batchAt = (step: number) => ({
  images: uniform(`image${step}`, 8 * 3072, -1, 1),
  labels: Int32Array.from({ length: 8 }, (_, index) => (step + index) % 10),
});

it.each(DEVICES)("follows its schema, for %s", async (device) => {
  const schema = JSON.parse(
    await readFile(new URL("../../docs/schemas/training.schema.json", import.meta.url), "utf8"),
  ) as object;
  const found = await description(path.join(root, device));
  expect(found.vectors === undefined).toBe(device === "cpu");
  const follows = new Ajv({ allErrors: true }).compile(schema);
  expect(follows(found), JSON.stringify(follows.errors)).toBe(true);
  expect(follows({ ...found, more: 1 })).toBe(false);
  const { like: _like, ...first } = found.state[0]!;
  expect(follows({ ...found, state: [first] })).toBe(false);
});

it.each(DEVICES)("trains from the JSON alone, as the trainer does, for %s", async (device) => {
  const folder = path.join(root, device);
  const training = await description(folder);
  expect(training).toMatchObject({
    batch: 8,
    accumulate: 2,
    classes: 10,
    image: "image",
    phases: [{ until: { after: 2, unit: "step" } }],
  });
  const sessions = new Map<string, ort.InferenceSession>();
  const run = async ({ file }: GraphDescription, feeds: Record<string, ort.Tensor>) => {
    if (!sessions.has(file))
      sessions.set(file, await ort.InferenceSession.create(path.join(folder, file), { intraOpNumThreads: 1 }));
    return sessions.get(file)!.run(feeds);
  };
  const first = await readInitial(path.join(folder, training.initial));
  const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
  const begun = new Map(
    training.state.map(({ name, shape, value, like }) => {
      const data = like === undefined ? new Float32Array(size(shape)).fill(value!) : first.get(like)!.slice();
      return [name, new ort.Tensor("float32", data, shape)];
    }),
  );
  const state = new Map(begun);
  for (const { name, shape, parts } of training.vectors ?? []) {
    const data = Float32Array.from(parts.flatMap((part) => [...begun.get(part)!.data]));
    state.set(name, new ort.Tensor("float32", data, shape));
  }
  const feedsOf = (graph: GraphDescription, more: Record<string, ort.Tensor>): Record<string, ort.Tensor> => ({
    ...Object.fromEntries(graph.reads.map((name) => [name, state.get(name)!])),
    ...Object.fromEntries(Object.entries(more).filter(([name]) => graph.inputs.some((input) => input.name === name))),
  });
  const keep = (graph: GraphDescription, outputs: ort.InferenceSession.OnnxValueMapType): void => {
    for (const name of graph.writes) state.set(name, outputs[`next.${name}`] as ort.TypedTensor<"float32">);
  };
  const scalar = (value: number): ort.Tensor => new ort.Tensor("float32", Float32Array.of(value), []);
  const losses: number[] = [];
  for (let step = 0; step < 6; step++) {
    const phase = training.phases.find(({ until }) => step < until.after) ?? training;
    const { images, labels } = batchAt(step);
    const learned = phase.gradients.outputs.flatMap(({ name }) => name.match(/^gradient\.(.*)/)?.[1] ?? []);
    const sums = new Map(learned.map((name) => [name, new Float32Array(size(state.get(name)!.dims))]));
    let loss = 0;
    for (let part = 0; part < training.accumulate; part++) {
      const shape = phase.gradients.inputs.find(({ name }) => name === training.image)!.shape as readonly number[];
      const [count] = shape as [number];
      const outputs = await run(
        phase.gradients,
        feedsOf(phase.gradients, {
          [training.image]: new ort.Tensor(
            "float32",
            images.slice(part * size(shape), (part + 1) * size(shape)),
            shape,
          ),
          labels: new ort.Tensor("int64", BigInt64Array.from(labels.slice(part * count, (part + 1) * count), BigInt), [
            count,
          ]),
        }),
      );
      keep(phase.gradients, outputs);
      const { numbers } = phase.gradients;
      const measured = numbers ? outputs["numbers"]!.data[numbers.indexOf("loss")] : outputs["loss"]!.data[0];
      loss += Number(measured) / training.accumulate;
      for (const [name, sum] of sums) {
        const gradient = outputs[`gradient.${name}`]!.data as Float32Array;
        gradient.forEach((value, at) => (sum[at]! += value / training.accumulate));
      }
    }
    const gradients = [...sums].map(
      ([name, sum]) => [`gradient.${name}`, new ort.Tensor("float32", sum, state.get(name)!.dims)] as const,
    );
    const decay = Math.min(training.ema!.decay, (1 + step) / (10 + step));
    const more = { ...Object.fromEntries(gradients), learning_rate: scalar(0.01), ema_decay: scalar(decay) };
    keep(phase.update, await run(phase.update, feedsOf(phase.update, more)));
    losses.push(loss);
  }
  for (const session of sessions.values()) await session.release();

  const { recipe } = elaborateRecipe(parseTarget(path.join(root, "r.resnet")), { host: fileHost() });
  const program = buildTraining(tinyModel(), recipeOptions(recipe!));
  const engine = await openDeviceEngine(emitTrainingGraphs(program, 2), { device: "cpu", threads: 1 });
  await engine.setState(initialState(tinyModel(), program.state, 5));
  for (let step = 0; step < 6; step++) {
    const emaDecay = Math.min(0.9, (1 + step) / (10 + step));
    const result = await engine.step({
      images: batchAt(step).images,
      targets: { labels: batchAt(step).labels },
      learningRate: 0.01,
      emaDecay,
      phase: step < 2 ? 0 : 1,
      key: "",
    });
    expect(result.loss, `step ${step}`).toBeCloseTo(losses[step]!, 5);
  }
  const ours = await engine.getState();
  await engine.close();
  const ended = new Map([...state].map(([name, { data }]) => [name, data]));
  for (const { name, parts } of training.vectors ?? []) {
    let at = 0;
    for (const part of parts) ended.set(part, ended.get(name)!.subarray(at, (at += ours.get(part)!.length)));
  }
  for (const [name, own] of ours) {
    const theirs = ended.get(name)!;
    const apart = Math.max(...own.map((value, at) => Math.abs(value - theirs[at]!)));
    expect(apart, name).toBeLessThan(2e-3);
  }
  expect(state.get("step")!.data[0]).toBe(6);
  expect(state.get("step.thaw1")!.data[0]).toBe(4);
});
