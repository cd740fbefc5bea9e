/** How layers begin: what `std` and `initial_bias` say, and what the detectors of the standard library say, as their authors have it. */
import { describe, expect, it } from "vitest";
import { check, elaborate, memoryHost, parseTarget, type Model } from "../../../compiler/index.js";
import { initialValues } from "../../../compiler/emit/initialise.js";
import type { Initializer } from "../../../compiler/ir/types.js";

function modelOf(target: string, source?: string): Model {
  const options = source === undefined ? {} : { host: memoryHost({ [target]: source }) };
  const { model, diagnostics } = elaborate(parseTarget(target), options);
  expect(diagnostics).toEqual([]);
  return model!;
}

const network = (std: string): string => `network Net {
  input image 3x8x8
  conv 3x3, 64, bias: true${std}   relu
  conv_transpose 2x2, 64, /2${std}   global_avg_pool
  fc 10${std}
}`;

const initOf = ({ graph }: Model, path: string): Initializer | undefined =>
  graph.parameters.find((each) => each.path === path)?.init;

describe("std", () => {
  const plain = modelOf("net.resnet", network(""));
  const given = modelOf("net.resnet", network(", std: 0.01"));

  it("is the deviation of the weights at first, and not of biases", () => {
    for (const path of ["conv.weight", "conv_transpose.weight", "fc.weight"]) {
      expect(initOf(given, path)).toEqual({ kind: "normal", std: 0.01 });
      expect(initOf(plain, path)).toMatchObject({ kind: "he_normal" });
    }
    expect(initOf(given, "conv.bias")).toEqual({ kind: "constant", value: 0 });
    const values = initialValues(initOf(given, "conv.weight")!, 1728, "conv.weight", 0);
    const deviation = Math.sqrt(values.reduce((sum, each) => sum + each * each, 0) / values.length);
    // That of 1728 drawn values is within 1.7 % of it two times in three, and the values are the same each time.
    expect(Math.abs(deviation / 0.01 - 1)).toBeLessThan(0.08);
  });

  it("changes nothing else: the nodes are those that they are without", () => {
    const nodes = ({ graph }: Model) => graph.nodes.map(({ op, path, attributes }) => ({ op, path, attributes }));
    expect(nodes(given)).toEqual(nodes(plain));
  });

  it.each([
    ["-0.1", "`std` of `conv` must be at least 0, not -0.1"],
    ['"small"', "`std` of `conv` must be"],
  ])("%s is refused", (value, message) => {
    const text = `network Net { input image 3x8x8   conv 3x3, 4, std: ${value} }`;
    expect(check([{ path: "net.resnet", text }]).diagnostics.map((each) => each.message)).toEqual([
      expect.stringContaining(message),
    ]);
  });
});

describe("initial_bias", () => {
  it("is what every constant of the bias is at first", () => {
    const given = modelOf("net.resnet", network(", initial_bias: -4.5").replace("/2,", "/2, bias: true,"));
    for (const path of ["conv", "conv_transpose", "fc"]) {
      expect(initOf(given, `${path}.bias`)).toEqual({ kind: "constant", value: -4.5 });
      expect(initOf(given, `${path}.weight`)).toMatchObject({ kind: "he_normal" });
    }
  });

  it.each(["conv 3x3, 4", "conv_transpose 2x2, 4", "fc 4, bias: false"])("%s has none to begin so", (layer) => {
    const text = `network Net { input image 3x8x8   ${layer}, initial_bias: 1 }`;
    const [found] = check([{ path: "net.resnet", text }]).diagnostics;
    expect(found).toMatchObject({ message: expect.stringContaining("has no bias to begin") as string });
  });
});

describe("detectors begin as their authors' do", () => {
  const normal = (std: number) => ({ kind: "normal", std: expect.closeTo(std, 9) as number });
  const rpn = (of: string) => ({
    [`${of}.conv.weight`]: normal(0.01),
    [`${of}.objectness.weight`]: normal(0.01),
    [`${of}.deltas.weight`]: normal(0.01),
    [`${of}.objectness.bias`]: { kind: "constant", value: 0 },
  });

  it.each([
    // train.prototxt of py-faster-rcnn.
    [
      "FasterRCNN_VGG16",
      { ...rpn("rpn"), "head.siblings.logits.weight": normal(0.01), "head.siblings.deltas.weight": normal(0.001) },
    ],
    [
      "FasterRCNN_ResNet101",
      { ...rpn("rpn"), "head.siblings.logits.weight": normal(0.01), "head.siblings.deltas.weight": normal(0.001) },
    ],
    // modeling/proposal_generator/rpn.py, modeling/roi_heads/fast_rcnn.py.
    [
      "Detectron2_R50_C4",
      { ...rpn("rpn"), "head.siblings.logits.weight": normal(0.01), "head.siblings.deltas.weight": normal(0.001) },
    ],
    // torchvision: normal_(std=0.01), kaiming_uniform_(a=1), and nn.Linear's own, uniform below 1 / sqrt(inputs).
    [
      "FasterRCNN_ResNet50_FPN",
      {
        ...rpn("rpn.proposal_head"),
        "fpn.inner.0.conv.weight": normal(1 / Math.sqrt(256)),
        "fpn.inner.3.conv.weight": normal(1 / Math.sqrt(2048)),
        "fpn.layer.0.conv.weight": normal(1 / Math.sqrt(9 * 256)),
        "head.fc1.weight": normal(1 / Math.sqrt(3 * 12544)),
        "head.fc2.weight": normal(1 / Math.sqrt(3 * 1024)),
        "head.siblings.logits.weight": normal(1 / Math.sqrt(3 * 1024)),
        "head.siblings.deltas.weight": normal(1 / Math.sqrt(3 * 1024)),
      },
    ],
    // RetinaNetClassificationHead, RetinaNetRegressionHead.
    [
      "RetinaNet_ResNet50_FPN",
      {
        "fpn.inner.0.conv.weight": normal(1 / Math.sqrt(512)),
        "coarse.p6.weight": normal(1 / Math.sqrt(9 * 256)),
        "classification.head_of_level.conv1.weight": normal(0.01),
        "classification.head_of_level.conv5.weight": normal(0.01),
        "classification.head_of_level.conv5.bias": {
          kind: "constant",
          value: expect.closeTo(-Math.log(99), 12) as number,
        },
        "regression.head_of_level.conv5.weight": normal(0.01),
        "regression.head_of_level.conv5.bias": { kind: "constant", value: 0 },
      },
    ],
  ])("%s", (target, expected) => {
    const model = modelOf(target);
    expect(Object.fromEntries(Object.keys(expected).map((path) => [path, initOf(model, path)]))).toEqual(expected);
    // What a detector says nothing of is He et al.'s.
    expect(model.graph.parameters.find(({ role }) => role === "weight")!.init.kind).toBe("he_normal");
  });
});
