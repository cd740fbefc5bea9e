import { describe, expect, test } from "vitest";
import type { WeightMap } from "../../../compiler/model.js";
import { matchedValues } from "../../../runtime/weights/values.js";
import { isComplete, matchWeights, OWN_NAMES } from "../../../runtime/weights/match.js";
import { describeMismatch } from "../../../runtime/weights/report.js";
import { WeightsError } from "../../../runtime/weights/source.js";
import { memorySource, zeros } from "../../support/memory-source.js";
import { batchNorm, parameter } from "../../support/parameters.js";

const map = (name: string, format: WeightMap["format"], renames: [string, string][], ignore: string[] = []) => ({
  name,
  format,
  renames: renames.map(([ours, theirs]) => ({ ours, theirs })),
  ignore,
});

const network = [
  parameter("conv1.conv.weight", 2, 3, 1, 1),
  ...batchNorm("conv1.bn", 2),
  parameter("head.fc.weight", 10, 2),
  parameter("head.fc.bias", 10),
];
const torchvision = map("torchvision", "pytorch", [
  ["conv1.conv", "conv1"],
  ["conv1.bn", "bn1"],
  ["head.fc", "fc"],
]);
const stateDict = {
  "conv1.weight": { shape: [2, 3, 1, 1], values: [1, 2, 3, 4, 5, 6] },
  "bn1.weight": [1, 2],
  "bn1.bias": [3, 4],
  "bn1.running_mean": [5, 6],
  "bn1.running_var": [7, 8],
  "bn1.num_batches_tracked": { shape: [], values: [9] },
  "fc.weight": zeros(10, 2),
  "fc.bias": zeros(10),
};

describe("the map", () => {
  test("our own names need none", () => {
    const match = matchWeights(
      memorySource("safetensors", { "a.weight": [1, 2] }),
      [parameter("a.weight", 2)],
      [torchvision],
    );
    expect(match.map).toBe(OWN_NAMES);
    expect(isComplete(match)).toBe(true);
    expect(matchedValues(match).get("a.weight")).toEqual(Float32Array.of(1, 2));
  });

  test("the first that fits is used", () => {
    const other = map("other", "pytorch", [["conv1.conv", "stem"]]);
    const match = matchWeights(memorySource("pytorch", stateDict), network, [other, torchvision]);
    expect(match.map.name).toBe("torchvision");
    expect(isComplete(match)).toBe(true);
    const values = matchedValues(match);
    expect(values.get("conv1.conv.weight")).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
    expect(values.get("conv1.bn.running_var")).toEqual(Float32Array.of(7, 8));
    expect(values.get("head.fc.none")).toBeUndefined();
  });

  test("the first rename that matches is used, and paths that none matches stay", () => {
    const special = map("special", "pytorch", [
      ["a.0", "first"],
      ["a.{i}", "other{i}"],
    ]);
    const parameters = [parameter("a.0.weight", 1), parameter("a.1.weight", 1), parameter("b.weight", 1)];
    const source = memorySource("pytorch", { "first.weight": [1], "other1.weight": [2], "b.weight": [3] });
    const values = matchedValues(matchWeights(source, parameters, [special]));
    expect(parameters.map(({ path }) => values.get(path)?.[0])).toEqual([1, 2, 3]);
  });

  test("tensors that it ignores may be there", () => {
    const source = memorySource("pytorch", { ...stateDict, "aux.fc.weight": [1] });
    expect(isComplete(matchWeights(source, network, [torchvision]))).toBe(false);
    expect(isComplete(matchWeights(source, network, [{ ...torchvision, ignore: ["aux.*"] }]))).toBe(true);
  });
});

describe("the report", () => {
  test("another number of classes is said first", () => {
    const source = memorySource("pytorch", { ...stateDict, "fc.weight": zeros(1000, 2), "fc.bias": zeros(1000) });
    const match = matchWeights(source, network, [torchvision]);
    expect(describeMismatch(match)).toBe(
      [
        "memory.bin: does not fit the network by the name map torchvision",
        "  the file has 1000 classes, the network 10",
        "  with --new-head the last layer begins anew, and all others are taken from the file",
        "  of another shape, 2 parameters:",
        "    head.fc.weight is [10, 2], there fc.weight is [1000, 2]",
        "    head.fc.bias is [10], there fc.bias is [1000]",
      ].join("\n"),
    );
    expect(() => matchedValues(match)).toThrow(WeightsError);
  });

  test("missing and unexpected names, with the nearest", () => {
    const { "bn1.bias": bias, ...rest } = stateDict;
    const source = memorySource("pytorch", { ...rest, "bn1.biass": bias });
    expect(describeMismatch(matchWeights(source, network, [torchvision]))).toBe(
      [
        "memory.bin: does not fit the network by the name map torchvision",
        "  missing, 1 parameter:",
        "    conv1.bn.bias, there bn1.bias (did you mean bn1.biass?)",
        "  unexpected, 1 tensor:",
        "    bn1.biass",
      ].join("\n"),
    );
  });

  test("ten of each kind, and how many more", () => {
    const parameters = Array.from({ length: 13 }, (_, i) => parameter(`conv${i}.weight`, 1));
    const report = describeMismatch(matchWeights(memorySource("pytorch", { zzzzzzzz: [1] }), parameters, []));
    expect(report?.split("\n")).toHaveLength(1 + 1 + 11 + 1 + 1);
    expect(report).toContain("\n    conv9.weight\n    and 3 more\n");
  });

  test("what fits has none", () => {
    expect(describeMismatch(matchWeights(memorySource("pytorch", stateDict), network, [torchvision]))).toBeUndefined();
  });
});

describe("lenient", () => {
  test("what does not fit keeps its initial values", () => {
    const source = memorySource("pytorch", { ...stateDict, "fc.weight": zeros(1000, 2), "fc.bias": zeros(1000) });
    const values = matchedValues(matchWeights(source, network, [torchvision]), { lenient: true });
    expect(values.get("head.fc.weight")).toBeUndefined();
    expect(values.get("conv1.bn.weight")).toEqual(Float32Array.of(1, 2));
  });

  test("a file of which nothing fits is refused all the same", () => {
    const match = matchWeights(memorySource("pytorch", { x: [1] }), network, [torchvision]);
    expect(() => matchedValues(match, { lenient: true })).toThrow(/does not fit/);
  });
});

describe("values that no network can have", () => {
  test.each([
    ["bn1.bias", [1, NaN], /conv1\.bn\.bias has a value that is infinite or not a number/],
    ["bn1.weight", [Infinity, 1], /conv1\.bn\.weight has a value that is infinite or not a number/],
    ["bn1.running_var", [1, -1], /conv1\.bn\.running_var has a variance below 0/],
  ])("%s of %j", (name, values, message) => {
    const match = matchWeights(memorySource("pytorch", { ...stateDict, [name]: values }), network, [torchvision]);
    const loaded = matchedValues(match);
    const read = () => network.map(({ path }) => loaded.get(path));
    expect(read).toThrow(WeightsError);
    expect(read).toThrow(message);
  });
});

describe("Caffe", () => {
  const renames: [string, string][] = [
    ["conv1.conv", "conv1"],
    ["conv1.bn", "bn_conv1 + scale_conv1 + conv1"],
    ["head.fc", "fc"],
  ];
  const caffe = map("caffe", "caffe", renames);
  const blobs = {
    "conv1/0": { shape: [2, 3, 1, 1], values: [1, 2, 3, 4, 5, 6] },
    "bn_conv1/0": [2, 4],
    "bn_conv1/1": [6, 8],
    "bn_conv1/2": [2],
    "scale_conv1/0": [7, 8],
    "scale_conv1/1": [9, 10],
    "fc/0": { ...zeros(10, 2), shape: [1, 1, 10, 2] },
    "fc/1": { ...zeros(10), shape: [1, 1, 1, 10] },
  };

  test("statistics are divided by their factor, scale and offset come from Scale", () => {
    const match = matchWeights(memorySource("caffe", blobs), network, [torchvision, caffe]);
    expect(describeMismatch(match)).toBeUndefined();
    const values = matchedValues(match);
    expect(values.get("conv1.bn.running_mean")).toEqual(Float32Array.of(1, 2));
    expect(values.get("conv1.bn.running_var")).toEqual(Float32Array.of(3, 4));
    expect(values.get("conv1.bn.weight")).toEqual(Float32Array.of(7, 8));
    expect(values.get("conv1.bn.bias")).toEqual(Float32Array.of(9, 10));
    expect(values.get("head.fc.weight")).toHaveLength(20);
  });

  test("a factor that is no number is damage", () => {
    const source = memorySource("caffe", { ...blobs, "bn_conv1/2": [NaN] });
    const values = matchedValues(matchWeights(source, network, [caffe]));
    expect(() => values.get("conv1.bn.running_var")).toThrow(
      /conv1\.bn\.running_var has a value that is .*not a number/,
    );
  });

  test("a factor of 0 gives 0", () => {
    const values = matchedValues(
      matchWeights(memorySource("caffe", { ...blobs, "bn_conv1/2": [0] }), network, [caffe]),
    );
    expect(values.get("conv1.bn.running_mean")).toEqual(Float32Array.of(0, 0));
    expect(values.get("conv1.bn.running_var")).toEqual(Float32Array.of(0, 0));
  });

  test("a factor of 0 beside statistics is a doubt, of 0 beside none is not", () => {
    const doubts = (changes: object) => {
      const source = memorySource("caffe", { ...blobs, ...changes });
      const { origins } = matchWeights(source, network, [caffe]);
      return [...origins.values()].flatMap(
        ({ doubt, tensors }) => doubt?.(...tensors.map((name) => source.read(name))) ?? [],
      );
    };
    const said = "a factor of 0 beside statistics that are not 0";
    expect(doubts({})).toEqual([]);
    expect(doubts({ "bn_conv1/2": [0] })).toEqual([said, said]);
    expect(doubts({ "bn_conv1/0": [0, 0], "bn_conv1/2": [0] })).toEqual([said]);
    expect(doubts({ "bn_conv1/0": [0, 0], "bn_conv1/1": [0, 0], "bn_conv1/2": [0] })).toEqual([]);
  });

  test("a convolution's bias becomes part of the mean", () => {
    const match = matchWeights(memorySource("caffe", { ...blobs, "conv1/1": [0.5, -1] }), network, [caffe]);
    expect(isComplete(match)).toBe(true);
    expect(matchedValues(match).get("conv1.bn.running_mean")).toEqual(Float32Array.of(0.5, 3));
  });

  test("four dimensions with another length in front are another shape", () => {
    const source = memorySource("caffe", { ...blobs, "fc/0": { ...zeros(10, 2), shape: [2, 1, 10, 1] } });
    expect(matchWeights(source, network, [caffe]).misshaped).toHaveLength(1);
  });
});

describe("Detectron2", () => {
  const renames: [string, string][] = [
    ["conv1.conv", "conv1"],
    ["conv1.bn", "res_conv1_bn + conv1"],
    ["head.fc", "fc1000"],
  ];
  const detectron2 = map("d2", "detectron2", renames);
  const common = {
    conv1_w: { shape: [2, 3, 1, 1], values: [1, 2, 3, 4, 5, 6] },
    fc1000_w: zeros(10, 2),
    fc1000_b: zeros(10),
  };

  test("with statistics", () => {
    const source = memorySource("detectron2", {
      ...common,
      res_conv1_bn_gamma: [1, 2],
      res_conv1_bn_beta: [3, 4],
      res_conv1_bn_running_mean: [5, 6],
      res_conv1_bn_running_var: [7, 8],
    });
    const values = matchedValues(matchWeights(source, network, [torchvision, detectron2]));
    expect(batchNorm("conv1.bn", 2).map(({ path }) => [...values.get(path)!])).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
      [7, 8],
    ]);
  });

  test("Detectron's, with the statistics folded: mean 0, and a variance that changes nothing; the bias is taken up", () => {
    const source = memorySource("detectron2", {
      ...common,
      conv1_b: [0.5, -1],
      res_conv1_bn_s: [1, 2],
      res_conv1_bn_b: [3, 4],
    });
    const match = matchWeights(source, network, [detectron2]);
    expect(describeMismatch(match)).toBeUndefined();
    const values = matchedValues(match);
    expect(values.get("conv1.bn.running_mean")).toEqual(Float32Array.of(-0.5, 1));
    const variance = values.get("conv1.bn.running_var")!;
    for (const value of variance) expect(Math.sqrt(value + 1e-5)).toBeCloseTo(1, 7);
  });
});

describe("tensors of other axes", () => {
  const scale = [parameter("block.scale.weight", 2), parameter("block.conv.weight", 2, 3, 1, 1)];
  const tensor = { ...map("tensors", "pytorch", []), renames: [{ ours: "block.scale.weight", theirs: "block.gamma" }] };
  const match = (tensors: Parameters<typeof memorySource>[1], reshape?: readonly number[]) =>
    matchWeights(memorySource("pytorch", tensors), scale, [
      { ...tensor, renames: [{ ...tensor.renames[0]!, ...(reshape && { reshape }) }] },
    ]);
  const linear = { shape: [2, 3], values: [1, 2, 3, 4, 5, 6] };

  test("ones at the end are none", () => {
    const found = match({ "block.gamma": { shape: [2, 1, 1], values: [7, 8] }, "block.conv.weight": linear });
    expect(describeMismatch(found)).toBeUndefined();
    expect(matchedValues(found).get("block.scale.weight")).toEqual(Float32Array.of(7, 8));
    expect(matchedValues(found).get("block.conv.weight")).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
  });

  test.each([
    [[1, 2, 1, 1], undefined, false],
    [[1, 2, 1, 1], [1, -1, 1, 1], true],
    [[2, 1, 1], [1, -1, 1, 1], false],
    [[1, 2], [1, 0], false],
  ])("%j with reshape %j fits: %s", (shape, reshape, fits) => {
    const found = match({ "block.gamma": { shape, values: [7, 8] }, "block.conv.weight": linear }, reshape);
    expect(isComplete(found)).toBe(fits);
  });

  test("other axes are another shape", () => {
    const found = match({ "block.gamma": [7, 8], "block.conv.weight": { shape: [3, 2], values: [1, 2, 3, 4, 5, 6] } });
    expect(found.misshaped.map(({ path }) => path)).toEqual(["block.conv.weight"]);
  });

  test("a pattern that can't be understood is an error that names the map", () => {
    const bad = { ...tensor, renames: [{ ours: "{a", theirs: "b" }] };
    const matching = () => matchWeights(memorySource("pytorch", { x: [1] }), scale, [bad]);
    expect(matching).toThrow(WeightsError);
    expect(matching).toThrow(/the name map tensors: in "\{a" a brace has no partner/);
  });
});

describe("renames that a network has no use for", () => {
  test("are told where something is missing", () => {
    const wrong = map("wrong", "pytorch", [
      ["conv1.convolution", "conv1"],
      ["conv1.bn", "bn1"],
      ["head.fc", "fc"],
    ]);
    const report = describeMismatch(matchWeights(memorySource("pytorch", stateDict), network, [wrong]));
    expect(report).toContain('\n  not used, 1 rename:\n    "conv1.convolution" is no layer or tensor of the network');
  });
});
