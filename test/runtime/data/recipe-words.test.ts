import { expect, it } from "vitest";
import { elaborateRecipe, parseTarget } from "../../../compiler/index.js";
import { TRANSFORM_WORDS } from "../../../compiler/words/transforms.js";
import { Measurement } from "../../../runtime/data/measurement.js";
import { TRANSFORMS } from "../../../runtime/images/transforms/index.js";
import { preparePipeline } from "../../../runtime/images/transforms/pipeline.js";

it("every transform of the language is carried out, by the schema that recipes are checked with", () => {
  expect([...TRANSFORMS.keys()].sort()).toEqual(Object.keys(TRANSFORM_WORDS).sort());
  for (const word of Object.values(TRANSFORM_WORDS)) expect(TRANSFORMS.get(word.name)!.parameters).toBe(word.arguments);
});

it.each([
  ["imagenet", undefined, [224, 224]],
  ["imagenet_cutmix", undefined, [224, 224]],
  ["cifar10", [32, 32], [32, 32]],
  ["cifar10_mixup", [32, 32], [32, 32]],
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
