/** Where a preprocessing and an input meet, at check time. */
import { normalizationOf } from "../../../compiler/preprocess.js";
import { describe, expect, it } from "vitest";
import { elaborate, elaborateRecipe, memoryHost, parseTarget } from "../../../compiler/index.js";
import { emitModel } from "../../../compiler/compile.js";
import { concat } from "../../../compiler/emit/onnx.js";

const found = (source: string) => {
  const { model, diagnostics } = elaborate(parseTarget("net.resnet"), { host: memoryHost({ "net.resnet": source }) });
  return { model, lines: diagnostics.map(({ code, message }) => `${code}: ${message}`) };
};
const network = (input: string, settings: string, declaration = "") =>
  found(`import { torchvision, paper } from "std/preprocess"
${declaration}
network Net { input image ${input}   ${settings}   conv 3x3, 4   global_avg_pool   fc 2   softmax }
let _used = [torchvision, paper]`);

describe("a preprocess declaration", () => {
  it("in grey has one mean: a number, or a list of one", () => {
    for (const mean of ["0.5", "[0.5]"]) {
      const { model, lines } = network(
        "1x8x8",
        "preprocess how",
        `preprocess how { normalize(mean: ${mean}, color: grey) }`,
      );
      expect(lines).toEqual([]);
      expect(normalizationOf(model!.preprocess!)).toMatchObject({ color: "grey", mean: [0.5], std: [1] });
    }
  });

  it.each([
    ["normalize(mean: [0.1, 0.2, 0.3], color: grey)", "`mean` has 3 numbers, `color: grey` takes 1"],
    ["normalize(std: [0.1, 0.2, 0.3], color: grey)", "`std` has 3 numbers, `color: grey` takes 1"],
    ["normalize(mean: [0.1], color: bgr)", "`mean` has 1 number, `color: bgr` takes 3"],
    ["normalize(std: [0.1])", "`std` has 1 number, `color: rgb` takes 3"],
  ])("%s is refused", (body, message) => {
    const { lines } = network("1x8x8", "preprocess how", `preprocess how { ${body} }`);
    expect(lines).toEqual([`channel-mismatch: ${message}`]);
  });

  it.each([
    ["1x8x8", "preprocess torchvision", "its input has 1 channel, and preprocessing torchvision gives rgb"],
    ["1x8x8", "preprocess paper", "its input has 1 channel, and preprocessing paper gives bgr"],
    ["2x8x8", "preprocess torchvision", "its input has 2 channels; an image has 3, or 1 in grey"],
    ["4x8x8", "preprocess torchvision", "its input has 4 channels; an image has 3, or 1 in grey"],
    ["3x8x8", "preprocess how", "its input has 3 channels, and preprocessing how gives grey"],
  ])("and input %s with %s", (input, settings, message) => {
    const { model, lines } = network(input, settings, "preprocess how { normalize(color: grey) }");
    expect(model).toBeUndefined();
    expect(lines).toContain(`channel-mismatch: ${message}`);
  });

  it("follows an input that was asked for, and says so", () => {
    const { model } = elaborate(parseTarget("ResNet18"), { host: memoryHost({}), input: [1, 64, 64] });
    expect(model!.preprocess!.name).toBe("torchvision, in grey");
    expect(normalizationOf(model!.preprocess!)).toMatchObject({ color: "grey", mean: [0.449], std: [0.226] });
    expect(model!.assumed).toEqual([
      "ResNet18: one channel: preprocessing torchvision is followed in grey (ITU-R 601-2 luma), with the averages of its three numbers: mean 0.449, divided by 0.226",
    ]);
    const four = elaborate(parseTarget("ResNet18"), { host: memoryHost({}), input: [4, 64, 64] });
    expect(four.diagnostics.map(({ code }) => code)).toEqual(["channel-mismatch"]);
  });

  it("that is given at emission is made to fit, or refused", () => {
    const { model } = network("1x8x8", "");
    const colour = elaborate(parseTarget("ResNet18"), { host: memoryHost({}) }).model!.preprocess!;
    const { chunks, byteLength } = emitModel(model!, { preprocess: colour });
    expect(Buffer.from(concat(chunks, byteLength)).toString("latin1")).toContain('"color":"grey"');
    const two = network("2x8x8", "").model!;
    expect(() => emitModel(two, { preprocess: colour })).toThrow("Net: its input has 2 channels; an image has 3");
  });
});

describe("a recipe", () => {
  const lines = (transform: string) =>
    elaborateRecipe(parseTarget("r.resnet"), {
      host: memoryHost({
        "r.resnet": `recipe r { optimizer sgd()   batch 2   learning_rate 0.1   stop 1   train { ${transform} } }`,
      }),
    }).diagnostics.map(({ code, message }) => `${code}: ${message}`);

  it("normalises grey with one mean", () => {
    expect(lines("normalize(color: grey, mean: 0.5)")).toEqual([]);
    expect(lines("normalize(color: grey, mean: [0.5], std: [0.25])")).toEqual([]);
    expect(lines("normalize(color: grey, mean: [0.4, 0.5, 0.6])")).toEqual([
      "channel-mismatch: `mean` has 3 numbers, `color: grey` takes 1",
    ]);
    expect(lines("normalize(color: rgb, std: [0.5])")).toEqual([
      "channel-mismatch: `std` has 1 number, `color: rgb` takes 3",
    ]);
  });
});
