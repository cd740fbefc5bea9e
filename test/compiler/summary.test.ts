/** The numbers of the papers: table 1 and table 6 of ResNet's, and what torchvision counts for its own. */
import { describe, expect, it } from "vitest";
import { elaborate, memoryHost, parseTarget, summarize, type Summary } from "../../compiler/index.js";

function summaryOf(target: string, input?: readonly (number | string)[]): Summary {
  const { model, diagnostics } = elaborate(parseTarget(target), input === undefined ? {} : { input });
  if (model === undefined) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  return summarize(model);
}

describe("parameters are torchvision's, to the unit", () => {
  it.each([
    ["ResNet18", 11_689_512],
    ["ResNet34", 21_797_672],
    ["ResNet50", 25_557_032],
    ["ResNet101", 44_549_160],
    ["ResNet152", 60_192_808],
    ["ResNet50V15", 25_557_032],
    ["ResNet101V15", 44_549_160],
    ["ResNet152V15", 60_192_808],
    ["ResNeXt50_32x4d", 25_028_904],
    ["WideResNet50_2", 68_883_240],
    ["VGG16", 138_357_544],
    ["VGG19", 143_667_240],
  ])("%s: %i", (target, params) => {
    expect(summaryOf(target).params).toBe(params);
  });
});

describe("multiply-adds are table 1's, to its printed digits", () => {
  // Section 3.3 and table 1. The paper cuts digits off in some places and rounds in others.
  it.each([
    ["ResNet18", 1.8e9],
    ["ResNet34", 3.6e9],
    ["Plain34", 3.6e9],
    ["ResNet50", 3.8e9],
    ["ResNet101", 7.6e9],
    ["ResNet152", 11.3e9],
    ["VGG19", 19.6e9],
  ])("%s: %i", (target, printed) => {
    expect(Math.abs(summaryOf(target).macs! - printed)).toBeLessThan(0.1e9);
  });

  it("with the stride in the 3x3, ResNet-50 costs 4.1e9", () => {
    expect(summaryOf("ResNet50V15").macs! / 1e9).toBeCloseTo(4.1, 1);
  });
});

describe("CIFAR's parameters are table 6's", () => {
  it.each([
    [20, 0.27, 2],
    [32, 0.46, 2],
    [44, 0.66, 2],
    [56, 0.85, 2],
    [110, 1.7, 1],
    [1202, 19.4, 1],
  ])("depth %i: %fM", (depth, millions, digits) => {
    expect((summaryOf(`CifarResNet(depth: ${depth})`).params / 1e6).toFixed(digits)).toBe(millions.toFixed(digits));
  });
});

describe("the record", () => {
  const summary = summaryOf("ResNet50");

  it("has layers that add up", () => {
    const total = (field: "params" | "macs" | "activations") =>
      summary.layers.reduce((sum, layer) => sum + layer[field]!, 0);
    expect(total("params")).toBe(summary.params);
    expect(total("macs")).toBe(summary.macs);
    expect(total("activations")).toBe(summary.activations);
  });

  it("has stages that add up, each in table 1's parts", () => {
    expect(summary.stages.map((stage) => stage.path)).toEqual(["conv1", "conv2", "conv3", "conv4", "conv5", "head"]);
    expect(summary.stages.reduce((sum, stage) => sum + stage.params, 0)).toBe(summary.params);
    expect(summary.stages[3]!.parts).toMatchObject([
      { block: "bottleneck", count: 6, labels: ["1x1 conv, 256", "3x3 conv, 256", "1x1 conv, 1024"] },
    ]);
    expect(summary.stages[3]!.output).toEqual(["N", 1024, 14, 14]);
  });

  it("needs at a time the two maps that a layer joins and the one that it makes", () => {
    // conv2's additions: three maps of 256x56x56 in fp32.
    expect(summary.peak).toBe(3 * 256 * 56 * 56 * 4);
  });

  it("counts a convolution as the paper does", () => {
    expect(summary.layers.find((layer) => layer.path === "conv1.conv")).toMatchObject({
      label: "7x7 conv, 64, /2",
      macs: 7 * 7 * 3 * 64 * 112 * 112,
      params: 7 * 7 * 3 * 64,
      activations: 64 * 112 * 112 * 4,
    });
  });

  it("has null for what depends on open sizes", () => {
    const open = summaryOf("ResNet18", [3, "H", "W"]);
    expect([open.params, open.macs, open.activations, open.peak]).toEqual([11_689_512, null, null, null]);
    expect(open.stages[0]!.output).toEqual(["N", 64, "floor((H+1)/2)", "floor((W+1)/2)"]);
  });

  it("follows --input", () => {
    expect(summaryOf("ResNet18", [3, 448, 448]).layers[0]!.macs).toBe(4 * summaryOf("ResNet18").layers[0]!.macs!);
  });
});

it("layers outside of stages are counted too", () => {
  const text = "network Loose { input image 3x8x8   conv 3x3, 4   stage s { conv 3x3, 4 } }";
  const { model } = elaborate(parseTarget("l.resnet"), { host: memoryHost({ "l.resnet": text }) });
  const summary = summarize(model!);
  expect(summary.params).toBe(9 * 3 * 4 + 9 * 4 * 4);
  expect(summary.stages.reduce((sum, stage) => sum + stage.params, 0)).toBe(summary.params);
});
