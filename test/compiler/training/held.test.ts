/** State in vectors: the same training as tensor by tensor, to the bit, and the same names in checkpoints. */
import { describe, expect, it } from "vitest";
import type { TrainingOptions } from "../../../compiler/training/contract.js";
import type { Device } from "../../../compiler/device.js";
import { heldOn, sizeOf } from "../../../compiler/training/held.js";
import { buildTraining } from "../../../compiler/training/build.js";
import { lowerGraph } from "../../../compiler/emit/lower.js";
import { elaborate, parseTarget } from "../../../compiler/index.js";
import { emitTrainingGraphs } from "../../../compiler/training/graphs.js";
import { openDeviceEngine } from "../../../runtime/training/device-engine.js";
import type { StepInput, Values } from "../../../runtime/training/engine.js";
import { initialState } from "../../../runtime/training/initial-state.js";
import { sumsOf } from "../../../runtime/training/sums.js";
import { tinyModel } from "../../runtime/training/tiny.js";
import { uniform } from "../../support/oracle-weights.js";

const model = tinyModel();
const BATCH = 8;

const CASES: Readonly<Record<string, Partial<TrainingOptions> & { readonly parts?: number }>> = {
  "sgd, whose decay is for weights alone": {
    optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 0.01, decayScope: "weights" },
    gradientNorm: true,
  },
  "adamw with an average, clipped, in two parts": {
    optimizer: { kind: "adamw" },
    emaDecay: 0.9,
    emaWarmUp: true,
    clipNorm: 1,
    parts: 2,
  },
  "adamw, a stage of which thaws": { optimizer: { kind: "adamw" }, thawing: [["conv1"]], emaDecay: 0.9 },
  "lars, each weight with a rate of its own": { optimizer: { kind: "lars" } },
  "sgd with rates of stages and kinds, and a stage that is frozen for good": {
    optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 0.01 },
    stageRates: [{ stage: "head", times: 10 }],
    parameterRates: [{ kind: "biases", times: 2, decayTimes: 0 }],
    frozenStages: ["conv1"],
  },
  "in mixed precision, where an update overflows": { optimizer: { kind: "sgd", momentum: 0.9 }, precision: "mixed" },
};

function programOf({ parts: _parts, ...options }: (typeof CASES)[string], held: TrainingOptions["held"]) {
  return buildTraining(model, { optimizer: { kind: "sgd" }, batch: BATCH, ...options, held: held! });
}

function inputAt(step: number, parts: number, phases: number): StepInput {
  return {
    images: uniform(`image${step}`, parts * BATCH * 3072, -1, 1),
    targets: { labels: Int32Array.from({ length: parts * BATCH }, (_, index) => (step + index) % 10) },
    learningRate: 0.1,
    emaDecay: 0.5,
    // Far too much for fp16 in the second step.
    lossScale: step === 1 ? 2 ** 24 : 8,
    phase: Math.min(step, phases),
    key: `${step}`,
  };
}

async function trained(options: (typeof CASES)[string], held: TrainingOptions["held"]) {
  const program = programOf(options, held);
  const { parts = 1 } = options;
  const engine = await openDeviceEngine(emitTrainingGraphs(program, parts), { device: "cpu", threads: 1 });
  await engine.setState(initialState(model, program.state, 3));
  const results = [];
  for (let step = 0; step < 4; step++) {
    results.push(await engine.step(inputAt(step, parts, program.phases.length)));
  }
  const evaluated = await engine.evaluate(inputAt(9, 1, 0), true);
  const statistics = await engine.statistics(inputAt(9, 1, 0).images, 0.5);
  const state = await engine.getState();
  await engine.close();
  return { program, results, evaluated, statistics, state };
}

const plain = (values: Values): Record<string, readonly number[]> =>
  Object.fromEntries([...values].map(([name, each]) => [name, [...each]]));

describe("state in vectors is trained as it is tensor by tensor", () => {
  it.each(Object.entries(CASES))("%s", async (_what, options) => {
    const [own, theirs] = [await trained(options, "vectors"), await trained(options, "tensors")];
    expect([...own.state.keys()]).toEqual([...theirs.state.keys()]);
    const near = (found: number, expected: number, what: string): void => {
      // A norm, and what it clips, is summed in another order.
      if (!(Math.abs(found - expected) <= 2e-5 * Math.max(1e-2, Math.abs(expected)))) {
        expect.fail(`${what}: ${found} for ${expected}`);
      }
    };
    for (const [name, values] of theirs.state) {
      values.forEach((value, at) => near(own.state.get(name)![at]!, value, `${name}[${at}]`));
    }
    theirs.results.forEach((result, step) => {
      expect(Object.keys(own.results[step]!)).toEqual(Object.keys(result));
      near(own.results[step]!.loss, result.loss, `loss of step ${step}`);
      expect(own.results[step]!.finite).toBe(result.finite);
      near(own.results[step]!.gradientNorm ?? 0, result.gradientNorm ?? 0, `norm of step ${step}`);
    });
    expect(Object.keys(plain(own.statistics))).toEqual(Object.keys(plain(theirs.statistics)));
    for (const [name, values] of theirs.statistics) {
      values.forEach((value, at) => near(own.statistics.get(name)![at]!, value, name));
    }
    theirs.evaluated.scores.forEach((score, at) => near(own.evaluated.scores[at]!, score, "scores"));
  });
});

/** Operators of a step of ResNet-20 that start something on a GPU. */
function started(device: "webgpu" | "cuda"): number {
  const { model: resnet20 } = elaborate(parseTarget("CifarResNet(depth: 20)"));
  const optimizer = { kind: "sgd", momentum: 0.9, weightDecay: 1e-4 } as const;
  const { train } = buildTraining(resnet20!, { optimizer, batch: 128, device, held: "vectors" });
  const { nodes } = lowerGraph(train.graph, { opset: 17, sourceLine: () => "" });
  return nodes.filter(({ opType }) => opType !== "Reshape").length;
}

describe("a step of a GPU", () => {
  // 1,553 with the state tensor by tensor, and norms and gradients in small operators.
  it.each(["webgpu", "cuda"] as const)("has few operators, on %s", (device) => {
    expect(started(device)).toBeLessThan(device === "cuda" ? 518 : 600);
  });

  it.each(["webgpu", "cuda"] as const)(
    "written for %s has the processor's gradients, where a channel is constant too",
    async (device) => {
      const [own, theirs] = [await constantChannel(device), await constantChannel("cpu")];
      for (const [name, values] of theirs) {
        const size = Math.hypot(...values) / Math.sqrt(values.length);
        values.forEach((value, at) => {
          if (!(Math.abs(own.get(name)![at]! - value) <= 1e-4 * Math.max(size, 1e-3))) {
            expect.fail(`${name}[${at}]: ${own.get(name)![at]} for ${value}`);
          }
        });
      }
    },
  );
});

/** What an update moves, of a network whose convolutions have a filter of zeros, as a processor computes the step of a device. */
async function constantChannel(device: Device): Promise<Values> {
  const options = { optimizer: { kind: "sgd", momentum: 0 }, batch: BATCH, device, held: heldOn(device) } as const;
  const program = buildTraining(model, options);
  const engine = await openDeviceEngine(emitTrainingGraphs(program, 1), { device: "cpu", threads: 1 });
  const state = initialState(model, program.state, 3);
  for (const { name, shape } of program.state) {
    if (shape.length === 4) state.get(name)!.fill(0, 0, sizeOf(shape) / shape[0]!);
  }
  await engine.setState(state);
  await engine.step(inputAt(0, 1, 0));
  const moved = await engine.getState();
  await engine.close();
  return moved;
}

describe("what is held together", () => {
  const namesOf = (program: ReturnType<typeof programOf>): readonly string[] => program.held.map(({ name }) => name);

  it("is one vector a kind, where one rule updates all", () => {
    const program = programOf({ optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 1e-4 } }, "vectors");
    expect(namesOf(program)).toEqual(["parameter/0", "running_statistic/0", "momentum/0"]);
    expect(program.learned.map(({ name }) => name)).toEqual(["parameter/0"]);
    expect(program.train.graph.inputs).toHaveLength(6);
    expect(program.train.graph.outputs.map(({ name }) => name)).toEqual([
      "numbers",
      ...["next.parameter/0", "next.running_statistic/0", "next.momentum/0"],
    ]);
    expect(program.train.numbers).toEqual(["loss", "correct", "correct5"]);
    expect(program.gradients.graph.outputs.map(({ name }) => name)).toContain("gradient.parameter/0");
    // An update of a vector does not take it apart.
    expect(program.update.graph.nodes.some(({ op }) => op === "unpack" || op === "pack")).toBe(false);
  });

  it("is apart where updates differ", () => {
    const decays = programOf(CASES["sgd, whose decay is for weights alone"]!, "vectors");
    expect(namesOf(decays).filter((name) => name.startsWith("parameter"))).toEqual(["parameter/0", "parameter/1"]);
    const lars = programOf({ optimizer: { kind: "lars" } }, "vectors");
    expect(lars.held.filter(({ role, parts }) => role === "parameter" && parts.length === 1).length).toBeGreaterThan(3);
  });

  it("is what ranks add up: gradients and statistics in a row, numbers by their names", () => {
    const program = programOf({ optimizer: { kind: "sgd" } }, "vectors");
    const graphs = emitTrainingGraphs(program, 1, [], { first: 0, count: BATCH, of: 2 * BATCH });
    const { gradients, statistics, numbers } = sumsOf(graphs);
    expect(gradients.map(({ name }) => name)).toEqual(["gradient.parameter/0"]);
    expect(statistics.map(({ name }) => name)).toEqual(["running_statistic/0"]);
    expect(numbers.map(({ name }) => name)).toEqual(["loss", "correct"]);
  });
});
