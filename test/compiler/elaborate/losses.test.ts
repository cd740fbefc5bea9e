/** Loss statements: beside the flow and beside the graph. */
import { describe, expect, it } from "vitest";
import { elaborate, memoryHost, parseTarget, type Model } from "../../../compiler/index.js";
import { emitModel } from "../../../compiler/compile.js";
import { concat } from "../../../compiler/emit/onnx.js";
import { isScope, type Scope } from "../../../compiler/ir/types.js";
import { formatShape } from "../../../compiler/ir/dim.js";
import { printGraph } from "../../../compiler/ir/print.js";
import { buildTraining } from "../../../compiler/training/build.js";
import type { TrainingOptions } from "../../../compiler/training/contract.js";

const check = (source: string, target = "net.resnet") => {
  const host = memoryHost({ "net.resnet": source });
  const { model, diagnostics } = elaborate(parseTarget(target), { host });
  return { model, lines: diagnostics.map(({ code, message }) => `${code}: ${message}`) };
};
const modelOf = (source: string, target?: string): Model => {
  const { model, lines } = check(source, target);
  expect(lines).toEqual([]);
  return model!;
};
const net = (body: string, more = ""): string => `${more}
network Net {
  input image 3x8x8
  stage conv1 { conv 3x3, 4   relu }
  ${body}
}`;
const namesOf = (scope: Scope): unknown[] =>
  scope.children.map((each) => (isScope(each) ? [each.path, namesOf(each)] : each.path));
const options: TrainingOptions = { optimizer: { kind: "sgd", momentum: 0, weightDecay: 0 }, batch: 2 };
const typesOf = (model: Model, more: Partial<TrainingOptions> = {}) => {
  const { train, evaluate } = buildTraining(model, { ...options, ...more });
  return [train, evaluate].map(({ graph }) => {
    const { dtype, shape } = graph.inputs.find(({ name }) => name === "labels")!.value.type;
    return `${dtype} ${formatShape(shape)}`;
  });
};

describe("a loss", () => {
  const head = "head { global_avg_pool   fc 5 LOSS  softmax }";
  const plain = net(head.replace("LOSS", ""));

  it("leaves the graph as it is without, names too", () => {
    const stated = modelOf(
      net(`fc = smooth_l1 conv1, weight: 0.3   ${head.replace("LOSS", "cross_entropy image.labels")}`),
    );
    const without = modelOf(plain);
    expect(printGraph(stated.graph)).toBe(printGraph(without.graph));
    expect(stated.graph.inputs.map(({ name }) => name)).toEqual(["image"]);
    expect(namesOf(stated.root)).toEqual(namesOf(without.root));
    expect(stated.losses!.each.map(({ name, weight }) => [name, weight])).toEqual([
      ["fc", 0.3],
      ["head.cross_entropy", 1],
    ]);
  });

  it("is called by its label, or by its word in the part where it stands; equals are numbered", () => {
    const block = `block side(classes) { global_avg_pool   fc classes   cross_entropy image.labels, weight: 0.5 }`;
    const body = `one = side(5)   conv1   two = side(5)   conv1   ${head.replace("LOSS", "focal image.labels   focal image.labels")}`;
    const { losses } = modelOf(net(body, block));
    expect(losses!.each.map(({ name }) => name)).toEqual([
      "one.cross_entropy",
      "two.cross_entropy",
      "head.focal1",
      "head.focal2",
    ]);
  });

  it("compares what is behind `on`, each of a list, and what flows goes on", () => {
    const body = `fcs = for i in 1 .. 2 { fc 5 on conv1 }   conv1
      aux = cross_entropy image.labels on fcs   ${head.replace("LOSS", "")}`;
    const { losses, graph } = modelOf(net(body));
    expect(losses!.each.map(({ name }) => name)).toEqual(["aux1", "aux2"]);
    expect(losses!.nodes.map(({ inputs }) => inputs[0]!.name)).toEqual(["fcs.0.fc", "fcs.1.fc"]);
    expect(graph.outputs.map(({ name }) => name)).toEqual(["probabilities", "logits"]);
  });

  it("is a value as layers are, with the arguments that it is given", () => {
    const block =
      "block side(classes, loss) { global_avg_pool   out = fc classes   loss(image.labels, weight: 0.5)   out }";
    const body = `a = side(5, focal(gamma: 1))   conv1   b = side(5, cross_entropy)   conv1   ${head.replace("LOSS", "")}`;
    const { losses, graph } = modelOf(net(body, block));
    expect(losses!.each.map(({ name, weight }) => [name, weight])).toEqual([
      ["a.focal", 0.5],
      ["b.cross_entropy", 0.5],
    ]);
    expect(losses!.nodes[0]!.attributes["gamma"]).toBe(1);
    expect(graph.outputs.map(({ name }) => name)).toEqual(["probabilities", "logits"]);
  });

  it("of a network in another is passed over", () => {
    const inner = "network Inner { input image 3x8x8   stage a { conv 3x3, 5   cross_entropy image.labels } }";
    const body = `Inner   global_avg_pool   softmax`;
    const { losses, passedOverLosses } = modelOf(
      `${inner}\nnetwork Net { input image 3x8x8   ${body} }`,
      "net.resnet#Net",
    );
    expect([losses, passedOverLosses]).toEqual([undefined, ["a.cross_entropy"]]);
    expect(modelOf(plain).passedOverLosses).toBeUndefined();
  });

  it.each([
    [
      "fc 4   cross_entropy image.labels   fc 5",
      "invalid-shape: `cross_entropy` compares [N, 4] with the labels of the network's 5 classes",
    ],
    [
      "cross_entropy image.labels   fc 5",
      "invalid-shape: cross_entropy compares predictions [N, 4, 8, 8] with a target [N, classes]",
    ],
    ["fc 5   aux = cross_entropy image.labels   output aux", "unknown-name: nothing here is called `aux`"],
    [
      "fc 5   t = relu on image.labels   output t",
      "misplaced-statement: its output t comes of the image's labels, which training alone knows",
    ],
    ["fc 5   cross_entropy(weight: 2)", "missing-argument: `cross_entropy` needs `target`"],
    [
      "fc 5   cross_entropy image.labels, weight: -1",
      "out-of-range: `weight` of `cross_entropy` must be at least 0, not -1",
    ],
    ["fc 5   cross_entropy image.boxes", "unknown-member: a tensor has no `boxes`"],
  ])("%s is refused", (body, line) => {
    expect(check(net(body)).lines).toEqual([line]);
  });

  it("with a mask says what its sum is divided by", () => {
    const body = "fc 5   binary_cross_entropy image.labels, mask: image.labels";
    expect(check(net(body)).lines).toEqual(["missing-argument: the `mask` of `binary_cross_entropy` needs a `count`"]);
  });
});

describe("training graphs of losses", () => {
  const classes = modelOf(net("head { global_avg_pool   fc 5   cross_entropy image.labels   softmax }"));
  const answers = modelOf(net("head { global_avg_pool   fc 5   binary_cross_entropy image.labels   sigmoid }"));

  it("take class numbers, or shares where labels are soft or several", () => {
    expect(typesOf(classes)).toEqual(["int64 [2]", "int64 [2]"]);
    expect(typesOf(answers)).toEqual(["int64 [2]", "int64 [2]"]);
    expect(typesOf(classes, { softLabels: true })).toEqual(["float32 [2, 5]", "int64 [2]"]);
    expect(typesOf(answers, { multiLabel: true })).toEqual(["float32 [2, 5]", "float32 [2, 5]"]);
  });

  it("have each loss by its name, weighted in the sum", () => {
    const { train, gradients, evaluate } = buildTraining(classes, options);
    for (const { graph } of [train, gradients, evaluate]) {
      const names = graph.outputs.map(({ name }) => name).filter((name) => !/^(next|gradient)\./.test(name));
      expect(names.slice(0, 4)).toEqual(["loss", "correct", "correct5", "loss.head.cross_entropy"]);
    }
    const several = buildTraining(answers, { ...options, multiLabel: true }).evaluate;
    const found = several.graph.outputs.map(({ name }) => name);
    expect(found).toEqual(["loss", "correct", "loss.head.binary_cross_entropy", "logits"]);
  });

  it("refuse what does not fit", () => {
    expect(() => buildTraining(answers, { ...options, labelSmoothing: 0.1 })).toThrow(
      "label_smoothing is for `cross_entropy`, and Net is trained by `head.binary_cross_entropy`",
    );
    expect(() => buildTraining(answers, { ...options, classWeights: [1, 2, 3, 4, 5] })).toThrow(
      "class_weights is for `cross_entropy`",
    );
    for (const model of [classes, modelOf(net("head { global_avg_pool   fc 5   softmax }"))]) {
      expect(() => buildTraining(model, { ...options, multiLabel: true })).toThrow(
        "Net is trained by softmax cross entropy, which takes one class an image",
      );
    }
    const sigmoid = modelOf(net("head { global_avg_pool   fc 5   sigmoid }"));
    expect(() => buildTraining(sigmoid, options)).toThrow("`binary_cross_entropy image.labels` before it says");
  });
});

it("a compiled model has neither losses nor what stands before them alone", () => {
  const aux = "stage side { global_avg_pool   fc 5 }   aux = cross_entropy image.labels   conv1";
  const model = modelOf(net(`${aux}   head { global_avg_pool   fc 5   cross_entropy image.labels   softmax }`));
  const { chunks, byteLength } = emitModel(model);
  const text = Buffer.from(concat(chunks, byteLength)).toString("latin1");
  expect(text).toContain("head.fc.weight");
  expect(text).not.toMatch(/side\.|labels|cross_entropy/);
});
