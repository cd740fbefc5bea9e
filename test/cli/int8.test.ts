/** Models of 8-bit numbers from the command line. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { reported } from "./reported.js";
import { folderWith, resnetc } from "./resnetc.js";

const IMAGES = path.join(import.meta.dirname, "../../examples/cifar10");
const NETWORK = "CifarResNet(depth: 20)";
const WEIGHTS = path.join(IMAGES, "cifar_resnet20.safetensors");
const INT8 = ["--precision", "int8", "--calibrate", IMAGES];

let cwd = "";
beforeAll(async () => {
  cwd = await folderWith({});
});

describe("compile --precision int8", () => {
  it("writes a model that is a third as large and says the same of photographs", async () => {
    const report = await reported(cwd, [
      "compile",
      NETWORK,
      "--weights",
      WEIGHTS,
      ...INT8,
      "-o",
      "int8.onnx",
      "--report",
      "r.json",
    ]);
    const { layers, images, decibels } = report["quantization"] as {
      readonly layers: readonly { readonly path: string; readonly kept?: string }[];
      readonly images: number;
      readonly decibels: number;
    };
    expect(images).toBe(2);
    expect(decibels).toBeGreaterThan(20);
    expect(layers.flatMap(({ path: name, kept }) => (kept ? [[name, kept]] : []))).toEqual([
      ["conv1.conv", "first"],
      ["head.fc", "last"],
    ]);
    const { ranges } = JSON.parse(await readFile(path.join(cwd, "r.json"), "utf8")) as { readonly ranges: object };
    expect(Object.keys(ranges).length).toBeGreaterThan(layers.length);
    const full = await reported(cwd, ["compile", NETWORK, "--weights", WEIGHTS, "-o", "fp32.onnx"]);
    const bytesOf = (each: Record<string, unknown>) =>
      (each["files"] as readonly { readonly bytes: number }[])[0]!.bytes;
    expect(bytesOf(report)).toBeLessThan(bytesOf(full) / 3);
    for (const [image, label] of [
      ["cat.jpg", "cat"],
      ["dog.jpg", "dog"],
    ] as const) {
      const seen = await reported(cwd, ["classify", "int8.onnx", path.join(IMAGES, image), "--device", "cpu"]);
      const [{ predictions }] = seen["results"] as [{ readonly predictions: readonly { readonly label: string }[] }];
      expect(predictions[0]!.label).toBe(label);
    }
  });

  it.each([
    [["--precision", "int8"], 2, "--precision int8 needs --calibrate"],
    [[...INT8, "--no-fold"], 2, "--no-fold does not go with --precision int8"],
    [[...INT8, "--no-weights"], 2, "--no-weights does not go with --precision int8"],
    [[...INT8, "--report", "--json"], 2, "both write to the standard output"],
    [["--method", "entropy"], 2, "--method goes with --precision int8"],
    [["--precision", "fp16", "--calibrate", "images"], 2, "--calibrate goes with --precision int8"],
    [["--precision", "int8", "--calibrate", "nowhere"], 1, "nowhere"],
    [[...INT8, "--keep", "conv9"], 1, "no layer with a weight is called conv9"],
  ])("%j", async (args, code, message) => {
    const ended = await resnetc(["compile", NETWORK, ...args, "-o", "x.onnx"], { cwd });
    expect(ended.stderr).toContain(message);
    expect(ended.code).toBe(code);
  });
});
