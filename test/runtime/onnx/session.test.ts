import { elaborate, parseTarget } from "../../../compiler/index.js";
import { fromVersion1, type PreprocessVersion1 } from "../../../compiler/metadata-version-1.js";
import type { TransformSettings } from "../../../compiler/words/transforms.js";
import { preparePipeline } from "../../../runtime/data/index.js";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import proto from "onnx-proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modelMetadata, parseMetadata } from "../../../compiler/metadata.js";
import { readModelInfo } from "../../../runtime/onnx/model-info.js";
import { openSession, SessionError } from "../../../runtime/onnx/session.js";
import { meanColour, onnxModel, TINY_NODES, testValues, tinyNetwork } from "../../support/onnx.js";
import { pth, tensorOf, torchFile } from "../../support/torch-file.js";
import { zipOf } from "../../support/zip.js";
import { runInNode } from "../../support/run-in-node.js";
import { NO_WEBGPU, WEBGPU_ENV } from "../../support/webgpu.js";
import type { WebGpuReport } from "./session.webgpu.js";
import { processorTime } from "../../support/processor-time.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "resnetc-session-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(name: string, bytes: Uint8Array): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, bytes);
  return file;
}

describe("a session", () => {
  it("runs a model from bytes and from a file, and says its inputs and outputs", async () => {
    const bytes = meanColour();
    for (const model of [bytes, await fileOf("mean.onnx", bytes)]) {
      const session = await openSession(model, { device: "cpu", threads: 1 });
      expect(session.inputs).toEqual([{ name: "image", type: "float32", shape: ["N", 3, "H", "W"] }]);
      expect(session.outputs.map((output) => output.name)).toEqual(["probabilities", "logits"]);
      const image = { data: Float32Array.of(1, 3, 0, 0, -2, -4), shape: [1, 3, 1, 2] };
      const { logits } = await session.run({ image }, ["logits"]);
      expect(logits).toEqual({ data: Float32Array.of(2, 0, -3), shape: [1, 3] });
      await session.close();
    }
  });

  it("converts half-precision inputs and outputs", async () => {
    const session = await openSession(meanColour({ half: true }), { device: "cpu" });
    const { logits } = await session.run({ image: { data: Float32Array.of(0.5, 1 / 3, -2), shape: [1, 3, 1, 1] } });
    expect([...logits!.data]).toEqual([0.5, 0.333251953125, -2]);
    await session.close();
  });

  it("says which device auto took, and why", async () => {
    const session = await openSession(meanColour());
    expect(["cpu", "webgpu", "cuda"]).toContain(session.device);
    if (session.device === "cpu") expect(session.deviceReason).toMatch(/^cuda: .+; webgpu: .+$/);
    await session.close();
  });

  it("can be closed twice, and is of no use after that", async () => {
    const session = await openSession(meanColour(), { device: "cpu" });
    await session.close();
    await session.close();
    await expect(session.run({ image: testValues([1, 3, 2, 2]) })).rejects.toThrow("model: the session is closed");
  });
});

describe("one clear line", () => {
  const whole = tinyNetwork();
  const bogus = TINY_NODES.map((node) => (node.op === "Add" ? { ...node, op: "Bogus" } : node));
  const foreign = TINY_NODES.map((node) => (node.op === "Add" ? { ...node, domain: "my.operators" } : node));
  const loose = TINY_NODES.map((node) =>
    node.op === "Gemm" ? { ...node, inputs: ["head.fc.flat", "nowhere"] } : node,
  );

  it.each<[string, Uint8Array, RegExp]>([
    ["empty", new Uint8Array(), /: empty, not an ONNX file$/],
    [
      "text",
      Buffer.from("network Tiny { conv 3x3, 64 }\n".repeat(9)),
      /: is text, not an ONNX file; a source is compiled/,
    ],
    ["PyTorch's", pth({ a: tensorOf([1], 1) }), /: is a PyTorch checkpoint, .*compile .* --weights FILE\)$/],
    ["safetensors", torchFile({ a: tensorOf([1], 1) }, "safetensors"), /: is a safetensors file, .* --weights FILE\)$/],
    ["a zip", zipOf({ "a.txt": "x" }), /: is a zip archive, not an ONNX file$/],
    ["Keras's", Buffer.from("\x89HDF\r\n\x1a\n\0\0\0\0", "latin1"), /: is an HDF5 file \(Keras\), not an ONNX file$/],
    [
      "a pointer",
      Buffer.from("version https://git-lfs.github.com/spec/v1\noid sha256:1\n"),
      /: is a git-lfs pointer; run/,
    ],
    ["zeros", new Uint8Array(500), /: not an ONNX file$/],
    ["truncated", whole.subarray(0, 3000), /: not a whole ONNX file: it ends before it should$/],
    ["unknown operator", tinyNetwork({ nodes: bogus }), /: .*conv2\.0\.add.* no op registered for Bogus/i],
    ["unknown domain", tinyNetwork({ nodes: foreign }), /: .*no opset import for domain 'my\.operators'$/i],
    ["dangling input", tinyNetwork({ nodes: loose }), /'nowhere' is not a graph input, initializer, or output/],
    ["future operator set", tinyNetwork({ opset: 999 }), /opset 999/i],
  ])("%s", async (name, bytes, message) => {
    const file = await fileOf(`${name}.onnx`, bytes);
    for (const model of [file, bytes]) {
      const error = await openSession(model, { device: "cpu" }).catch((problem: unknown) => problem);
      expect(error).toBeInstanceOf(SessionError);
      const text = (error as Error).message;
      expect(text).toMatch(message);
      expect(text.startsWith(model === file ? `${name}.onnx: ` : "model: ")).toBe(true);
      expect(text).not.toMatch(/\n|onnxruntime_src|\.$/);
    }
  });

  it("weights in a file that is not there", async () => {
    const whole = proto.onnx.ModelProto.decode(tinyNetwork());
    const tensor = whole.graph!.initializer![0]!;
    tensor.rawData = new Uint8Array();
    tensor.dataLocation = proto.onnx.TensorProto.DataLocation.EXTERNAL;
    tensor.externalData = [{ key: "location", value: "tiny.onnx.data" }];
    const bytes = proto.onnx.ModelProto.encode(whole).finish();
    const file = await fileOf("apart.onnx", bytes);
    await expect(openSession(file, { device: "cpu" })).rejects.toThrow(
      "apart.onnx: its weights are in tiny.onnx.data, which is not beside it",
    );
    await expect(openSession(bytes, { device: "cpu" })).rejects.toThrow(
      "model: its weights are in tiny.onnx.data: open it by its path",
    );
  });

  it("no file, and a folder", async () => {
    await expect(openSession(path.join(folder, "absent.onnx"))).rejects.toThrow(/absent\.onnx: no such file$/);
    await expect(openSession(folder)).rejects.toThrow(/: a folder, not an ONNX file$/);
  });

  it("wrong feeds", async () => {
    const session = await openSession(meanColour(), { device: "cpu" });
    const image = testValues([1, 3, 2, 2]);
    await expect(session.run({ photo: image })).rejects.toThrow("model: no input is called photo (inputs: image)");
    await expect(session.run({})).rejects.toThrow("model: input 'image' is missing in 'feeds'");
    const fourChannels = { image: testValues([1, 4, 2, 2]) };
    await expect(session.run(fourChannels)).rejects.toThrow(/^model: got invalid dimensions for input: image/);
    await session.close();
  });

  it("a number of threads that is none", async () => {
    await expect(openSession(meanColour(), { threads: 0 })).rejects.toThrow(
      "threads: 0 is not a positive whole number",
    );
  });

  it("CUDA where its libraries are not installed says how to install them", async () => {
    const refused = openSession(meanColour(), { device: "cuda" }).then(
      (session) => session.close(),
      (error: Error) => error.message,
    );
    // Where the libraries are there, it works or says what else is missing.
    expect((await refused) ?? "device cuda: --device cpu").toMatch(
      /^device cuda: .*(npm install onnxruntime-node@|--device cpu|has no cuda)/,
    );
  });
});

describe("model files", () => {
  const version1 = {
    name: "torchvision",
    resize: { shorter: 256 },
    centerCrop: [224, 224],
    interpolation: "bilinear",
    color: "rgb",
    range: 1,
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
  } as const;
  const preprocess = fromVersion1(version1);

  it("carry preprocessing, labels and name", async () => {
    const metadata = modelMetadata(preprocess, ["cat", "Hündin", "日"], "Tiny");
    const file = await fileOf("labelled.onnx", meanColour({ metadata }));
    const info = readModelInfo(file);
    expect(info.metadata).toEqual(metadata);
    expect(parseMetadata(info.metadata)).toEqual({ network: "Tiny", preprocess, labels: ["cat", "Hündin", "日"] });
    expect(parseMetadata({})).toEqual({});
  });

  it.each([
    ["resnetc.preprocess", "{", "is not JSON"],
    ["resnetc.preprocess", '{"name":"x"}', "does not have the form"],
    ["resnetc.preprocess", JSON.stringify({ ...version1, std: [1, 0, 1] }), "does not have the form"],
    ["resnetc.preprocess", '{"name":"x","transforms":[{}]}', "does not have the form"],
    ["resnetc.labels", '["cat", 3]', "does not have the form"],
  ])("with damaged %s (%s)", (key, value, message) => {
    expect(() => parseMetadata({ [key]: value })).toThrow(`metadata ${key} ${message}`);
  });

  it.each<[object, string]>([
    [{ kind: "sharpen" }, 'no preprocessing has "sharpen"'],
    [{ kind: "random_crop", size: [8, 8] }, 'no preprocessing has "random_crop"'],
    [{ kind: "center_crop", side: 8 }, 'center_crop has no "side"'],
    [{ kind: "center_crop" }, "center_crop: size must be [height, width], integers from 1 to 16384"],
    [{ kind: "normalize", std: [1, 0, 1] }, "normalize: std must be 3 numbers from 0.000001 to 1000"],
    [{ kind: "resize", size: [8, 8], interpolation: "cubic" }, "resize: interpolation must be one of bilinear"],
  ])("with %j among the transforms", (transform, message) => {
    const value = JSON.stringify({ name: "x", transforms: [transform] });
    expect(() => parseMetadata({ "resnetc.preprocess": value })).toThrow(`metadata resnetc.preprocess: ${message}`);
  });

  it("with transforms in an order that can't be", () => {
    const transforms = [{ kind: "normalize" }, { kind: "resize", size: [8, 8] }];
    const value = JSON.stringify({ name: "x", transforms });
    expect(() => parseMetadata({ "resnetc.preprocess": value })).toThrow("`resize` has to come before `normalize`");
  });

  it("of version 1 are read: the record that it had is the list that it stood for", () => {
    // As resnetc wrote it until November 2026.
    const written = {
      "resnetc.network": "ResNet50",
      "resnetc.preprocess":
        '{"name":"torchvision","resize":{"shorter":256},"centerCrop":[224,224],"interpolation":"bilinear","color":"rgb",' +
        '"range":1,"mean":[0.485,0.456,0.406],"std":[0.229,0.224,0.225]}',
      "resnetc.version": "1",
    };
    const interpolation = "bilinear";
    expect(parseMetadata(written).preprocess).toEqual({
      name: "torchvision",
      transforms: [
        { kind: "resize_shorter", length: 256, interpolation },
        { kind: "center_crop", size: [224, 224] },
        { kind: "normalize", mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], range: 1, color: "rgb" },
      ],
    });
    const detector =
      '{"name":"d","resize":{"shorter":800,"longest":1333,"like":"torch"},"interpolation":"bilinear","color":"bgr",' +
      '"range":255,"mean":[1,2,3],"std":[1,1,1],"padTo":32}';
    expect(parseMetadata({ "resnetc.preprocess": detector }).preprocess!.transforms).toEqual([
      { kind: "resize_shorter", length: 800, interpolation, longest: 1333, like: "torch" },
      { kind: "normalize", mean: [1, 2, 3], std: [1, 1, 1], range: 255, color: "bgr" },
      { kind: "pad_to", multiple: 32 },
    ]);
    // The compiler makes the same of the declaration.
    const { model } = elaborate(parseTarget("ResNet50V15"));
    expect(parseMetadata(written).preprocess).toEqual(model!.preprocess);
  });

  const transformsOf = (changes: Partial<PreprocessVersion1>) =>
    parseMetadata({ "resnetc.preprocess": JSON.stringify({ ...version1, ...changes }) }).preprocess!.transforms;

  it("of version 1 may be beyond the words' bounds: they are rewritten to the same numbers", () => {
    const level = (list: readonly TransformSettings[], value: number): readonly number[] => {
      const { range, mean, std } = list.find(({ kind }) => kind === "normalize") as unknown as PreprocessVersion1;
      return mean.map((each, i) => (value * range - each) / std[i]!);
    };
    for (const numbers of [
      { range: 65535, mean: [31784, 29884, 26607], std: [15007, 14680, 14745] },
      { range: 1e-6, mean: [5e-7, 4e-7, 3e-7], std: [2e-7, 2e-7, 3e-7] },
      { range: 1, mean: [0.5, 0.5, 0.5], std: [1e-7, 1e-7, 1e-7] },
      { range: 255, mean: [1500, 0, 0], std: [1, 1, 1] },
    ]) {
      const read = transformsOf(numbers);
      preparePipeline(read);
      for (const value of [0, 0.3, 1]) {
        // To the bit: they are multiplied by a power of two.
        expect(level(read, value)).toEqual(level([{ kind: "normalize", ...numbers }], value));
      }
    }
    const unlimited = transformsOf({ resize: { shorter: 600, longest: 1e9 }, padTo: 5000 });
    expect(unlimited).toContainEqual({ kind: "resize_shorter", length: 600, interpolation: "bilinear", longest: 1e6 });
    expect(unlimited.at(-1)).toEqual({ kind: "pad_to", multiple: 5000 });
    preparePipeline(unlimited);
  });

  it.each<[Partial<PreprocessVersion1>, string]>([
    [{ std: [-1, 1, 1] }, "normalize: std must be 3 numbers from 0.000001 to 1000"],
    [{ std: [1e-12, 1, 1] }, "normalize: std must be 3 numbers from 0.000001 to 1000"],
    [{ centerCrop: [20_000, 8] }, "center_crop: size must be [height, width], integers from 1 to 16384"],
  ])("of version 1 are refused where no word says it: %j", (changes, message) => {
    expect(() => transformsOf(changes)).toThrow(`metadata resnetc.preprocess: ${message}`);
  });

  it("are described without their weights", () => {
    const info = readModelInfo(tinyNetwork());
    expect(info).toMatchObject({ irVersion: 8, opset: 17, producer: "by hand", externalData: [] });
    expect(info.inputs).toEqual([{ name: "image", type: "float32", shape: ["N", 3, "H", "W"] }]);
    expect(info.outputs.map(({ name, shape }) => [name, shape])).toEqual([
      ["probabilities", ["N", 5]],
      ["logits", ["N", 5]],
    ]);
    expect(info.nodes.map(({ name, op, docString }) => [name, op, docString])).toEqual(
      TINY_NODES.map(({ name, op, doc }) => [name, op, doc]),
    );
  });

  it("cut anywhere give one line or what was before the cut, and nothing else", () => {
    const bytes = tinyNetwork({ metadata: modelMetadata(preprocess, ["a", "b"], "Tiny") });
    for (let length = 0; length < bytes.length; length += length < 2000 ? 7 : 611) {
      try {
        readModelInfo(bytes.subarray(0, length));
      } catch (error) {
        expect(error).toBeInstanceOf(SessionError);
        expect((error as Error).message).toMatch(/^model: [^\n]+$/);
      }
    }
  });

  it("with a length beyond the end allot nothing", () => {
    // irVersion 8; a graph that claims 2^40 bytes.
    const bytes = Uint8Array.of(8, 8, 0x3a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 0, 0);
    expect(() => readModelInfo(bytes)).toThrow("model: not a whole ONNX file: it ends before it should");
  });

  it("of 200 MB are read in a moment", async () => {
    // The weights are a hole in the file; what describes the model stands before and after it.
    const nodes = [{ op: "Gemm", name: "fc", inputs: ["x", "w"], outputs: ["y"], doc: "big.resnet:1:1" }];
    const model = proto.onnx.ModelProto.decode(onnxModel({ nodes, inputs: { x: ["N", 8] }, outputs: { y: ["N", 8] } }));
    const hole = 200_000_000;
    const graph = proto.onnx.GraphProto.encode(model.graph!).finish();
    const tensor = [...field(8, 1), 0x77, ...field(9, hole)];
    const weights = [...field(5, tensor.length + hole), ...tensor];
    const begin = [8, 8, ...field(7, graph.length + weights.length + hole), ...graph, ...weights];
    const end = proto.onnx.ModelProto.encode({ metadataProps: [{ key: "after", value: "the hole" }] }).finish();
    const file = path.join(folder, "big.onnx");
    const handle = await open(file, "w");
    await handle.write(Uint8Array.from(begin), 0, begin.length, 0);
    await handle.write(end, 0, end.length, begin.length + hole);
    await handle.close();
    const worked = processorTime();
    const before = process.memoryUsage().rss;
    const info = readModelInfo(file);
    expect(worked()).toBeLessThan(500);
    expect(process.memoryUsage().rss - before).toBeLessThan(50_000_000);
    expect(info.nodes[0]!.docString).toBe("big.resnet:1:1");
    expect(info.metadata).toEqual({ after: "the hole" });
  });
});

/** Tag and length of a field of so many bytes. */
function field(number: number, length: number): number[] {
  return [number * 8 + 2, ...varint(length)];
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value % 0x80) + 0x80, ...varint(Math.floor(value / 0x80))];
}

describe.skipIf(NO_WEBGPU !== undefined)(`WebGPU${NO_WEBGPU === undefined ? "" : ` (${NO_WEBGPU})`}`, () => {
  let report: WebGpuReport;
  beforeAll(async () => {
    report = await runInNode<WebGpuReport>(path.join(import.meta.dirname, "session.webgpu.ts"), WEBGPU_ENV);
  });

  it("computes what the processor does, within 1e-3", () => {
    const { cpu, webgpu } = report.outputs;
    cpu.forEach((expected, i) => {
      const scale = Math.max(...expected.map(Math.abs));
      expect(scale).toBeGreaterThan(0.01);
      webgpu[i]!.forEach((value, k) => expect(Math.abs(value - expected[k]!) / scale).toBeLessThan(1e-3));
    });
  });

  it("says when operators run on the processor", () => {
    expect(report.reason).toBe("asked for");
    expect(report.fallBackReason).toBe("asked for; operators that webgpu lacks run on the processor");
    expect(report.layers.filter((layer) => layer.onCpu)).toEqual([
      { path: "head.softmax", source: "tiny.resnet:10:34", onCpu: true },
    ]);
  });

  it("times on the GPU are mapped to source lines", () => {
    const convolutions = report.layers.filter(({ path }) => /conv\d?$/.test(path));
    expect(convolutions.map(({ path, source }) => `${path} ${source}`).sort()).toEqual([
      "conv1.conv tiny.resnet:3:12",
      "conv2.0.conv1 tiny.resnet:5:5",
      "conv2.0.conv2 tiny.resnet:5:5",
    ]);
  });

  it("is not what auto takes when the adapter is software", () => {
    expect(report.auto).toMatch(/^cuda works here|webgpu: only a software adapter/);
  });
});
