/** The files that a program gets: those that `resnetc compile --training` writes. */
import { describe, expect, it } from "vitest";
import {
  compileTraining,
  elaborate,
  elaborateRecipe,
  memoryOfTraining,
  parseTarget,
  type Model,
  type Recipe,
} from "../../../compiler/index.js";
import { concat } from "../../../compiler/emit/onnx.js";
import { openSession } from "../../../runtime/onnx/session.js";

const model = elaborate(parseTarget("CifarResNet(depth: 8)")).model!;
const recipe = (...set: string[]): Recipe =>
  elaborateRecipe(parseTarget("std/recipes#cifar10"), { set: ["batch=8", ...set] }).recipe!;

describe("compileTraining", () => {
  const { files, initial, description, memory } = compileTraining(model, recipe(), { seed: 3 });
  const bytes = (name: string): Uint8Array => concat(files.get(name)!.chunks, files.get(name)!.byteLength);

  it("gives the graphs, and says of them what they say of themselves", async () => {
    const json = JSON.parse(new TextDecoder().decode(bytes("training.json"))) as typeof description;
    expect(json).toEqual(JSON.parse(JSON.stringify(description)));
    expect([...files.keys()]).toEqual([
      ...["train", "gradients", "update", "evaluate"].map((each) => `${each}.onnx`),
      "training.json",
    ]);
    for (const name of ["train", "gradients", "update", "evaluate"] as const) {
      const session = await openSession(bytes(json[name].file), { device: "cpu" });
      expect(session.inputs.map((input) => input.name)).toEqual(json[name].inputs.map((input) => input.name));
      expect(session.outputs.map((output) => output.name)).toEqual(json[name].outputs.map((output) => output.name));
      await session.close();
    }
  });

  it("gives a first value of every state tensor that has one of its own", () => {
    const names = description.state.filter(({ like, name }) => like === name).map(({ name }) => name);
    expect(initial.map(({ name }) => name)).toEqual(names);
    const others = compileTraining(model, recipe(), { seed: 4 }).initial;
    expect(others[0]!.data()).not.toEqual(initial[0]!.data());
    const weights = new Map([[initial[0]!.name, new Float32Array(initial[0]!.data().length).fill(7)]]);
    const given = compileTraining(model, recipe(), { seed: 3, weights }).initial;
    expect(given[0]!.data().every((each) => each === 7)).toBe(true);
    expect(given[1]!.data()).toEqual(initial[1]!.data());
  });

  it("takes a batch of its own, each step of which is an update", () => {
    const parts = compileTraining(model, recipe("batch.accumulate=2"));
    expect(parts.description).toMatchObject({ batch: 8, accumulate: 2 });
    expect(parts.description.train.inputs[0]).toMatchObject({ name: "image", shape: [4, 3, 32, 32] });
    const whole = compileTraining(model, recipe("batch.accumulate=2"), { batch: 6 });
    expect(whole.description).toMatchObject({ batch: 6, accumulate: 1 });
    expect(whole.description.train.inputs[0]).toMatchObject({ shape: [6, 3, 32, 32] });
  });

  it("says what a step takes, emitted or not", () => {
    expect(memoryOfTraining(model, recipe())).toEqual({ batch: 8, ...memory });
    expect(memory.peak).toBeGreaterThan(memory.inputs);
    expect(memoryOfTraining(model, recipe(), { batch: 16 }).state).toBe(memory.state);
  });

  it.each<[string, Model, Parameters<typeof compileTraining>[2], RegExp]>([
    ["an opset without what gradients need", model, { opset: 13 }, /opset 16 or later, not 13/],
    ["a detector", elaborate(parseTarget("FasterRCNN_ResNet50_FPN")).model!, {}, /size|logits|gradient/],
  ])("refuses %s", (_, network, options, message) => {
    expect(() => compileTraining(network, recipe(), options)).toThrow(message);
  });
});
