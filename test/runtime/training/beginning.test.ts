/** What is told of a training before it begins. */
import { expect, it } from "vitest";
import { frozenAtRandom } from "../../../runtime/training/beginning.js";
import { tinyModel, tinyRecipe } from "./tiny.js";

it("parts that are frozen before anything is known to them are named, and no others", () => {
  const model = tinyModel("Tiny");
  const recipe = tinyRecipe({ frozenStages: ["conv1", "conv2.0.bn1"] });
  expect(frozenAtRandom(model, recipe, undefined)).toEqual([
    "frozen at random values: conv1; give them weights (--weights), or do not freeze them",
  ]);
  const given = new Map(model.graph.parameters.map(({ path }) => [path, new Float32Array(0)]));
  expect(frozenAtRandom(model, recipe, given)).toEqual([]);
  given.delete("head.fc.weight");
  expect(frozenAtRandom(model, recipe, given)).toEqual([]);
  expect(frozenAtRandom(model, tinyRecipe(), undefined)).toEqual([]);
});
