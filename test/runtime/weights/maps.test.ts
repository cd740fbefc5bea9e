/** The standard library's name maps, against names as they stand in the files that people have. */
import { normalizationOf } from "../../../compiler/preprocess.js";
import { describe, expect, test } from "vitest";
import { elaborate, parseTarget, type Model } from "../../../compiler/index.js";
import { isComplete, matchWeights, namer } from "../../../runtime/weights/match.js";
import { strideVariant, strideWarning } from "../../../runtime/weights/stride.js";
import { memorySource, zeros } from "../../support/memory-source.js";

const models = new Map<string, Model>();

function modelOf(target: string): Model {
  const model = models.get(target) ?? elaborate(parseTarget(target)).model!;
  models.set(target, model);
  return model;
}

/** Every tensor name that a map gives to a network's parameters. */
function namesBy(map: (model: Model) => Model["weightMaps"][number] | undefined, model: Model): Set<string> {
  const originsOf = namer(map(model)!);
  return new Set(model.graph.parameters.flatMap((parameter) => originsOf(parameter)[0]!.tensors));
}

const called = (name: string) => (model: Model) => model.weightMaps.find((map) => map.name === name);
/** The map for the deeper of MSRA's networks is the second of that name. */
const numbered = (model: Model) => model.weightMaps.findLast((map) => map.name === "msra_caffe");

describe("names of layers", () => {
  const cases: [target: string, map: ReturnType<typeof called>, count: number, names: string[]][] = [
    [
      // One tensor fewer than names: the first convolution's bias, which only ResNet-50 has, is asked for too.
      "ResNet50",
      called("msra_caffe"),
      53 * (1 + 3 + 2) + 2 + 1,
      ["conv1/0", "bn_conv1/2", "scale_conv1/1", "res2a_branch1/0", "res3d_branch2b/0", "bn4f_branch2c/1"],
    ],
    [
      "ResNet101",
      numbered,
      104 * 6 + 3,
      ["res3b3_branch2a/0", "res4a_branch1/0", "res4b22_branch2c/0", "scale4b1_branch2b/0", "res5c_branch2c/0"],
    ],
    ["ResNet152", numbered, 155 * 6 + 3, ["res3b7_branch2a/0", "bn4b35_branch2c/2", "bn2c_branch2a/0", "fc1000/1"]],
    [
      "ResNet101",
      called("msra_detectron2"),
      104 * 5 + 3,
      ["conv1_w", "res_conv1_bn_gamma", "res2_0_branch1_w", "res4_22_branch2c_bn_running_var", "fc1000_b"],
    ],
    [
      "SEResNet50",
      called("timm_seresnet"),
      53 * 5 + 16 * 4 + 2,
      ["layer1.0.se.fc1.weight", "layer4.2.se.fc2.bias", "layer1.0.downsample.0.weight", "bn1.running_mean"],
    ],
    [
      "ResNet50D",
      called("timm_resnet_d"),
      55 * 5 + 2,
      ["conv1.0.weight", "conv1.1.running_var", "conv1.3.weight", "conv1.6.weight", "bn1.weight"]
        // prettier-ignore
        .concat(["layer1.0.downsample.1.weight", "layer2.0.downsample.2.bias", "layer4.2.bn3.weight", "fc.bias"]),
    ],
    ["VGG16", called("caffe_vgg"), 32, ["conv1_1/0", "conv5_3/1", "fc6/0", "fc8/1"]],
    ["VGG19", called("caffe_vgg"), 38, ["conv3_4/0", "conv5_4/1", "fc7/0"]],
  ];

  test.each(cases)("%s", (target, map, count, expected) => {
    const names = namesBy(map, modelOf(target));
    for (const name of expected) expect(names).toContain(name);
    expect(names.size).toBe(count);
  });

  test("MSRA's ResNet-50 has letters alone, ResNet-101 numbers: each is matched by its own map", () => {
    for (const [target, map] of [
      ["ResNet50", called("msra_caffe")],
      ["ResNet101", numbered],
    ] as const) {
      const model = modelOf(target);
      const originsOf = namer(map(model)!);
      const tensors = Object.fromEntries(
        model.graph.parameters.flatMap((parameter) => {
          const shape = parameter.value.type.shape.map(Number);
          return originsOf(parameter)
            .at(-1)!
            .tensors.map((name, i) => [name, i === 0 ? zeros(...shape) : zeros(1)] as const);
        }),
      );
      const match = matchWeights(memorySource("caffe", tensors), model.graph.parameters, model.weightMaps);
      expect(isComplete(match)).toBe(true);
      expect(match.map).toBe(map(model));
      expect(normalizationOf(match.map.trainedWith!).color).toBe("bgr");
    }
  });
});

describe("which kernel has the stride", () => {
  test.each([
    ["ResNet50", [1, 1]],
    ["ResNet152", [1, 1]],
    ["ResNet50V15", [3, 3]],
    ["ResNeXt50_32x4d", [3, 3]],
    ["SEResNet50", [3, 3]],
    ["ResNet50D", [3, 3]],
    ["ResNet18", undefined],
    ["VGG16", undefined],
  ])("%s: %j", (target, kernel) => {
    expect(strideVariant(modelOf(target).graph)).toEqual(kernel);
  });

  const warning = (target: string, map: string) => {
    const model = modelOf(target);
    return strideWarning(model, called(map)(model)!);
  };

  test("a warning names the network that fits", () => {
    expect(warning("ResNet50", "torchvision_resnet")).toMatch(
      /in the 3x3 convolution, ResNet50 has it in the 1x1.*fit is ResNet50V15$/,
    );
    expect(warning("ResNet101V15", "msra_caffe")).toMatch(/in the 1x1 convolution.*fit is ResNet101$/);
    expect(warning("WideResNet50_2", "msra_caffe")).toMatch(/fit is one with it in the 1x1$/);
  });

  test("none where they agree, or nothing has a stride in a bottleneck", () => {
    expect(warning("ResNet50", "msra_caffe")).toBeUndefined();
    expect(warning("ResNet50V15", "torchvision_resnet")).toBeUndefined();
    expect(warning("ResNet34", "msra_caffe")).toBeUndefined();
  });
});
