/** What an output is comes from the graph that makes it: never from its values. */
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { compile } from "../../../compiler/index.js";
import { modelMetadata } from "../../../compiler/metadata.js";
import {
  openClassifier,
  type ClassifierOptions,
  type ClassifyOptions,
} from "../../../runtime/classification/classifier.js";
import { evaluateModel } from "../../../runtime/classification/evaluate.js";
import { openDataSet } from "../../../runtime/data/index.js";
import { traceOutput } from "../../../runtime/classification/score-kind.js";
import { onnxModel, type NodeText } from "../../support/onnx.js";
import { processorTime } from "../../support/processor-time.js";
import { plainPreprocess } from "../../support/preprocess.js";

const HOW = plainPreprocess({ name: "small", resize: { to: [8, 8] } });

const INPUTS = [{ name: "image", type: "float32", shape: ["N", 3, 8, 8] }];

/** `Conv out <- x, w` */
function nodes(lines: readonly string[]): NodeText[] {
  return lines.map((line) => {
    const [op, output, , ...inputs] = line.replaceAll(",", "").split(" ");
    return { op: op!, inputs, outputs: [output!] };
  });
}

describe("the kind of an output", () => {
  it.each<[string, string, readonly string[]]>([
    ["logits", "Gemm", ["Relu a <- x", "Flatten b <- a", "Gemm out <- b, w, c"]],
    ["logits", "MatMul", ["MatMul a <- x, w", "Add out <- a, bias"]],
    ["logits", "MatMul", ["MatMul a <- x, w", "Constant k <-", "Div b <- a, k", "Cast out <- b"]],
    ["logits", "Conv", ["Conv a <- x, w", "GlobalAveragePool b <- a", "Flatten out <- b"]],
    ["logits", "LogSoftmax", ["Gemm a <- x, w", "LogSoftmax out <- a"]],
    ["logits", "Log", ["Gemm a <- x, w", "Softmax b <- a", "Log out <- b"]],
    ["probabilities", "Softmax", ["Gemm a <- x, w", "Softmax b <- a", "Identity c <- b", "Reshape out <- c, s"]],
    ["probabilities", "Softmax", ["Gemm a <- x, w", "Exp e <- a", "ReduceSum s <- e", "Div out <- e, s"]],
    ["probabilities", "Softmax", ["Conv a <- x, w", "Softmax b <- a", "ReduceMean out <- b"]],
    ["independent", "Sigmoid", ["Gemm a <- x, w", "Sigmoid b <- a", "Squeeze out <- b"]],
    ["independent", "HardSigmoid", ["Gemm a <- x, w", "HardSigmoid out <- a"]],
    ["features", "GlobalAveragePool", ["Conv a <- x, w", "Relu b <- a", "GlobalAveragePool out <- b"]],
    [
      "features",
      "GlobalAveragePool",
      ["Conv a <- x, w", "Relu b <- a", "GlobalAveragePool c <- b", "Flatten out <- c"],
    ],
    ["features", "Add", ["Conv a <- x, w", "Conv b <- x, v", "Add out <- a, b"]],
    // SiLU has a sigmoid in it, which is no end.
    ["features", "Mul", ["Gemm a <- x, w", "Sigmoid b <- a", "Mul out <- a, b"]],
    ["features", "Mul", ["Gemm a <- x, w", "Softmax b <- a", "Mul out <- b, hundred"]],
    ["features", "Relu", ["Gemm a <- x, w", "Relu out <- a"]],
    ["features", "Loop", ["Loop out <- x"]],
    ["features", "no operator", ["Identity out <- x"]],
  ])("is %s by %s: %j", (kind, by, lines) => {
    // The network's own input is no constant: something makes it.
    const graph = nodes(["Relu x <- image", ...lines]);
    const all = by === "no operator" ? graph.slice(1) : graph;
    const info = all.map((node) => ({ ...node, name: "", docString: "" }));
    expect(traceOutput({ nodes: info, inputs: INPUTS }, "out")).toEqual({ kind, by });
  });

  it("is found behind a hundred thousand operators in no time, or not at all", () => {
    const chain = Array.from({ length: 100_000 }, (_, i) => `Identity ${i === 0 ? "out" : `v${i}`} <- v${i + 1}`);
    const info = nodes(chain).map((node) => ({ ...node, name: "", docString: "" }));
    expect(traceOutput({ nodes: info, inputs: INPUTS }, "out").kind).toBe("features");
  });
});

const grey = async (level: number) =>
  sharp({ create: { width: 8, height: 8, channels: 3, background: { r: level, g: level, b: level } } })
    .png()
    .toBuffer();

async function classified(model: Uint8Array, options: ClassifierOptions = {}, how: ClassifyOptions = {}) {
  const classifier = await openClassifier(model, { device: "cpu", ...options });
  try {
    const [result] = await classifier.classify([await grey(200)], how);
    if (!result || "error" in result) throw new Error(result?.error);
    return { scores: classifier.scores, classes: classifier.classes, predictions: result.predictions };
  } finally {
    await classifier.close();
  }
}

/** What ONNX Runtime gives, by a model of our own. */
function network(end: string, settings = ""): Uint8Array {
  const source = `preprocess how { resize 8x8 }
network Net { input image 3x8x8   preprocess how   ${settings}
  conv 3x3, 4, bias: true   relu   ${end} }`;
  const { onnx, diagnostics } = compile({ files: { "net.resnet": source }, entry: "net.resnet" });
  if (!onnx) throw new Error(JSON.stringify(diagnostics));
  return onnx;
}

describe("classification", () => {
  it("softmaxes logits, and leaves probabilities", async () => {
    const logits = await classified(network("global_avg_pool   fc 3"));
    const probabilities = await classified(network("global_avg_pool   fc 3   softmax"));
    expect(logits.scores).toMatchObject({ name: "output", kind: "logits" });
    expect(probabilities.scores).toMatchObject({ name: "probabilities", kind: "probabilities" });
    expect(logits.predictions.map(({ index }) => index)).toEqual(probabilities.predictions.map(({ index }) => index));
    logits.predictions.forEach(({ probability }, i) =>
      expect(probability).toBeCloseTo(probabilities.predictions[i]!.probability, 6),
    );
  });

  it("leaves each class of a sigmoid its own probability, whatever the views", async () => {
    for (const crops of [1, 10] as const) {
      const how = { crops };
      const logits = network("global_avg_pool   fc 3");
      const { scores, predictions } = await classified(
        network("global_avg_pool   fc 3   sigmoid"),
        {},
        {
          crops,
          threshold: 0,
        },
      );
      expect(scores.kind).toBe("independent");
      // Softmax keeps the differences of logits; the sigmoids of the same weights must have them too.
      const soft = new Map(
        (await classified(logits, {}, how)).predictions.map((each) => [each.index, each.probability]),
      );
      const logit = (p: number) => Math.log(p / (1 - p));
      const [a, b] = predictions;
      const expected = Math.log(soft.get(a!.index)! / soft.get(b!.index)!);
      expect(logit(a!.probability) - logit(b!.probability)).toBeCloseTo(expected, 4);
      expect(predictions.reduce((sum, { probability }) => sum + probability, 0)).not.toBeCloseTo(1, 2);
    }
  });

  it("puts logits of a network that is trained so through a sigmoid, and gives what is above a threshold", async () => {
    const loss = "global_avg_pool   fc 3   binary_cross_entropy image.labels";
    const all = { threshold: 0 };
    const logits = await classified(network(loss), {}, all);
    const sigmoid = await classified(network(`${loss}   sigmoid`), {}, all);
    expect([logits.scores, sigmoid.scores]).toMatchObject([
      { name: "output", kind: "independent", applied: "sigmoid" },
      { kind: "independent", applied: null },
    ]);
    expect(logits.predictions).toHaveLength(3);
    logits.predictions.forEach(({ index, probability }, at) => {
      expect(sigmoid.predictions[at]!.index).toBe(index);
      expect(probability).toBeCloseTo(sigmoid.predictions[at]!.probability, 6);
    });
    const [first, second] = logits.predictions;
    const threshold = (first!.probability + second!.probability) / 2;
    expect((await classified(network(loss), {}, { threshold })).predictions).toEqual([first]);
    await expect(classified(network("global_avg_pool   fc 3"), {}, all)).rejects.toThrow(
      "one of its classes is right: a threshold is for classes that are independent",
    );
  });

  it("says of one sigmoid the probability of its one class, or of two with names for two", async () => {
    const model = network("global_avg_pool   fc 1   sigmoid");
    const one = await classified(model);
    expect(one.predictions).toMatchObject([{ label: "class 0", index: 0 }]);
    expect(one.predictions[0]!.probability).toBeLessThan(0.999);
    const p = one.predictions[0]!.probability;
    const two = await classified(model, { labels: ["no", "yes"] });
    expect(two).toMatchObject({ classes: 2, scores: { ofTwo: true } });
    const byLabel = Object.fromEntries(two.predictions.map(({ label, probability }) => [label, probability]));
    expect(byLabel["yes"]).toBeCloseTo(p, 6);
    expect(byLabel["no"]).toBeCloseTo(1 - p, 6);
    await expect(classified(model, { labels: ["a", "b", "c"] })).rejects.toThrow("model: 1 classes, but 3 labels");
    expect((await classified(network("global_avg_pool   fc 1   sigmoid", 'labels ["no", "yes"]'))).classes).toBe(2);
  });

  it.each(["global_avg_pool", "global_avg_pool   flatten", "global_max_pool", "conv 3x3, 5   tanh"])(
    "refuses features: %s",
    async (end) => {
      await expect(classified(network(end))).rejects.toThrow(
        /^model: output output comes from \w+: features, not scores of classes; where they are scores, say .*--scores logits/,
      );
      // Told what they are, they are read.
      expect((await classified(network(end), { scores: "logits" })).scores.kind).toBe("logits");
    },
  );

  it("does not let the graph be contradicted", async () => {
    const model = network("global_avg_pool   fc 3   sigmoid");
    await expect(classified(model, { scores: "logits" })).rejects.toThrow(
      "model: output output comes from Sigmoid and is independent, not logits",
    );
  });

  it("keeps to the limit of classes", async () => {
    const make = (classes: number | string) =>
      onnxModel({
        nodes: [
          { op: "GlobalMaxPool", inputs: ["image"], outputs: ["a"] },
          { op: "Flatten", inputs: ["a"], outputs: ["b"] },
          { op: "MatMul", inputs: ["b", "w"], outputs: ["c"] },
          { op: "Expand", inputs: ["c", "shape"], outputs: ["logits"] },
        ],
        inputs: { image: ["N", 3, 8, 8] },
        outputs: { logits: ["N", classes] },
        weights: { w: [3, 1] },
        constants: { shape: { shape: [2], data: BigInt64Array.of(1n, 2_000_000n) } },
        metadata: modelMetadata(HOW, undefined, "Wide"),
      });
    const worked = processorTime();
    for (const classes of [2_000_000, "classes"]) await expect(classified(make(classes))).rejects.toThrow(/1000000/);
    expect(worked()).toBeLessThan(5000);
  });
});

describe("evaluation", () => {
  it("takes one sigmoid for two classes, and the likeliest of several", async () => {
    const shapes = await openDataSet("shapes");
    const two = { ...shapes, classes: ["a", "b"] };
    const split = { ...shapes.validation, size: 20, label: (index: number) => index % 2 };
    const one = network("global_avg_pool   fc 1   sigmoid");
    const result = await evaluateModel(one, two, split, { device: "cpu" });
    expect(result).toMatchObject({ images: 20, scores: { kind: "independent", ofTwo: true } });
    const pair = network("global_avg_pool   fc 2   sigmoid");
    expect((await evaluateModel(pair, two, split, { device: "cpu" })).scores).toMatchObject({ kind: "independent" });
    await expect(evaluateModel(network("global_avg_pool"), shapes, split, { device: "cpu" })).rejects.toThrow(
      /features/,
    );
  });
});
