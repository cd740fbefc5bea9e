/**
 * torchvision's networks with random weights and random batch norm statistics, compiled here, give torchvision's logits.
 * The goldens (names, shapes, logits) are torchvision's own, from test/oracle/torchvision_golden.py; the weights are made
 * again from their names (test/support/oracle-weights.ts).
 */
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { elaborate, parseTarget } from "../../../compiler/index.js";
import { emitModel } from "../../../compiler/compile.js";
import { concat } from "../../../compiler/emit/onnx.js";
import type { Parameter } from "../../../compiler/ir/types.js";
import type { Model } from "../../../compiler/model.js";
import { renamer, shapeOf } from "../../../compiler/weights/rename.js";
import { openSession } from "../../../runtime/onnx/session.js";
import { isComplete, matchedValues, matchWeights, strideWarning } from "../../../runtime/weights/index.js";
import { oracleImage, oracleSource } from "../../support/oracle-weights.js";

interface Golden {
  readonly network: string;
  readonly parameters: number;
  /** Range of the norms' weights, where it is another than the oracle's. */
  readonly gain?: readonly [low: number, high: number];
  readonly top5: readonly number[];
  /** 1000 little-endian floats. */
  readonly logits: string;
  /** Left out of networks whose names are those of a smaller one: what the map makes of ours. Wrong ones give other logits. */
  readonly tensors?: Readonly<Record<string, readonly number[]>>;
  /** Of the image. Default: 224. */
  readonly side?: number;
}

const FOLDER = fileURLToPath(new URL("../../golden/torchvision/", import.meta.url));
const goldens = fs.readdirSync(FOLDER).map((file) => {
  const golden = JSON.parse(fs.readFileSync(path.join(FOLDER, file), "utf8")) as Golden;
  return [path.basename(file, ".json"), golden] as const;
});

function tensorsOf({ graph, weightMaps }: Model): Readonly<Record<string, readonly number[]>> {
  const rename = renamer(weightMaps[0]!.renames);
  const nameOf = (parameter: Parameter): string => {
    const { of, name } = rename(parameter);
    return of === "tensor" ? name : name + parameter.path.slice(parameter.path.lastIndexOf("."));
  };
  return Object.fromEntries(graph.parameters.map((parameter) => [nameOf(parameter), shapeOf(parameter)]));
}

describe.each(goldens)("%s", (name, golden) => {
  const { side = 224 } = golden;
  const { model } = elaborate(parseTarget(golden.network), { input: [3, side, side] });
  const tensors = golden.tensors ?? tensorsOf(model!);
  const gains = Object.entries(tensors).flatMap(([tensor, shape]) =>
    golden.gain && shape.length === 1 && tensor.endsWith("weight") ? [[tensor, golden.gain] as const] : [],
  );
  const source = oracleSource(`${name}.pth`, tensors, Object.fromEntries(gains));

  test("every tensor has its parameter, and as many values", () => {
    const match = matchWeights(source, model!.graph.parameters, model!.weightMaps);
    expect(isComplete(match)).toBe(true);
    expect(strideWarning(model!, match.map)).toBeUndefined();
    const trainable = model!.graph.parameters.filter((parameter) => parameter.trainable);
    const count = trainable.reduce(
      (sum, { value }) => sum + value.type.shape.reduce<number>((size, dim) => size * Number(dim), 1),
      0,
    );
    expect(count).toBe(golden.parameters);
  });

  test("the compiled model gives torchvision's logits", async () => {
    const match = matchWeights(source, model!.graph.parameters, model!.weightMaps);
    const { chunks, byteLength } = emitModel(model!, { weights: matchedValues(match) });
    const session = await openSession(concat(chunks, byteLength), { device: "cpu" });
    try {
      const input = session.inputs[0]!.name;
      const { logits } = await session.run({ [input]: { data: oracleImage(side), shape: [1, 3, side, side] } }, [
        "logits",
      ]);
      const ours = logits!.data as Float32Array;
      const theirs = new Float32Array(new Uint8Array(Buffer.from(golden.logits, "base64")).buffer);
      const largest = theirs.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
      const error = theirs.reduce((max, value, i) => Math.max(max, Math.abs(value - ours[i]!)), 0) / largest;
      expect(error).toBeLessThan(1e-4);
      const order = [...ours.keys()].sort((a, b) => ours[b]! - ours[a]!);
      expect(order.slice(0, 5)).toEqual(golden.top5);
    } finally {
      await session.close();
    }
  });
});
