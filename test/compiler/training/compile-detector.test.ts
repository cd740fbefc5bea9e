/** The files of a detector's training: run by plain ONNX Runtime from what `training.json` says, as any program could. */
import * as ort from "#onnxruntime";
import { describe, expect, it } from "vitest";
import { compileTraining, memoryOfTraining } from "../../../compiler/index.js";
import { concat } from "../../../compiler/emit/onnx.js";
import type { GraphDescription } from "../../../compiler/training/describe.js";
import { objectFeeds, type TrainingObject } from "../../support/detector-session.js";
import { uniform } from "../../support/oracle-weights.js";
import { tinyDetector, tinyDetectorRecipe } from "../../support/tiny-detector-training.js";

const [N, H, W] = [2, 48, 64];
const model = tinyDetector();
const recipe = tinyDetectorRecipe({ batch: N });
const { files, initial, description, memory } = compileTraining(model, recipe, { seed: 3, size: [H, W] });

const OBJECTS: readonly (readonly TrainingObject[])[] = [
  [
    { label: 3, box: [4, 6, 20, 30] },
    { label: 7, box: [30, 10, 60, 40] },
    { label: 0, box: [2, 30, 12, 46] },
  ],
  [{ label: 5, box: [10, 10, 40, 44] }],
];

const float = (values: Float32Array | readonly number[], shape: readonly number[]): ort.Tensor =>
  new ort.Tensor("float32", Float32Array.from(values), shape);

function open({ file }: GraphDescription): Promise<ort.InferenceSession> {
  const { chunks, byteLength } = files.get(file)!;
  return ort.InferenceSession.create(concat(chunks, byteLength), { logSeverityLevel: 3 });
}

function begin(): Record<string, ort.Tensor> {
  const first = new Map(initial.map((each) => [each.name, each.data()]));
  return Object.fromEntries(
    description.state.map(({ name, shape, value, like }) => {
      const values =
        like === undefined ? new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value!) : first.get(like)!;
      return [name, float(values, shape)];
    }),
  );
}

/** A length of a shape, as docs/training-graphs.md says: a number, `objects`, or a sum of the two. */
function lengthOf(dim: number | string, objects: number): number {
  if (typeof dim === "number") return dim;
  return dim.split("+").reduce((sum, part) => sum + (part === "objects" ? objects : Number(part)), 0);
}

/** What a step takes besides state: images, objects, random numbers. */
function batch({ inputs, noise }: GraphDescription, step: number): Record<string, ort.Tensor> {
  const { most, feeds } = objectFeeds(OBJECTS);
  const info = OBJECTS.flatMap(() => [H, W, H, W, 1, 1]);
  const given: Record<string, ort.Tensor> = {
    ...feeds,
    [description.image]: float(uniform(`image${step}`, N * 3 * H * W, -2, 2), [N, 3, H, W]),
    image_info: float(info, [N, 6]),
    learning_rate: float([0.01], []),
  };
  for (const { name, shape } of inputs.filter((each) => noise.includes(each.name))) {
    const lengths = shape.map((dim) => lengthOf(dim, most));
    const size = lengths.reduce((a, b) => a * b, 1);
    given[name] = float(uniform(`${name}${step}`, size, 0, 1), lengths);
  }
  return Object.fromEntries(inputs.flatMap(({ name }) => (given[name] ? [[name, given[name]]] : [])));
}

const pick = (from: Readonly<Record<string, ort.Tensor>>, names: readonly string[]): Record<string, ort.Tensor> =>
  Object.fromEntries(names.map((name) => [name, from[name]!]));

const numbers = (tensor: ort.Tensor | undefined): readonly number[] => Array.from(tensor!.data as Float32Array);

describe("the training graphs of a detector", () => {
  it("are described: what data fill, what is open, what is random", () => {
    expect(description).toMatchObject({ network: "Tiny", task: "detection", batch: N, accumulate: 1, classes: 10 });
    const { train, gradients, update, evaluate } = description;
    const shapes = Object.fromEntries(train.inputs.map(({ name, shape }) => [name, shape]));
    expect(shapes).toMatchObject({
      image: [N, 3, H, W],
      image_info: [N, 6],
      "objects.boxes": [N, "objects", 4],
      "objects.labels": [N, "objects"],
      "objects.present": [N, "objects"],
      learning_rate: [],
    });
    expect(train.noise).toHaveLength(2);
    expect(train.noise.map((name) => shapes[name]!.at(-1))).toContain("objects+40");
    expect(gradients.outputs.map(({ name }) => name).filter((name) => name.startsWith("loss."))).toHaveLength(4);
    expect(train.outputs.map(({ name }) => name)).not.toContain("correct");
    expect(update.inputs.map(({ name }) => name)).toContain("gradient.head.siblings.deltas.weight");
    // As it is used: of any size, without losses.
    const [image] = evaluate.inputs;
    expect(image).toMatchObject({ name: "image", shape: ["N", 3, "H", "W"] });
    expect(evaluate.outputs.map(({ name }) => name).sort()).toEqual(["boxes", "images", "labels", "scores"]);
  });

  it("make the same step in one graph and in two, and learn the objects of a batch", async () => {
    const { train, gradients, update } = description;
    const [whole, first, second] = await Promise.all([train, gradients, update].map(open));
    const [one, two] = [begin(), begin()];
    const losses: number[] = [];
    for (let step = 0; step < 30; step++) {
      const made = await whole!.run({ ...batch(train, 0), ...pick(one, train.reads) });
      losses.push(numbers(made["loss"])[0]!);
      for (const name of train.writes) one[name] = made[`next.${name}`]!;
      if (step > 2) continue;
      const found = await first!.run({ ...batch(gradients, 0), ...pick(two, gradients.reads) });
      expect(numbers(found["loss"])[0]).toBeCloseTo(losses[step]!, 4);
      for (const name of gradients.writes) two[name] = found[`next.${name}`]!;
      const given = Object.fromEntries(update.inputs.flatMap(({ name }) => (found[name] ? [[name, found[name]]] : [])));
      const updated = await second!.run({ ...batch(update, 0), ...given, ...pick(two, update.reads) });
      for (const name of update.writes) two[name] = updated[`next.${name}`]!;
      for (const name of train.writes) {
        const [a, b] = [numbers(one[name]), numbers(two[name])];
        a.forEach((each, at) => expect(b[at], name).toBeCloseTo(each, 4));
      }
    }
    expect(losses.at(-1)).toBeLessThan(0.6 * losses[0]!);
    await Promise.all([whole, first, second].map((session) => session!.release()));
  });

  it("evaluate by the detector itself, with the state as inputs, images of any size", async () => {
    const { evaluate } = description;
    const session = await open(evaluate);
    for (const [height, width] of [
      [48, 64],
      [32, 96],
    ] as const) {
      const feeds = {
        image: float(uniform("image", 3 * height * width, -2, 2), [1, 3, height, width]),
        image_info: float([height, width, height, width, 1, 1], [1, 6]),
      };
      const { boxes, scores } = await session.run({ ...feeds, ...pick(begin(), evaluate.reads) });
      expect(boxes!.dims).toEqual([scores!.dims[0], 4]);
      expect(numbers(boxes).every((each) => each >= 0 && each <= Math.max(height, width))).toBe(true);
    }
    await session.release();
  });

  it("take memory that is known, with so many objects an image", () => {
    expect(memory.objects).toBe(20);
    expect(memoryOfTraining(model, recipe, { size: [H, W] })).toEqual({ batch: N, ...memory });
    expect(memoryOfTraining(model, recipe, { size: [2 * H, 2 * W] }).peak).toBeGreaterThan(memory.peak);
  });

  it("are refused without a size, and with what is for classifiers", () => {
    expect(() => compileTraining(model, recipe)).toThrow("training needs every size of the input image");
    const refused: readonly (readonly [Partial<typeof recipe>, string])[] = [
      [{ labelSmoothing: 0.1 }, "`label_smoothing` is for classifiers, and Tiny is a detector"],
      [{ classWeights: [1, 2] }, "`class_weights` is for classifiers"],
      [{ mixup: { alpha: 0.2, probability: 1 } }, "mixing of images is for classifiers"],
    ];
    for (const [changes, message] of refused) {
      expect(() => compileTraining(model, { ...recipe, ...changes }, { size: [H, W] })).toThrow(message);
    }
  });
});
