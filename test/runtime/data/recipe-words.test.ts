import { expect, it } from "vitest";
import { TRANSFORM_SETTINGS } from "../../../compiler/elaborate/recipe-words.js";
import { elaborateRecipe, parseTarget } from "../../../compiler/index.js";
import { preparePipeline } from "../../../runtime/images/transforms/pipeline.js";
import { Measurement } from "../../../runtime/data/statistics.js";
import { TRANSFORMS } from "../../../runtime/images/transforms/index.js";

it("recipes know the transforms that there are, with the same settings", () => {
  expect(Object.keys(TRANSFORM_SETTINGS).sort()).toEqual([...TRANSFORMS.keys()].sort());
  for (const [name, specs] of Object.entries(TRANSFORM_SETTINGS)) {
    const parameters = Object.entries(TRANSFORMS.get(name)!.parameters);
    const ours = parameters.map(([setting, { optional }]) => ({ setting, optional }));
    const theirs = specs.map((spec) => ({ setting: spec.name, optional: spec.optional === true }));
    expect(theirs, name).toEqual(ours);
  }
});

it("and with the same bounds: what a recipe may say, training takes", () => {
  const shapes: Readonly<Record<string, (x: number) => unknown>> = {
    int: (x) => x,
    number: (x) => x,
    size2: (x) => [x, x],
    interval: (x) => [x, x],
    channels: (x) => [x, x, x],
  };
  let compared = 0;
  for (const [name, specs] of Object.entries(TRANSFORM_SETTINGS)) {
    for (const { name: setting, type, min = -Infinity, max = Infinity } of specs) {
      const shape = shapes[type];
      if (!shape) continue;
      for (const x of new Set([-1, 0, 1, 2, 300, 20_000, min, max, min - 1, max + 1].filter(Number.isFinite))) {
        const allowed = x >= min && x <= max && (Number.isInteger(x) || !/^(int|size2)$/.test(type));
        // What language and training disagree on would pass `check` and fail when training starts.
        if (allowed)
          expect(TRANSFORMS.get(name)!.parameters[setting]!.accepts(shape(x)), `${name} ${setting}: ${x}`).toBe(true);
        compared += 1;
      }
    }
  }
  expect(compared).toBeGreaterThan(50);
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
