/** What we write, to the byte: written.safetensors was made by Python, written.pth was read by torch (make_weights.py). */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { writeWhole } from "../../../runtime/files.js";
import { exportWeights } from "../../../runtime/weights/export.js";
import { openWeights } from "../../../runtime/weights/open.js";
import { WeightsError } from "../../../runtime/weights/source.js";
import { stateDictChunks } from "../../../runtime/weights/write-pytorch.js";
import { writeSafetensors, type WrittenTensor } from "../../../runtime/weights/write-safetensors.js";
import { batchNorm, parameter } from "../../support/parameters.js";
import { goldenWeights, temporaryFolder } from "../../support/weight-files.js";

const folder = temporaryFolder();
const tensors: WrittenTensor[] = [
  {
    name: "conv.weight",
    dtype: "float32",
    shape: [2, 3, 1, 1],
    data: () => Float32Array.of(-2.5, -1.5, -0.5, 0.5, 1.5, 2.5),
  },
  { name: "odd", dtype: "float32", shape: [1], data: () => Float32Array.of(0, 0.5).subarray(1) },
  { name: "counter", dtype: "int64", shape: [], data: () => BigInt64Array.of(7n) },
  { name: "empty", dtype: "float32", shape: [0, 3], data: () => new Float32Array(0) },
];

describe("safetensors", () => {
  test("are the same bytes as Python's", async () => {
    const file = path.join(folder, "a.safetensors");
    await writeSafetensors(file, tensors, { note: "caf\u00e9" });
    expect(fs.readFileSync(file)).toEqual(fs.readFileSync(goldenWeights.path("written.safetensors")));
  });

  test("data begin at a multiple of 8 bytes, however long the names are", async () => {
    for (let length = 1; length <= 9; length++) {
      const file = path.join(folder, "b.safetensors");
      await writeSafetensors(file, [{ ...tensors[1]!, name: "x".repeat(length) }]);
      expect(fs.readFileSync(file).readBigUInt64LE() % 8n).toBe(0n);
      expect(fs.statSync(file).size % 8).toBe(4);
    }
  });

  test("a flipped bit in the data is found", async () => {
    const file = path.join(folder, "c.safetensors");
    await writeSafetensors(file, tensors);
    const bytes = fs.readFileSync(file);
    bytes[bytes.length - 1]! ^= 0x10;
    fs.writeFileSync(file, bytes);
    await expect(openWeights(file)).rejects.toThrow(/is damaged: the checksum of its data is wrong/);
  });

  test("nothing is left where a tensor can't be written", async () => {
    const file = path.join(folder, "d.safetensors");
    const wrong = { ...tensors[0]!, shape: [7] };
    await expect(writeSafetensors(file, [tensors[1]!, wrong])).rejects.toThrow(
      "conv.weight has 24 bytes, not those of float32 [7]",
    );
    await expect(writeSafetensors(file, [tensors[1]!, tensors[1]!])).rejects.toThrow("two tensors are named odd");
    expect(fs.readdirSync(folder).filter((name) => name.includes("d.safetensors"))).toEqual([]);
  });
});

describe(".pth", () => {
  test("are the bytes that torch has read", async () => {
    const file = path.join(folder, "a.pth");
    await writeWhole(file, stateDictChunks(tensors));
    expect(fs.readFileSync(file)).toEqual(fs.readFileSync(goldenWeights.path("written.pth")));
  });

  test("data are aligned to 64 bytes, as torch maps them", () => {
    let position = 0;
    for (const chunk of stateDictChunks(tensors)) {
      if (chunk.length === 24) expect(position % 64).toBe(0);
      position += chunk.length;
    }
  });
});

describe("an export", () => {
  const parameters = [parameter("conv1.conv.weight", 1, 2, 1, 1), ...batchNorm("conv1.bn", 1)];
  const values = new Map(
    parameters.map(({ path }, i) => [path, new Float32Array(path.includes("conv.") ? 2 : 1).fill(i + 1)]),
  );
  const map = {
    name: "torchvision",
    format: "pytorch" as const,
    renames: [
      { ours: "conv1.conv", theirs: "conv1" },
      { ours: "conv1.bn", theirs: "bn1" },
    ],
    ignore: [],
  };

  test.each(["pth", "safetensors"] as const)("has the map's names: %s", async (format) => {
    const file = path.join(folder, `export.${format}`);
    await exportWeights(file, parameters, values, map, format);
    const source = await openWeights(file);
    expect([...source.tensors.keys()]).toEqual([
      "conv1.weight",
      "bn1.weight",
      "bn1.bias",
      "bn1.running_mean",
      "bn1.running_var",
      "bn1.num_batches_tracked",
    ]);
    expect(source.tensors.get("conv1.weight")?.shape).toEqual([1, 2, 1, 1]);
    expect(source.tensors.get("bn1.num_batches_tracked")).toMatchObject({ dtype: "int64", shape: [] });
    expect(source.read("bn1.running_var")).toEqual(Float32Array.of(5));
    source.close();
  });

  test("without a map, our own paths", async () => {
    const file = path.join(folder, "own.safetensors");
    await exportWeights(file, parameters, values);
    const source = await openWeights(file);
    expect([...source.tensors.keys()]).toEqual(parameters.map(({ path }) => path));
    source.close();
  });

  test.each([
    [
      "another framework's map",
      { ...map, format: "caffe" as const },
      values,
      /is for caffe; weights are exported by PyTorch's/,
    ],
    [
      "one name for two",
      {
        ...map,
        renames: [
          { ours: "conv1.conv", theirs: "same" },
          { ours: "conv1.bn", theirs: "same" },
        ],
      },
      values,
      /torchvision calls conv1\.bn\.weight and another same\.weight/,
    ],
    ["a missing value", map, new Map<string, Float32Array>(), /there are no values for conv1\.conv\.weight/],
  ])("is refused: %s", async (_what, names, given, message) => {
    const file = path.join(folder, "refused.pth");
    const result = exportWeights(file, parameters, given, names, "pth");
    await expect(result).rejects.toThrow(WeightsError);
    await expect(result).rejects.toThrow(message);
    expect(fs.readdirSync(folder).filter((name) => name.includes("refused"))).toEqual([]);
  });
});

test("an export gives tensors their names and axes", async () => {
  const file = path.join(folder, "axes.safetensors");
  const map = {
    name: "axes",
    format: "pytorch" as const,
    renames: [{ ours: "{b}.scale.weight", theirs: "{b}.gamma", reshape: [-1, 1, 1] }],
    ignore: [],
  };
  const values = { get: () => Float32Array.of(1, 2) };
  await exportWeights(file, [parameter("3.scale.weight", 2)], values, map);
  const source = await openWeights(file);
  expect([...source.tensors.values()].map(({ name, shape }) => [name, shape])).toEqual([["3.gamma", [2, 1, 1]]]);
  expect([...source.read("3.gamma")]).toEqual([1, 2]);
  source.close();
});
