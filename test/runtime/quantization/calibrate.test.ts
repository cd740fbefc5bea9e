/** Models of 8-bit numbers: what they are made from, and what they give beside numpy's integers (test/oracle/quantized_golden.py). */
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { elaborate, memoryHost, parseTarget } from "../../../compiler/index.js";
import { emitModel } from "../../../compiler/compile.js";
import { concat } from "../../../compiler/emit/onnx.js";
import { onnx as onnxModel } from "../../../compiler/emit/proto.js";
import { preprocessImage } from "../../../runtime/images/views.js";
import type { NamedSource } from "../../../runtime/images/source.js";
import { loadRuntime } from "../../../runtime/onnx/onnxruntime.js";
import { openSession } from "../../../runtime/onnx/session.js";
import { calibrate, type CalibrateOptions } from "../../../runtime/quantization/calibrate.js";
import { oraclePixels, oracleTensor } from "../../support/oracle-weights.js";

interface Golden {
  readonly images: number;
  readonly scales: Readonly<Record<string, readonly [scale: number, zeroPoint: number]>>;
  readonly logits: readonly (readonly number[])[];
  readonly fp32: readonly (readonly number[])[];
}

const golden = JSON.parse(
  fs.readFileSync(fileURLToPath(new URL("../../golden/quantized/tiny.json", import.meta.url)), "utf8"),
) as Golden;
const SIDE = 16;

const PYTHON = "/usr/bin/python3";
const NO_CHECKER = spawnSync(PYTHON, ["-c", "import onnx"]).status !== 0;

const SOURCE = `
preprocess halves { normalize(mean: 0.5, std: 0.25) }

network Tiny {
  input image 3x16x16
  preprocess halves
  stage a { conv 3x3, 8, bias: true   relu }
  stage b { conv 3x3, 12, bias: true   relu   max_pool 3x3, /2 }
  stage c { add { conv 3x3, 12, bias: true } { identity }   relu }
  stage d { concat { conv 1x1, 4, bias: true   relu6 } { identity }   global_avg_pool   fc 6 }
  head { fc 5   softmax }
}
`;

function modelOf(source: string, target: string) {
  const { model, diagnostics } = elaborate(parseTarget(target), { host: memoryHost({ "net.resnet": source }) });
  if (!model) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  const shapes = new Map(model.graph.parameters.map(({ path, value }) => [path, value.type.shape as number[]]));
  const weights = new Map([...shapes].map(([path, shape]) => [path, oracleTensor(path, shape)]));
  return { model, weights };
}

const { model, weights } = modelOf(SOURCE, "net.resnet#Tiny");

function image(name: string) {
  const planes = oraclePixels(name, SIDE, SIDE);
  const data = Uint8Array.from(planes, (_, i) => planes[(i % 3) * SIDE * SIDE + Math.floor(i / 3)]!);
  return { width: SIDE, height: SIDE, data };
}

const images: readonly NamedSource[] = Array.from({ length: golden.images }, (_, index) => ({
  name: `image ${index}`,
  pixels: () => image(`calibration.${index}`),
}));

const calibrated = (options: CalibrateOptions = {}) => calibrate(model, images, { weights, ...options });

async function logitsOf(onnx: Uint8Array): Promise<number[][]> {
  const session = await openSession(onnx, { device: "cpu" });
  try {
    const all: number[][] = [];
    for (let index = 0; index < golden.images; index++) {
      const { data } = preprocessImage(image(`calibration.${index}`), model.preprocess!);
      const { logits } = await session.run({ [session.inputs[0]!.name]: { data, shape: [1, 3, SIDE, SIDE] } }, [
        "logits",
      ]);
      all.push(Array.from(logits!.data as Float32Array));
    }
    return all;
  } finally {
    await session.close();
  }
}

function emitted(options: Parameters<typeof emitModel>[1]): Uint8Array {
  const { chunks, byteLength } = emitModel(model, { weights, ...options });
  return concat(chunks, byteLength);
}

describe("beside numpy", () => {
  test("ranges give its scales", async () => {
    const { quantization } = await calibrated();
    const names = { a: "a.relu", b: "b.relu", branch: "c.conv", c: "c.relu", side: "d.relu6", join: "d.concat" };
    for (const [theirs, ours] of Object.entries(names)) {
      const { min, max } = quantization.ranges.get(ours)!;
      expect((max - Math.min(0, min)) / 255, ours).toBeCloseTo(golden.scales[theirs]![0], 7);
    }
  });

  test("the model gives its logits, and not those of fp32", async () => {
    const { quantization, layers } = await calibrated();
    expect(layers.map(({ path, kept, stored }) => [path, kept, stored])).toEqual([
      ["a.conv", "first", true],
      ["b.conv", undefined, undefined],
      ["c.conv", undefined, undefined],
      ["d.conv", undefined, undefined],
      ["d.fc", undefined, undefined],
      ["head.fc", "last", true],
    ]);
    const exact = await logitsOf(emitted({}));
    const rounded = await logitsOf(emitted({ quantization }));
    const largest = (a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number =>
      Math.max(...a.flatMap((row, i) => row.map((value, j) => Math.abs(value - b[i]![j]!))));
    expect(largest(exact, golden.fp32)).toBeLessThan(1e-5);
    const noise = largest(golden.logits, golden.fp32);
    expect(largest(rounded, golden.logits)).toBeLessThan(noise / 10);
  });
});

describe("whichever method", () => {
  test.each(["minmax", "percentile", "entropy"] as const)("%s: the network gives nearly the same", async (method) => {
    const calibration = await calibrated({ method });
    expect(calibration.method).toBe(method);
    expect(calibration.images).toBe(golden.images);
    expect(calibration.decibels).toBeGreaterThan(20);
  });

  test("progress ends at its total", async () => {
    const seen: [number, number][] = [];
    await calibrated({ method: "entropy", onProgress: (done, total) => void seen.push([done, total]) });
    expect(seen.at(-1)).toEqual([4 * golden.images, 4 * golden.images]);
    expect(seen).toHaveLength(4 * golden.images);
  });
});

describe("what stays in fp32", () => {
  test("is what is asked for, and what is changed too much", async () => {
    const { layers, quantization } = await calibrated({ keep: ["c.conv"], leastDecibels: 200 });
    expect(layers.find(({ path }) => path === "c.conv")?.kept).toBe("asked");
    expect(layers.filter(({ kept }) => kept === "error")).toHaveLength(5);
    expect(quantization.kept.size).toBe(6);
  });

  test("a network without layers in 8-bit numbers gives what it gave", async () => {
    const { quantization } = await calibrated({ keep: ["c.conv"], leastDecibels: 200 });
    const ops = new Set(
      operatorsOf(
        emitted({
          quantization: {
            ...quantization,
            kept: new Set([...quantization.kept, "c.add", "d.concat", "d.global_avg_pool"]),
          },
        }),
      ),
    );
    expect(ops).not.toContain("QuantizeLinear");
  });

  test("a layer that was asked for keeps its weight, too", async () => {
    const { layers, quantization } = await calibrated({ keep: ["b.conv"] });
    expect(layers.find(({ path }) => path === "b.conv")).toEqual({
      path: "b.conv",
      decibels: expect.any(Number) as number,
      kept: "asked",
    });
    expect(quantization.stored.size).toBe(0);
  });

  test("no layer of another name", async () => {
    await expect(calibrated({ keep: ["c.cnov"] })).rejects.toThrow("no layer with a weight is called c.cnov");
  });
});

describe("bad data", () => {
  const grey = {
    name: "grey",
    pixels: () => ({ width: SIDE, height: SIDE, data: new Uint8Array(3 * SIDE * SIDE).fill(90) }),
  };
  test.each<[string, readonly NamedSource[], string]>([
    ["none", [], "no images to calibrate on"],
    ["one colour", [grey, grey], "the 2 images to calibrate on are all of one colour"],
    ["not one that can be read", [{ name: "broken", bytes: Uint8Array.of(1, 2, 3) }], "no image can be read: broken"],
  ])("%s", async (_, given, message) => {
    await expect(calibrate(model, given, { weights })).rejects.toThrow(message);
  });

  test("an image that can't be read is named, once, and does without", async () => {
    const told: string[] = [];
    const calibration = await calibrate(model, [...images, { name: "broken", bytes: Uint8Array.of(1, 2, 3) }], {
      weights,
      onUnreadable: (message) => told.push(message),
    });
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^broken: /);
    expect(calibration.images).toBe(golden.images);
  });

  test("weights that are no numbers", async () => {
    const broken = new Map(weights).set("b.conv.bias", new Float32Array(12).fill(NaN));
    await expect(calibrate(model, images, { weights: broken })).rejects.toThrow("is not a number on some image");
  });

  test("no preprocessing", async () => {
    const bare = modelOf(SOURCE.replace("  preprocess halves\n", ""), "net.resnet#Tiny");
    await expect(calibrate(bare.model, images, { weights })).rejects.toThrow("declares no preprocessing");
  });

  test("nothing that could be of 8-bit numbers", async () => {
    const other = modelOf(
      "network A { input image 3x16x16   preprocess p   relu }   preprocess p { normalize() }",
      "net.resnet#A",
    );
    await expect(calibrate(other.model, images, {})).rejects.toThrow("no layer of it can compute with 8-bit numbers");
  });
});

describe("weights of layers that stay in fp32", () => {
  const WIDE = `
preprocess halves { normalize(mean: 0.5, std: 0.25) }
network Wide {
  input image 3x16x16
  preprocess halves
  stage a { conv 3x3, 64, bias: true   relu }
  stage b { conv 3x3, 256, bias: true   relu   global_avg_pool }
  head { fc 1000   softmax }
}`;
  const wide = modelOf(WIDE, "net.resnet#Wide");
  let folder: string;
  beforeAll(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "resnetc-int8-"));
  });
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

  const emittedWide = (options: Parameters<typeof emitModel>[1]): Uint8Array => {
    const { chunks, byteLength } = emitModel(wide.model, { weights: wide.weights, ...options });
    return concat(chunks, byteLength);
  };
  const storing = async () => (await calibrate(wide.model, images, { weights: wide.weights })).quantization;

  test("are stored as 8-bit numbers: the file is a quarter of that of fp32", async () => {
    const quantization = await storing();
    // The first has less than a hundredth of all weights.
    expect([...quantization.stored]).toEqual(["head.fc"]);
    const [exact, small] = [emittedWide({}), emittedWide({ quantization })];
    expect(small.length / exact.length).toBeLessThan(0.27);
    const unstored = emittedWide({ quantization: { ...quantization, stored: new Set() } });
    expect(unstored.length / exact.length).toBeGreaterThan(0.6);
  });

  test("are of fp32 once the model is loaded: no run computes them again", async () => {
    const quantization = await storing();
    const file = path.join(folder, "optimised.onnx");
    const { InferenceSession } = await loadRuntime();
    const session = await InferenceSession.create(emittedWide({ quantization }), {
      optimizedModelFilePath: file,
      logSeverityLevel: 4,
    });
    await session.release();
    const { node, initializer } = onnxModel.ModelProto.decode(fs.readFileSync(file)).graph!;
    const head = node!.find(({ opType }) => opType === "Gemm" || opType === "MatMul" || opType === "FusedGemm")!;
    const weight = initializer!.find(({ name }) => name === head.input![1])!;
    expect(weight.dataType).toBe(onnxModel.TensorProto.DataType.FLOAT);
    expect(node!.map(({ opType }) => opType)).not.toContain("Cast");
    expect(node!.map(({ opType }) => opType)).not.toContain("Mul");
  });

  test.skipIf(NO_CHECKER)("ONNX's checker takes them", async () => {
    const quantization = await storing();
    const files = [13, 17].map((opset) => {
      const file = path.join(folder, `${opset}.onnx`);
      fs.writeFileSync(file, emittedWide({ quantization, opset }));
      return file;
    });
    const script = path.join(import.meta.dirname, "../../oracle/check_onnx.py");
    const lines = execFileSync(PYTHON, [script, ...files], { encoding: "utf8" })
      .trim()
      .split("\n");
    expect(lines).toEqual(files.map((file) => `${file}: ok`));
  });
});

test("a model that takes decoded images has the ranges of one that does not", async () => {
  const { quantization } = await calibrated({ keep: ["d.fc"] });
  expect(operatorsOf(emitted({ quantization, inputPixels: true }))).toContain("QuantizeLinear");
});

test("options that contradict it are refused", async () => {
  const { quantization } = await calibrated();
  for (const other of [{ precision: "fp16" as const }, { fold: false }, { withWeights: false }]) {
    expect(() => emitted({ quantization, ...other })).toThrow("8-bit numbers are made of fp32 weights");
  }
});

/** Names of the ONNX operators of a model. */
function operatorsOf(onnx: Uint8Array): string[] {
  return onnxModel.ModelProto.decode(onnx).graph!.node!.map(({ opType }) => opType!);
}
