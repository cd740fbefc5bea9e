/** Class weights, rates by stage, stages that thaw, averages that warm up: as PyTorch has them, and as they are defined. */
import { describe, expect, it } from "vitest";
import { elaborate, memoryHost, parseTarget, type Model } from "../../../compiler/index.js";
import { concat, emitOnnx } from "../../../compiler/emit/onnx.js";
import { tensor, value } from "../../../compiler/ir/build.js";
import type { Graph, NamedValue } from "../../../compiler/ir/types.js";
import { verify } from "../../../compiler/ops/verify.js";
import { buildTraining } from "../../../compiler/training/build.js";
import { emaDecayAt, type TrainingOptions, type TrainingProgram } from "../../../compiler/training/contract.js";
import type { Optimizer } from "../../../compiler/training/optimizers/index.js";
import { differentiate } from "../../../compiler/passes/differentiate.js";
import { recorder } from "../../../compiler/ops/recorder.js";
import { zeroInitResidual } from "../../../compiler/training/zero-init.js";
import { uniform } from "../../support/oracle-weights.js";
import { RECIPE_GOLDEN } from "../../support/recipe-golden.js";
import { emitBytes, relativeError, runGraph } from "../emit/run.js";
import { modelOf, NETWORKS, optionsOf } from "./networks.js";
import { initial, openTraining } from "./session.js";
import * as ort from "#onnxruntime";

const network = { ...NETWORKS["cifar8"]!, image: [3, 3, 32, 32] as const };
const sgd: Optimizer = { kind: "sgd", momentum: 0.9, weightDecay: 0.01 };
const program = (options: Partial<TrainingOptions> = {}): TrainingProgram =>
  buildTraining(modelOf(network), { ...optionsOf(network), optimizer: sgd, ...options });

function model(source: string): Model {
  const result = elaborate(parseTarget("net.resnet"), { host: memoryHost({ "net.resnet": source }) });
  if (!result.model) throw new Error(JSON.stringify(result.diagnostics));
  return result.model;
}

/** Loss, right answers and gradient of logits [6, 5]. */
async function lossOf(labels: ort.Tensor, weights: readonly number[] | null, smoothing: number) {
  const logits = value(tensor([6, 5]), "logits");
  const target = value(tensor(labels.dims, labels.type === "int64" ? "int64" : "float32"), "labels");
  const record = recorder({ path: "loss" });
  const weighing = weights ? [record.constant(Float32Array.from(weights), [5])] : [];
  const outputs = record.apply("cross_entropy", [logits, target, ...weighing], { smoothing, counts: true });
  const seed = record.constant(Float32Array.of(1), []);
  const [gradient] = differentiate({ nodes: [...record.nodes] }, outputs[0]!, [logits], seed, record);
  const named = (name: string, at: NamedValue["value"]): NamedValue => ({ name, value: at });
  const graph: Graph = {
    name: "loss",
    inputs: [named("logits", logits), named("labels", target)],
    outputs: [named("loss", outputs[0]!), named("correct", outputs[1]!), named("gradient", gradient!)],
    parameters: [],
    constants: record.constants,
    nodes: record.nodes,
  };
  verify(graph);
  const session = await ort.InferenceSession.create(emitBytes(graph), { logSeverityLevel: 3 });
  const found = await session.run({ logits: new ort.Tensor("float32", uniform("logits", 30, -3, 3), [6, 5]), labels });
  await session.release();
  return {
    loss: found["loss"]!.data[0] as number,
    correct: found["correct"]!.data[0] as number,
    gradient: found["gradient"]!.data as Float32Array,
  };
}

describe("class weights", () => {
  it.each(RECIPE_GOLDEN.losses)("$weights with smoothing $smoothing are PyTorch's", async (golden) => {
    const { weights, smoothing } = golden;
    const labels = new ort.Tensor("int64", BigInt64Array.from([0n, 1n, 2n, 3n, 4n, 1n]), [6]);
    const found = await lossOf(labels, weights, smoothing);
    expect(found.loss).toBeCloseTo(golden.loss, 5);
    found.gradient.forEach((each, at) => expect(each).toBeCloseTo(golden.gradient[at]!, 6));
  });

  it("are needed one a class, and left out of the evaluation", () => {
    expect(() => program({ classWeights: [1, 2] })).toThrow("2 class weights for 10 classes: one for each is needed");
    const weighted = program({ classWeights: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] });
    expect(weighted.evaluate.graph.nodes.length).toBe(program().evaluate.graph.nodes.length);
  });
});

describe("soft labels", () => {
  it.each(RECIPE_GOLDEN.soft_losses)("with weights $weights and smoothing $smoothing are PyTorch's", async (golden) => {
    const { weights, smoothing, shares } = golden;
    const found = await lossOf(new ort.Tensor("float32", Float32Array.from(shares), [6, 5]), weights, smoothing);
    expect(found.loss).toBeCloseTo(golden.loss, 5);
    expect(found.correct).toBe(golden.correct);
    found.gradient.forEach((each, at) => expect(each).toBeCloseTo(golden.gradient[at]!, 6));
  });

  it("that are one class each are class numbers, which the evaluation keeps", async () => {
    const soft = program({ softLabels: true });
    const numbers = uniform("labels0", 3, 0, 10).map(Math.floor);
    const shares = new Float32Array(30);
    numbers.forEach((label, image) => (shares[10 * image + label] = 1));
    const labelsOf = ({ train, evaluate }: TrainingProgram) =>
      [train, evaluate].map(({ graph }) => graph.inputs.find(({ name }) => name === "labels")!.value.type);
    expect(labelsOf(soft)).toEqual([tensor([3, 10]), tensor([3], "int64")]);
    const hard = await openTraining(program().train, network);
    const session = await openTraining(soft.train, network, {}, 1, { labels: shares });
    const [a, b] = [await hard.run(0), await session.run(0)];
    expect(Math.abs(a["loss"]![0]! - b["loss"]![0]!)).toBeLessThan(1e-6);
    expect(b["correct"]).toEqual(a["correct"]);
    expect(relativeError(b["next.head.fc.weight"]!, a["next.head.fc.weight"]!)).toBeLessThan(1e-6);
    await hard.close();
    await session.close();
  });
});

/** Updates from given weights by given gradients, the graphs' beside PyTorch's weights after each. */
async function followUpdates(
  built: TrainingProgram,
  golden: readonly Readonly<Record<string, readonly number[]>>[],
  thaw = 0,
): Promise<void> {
  const state = new Map(
    built.state.map((each) => {
      const size = each.shape.reduce((a, b) => a * b, 1);
      const init = each.init.kind === "parameter" ? uniform(each.name, size, -1, 1) : new Float32Array(size);
      return [each.name, init] as const;
    }),
  );
  for (const [step, expected] of golden.entries()) {
    const { trained, update } = step < thaw ? built.phases[0]! : built;
    verify(update.graph);
    const gradients = trained.map(({ path, value: { type } }) => {
      const shape = type.shape as readonly number[];
      const size = shape.reduce((a, b) => a * b, 1);
      return [`gradient.${path}`, { shape, data: uniform(`gradient${step}.${path}`, size, -1, 1) }] as const;
    });
    const reads = update.reads.map((each) => [each.name, { shape: each.shape, data: state.get(each.name)! }] as const);
    const outputs = await runGraph(update.graph, {
      ...Object.fromEntries([...gradients, ...reads]),
      learning_rate: { shape: [], data: Float32Array.of(0.01) },
    });
    for (const each of update.writes) state.set(each.name, Float32Array.from(outputs[`next.${each.name}`]!.data));
    for (const [path, values] of Object.entries(expected)) {
      const error = relativeError(state.get(path)!, Float64Array.from(values));
      expect(error, `${path} after ${step + 1}`).toBeLessThan(2e-6);
    }
  }
}

describe("rates by stage and thawing", () => {
  const source = `network Net {
    input image 3x4x4
    stage conv1 { conv 1x1, 2   relu }
    head { global_avg_pool   fc 4 }
  }`;

  it.each(Object.entries(RECIPE_GOLDEN.updates))(
    "%s: the weights of five updates are PyTorch's",
    async (name, golden) => {
      const [kind, thaw] = name.split(" ") as [string, string];
      const optimizer: Optimizer = kind === "sgd" ? sgd : { kind: "adamw", weightDecay: 0.01 };
      const built = buildTraining(model(source), {
        optimizer,
        batch: 2,
        thawing: Number(thaw) > 0 ? [["conv1"]] : [],
        stageRates: [
          { stage: "head", times: 2 },
          { stage: "head.fc.weight", times: 10 },
          { stage: "conv1", times: 0.1 },
        ],
      });
      await followUpdates(built, golden, Number(thaw));
    },
  );

  it("computes no gradient of what is frozen, and all of it after", async () => {
    const built = program({ thawing: [["conv3"], ["conv1", "conv2"]] });
    expect(built.phases).toHaveLength(2);
    const trained = (at: number): string[] =>
      (built.phases[at] ?? built).trained.map((each) => each.path.split(".")[0]!);
    expect([...new Set(trained(0))]).toEqual(["conv4", "head"]);
    expect([...new Set(trained(1))]).toEqual(["conv3", "conv4", "head"]);
    expect([...new Set(trained(2))]).toEqual(["conv1", "conv2", "conv3", "conv4", "head"]);
    const { train } = built.phases[0]!;
    verify(train.graph);
    expect(train.graph.nodes.some((node) => node.path.startsWith("conv3.0.conv1.gradient"))).toBe(false);
    expect(train.writes.some(({ name }) => name.startsWith("conv1"))).toBe(false);
    // The last phase is the step that it would be without.
    expect(emitBytes(built.train.graph)).toEqual(emitBytes(program().train.graph));
    const session = await openTraining(train, network);
    const outputs = await session.run(0);
    await session.close();
    expect(outputs["loss"]![0]).toBeGreaterThan(0);
  });

  it("says what is not there, and what comes near", () => {
    expect(() => program({ stageRates: [{ stage: "haed", times: 2 }] })).toThrow(
      "CifarResNet has no stage, block or layer haed; did you mean head?",
    );
    expect(() => program({ thawing: [["conv9.1"]] })).toThrow("no stage, block or layer conv9.1");
    expect(() => program({ frozenStages: ["head.fc"] })).not.toThrow();
    expect(program({ frozenStages: ["head.fc"] }).trained.some(({ path }) => path.startsWith("head"))).toBe(false);
    expect(() => program({ thawing: [["conv1", "conv2", "conv3", "conv4", "head"]] })).toThrow(
      "nothing is trained before the frozen stages thaw",
    );
  });
});

describe("rates by kind", () => {
  const source = `network Net {
    input image 3x4x4
    stage conv1 { conv 1x1, 2, bias: true   bn   relu }
    head { global_avg_pool   fc 4 }
  }`;

  it.each(Object.entries(RECIPE_GOLDEN.kinds))(
    "%s: with rate and decay of weights, biases and norms apart, the weights of three updates are PyTorch's",
    async (kind, golden) => {
      const optimizer: Optimizer = kind === "sgd" ? sgd : { kind: "adamw", weightDecay: 0.01 };
      const built = buildTraining(model(source), {
        optimizer,
        batch: 2,
        stageRates: [{ stage: "head", times: 10 }],
        parameterRates: [
          { kind: "biases", times: 2, decayTimes: 0 },
          { kind: "norms", times: 0.5, decayTimes: 3 },
        ],
      });
      await followUpdates(built, golden);
    },
  );

  it("leave the graphs as they are where they change nothing", () => {
    const plain = emitBytes(program().train.graph);
    expect(emitBytes(program({ parameterRates: [{ kind: "biases", times: 1 }] }).train.graph)).toEqual(plain);
    expect(emitBytes(program({ parameterRates: [{ kind: "biases", times: 2 }] }).train.graph)).not.toEqual(plain);
  });
});

describe("an average with a warm-up", () => {
  it("has the decay that is given for each update", async () => {
    const built = program({ emaDecay: 0.99, emaWarmUp: true });
    expect([0, 1, 8, 90, 891, 5000].map((n) => emaDecayAt(0.99, n))).toEqual([0.1, 2 / 11, 0.5, 0.91, 0.99, 0.99]);
    const session = await openTraining(built.train, network, {}, 1, { ema_decay: Float32Array.of(0.25) });
    const outputs = await session.run(0);
    await session.close();
    for (const name of ["conv1.conv.weight", "conv1.bn.running_var"]) {
      const before = initial(built.state.find((each) => each.name === name)!);
      const expected = before.map((was, at) => 0.25 * was + 0.75 * outputs[`next.${name}`]![at]!);
      expect(relativeError(outputs[`next.ema.${name}`]!, expected), name).toBeLessThan(1e-6);
    }
  });
});

describe("the norm of the gradients", () => {
  it("is given without clipping, and changes nothing else", async () => {
    const outputs = async (options: Partial<TrainingOptions>) => {
      const session = await openTraining(program(options).train, network);
      const found = await session.run(0);
      await session.close();
      return found;
    };
    const [plain, measured, clipped] = [
      await outputs({}),
      await outputs({ gradientNorm: true }),
      await outputs({ clipNorm: 1e9 }),
    ];
    expect(plain).not.toHaveProperty("gradient_norm");
    expect(measured["gradient_norm"]![0]).toBe(clipped["gradient_norm"]![0]);
    expect(measured["next.conv1.conv.weight"]).toEqual(plain["next.conv1.conv.weight"]);
  });
});

describe("zero-initialised residual functions", () => {
  const scales = (of: Model): string[] =>
    of.graph.parameters.flatMap(({ path, init }) =>
      path.endsWith(".weight") && init.kind === "constant" && init.value === 0 ? [path] : [],
    );
  const standard = (name: string): Model => elaborate(parseTarget(name)).model!;

  it("are the last batch norm of every block, and no shortcut's: torchvision's", () => {
    const zero = scales(zeroInitResidual(standard("ResNet50V15")));
    expect(zero).toHaveLength(3 + 4 + 6 + 3);
    expect(zero.every((path) => /^conv[2-5]\.\d+\.bn3\.weight$/.test(path))).toBe(true);
    expect(scales(zeroInitResidual(standard("ResNet18")))).toHaveLength(8);
    expect(scales(standard("ResNet50V15"))).toEqual([]);
  });

  it("pass squeeze and excitation, and are refused where no batch norm ends a residual function", () => {
    const blocks = (block: string): Model =>
      model(`import { se_bottleneck, preactivation } from "std/blocks"
        network Net { input image 3x8x8   stage conv1 { conv 3x3, 16   bn   relu }   stage conv2 { ${block} }   head { global_avg_pool   fc 2 } }`);
    expect(scales(zeroInitResidual(blocks("se_bottleneck(4)")))).toEqual(["conv2.0.bn3.weight"]);
    expect(() => zeroInitResidual(blocks("preactivation(16)"))).toThrow(
      "Net has no residual function that ends in a batch norm",
    );
  });

  it("make every block an identity: what goes in comes out of the addition", async () => {
    const of = model(`import { basic } from "std/blocks"
      network Net { input image 4x5x5   stage conv2 { basic(4)   basic(4) }   }`);
    const zeroed = zeroInitResidual(of);
    const { chunks, byteLength } = emitOnnx(zeroed.graph, { seed: 3 });
    const session = await ort.InferenceSession.create(concat(chunks, byteLength), { logSeverityLevel: 3 });
    const image = uniform("image", 100, 0, 1);
    const out = await session.run({ image: new ort.Tensor("float32", image, [1, 4, 5, 5]) });
    await session.release();
    expect(Object.values(out)[0]!.data).toEqual(image);
  });
});
