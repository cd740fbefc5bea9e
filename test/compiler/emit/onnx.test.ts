import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import proto from "onnx-proto";
import * as ort from "#onnxruntime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { concat, emitOnnx, OPSETS, type EmitOptions } from "../../../compiler/emit/onnx.js";
import { parameterSize, valuesOf } from "../../../compiler/emit/parameters.js";
import { symbol } from "../../../compiler/ir/dim.js";
import { graphOf, smallResidualNetwork } from "../ops/graphs.js";
import { emitBytes, relativeError, runGraph, runModel, type Tensor } from "./run.js";

const graph = smallResidualNetwork();
const image: Tensor = {
  shape: [2, 3, 37, 50],
  data: Float32Array.from({ length: 2 * 3 * 37 * 50 }, (_, index) => Math.sin(index * 0.37)),
};

function decode(options: EmitOptions = {}): proto.onnx.ModelProto {
  return proto.onnx.ModelProto.decode(emitBytes(graph, options));
}

describe("emitOnnx", () => {
  it("gives the same bytes for the same seed and others for another", () => {
    const again = smallResidualNetwork();
    expect(Buffer.compare(emitBytes(graph, { seed: 3 }), emitBytes(again, { seed: 3 }))).toBe(0);
    expect(Buffer.compare(emitBytes(graph, { seed: 3 }), emitBytes(graph, { seed: 4 }))).not.toBe(0);
  });

  it("says how long it is before it is made, and can be gone through twice", () => {
    const model = emitOnnx(graph);
    const total = [...model.chunks].reduce((sum, chunk) => sum + chunk.byteLength, 0);
    expect(total).toBe(model.byteLength);
    expect(Buffer.compare(concat(model.chunks, total), concat(model.chunks, total))).toBe(0);
  });

  it("names nodes and values after their paths, and parameters after theirs", () => {
    const { graph: written } = decode();
    expect(written!.node!.map((node) => node.name)).toContain("conv3.0.shortcut.conv");
    expect(written!.node!.find((node) => node.name === "conv3.0.shortcut.conv")!.output).toEqual([
      "conv3.0.shortcut.conv",
    ]);
    expect(written!.node!.at(-1)!.output).toEqual(["probabilities"]);
    expect(written!.initializer!.map((tensor) => tensor.name)).toEqual(
      expect.arrayContaining(graph.parameters.map((each) => each.path)),
    );
    const names = written!.node!.flatMap((node) => node.output!);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(written!.node!.map((node) => node.name)).size).toBe(written!.node!.length);
  });

  it("carries metadata, source lines and the shapes of everything between", () => {
    const model = decode({ metadata: { labels: "a\nb", preprocess: "{}" }, sourceLine: ({ file }) => `${file}:1:1` });
    expect(model.producerName).toBe("resnetc");
    expect(model.metadataProps.map(({ key, value }) => [key, value])).toEqual([
      ["labels", "a\nb"],
      ["preprocess", "{}"],
    ]);
    expect(model.graph!.node!.every((node) => node.docString === "test.resnet:1:1")).toBe(true);
    const pooled = model.graph!.valueInfo!.find((info) => info.name === "conv2.max_pool")!;
    const sizes = pooled.type!.tensorType!.shape!.dim!.map((dim) => dim.dimParam || Number(dim.dimValue));
    expect(sizes).toEqual(["N", 8, "floor((H+3)/4)", "floor((W+3)/4)"]);
  });

  it("writes the opset asked for with the file format of its time", async () => {
    const expected = await runGraph(graph, { image });
    for (let opset: number = OPSETS.min; opset <= OPSETS.max; opset += 1) {
      const bytes = emitBytes(graph, { opset });
      const model = proto.onnx.ModelProto.decode(bytes);
      expect(Number(model.irVersion)).toBe({ 13: 7, 14: 7, 19: 9, 20: 9, 21: 10 }[opset] ?? 8);
      expect(Number(model.opsetImport[0]!.version)).toBe(opset);
      expect((await runModel(bytes, { image }))["logits"]).toEqual(expected["logits"]);
    }
    for (const opset of [12, 22, 17.5])
      expect(() => emitOnnx(graph, { opset })).toThrow(`opset ${opset} is not supported`);
  });

  it("without weights takes the parameters as inputs after the data", async () => {
    const written = decode({ withWeights: false }).graph!;
    expect(written.input!.map((input) => input.name)).toEqual(["image", ...graph.parameters.map((each) => each.path)]);
    expect(written.initializer!.every((tensor) => tensor.name!.startsWith("constant"))).toBe(true);
    const parameters = graph.parameters.map((each): [string, Tensor] => [
      each.path,
      { shape: each.value.type.shape as number[], data: valuesOf(each, undefined, 0) },
    ]);
    const outputs = await runGraph(graph, { image, ...Object.fromEntries(parameters) }, { withWeights: false });
    const expected = await runGraph(graph, { image });
    // Not bit for bit: ONNX Runtime folds and blocks weights that it knows.
    expect(relativeError(outputs["logits"]!.data, expected["logits"]!.data)).toBeLessThan(1e-5);
  });

  it("refuses weights of a wrong size before it writes anything", () => {
    const weights = new Map([["head.fc.bias", new Float32Array(9)]]);
    expect(() => emitOnnx(graph, { weights })).toThrow("head.fc.bias has 10 values, 9 were given");
  });

  it("gives inputs, parameters and repeated tensors as outputs of their own", async () => {
    const odd = graphOf((make) => {
      const x = make.input("x", [symbol("N"), 2]);
      const y = make.layer("relu", [x]);
      return { same: x, first: y, second: y };
    });
    const outputs = await runGraph(odd, { x: { shape: [1, 2], data: Float32Array.of(-1, 2) } });
    expect(Object.values(outputs).map((each) => [...each.data])).toEqual([
      [-1, 2],
      [0, 2],
      [0, 2],
    ]);
  });
});

describe("external data", () => {
  let folder: string;
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "resnetc-external-"))));
  afterAll(() => rm(folder, { recursive: true }));

  it.each<[string, EmitOptions, string]>([
    ["where asked for", { externalData: "weights.data" }, "weights.data"],
    ["above the threshold", { externalThreshold: 1000 }, "small.onnx.data"],
  ])("is written and found again %s", async (_, options, name) => {
    const model = emitOnnx(graph, options);
    expect(model.external!.name).toBe(name);
    const external = concat(model.external!.chunks, model.external!.byteLength);
    await writeFile(join(folder, "model.onnx"), concat(model.chunks, model.byteLength));
    await writeFile(join(folder, name), external);
    expect(model.byteLength).toBeLessThan(20_000);
    const session = await ort.InferenceSession.create(join(folder, "model.onnx"));
    const outputs = await session.run({ image: new ort.Tensor("float32", image.data, image.shape) });
    const expected = (await runGraph(graph, { image }))["logits"]!;
    expect(relativeError(outputs["logits"]!.data as Float32Array, expected.data)).toBeLessThan(1e-6);
    await session.release();
  });

  it("begins at page boundaries, each tensor where the model says", () => {
    const model = emitOnnx(graph, { externalData: "w" });
    const external = concat(model.external!.chunks, model.external!.byteLength);
    const tensors = proto.onnx.ModelProto.decode(concat(model.chunks, model.byteLength)).graph!.initializer!;
    for (const each of graph.parameters) {
      const entry = (key: string): number =>
        Number(tensors.find(({ name }) => name === each.path)!.externalData!.find((pair) => pair.key === key)!.value);
      expect(entry("offset") % 4096).toBe(0);
      expect(entry("length")).toBe(4 * parameterSize(each));
      const stored = external.slice(entry("offset"), entry("offset") + entry("length"));
      expect(new Float32Array(stored.buffer)).toEqual(valuesOf(each, undefined, 0));
    }
  });
});
