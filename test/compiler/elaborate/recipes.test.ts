/** Recipes as the paper's sections 3.4 and 4.2 have them, and what is said of mistakes in them. */
import { describe, expect, it } from "vitest";
import { check, elaborateRecipe, parseTarget } from "../../../compiler/index.js";
import { memoryHost } from "../../../compiler/host.js";

describe("the paper's recipes", () => {
  it("CIFAR-10, section 4.2", () => {
    const { recipe, diagnostics } = elaborateRecipe(parseTarget("cifar10"));
    expect(diagnostics).toEqual([]);
    expect(recipe).toMatchObject({
      optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 1e-4, decayScope: "all", nesterov: false },
      batch: 128,
      learningRate: 0.1,
      schedule: { kind: "divide", by: 10, at: [32_000, 48_000], unit: "step" },
      stop: { steps: 64_000 },
      train: [
        { kind: "subtract_mean" },
        { kind: "pad", margin: 4 },
        { kind: "random_crop", size: [32, 32] },
        { kind: "flip_horizontal" },
      ],
    });
    expect(recipe?.warmUp).toBeUndefined();
  });

  it("ResNet-110 warms up at 0.01 until the training error is below 80 %", () => {
    const { recipe } = elaborateRecipe(parseTarget("cifar10_deep"));
    expect(recipe?.warmUp).toEqual({ kind: "until_error", rate: 0.01, error: 0.8 });
  });

  it("ImageNet, section 3.4", () => {
    const { recipe } = elaborateRecipe(parseTarget("imagenet"));
    expect(recipe).toMatchObject({ batch: 256, schedule: { kind: "plateau", by: 10 }, stop: { steps: 600_000 } });
    expect(recipe?.train[0]).toEqual({ kind: "random_resize_shorter", length: [256, 480] });
    expect(recipe?.evaluate[1]).toEqual({ kind: "ten_crop", size: [224, 224] });
  });
});

describe("mistakes", () => {
  const codes = (body: string): [string, string | undefined][] => {
    const needed = "optimizer sgd(momentum: 0.9)   batch 8   learning_rate 0.1   stop 10";
    const { diagnostics } = check([{ path: "r.resnet", text: `recipe r {\n${needed}\n${body}\n}` }]);
    return diagnostics.map(({ code, help }) => [code, help]);
  };

  it.each([
    ["train { random_crp 32x32 }", "did you mean `random_crop`?"],
    ["lable_smoothing(0.1)", "did you mean `label_smoothing`?"],
  ])("%s", (body, help) => {
    expect(codes(body).map(([, suggestion]) => suggestion)).toContain(help);
  });

  it("a range, an optimiser and a size that do not exist", () => {
    expect(codes("label_smoothing 2")[0]?.[0]).toBe("out-of-range");
    expect(codes("train { random_resize_shorter [480, 256] }")[0]?.[0]).toBe("wrong-type");
    const text = "recipe r { optimizer sdg(momentum: 0.9)   batch 8   learning_rate 0.1   stop 10 }";
    expect(check([{ path: "r.resnet", text }]).diagnostics[0]?.help).toBe("did you mean `sgd`?");
  });

  it("scales of no whole pixels, and a mean of one size", () => {
    expect(codes("test_scales [224.5]")[0]?.[0]).toBe("out-of-range");
    expect(codes("test_scales [224, 256]   evaluate { subtract_mean }")[0]?.[0]).toBe("misplaced-statement");
    expect(codes("test_scales [224, 256]   evaluate { subtract_mean(per: channel) }")).toEqual([]);
  });

  it("what is needed and missing", () => {
    const host = memoryHost({ "r.resnet": "recipe r { batch 8 }" });
    const { recipe, diagnostics } = elaborateRecipe(parseTarget("r.resnet"), { host });
    expect(recipe).toBeUndefined();
    expect(diagnostics.map(({ help }) => help)).toContain("write `optimizer sgd(momentum: 0.9)`");
  });
});
