/** The graphs of a program fit together, and the options do what they say. */
import { describe, expect, it } from "vitest";
import { buildTraining } from "../../../compiler/training/build.js";
import type { TrainingOptions, TrainingProgram } from "../../../compiler/training/contract.js";
import type { Optimizer } from "../../../compiler/training/optimizers/index.js";
import { trainingMemory } from "../../../compiler/training/memory.js";
import { verify } from "../../../compiler/ops/verify.js";
import { runPasses, TRAINING_PASSES, type TrainingContext } from "../../../compiler/passes/index.js";
import { elaborate, parseTarget } from "../../../compiler/index.js";
import * as ort from "#onnxruntime";
import { concat } from "../../../compiler/emit/onnx.js";
import { onnx } from "../../../compiler/emit/proto.js";
import { emitTraining } from "../../../compiler/training/emit.js";
import { relativeError } from "../emit/run.js";
import { modelOf, NETWORKS, optionsOf } from "./networks.js";
import { initial, openTraining } from "./session.js";

type Values = Readonly<Record<string, Float32Array>>;

const network = { ...NETWORKS["cifar8"]!, image: [3, 3, 32, 32] as const };
const sgd: Optimizer = { kind: "sgd", momentum: 0.9, weightDecay: 0.01 };

function program(options: Partial<TrainingOptions> = {}, of = network): TrainingProgram {
  return buildTraining(modelOf(of), { ...optionsOf(of), optimizer: sgd, ...options });
}

/** State before a step, and all outputs of some steps. */
async function steps(built: TrainingProgram, count = 1, of = network, lossScale = 1): Promise<readonly Values[]> {
  const session = await openTraining(built.train, of, {}, lossScale);
  const outputs: Values[] = [];
  for (let step = 0; step < count; step += 1) outputs.push(await session.run(step));
  await session.close();
  return outputs;
}

const before = (built: TrainingProgram, name: string): Float32Array =>
  initial(built.state.find((each) => each.name === name)!);
const path = "conv3.0.conv1.weight";

describe("a training program", () => {
  it.each(["cpu", "webgpu", "cuda"] as const)("has graphs whose types hold, for %s", (device) => {
    for (const [name, each] of Object.entries(NETWORKS).filter(([, { training }]) => !training)) {
      const built = program({ device, emaDecay: 0.99, clipNorm: 1, checkpointStages: true }, each as typeof network);
      for (const { graph } of [built.train, built.gradients, built.update, built.evaluate]) {
        expect(() => verify(graph), `${name} ${graph.name}`).not.toThrow();
      }
    }
  });

  it("has types that hold after every pass", () => {
    const { graph } = modelOf(network);
    const seen: string[] = [];
    const context: TrainingContext = {
      ...{ sizes: { N: 16 }, device: "cpu", block: 16, precision: "fp16", lossScale: true },
      trained: graph.parameters.filter(({ trainable }) => trainable).map((each) => each.path),
      segments: (layer) => /^conv[34]/.exec(layer)?.[0],
    };
    runPasses(TRAINING_PASSES, graph, context, ({ name }, after) => {
      expect(() => verify(after), name).not.toThrow();
      seen.push(name);
    });
    expect(seen).toEqual(TRAINING_PASSES.map(({ name }) => name));
  });

  it("writes every state tensor that it trains, under the names of the contract", () => {
    const { train, gradients, update, evaluate, state, trained } = program({ emaDecay: 0.9 });
    const names = (of: readonly { readonly name: string }[]): string[] => of.map((each) => each.name).sort();
    expect(names(train.writes)).toEqual(names(state));
    expect(names(gradients.writes)).toEqual(names(state.filter((each) => each.role === "running statistic")));
    expect(names(evaluate.reads)).toEqual(
      names(state.filter(({ role }) => role === "parameter" || role === "running statistic")),
    );
    expect(update.graph.inputs.map(({ name }) => name)).toEqual(
      expect.arrayContaining(trained.map((each) => `gradient.${each.path}`)),
    );
    expect(evaluate.writes).toEqual([]);
    expect(train.graph.inputs.slice(0, 3).map(({ name }) => name)).toEqual(["image", "labels", "learning_rate"]);
  });

  it("gives the same step in one graph and in two", async () => {
    const built = program({ emaDecay: 0.9, clipNorm: 0.5 });
    const [whole] = await steps(built);
    const gradients = await openTraining(built.gradients, network);
    const first = await gradients.run(0);
    await gradients.close();
    const given = Object.fromEntries(built.trained.map(({ path }) => [`gradient.${path}`, first[`gradient.${path}`]!]));
    const statistics = built.gradients.writes.map(({ name }) => [name, first[`next.${name}`]!] as const);
    const update = await openTraining(built.update, network, {}, 1, { ...given, ...Object.fromEntries(statistics) });
    const second = await update.run(0);
    await update.close();
    for (const { name } of built.train.writes) {
      const next = `next.${name}`;
      expect(relativeError((second[next] ?? first[next])!, whole![next]!), name).toBeLessThan(1e-6);
    }
    expect(second["gradient_norm"]![0]).toBeCloseTo(whole!["gradient_norm"]![0]!, 4);
  });
});

describe("optimisers", () => {
  /** Two steps' states by the formulas of the contract, in float64, from the gradients that PyTorch agrees with. */
  async function gradientsOf(built: TrainingProgram, weights: Values): Promise<Values> {
    const session = await openTraining(built.gradients, network, {}, 1, weights);
    const outputs = await session.run(0);
    await session.close();
    return outputs;
  }

  it.each([
    ["pytorch", false],
    ["caffe", false],
    ["caffe", true],
    ["pytorch", true],
  ] as const)("sgd by the rule of %s, nesterov %s, when the learning rate drops", async (rule, nesterov) => {
    const built = program({ optimizer: { ...sgd, rule, nesterov } as Optimizer });
    const session = await openTraining(built.train, network);
    let weight = Float64Array.from(before(built, path));
    let velocity = weight.map(() => 0);
    let state: Values = {};
    for (const learningRate of [0.1, 0.01]) {
      const { [`gradient.${path}`]: gradient } = await gradientsOf(built, state);
      const g = Float64Array.from(gradient!, (value, at) => value + 0.01 * weight[at]!);
      const previous = velocity;
      const size = rule === "caffe" ? learningRate : 1;
      velocity = previous.map((value, at) => 0.9 * value + size * g[at]!);
      const move =
        rule === "caffe"
          ? velocity.map((value, at) => (nesterov ? 1.9 * value - 0.9 * previous[at]! : value))
          : velocity.map((value, at) => learningRate * (nesterov ? g[at]! + 0.9 * value : value));
      weight = weight.map((value, at) => value - move[at]!);
      const outputs = await session.run(0, learningRate);
      state = Object.fromEntries(built.train.writes.map(({ name }) => [name, outputs[`next.${name}`]!]));
      expect(relativeError(state[path]!, weight)).toBeLessThan(1e-6);
      expect(relativeError(state[`momentum.${path}`]!, velocity)).toBeLessThan(1e-5);
    }
    await session.close();
  });

  it.each(["weights", "all"] as const)(
    "lars by algorithm 1 of its paper, with rates of their own for %s",
    async (scope) => {
      const built = program({
        optimizer: { kind: "lars", momentum: 0.8, weightDecay: 0.02, trust: 0.05, adaptScope: scope },
      });
      // A weight, a scale, and a bias that is 0 at first.
      const paths = [path, "conv1.bn.weight", "head.fc.bias"];
      const begin: Values = { "head.fc.bias": before(built, "head.fc.bias").map(() => 0) };
      const session = await openTraining(built.train, network, {}, 1, begin);
      const norm = (x: Float64Array): number => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
      const weights = new Map(paths.map((each) => [each, Float64Array.from(begin[each] ?? before(built, each))]));
      const velocities = new Map(paths.map((each) => [each, weights.get(each)!.map(() => 0)]));
      let state: Values = begin;
      for (const learningRate of [2, 0.5, 0.1]) {
        const gradients = await gradientsOf(built, state);
        const outputs = await session.run(0, learningRate);
        state = Object.fromEntries(built.train.writes.map(({ name }) => [name, outputs[`next.${name}`]!]));
        for (const each of paths) {
          const [w, g] = [weights.get(each)!, Float64Array.from(gradients[`gradient.${each}`]!)];
          const adapts = scope === "all" || each === path;
          const isKnown = adapts && norm(w) > 0 && norm(g) > 0;
          const rate = learningRate * (isKnown ? (0.05 * norm(w)) / (norm(g) + 0.02 * norm(w)) : 1);
          const velocity = velocities.get(each)!.map((v, at) => 0.8 * v + rate * (g[at]! + 0.02 * w[at]!));
          velocities.set(each, velocity);
          weights.set(
            each,
            w.map((value, at) => value - velocity[at]!),
          );
          expect(relativeError(state[each]!, weights.get(each)!), each).toBeLessThan(2e-6);
          expect(relativeError(state[`momentum.${each}`]!, velocity), each).toBeLessThan(2e-5);
        }
      }
      await session.close();
    },
  );

  it("leaves biases and batch norms alone where weight decay is for weights", async () => {
    const strong = { kind: "sgd", weightDecay: 0.5 } as const;
    const [all] = await steps(program({ optimizer: strong }));
    const [weights] = await steps(program({ optimizer: { ...strong, decayScope: "weights" } }));
    const [none] = await steps(program({ optimizer: { kind: "sgd" } }));
    for (const name of ["head.fc.bias", "conv1.bn.weight", "conv1.bn.bias"]) {
      expect(weights![`next.${name}`], name).toEqual(none![`next.${name}`]);
      expect(all![`next.${name}`], name).not.toEqual(none![`next.${name}`]);
    }
    expect(weights![`next.${path}`]).toEqual(all![`next.${path}`]);
    expect(weights![`next.${path}`]).not.toEqual(none![`next.${path}`]);
  });

  it("clips all gradients together", async () => {
    const plain = { optimizer: { kind: "sgd" } as const };
    const [free] = await steps(program(plain));
    const [clipped] = await steps(program({ ...plain, clipNorm: 0.01 }));
    const built = program(plain);
    const moved = (outputs: Values): number =>
      Math.sqrt(
        built.trained.reduce((sum, each) => {
          const from = before(built, each.path);
          return sum + outputs[`next.${each.path}`]!.reduce((part, value, at) => part + (value - from[at]!) ** 2, 0);
        }, 0),
      );
    // The learning rate is 0.1; what weights lose to rounding is much less.
    expect(moved(clipped!)).toBeCloseTo(0.001, 4);
    expect(moved(free!) / 0.1).toBeCloseTo(clipped!["gradient_norm"]![0]!, 2);
  });

  it("averages weights and statistics", async () => {
    const built = program({ emaDecay: 0.75 });
    const [outputs] = await steps(built);
    for (const name of [path, "conv1.bn.running_var"]) {
      const expected = before(built, name).map((value, at) => 0.75 * value + 0.25 * outputs![`next.${name}`]![at]!);
      expect(relativeError(outputs![`next.ema.${name}`]!, expected), name).toBeLessThan(1e-6);
    }
  });
});

describe("freezing", () => {
  it("keeps the parameters and statistics of frozen stages", async () => {
    const built = program({ frozenStages: ["conv1", "conv2"] });
    expect(built.trained.some((each) => /^conv[12]\./.test(each.path))).toBe(false);
    expect(built.train.writes.some((each) => /^(momentum\.)?conv[12]\./.test(each.name))).toBe(false);
    const [outputs] = await steps(built);
    expect(outputs).toHaveProperty([`next.${path}`]);
    // Nothing is differentiated in front of what is trained.
    expect(built.train.graph.nodes.some((node) => node.path.startsWith("conv1.conv.gradient"))).toBe(false);
  });

  it("takes frozen batch norms for constants: neither their statistics nor their scales change", async () => {
    const built = program({ frozenBatchNorm: true });
    expect(built.train.writes.some((each) => each.role === "running statistic")).toBe(false);
    expect(built.trained.filter(({ path }) => /\bbn\d?\./.test(path))).toEqual([]);
    expect(built.trained.map((each) => each.path)).toContain("conv1.conv.weight");
    const [outputs] = await steps(built);
    expect(outputs!["loss"]![0]).toBeGreaterThan(0);
  });

  it("says which stage is not there", () => {
    expect(() => program({ frozenStages: ["conv9"] })).toThrow(
      "CifarResNet has no stage, block or layer conv9; did you mean conv1?",
    );
  });
});

describe("checkpointed stages", () => {
  it.each(["cifar8", "squeeze", "layers"])("%s: the same gradients from less memory", async (name) => {
    const of = NETWORKS[name] as typeof network;
    const plain = program({}, of);
    const saving = program({ checkpointStages: true }, of);
    const [expected] = await steps(plain, 1, of);
    const [actual] = await steps(saving, 1, of);
    for (const next of Object.keys(expected!)) {
      expect(relativeError(actual![next]!, expected![next]!), next).toBeLessThan(1e-5);
    }
    expect(saving.train.graph.nodes.some((node) => node.path.endsWith(".again"))).toBe(true);
  });

  it("ResNet-1202 trains in bounded memory", () => {
    const { model } = elaborate(parseTarget("CifarResNet(depth: 1202)"));
    const options = { optimizer: sgd, batch: 128 };
    const plain = trainingMemory(buildTraining(model!, options).train);
    const saving = trainingMemory(buildTraining(model!, { ...options, checkpointStages: true }).train);
    expect(plain.peak).toBeGreaterThan(10 * 2 ** 30);
    expect(saving.peak).toBeLessThan(2 ** 30);
    // 19.4 million parameters, their momenta, and statistics.
    expect(saving.state / 4).toBeGreaterThan(2 * 19.4e6);
  });
});

describe("mixed precision", () => {
  it("follows fp32 and keeps weights in fp32", async () => {
    const exact = await steps(program(), 3);
    const mixed = await steps(program({ precision: "mixed" }), 3, network, 1024);
    mixed.forEach((outputs, step) => {
      expect(Math.abs(outputs["loss"]![0]! / exact[step]!["loss"]![0]! - 1), `step ${step}`).toBeLessThan(0.02);
      expect(outputs["finite"]![0]).toBe(1);
    });
  });

  it("keeps small gradients by scaling the loss", async () => {
    const gradient = async (built: TrainingProgram, lossScale: number): Promise<Float32Array> => {
      const session = await openTraining(built.gradients, network, {}, lossScale);
      const { "gradient.conv1.conv.weight": values } = await session.run(0);
      await session.close();
      return values!;
    };
    const exact = await gradient(program(), 1);
    const mixed = program({ precision: "mixed" });
    const [lost, kept] = [await gradient(mixed, 2 ** -16), await gradient(mixed, 1024)];
    expect(relativeError(kept, exact)).toBeLessThan(0.02);
    expect(relativeError(lost, exact)).toBeGreaterThan(5 * relativeError(kept, exact));
  });

  it("skips the step where a gradient overflows", async () => {
    const built = program({ precision: "mixed", optimizer: { kind: "adamw" } });
    const [outputs] = await steps(built, 1, network, 1e30);
    expect(outputs!["finite"]![0]).toBe(0);
    expect(outputs![`next.${path}`]).toEqual(before(built, path));
    expect(outputs!["next.step"]![0]).toBe(0);
  });
});

describe("files", () => {
  it("are accepted by ONNX Runtime, and say what they read and write", async () => {
    const { files, program: built } = emitTraining(modelOf(network), { batch: 3, optimizer: sgd });
    expect([...files.keys()]).toEqual(["train.onnx", "gradients.onnx", "update.onnx", "evaluate.onnx"]);
    for (const model of files.values()) {
      const session = await ort.InferenceSession.create(concat(model.chunks, model.byteLength), {
        logSeverityLevel: 3,
      });
      await session.release();
    }
    const train = files.get("train.onnx")!;
    const { metadataProps } = onnx.ModelProto.decode(concat(train.chunks, train.byteLength));
    const text = metadataProps.find(({ key }) => key === "resnetc.training.reads")?.value ?? "";
    const reads = JSON.parse(text) as unknown[];
    expect(reads.length).toBe(built.train.reads.length);
    expect(reads).toContainEqual({ name: path, shape: [32, 16, 3, 3], role: "parameter", parameter: path, like: path });
    expect(() => emitTraining(modelOf(network), { batch: 3, optimizer: sgd, opset: 13 })).toThrow(
      "training graphs need opset 16 or later, not 13",
    );
  });
});
