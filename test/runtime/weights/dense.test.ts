/**
 * Networks that give maps: torchvision's FCN and DeepLabV3 with random weights, loaded by their names, and the paper's
 * U-Net, give what PyTorch gives (test/oracle/dense_golden.py).
 */
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { elaborate, parseTarget } from "../../../compiler/index.js";
import { emitModel } from "../../../compiler/compile.js";
import { concat } from "../../../compiler/emit/onnx.js";
import { openSession } from "../../../runtime/onnx/session.js";
import { isComplete, matchedValues, matchWeights } from "../../../runtime/weights/index.js";
import { oracleSource, uniform } from "../../support/oracle-weights.js";

interface Golden {
  readonly network: string;
  readonly parameters: number;
  readonly input: readonly [number, number, number, number];
  /** By our name: [N, C, H, W], of which every `step`th row and column is there, little-endian floats. */
  readonly outputs: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly step: number; readonly values: string }>
  >;
  readonly tensors: Readonly<Record<string, readonly number[]>>;
}

const FOLDER = fileURLToPath(new URL("../../golden/dense/", import.meta.url));
const goldens = fs.readdirSync(FOLDER).map((file) => {
  const golden = JSON.parse(fs.readFileSync(path.join(FOLDER, file), "utf8")) as Golden;
  return [path.basename(file, ".json"), golden] as const;
});

/** Every `step`th row and column of a map [1, C, H, W]. */
function thinned(data: Float32Array, [, channels, height, width]: readonly number[], step: number): number[] {
  const kept: number[] = [];
  for (let channel = 0; channel < channels!; channel += 1) {
    for (let row = 0; row < height!; row += step) {
      for (let column = 0; column < width!; column += step) {
        kept.push(data[(channel * height! + row) * width! + column]!);
      }
    }
  }
  return kept;
}

describe.each(goldens)("%s", (name, golden) => {
  const { model } = elaborate(parseTarget(golden.network), { input: golden.input.slice(1) });
  const match = matchWeights(oracleSource(`${name}.pth`, golden.tensors), model!.graph.parameters, model!.weightMaps);

  test("every tensor has its parameter, and as many values", () => {
    expect(isComplete(match)).toBe(true);
    const trainable = model!.graph.parameters.filter((parameter) => parameter.trainable);
    const sizes = trainable.map(({ value }) => value.type.shape.reduce<number>((size, dim) => size * Number(dim), 1));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(golden.parameters);
  });

  test("the compiled model gives PyTorch's maps", async () => {
    const { chunks, byteLength } = emitModel(model!, { weights: matchedValues(match) });
    const session = await openSession(concat(chunks, byteLength), { device: "cpu" });
    try {
      const data = uniform(
        "input",
        golden.input.reduce((product, size) => product * size, 1),
        -2,
        2,
      );
      const given = await session.run({ [session.inputs[0]!.name]: { data, shape: golden.input } });
      expect(Object.keys(given)).toEqual(Object.keys(golden.outputs));
      for (const [output, { shape, step, values }] of Object.entries(golden.outputs)) {
        expect(given[output]!.shape).toEqual(shape);
        const ours = thinned(given[output]!.data as Float32Array, shape, step);
        const theirs = new Float32Array(new Uint8Array(Buffer.from(values, "base64")).buffer);
        expect(ours).toHaveLength(theirs.length);
        const largest = theirs.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
        const error = theirs.reduce((max, value, i) => Math.max(max, Math.abs(value - ours[i]!)), 0) / largest;
        expect(error, output).toBeLessThan(2e-5);
      }
    } finally {
      await session.close();
    }
  });
});
