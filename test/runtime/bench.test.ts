import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bench, layerTimes } from "../../runtime/bench.js";
import { readModelInfo } from "../../runtime/onnx/model-info.js";
import { kernelLocator, parseProfile, type KernelTimes } from "../../runtime/onnx/profile.js";
import { openSession } from "../../runtime/onnx/session.js";
import { meanColour, TINY_NODES, testValues, tinyNetwork } from "../support/onnx.js";

describe("measuring", () => {
  // Records of profiles go to the folder for temporary files, and none may be left there.
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "resnetc-bench-"));
    vi.stubEnv("TMPDIR", folder);
    vi.stubEnv("TEMP", folder);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  it("gives latency, throughput and the layers of each batch size", async () => {
    const measured: string[] = [];
    const results = await bench(tinyNetwork(), {
      devices: ["cpu"],
      batchSizes: [1, 2],
      iterations: 5,
      warmUp: 1,
      threads: 1,
      macs: 1_000_000,
      size: [48, 32],
      onMeasure: (device, batch) => measured.push(`${device} ${batch}`),
    });
    expect(measured).toEqual(["cpu 1", "cpu 2"]);
    expect(results.map(({ batch, input }) => [batch, input])).toEqual([
      [1, [1, 3, 48, 32]],
      [2, [2, 3, 48, 32]],
    ]);
    for (const result of results) {
      expect(result.medianMs).toBeGreaterThan(0);
      expect(result.p90Ms).toBeGreaterThanOrEqual(result.medianMs);
      expect(result.imagesPerSecond).toBeCloseTo((1000 * result.batch) / result.medianMs, 6);
      expect(result.macsPerSecond).toBeCloseTo(1e6 * result.imagesPerSecond, 0);
      expect(result.layers.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
      // Whatever ONNX Runtime fused, the convolutions are found, each at its line.
      const convolutions = result.layers
        .filter(({ op }) => op === "Conv")
        .map(({ path, source }) => `${path} ${source}`);
      expect(convolutions.sort()).toEqual([
        "conv1.conv tiny.resnet:3:12",
        "conv2.0.conv1 tiny.resnet:5:5",
        "conv2.0.conv2 tiny.resnet:5:5",
      ]);
      const line = result.lines.find(({ source }) => source === "tiny.resnet:5:5");
      expect(line).toMatchObject({ layers: 2 });
      // What belongs to no node is a change of layout, with a row of its own.
      for (const { path, source } of result.layers) if (source === undefined) expect(path).toMatch(/^\(Reorder\w+\)$/);
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  it("works on models that carry no names and no source lines", async () => {
    const nameless = tinyNetwork({ nodes: TINY_NODES.map((node) => ({ ...node, name: "", doc: "" })) });
    const [result] = await bench(nameless, { devices: ["cpu"], iterations: 2, warmUp: 0, size: [32, 32] });
    expect(result!.lines).toEqual([]);
    const ops = result!.layers.filter(({ path }) => !path.startsWith("(")).map(({ op }) => op);
    expect(ops.filter((op) => op === "Conv")).toHaveLength(3);
    expect(ops).toContain("Gemm");
  });

  it("gives weights to a model that has none", async () => {
    const nodes = [
      { op: "Conv", name: "conv", inputs: ["image", "w"], outputs: ["y"], ints: { kernel_shape: [3, 3] } },
    ];
    const inputs = { image: ["N", 3, "H", "W"], w: [4, 3, 3, 3] };
    const bare = meanColour({ nodes, inputs, outputs: { y: ["N", 4, "h", "w"] } });
    const [result] = await bench(bare, { devices: ["cpu"], batchSizes: [2], iterations: 2, size: [9, 9] });
    expect(result!.input).toEqual([2, 3, 9, 9]);
  });

  it("refuses what can't be measured, in one line", async () => {
    const fixed = meanColour({ inputs: { image: [4, 3, 8, 8] }, outputs: { logits: [4, 3] } });
    await expect(bench(fixed, { devices: ["cpu"] })).rejects.toThrow("model: made for batches of 4, not 1");
    await expect(bench(fixed, { iterations: 0 })).rejects.toThrow("iterations: 0 is not a whole number of at least 1");
    await expect(bench(fixed, { batchSizes: [1.5] })).rejects.toThrow("batch: 1.5 is not a whole number of at least 1");
  });

  it("a session that does not record has no profile", async () => {
    const session = await openSession(meanColour(), { device: "cpu" });
    await session.run({ image: testValues([1, 3, 4, 4]) });
    await expect(session.profile()).rejects.toThrow("model: opened without profile");
    await session.close();
  });
});

describe("kernels are traced to nodes", () => {
  const info = readModelInfo(tinyNetwork());
  const kernel = (name: string, op: string, index = 99): KernelTimes => ({
    name,
    op,
    index,
    provider: "CPUExecutionProvider",
    microseconds: [5],
  });

  // Names as ONNX Runtime 1.30 gives them: by level of optimisation, and by device.
  it.each([
    ["conv1.conv", "Conv", "conv1.conv"],
    ["conv1.conv", "FusedConv", "conv1.conv"],
    ["fused conv1.conv", "FusedConv", "conv1.conv"],
    ["conv1.conv_token_1", "Conv", "conv1.conv"],
    ["conv1.relu_nchwc", "Conv", "conv1.conv"],
    ["conv2.0.relu2_nchwc", "Conv", "conv2.0.conv2"],
    ["conv2.max_pool_nchwc", "MaxPool", "conv2.max_pool"],
    ["ReorderOutput", "ReorderOutput", undefined],
    ["Transpose_token_15", "Transpose", undefined],
  ])("%s (%s): %s", (name, op, expected) => {
    expect(kernelLocator(info)(kernel(name, op))?.name).toBe(expected);
  });

  it("time is counted a run, after those that are skipped", () => {
    const kernels = [
      { ...kernel("conv1.relu_nchwc", "Conv"), microseconds: [900, 10, 80, 15] },
      { ...kernel("head.fc", "Gemm"), microseconds: [900, 4, 6, 5] },
      { ...kernel("ReorderInput", "ReorderInput"), microseconds: [900, 3, 3, 3] },
      { ...kernel("ReorderInput_2", "ReorderInput"), microseconds: [900, 2, 2, 2] },
    ];
    const close = (share: number): unknown => expect.closeTo(share, 9) as unknown;
    expect(layerTimes(kernels, info, "cpu", 1)).toEqual([
      { path: "conv1.conv", op: "Conv", source: "tiny.resnet:3:12", ms: 0.015, share: close(0.6) },
      { path: "head.fc", op: "Gemm", source: "tiny.resnet:10:28", ms: 0.005, share: close(0.2) },
      { path: "(ReorderInput)", op: "ReorderInput", ms: 0.005, share: close(0.2) },
    ]);
  });

  it("a GPU's own times count, and not the time that it takes to ask it", () => {
    const node = (name: string, dur: number, provider: string): object => ({
      cat: "Node",
      name: `${name}_kernel_time`,
      dur,
      args: { op_name: "Conv", provider, node_index: "3" },
    });
    const api = (name: string, dur: number): object => ({ cat: "Api", name, dur, args: {} });
    const run = [node("a", 1, "WebGpuExecutionProvider"), node("b", 2, "CPUExecutionProvider")];
    const events = [
      ...[...run, { cat: "Session", name: "model_run", dur: 9, args: {} }],
      ...[...run, { cat: "Session", name: "model_run", dur: 9, args: {} }],
      ...[api("a&Conv&Transpose", 10), api("a&Conv&MatMul", 30), api("a&Conv&Transpose", 11), api("a&Conv&MatMul", 31)],
    ];
    const { runs, kernels } = parseProfile(JSON.stringify(events));
    expect(runs).toBe(2);
    expect(kernels.map(({ name, microseconds }) => [name, microseconds])).toEqual([
      ["a", [40, 42]],
      ["b", [2, 2]],
    ]);
  });
});
