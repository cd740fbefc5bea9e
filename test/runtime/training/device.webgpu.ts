/**
 * Run by device-webgpu.test.ts in a process of its own: a training that changes its device, and what a step of it reads back.
 */
import type { Device } from "../../../compiler/device.js";
import { buildTraining } from "../../../compiler/training/build.js";
import { emitTrainingGraphs } from "../../../compiler/training/graphs.js";
import { heldOn } from "../../../compiler/training/held.js";
import { NO_CPU_FALLBACK } from "../../../runtime/onnx/create.js";
import { loadRuntime } from "../../../runtime/onnx/onnxruntime.js";
import { GraphEngine } from "../../../runtime/training/graph-engine.js";
import { initialState } from "../../../runtime/training/initial-state.js";
import type { Values } from "../../../runtime/training/engine.js";
import { GPU } from "../../support/gpu.js";
import { uniform } from "../../support/oracle-weights.js";
import { tinyModel } from "./tiny.js";

/** What sessions of a training step gave, and where. */
export interface DeviceReport {
  readonly losses: Readonly<Record<string, readonly number[]>>;
  /** Of each update on WebGPU: the outputs that came back to the processor. */
  readonly readBack: readonly (readonly string[])[];
  /** Graphs of which a part ran on the processor. */
  readonly fellBack: readonly string[];
  /** How far the weights of both devices are apart after the same updates. */
  readonly apart: number;
  readonly names: readonly string[];
}

const BATCH = 8;
const model = tinyModel();
const { InferenceSession, Tensor } = await loadRuntime();
const readBack: string[][] = [];
const fellBack: string[] = [];
let updates: string[] | undefined;

/** The runtime, which notes what sessions are opened with and what they give. */
const noting = {
  async create(...given: Parameters<typeof InferenceSession.create>) {
    const session = await InferenceSession.create(...given);
    const options = given[1] as { extra?: unknown; executionProviders: unknown };
    if (options.extra !== NO_CPU_FALLBACK) fellBack.push(session.outputNames[0]!);
    const run = session.run.bind(session) as (...fed: unknown[]) => ReturnType<typeof session.run>;
    session.run = async (...fed: unknown[]) => {
      const results = await run(...fed);
      updates?.push(...Object.keys(results).filter((name) => results[name]!.location === "cpu"));
      return results;
    };
    return session;
  },
};

async function trained(device: Device, begun: Values | undefined, steps: readonly number[]) {
  const options = { optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 1e-4 }, batch: BATCH } as const;
  const program = buildTraining(model, { ...options, device, held: heldOn(device) });
  const sessions = device !== "cpu" ? noting : InferenceSession;
  const runtime = { InferenceSession: sessions as typeof InferenceSession, Tensor, writesInto: true };
  const engine = new GraphEngine(runtime, emitTrainingGraphs(program, 1), { device, reason: "asked for" });
  await engine.setState(begun ?? initialState(model, program.state, 3));
  const losses: number[] = [];
  for (const step of steps) {
    updates = device !== "cpu" ? [] : undefined;
    const { loss } = await engine.step({
      images: uniform(`image${step}`, BATCH * 3072, -1, 1),
      targets: { labels: Int32Array.from({ length: BATCH }, (_, index) => (step + index) % 10) },
      learningRate: 0.1,
      key: `${step}`,
    });
    losses.push(loss);
    if (updates) readBack.push(updates);
    updates = undefined;
  }
  const state = await engine.getState();
  await engine.close();
  return { losses, state };
}

const whole = await trained("cpu", undefined, [0, 1, 2, 3]);
const first = await trained("cpu", undefined, [0]);
const second = await trained(GPU, first.state, [1, 2]);
const third = await trained("cpu", second.state, [3]);
const apart = [...whole.state].flatMap(([name, values]) => {
  const own = third.state.get(name)!;
  return [...values].map((value, at) => Math.abs(value - own[at]!));
});
const report: DeviceReport = {
  losses: { whole: whole.losses, changing: [...first.losses, ...second.losses, ...third.losses] },
  readBack,
  fellBack,
  apart: Math.max(...apart),
  names: [...third.state.keys()].filter((name, at) => [...whole.state.keys()][at] !== name),
};
process.stdout.write(`${JSON.stringify(report)}\n`);
