import { expect, it } from "vitest";
import { TRANSFORM_SETTINGS } from "../../../compiler/elaborate/recipe-words.js";
import { elaborateRecipe, parseTarget } from "../../../compiler/index.js";
import { preparePipeline } from "../../../runtime/data/pipeline.js";
import { Measurement } from "../../../runtime/data/statistics.js";
import { TRANSFORMS } from "../../../runtime/data/transforms/index.js";

it("recipes know the transforms that there are, with the same settings", () => {
  expect(Object.keys(TRANSFORM_SETTINGS).sort()).toEqual([...TRANSFORMS.keys()].sort());
  for (const [name, specs] of Object.entries(TRANSFORM_SETTINGS)) {
    const parameters = Object.entries(TRANSFORMS.get(name)!.parameters);
    const ours = parameters.map(([setting, { optional }]) => ({ setting, optional }));
    const theirs = specs.map((spec) => ({ setting: spec.name, optional: spec.optional === true }));
    expect(theirs, name).toEqual(ours);
  }
});

it.each([
  ["imagenet", undefined, [224, 224]],
  ["cifar10", [32, 32], [32, 32]],
  ["shapes", [32, 32], [32, 32]],
] as const)("the transforms of recipe %s fit together", (name, from, size) => {
  const { recipe } = elaborateRecipe(parseTarget(name));
  const measurement = new Measurement(size[0], size[1]);
  measurement.add(new Float32Array(3 * size[0] * size[1]));
  const options = { statistics: measurement.result(), ...(from && { from }) };
  for (const transforms of [recipe!.train, recipe!.evaluate]) {
    expect(preparePipeline(transforms, options).size).toEqual(size);
  }
});
