/** Parameters and multiply-adds of the standard networks against the papers' tables and torchvision's. */
import { describe, expect, it } from "vitest";
import { elaborate, parseTarget, summarize } from "../../compiler/index.js";

function cost(target: string): { params: number; macs: number } {
  const { model, diagnostics } = elaborate(parseTarget(target));
  if (!model) throw new Error(diagnostics.map((diagnostic) => diagnostic.message).join("\n"));
  const { params, macs } = summarize(model);
  return { params, macs: macs ?? Number.NaN };
}

describe("parameters equal those of torchvision and timm to the unit", () => {
  it.each([
    ["ResNet18", 11_689_512],
    ["ResNet34", 21_797_672],
    ["ResNet34B", 21_797_672],
    ["ResNet50", 25_557_032],
    ["ResNet101", 44_549_160],
    ["ResNet152", 60_192_808],
    ["ResNet50V15", 25_557_032],
    ["ResNet101V15", 44_549_160],
    ["ResNet152V15", 60_192_808],
    ["VGG16", 138_357_544],
    ["VGG19", 143_667_240],
    ["ResNeXt50_32x4d", 25_028_904],
    ["WideResNet50_2", 68_883_240],
    ["ResNet50_GN", 25_557_032],
    ["MobileNetV2", 3_504_872],
    ["DenseNet121", 7_978_856],
    ["DenseNet169", 14_149_480],
    ["DenseNet201", 20_013_928],
    ["EfficientNetB0", 5_288_548],
    ["EfficientNetB1", 7_794_184],
    ["EfficientNetB2", 9_109_994],
    ["EfficientNetB3", 12_233_232],
    ["EfficientNetB4", 19_341_616],
    ["EfficientNetB5", 30_389_784],
    ["EfficientNetB6", 43_040_704],
    ["EfficientNetB7", 66_347_960],
    ["ShuffleNetV2_x0_5", 1_366_792],
    ["ShuffleNetV2_x1_0", 2_278_604],
    ["ShuffleNetV2_x1_5", 3_503_624],
    ["ShuffleNetV2_x2_0", 7_393_996],
    ["ConvNeXtTiny", 28_589_128],
    ["ConvNeXtSmall", 50_223_688],
    ["ConvNeXtBase", 88_591_464],
    ["std/segmentation#DeepLabV3_ResNet50(aux: true)", 42_004_074],
    ["std/segmentation#FCN_ResNet50(aux: true)", 35_322_218],
    ["RetinaNet", 34_068_119],
    ["SSD300", 35_641_826],
    ["FCOS", 32_322_720],
    // timm's seresnet50 and resnet50d.
    ["SEResNet50", 28_088_024],
    ["ResNet50D", 25_576_264],
  ])("%s has %i", (target, params) => {
    expect(cost(target).params).toBe(params);
  });
});

describe("multiply-adds are those that the papers print", () => {
  // He et al., table 1 and section 3.3 (VGG-19, plain nets); the printed figures round as they like, so 3 % is allowed.
  it.each([
    ["ResNet18", 1.8e9],
    ["ResNet34", 3.6e9],
    ["Plain18", 1.8e9],
    ["Plain34", 3.6e9],
    ["ResNet34A", 3.6e9],
    ["ResNet50", 3.8e9],
    ["ResNet101", 7.6e9],
    ["ResNet152", 11.3e9],
    ["VGG19", 19.6e9],
    // torchvision prints 4.09, 7.80, 11.51 and 4.23, 11.40 GFLOPS for these.
    ["ResNet50V15", 4.09e9],
    ["ResNet101V15", 7.8e9],
    ["ResNet152V15", 11.51e9],
    ["ResNeXt50_32x4d", 4.23e9],
    ["WideResNet50_2", 11.4e9],
  ])("%s costs %f", (target, macs) => {
    expect(Math.abs(cost(target).macs / macs - 1)).toBeLessThan(0.03);
  });

  it("the exact counts do not drift", () => {
    expect(cost("ResNet50V15").macs).toBe(4_089_184_256);
    expect(cost("VGG19").macs).toBe(19_632_062_464);
  });
});

describe("CIFAR networks of section 4.2, table 6", () => {
  it.each([
    [20, "0.27"],
    [32, "0.46"],
    [44, "0.66"],
    [56, "0.85"],
    [110, "1.7"],
    [1202, "19.4"],
  ])("depth %i has %sM parameters", (depth, printed) => {
    const { params } = cost(`CifarResNet(depth: ${depth})`);
    const digits = printed.split(".")[1]?.length ?? 0;
    expect((params / 1e6).toFixed(digits)).toBe(printed);
  });

  it("shortcuts of option A add no parameters and no multiply-adds", () => {
    expect(cost("CifarResNet(depth: 56)")).toEqual(cost("CifarPlain(depth: 56)"));
    expect(cost("ResNet34A")).toEqual(cost("Plain34"));
  });

  it("has the depth that its name says", () => {
    const { model } = elaborate(parseTarget("CifarResNet(depth: 110)"));
    const weighted = model?.graph.nodes.filter((node) => node.op === "conv" || node.op === "fc");
    expect(weighted).toHaveLength(110);
  });
});

it("every option of table 3 has the parameters that follow from it", () => {
  const a = cost("ResNet34A").params;
  const b = cost("ResNet34B").params;
  const c = cost("ResNet34C").params;
  // B: projections 64-128, 128-256, 256-512 with their batch norms; C: every other shortcut as well.
  const projection = (from: number, to: number): number => from * to + 2 * to;
  expect(b - a).toBe(projection(64, 128) + projection(128, 256) + projection(256, 512));
  expect(c - b).toBe(
    3 * projection(64, 64) + 3 * projection(128, 128) + 5 * projection(256, 256) + 2 * projection(512, 512),
  );
});
