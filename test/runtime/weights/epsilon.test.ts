/** Weights of batch norms that add something else to the variance than ours do. */
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { WeightMap } from "../../../compiler/model.js";
import { changeEpsilon } from "../../../runtime/weights/epsilon.js";
import { exportWeights } from "../../../runtime/weights/export.js";
import { matchedValues, matchWeights, openWeights } from "../../../runtime/weights/index.js";
import { memorySource } from "../../support/memory-source.js";
import { batchNorm } from "../../support/parameters.js";
import { temporaryFolder } from "../../support/weight-files.js";

describe("another epsilon", () => {
  test("gives variances with which the root is the same", () => {
    // Below our epsilon, and at 0, where no root of theirs could be divided by.
    expect([...changeEpsilon(Float32Array.of(0.5, 4e-6), 0, 1e-5)]).toEqual([...Float32Array.of(0.49999, -6e-6)]);
    const [least] = changeEpsilon(Float32Array.of(0), 0, 1e-5);
    expect(least! + 1e-5).toBeGreaterThan(0);
    expect(least! + 1e-5).toBeLessThan(2e-12);
    expect([...changeEpsilon(Float32Array.of(0.5), 1e-3, 1e-5)]).toEqual([...Float32Array.of(0.50099)]);
  });

  const folder = temporaryFolder();
  const parameters = batchNorm("bn", 2);
  const map: WeightMap = {
    name: "frozen",
    format: "pytorch",
    renames: [{ ours: "bn", theirs: "norm" }],
    ignore: [],
    epsilon: 0,
  };

  test("is theirs when weights are loaded, and when they are written back", async () => {
    const source = memorySource("pytorch", {
      "norm.weight": [1, 2],
      "norm.bias": [0, 1],
      "norm.running_mean": [3, 4],
      "norm.running_var": [0.25, 1e-6],
    });
    const values = matchedValues(matchWeights(source, parameters, [map]));
    expect([...values.get("bn.running_var")!]).toEqual([...Float32Array.of(0.24999, -9e-6)]);
    expect([...values.get("bn.running_mean")!]).toEqual([3, 4]);

    const file = path.join(folder, "back.safetensors");
    await exportWeights(file, parameters, values, map);
    const back = await openWeights(file);
    const [first, second] = back.read("norm.running_var");
    back.close();
    expect(first).toBeCloseTo(0.25, 7);
    expect(second! / 1e-6).toBeCloseTo(1, 5);
  });
});
