/** Whole networks: gradients, and the losses of twenty steps, beside PyTorch's (test/oracle/training_golden.py). */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { buildTraining } from "../../../compiler/training/build.js";
import { uniform } from "../../support/oracle-weights.js";
import { modelOf, NETWORKS, optionsOf } from "./networks.js";
import { openTraining } from "./session.js";

interface Golden {
  readonly loss: number;
  /** Euclidean norm, and products with four random vectors. */
  readonly gradients: Readonly<Record<string, readonly number[]>>;
  readonly running: Readonly<Record<string, readonly number[]>>;
  readonly losses: readonly number[];
  readonly correct: readonly number[];
  /** Of loss statements, by step and name. */
  readonly parts?: readonly Readonly<Record<string, number>>[];
}

const golden = (name: string): Golden =>
  JSON.parse(readFileSync(new URL(`../../golden/training/${name}.json`, import.meta.url), "utf8")) as Golden;
const names = (steps: boolean): string[] =>
  Object.keys(NETWORKS).filter((name) => (NETWORKS[name]!.training !== undefined) === steps);

/** As a processor's graphs are, and those of GPUs, which every processor computes too. */
const WAYS = {
  cpu: {},
  webgpu: { device: "webgpu", held: "vectors" },
  cuda: { device: "cuda", held: "vectors" },
} as const;

const everyWay = (steps: boolean) =>
  names(steps).flatMap((name) => Object.entries(WAYS).map(([device, way]) => ({ name, device, way })));

describe("gradients are PyTorch's", () => {
  it.each(everyWay(false))("$name, as for $device", async ({ name, way }) => {
    const expected = golden(name);
    const network = NETWORKS[name]!;
    const { gradients } = buildTraining(modelOf(network), { ...optionsOf(network), ...way });
    const training = await openTraining(gradients, network);
    const outputs = await training.run(0);
    expect(Math.abs(outputs["loss"]![0]! / expected.loss - 1)).toBeLessThan(1e-5);
    for (const [path, [norm, ...products]] of Object.entries(expected.gradients)) {
      const gradient = outputs[`gradient.${path}`]!;
      products.forEach((product, index) => {
        const direction = uniform(`direction${index}`, gradient.length, -1, 1);
        const own = gradient.reduce((sum, value, at) => sum + value * direction[at]!, 0);
        // A bias before a batch norm has no gradient at all: what is left there is rounding.
        expect(Math.abs(own - product), `${path}: ${own} for ${product}`).toBeLessThan(1e-4 * norm! + 1e-6);
      });
    }
    for (const [path, values] of Object.entries(expected.running)) {
      const next = outputs[`next.${path}`]!;
      values.forEach((value, at) => {
        expect(Math.abs(next[at]! - value), path).toBeLessThan(1e-5 * Math.max(1, Math.abs(value)));
      });
    }
    await training.close();
  });
});

describe("steps follow PyTorch's losses", () => {
  it.each(everyWay(true))(
    "$name, as for $device",
    async ({ name, way }) => {
      const expected = golden(name);
      const network = NETWORKS[name]!;
      const { train } = buildTraining(modelOf(network), { ...optionsOf(network), ...way });
      const training = await openTraining(train, network);
      const own: number[] = [];
      for (let step = 0; step < expected.losses.length; step += 1) {
        const outputs = await training.run(step);
        own.push(outputs["loss"]![0]!);
        if (expected.parts) expect(outputs["correct"]![0]).toBe(expected.correct[step]);
        for (const [loss, value] of Object.entries(expected.parts?.[step] ?? {})) {
          expect(Math.abs(outputs[`loss.${loss}`]![0]! / value - 1), loss).toBeLessThan(1e-4);
        }
      }
      await training.close();
      const errors = own.map((loss, step) => Math.abs(loss / expected.losses[step]! - 1));
      expect(Math.max(...errors), `${own.join(" ")}`).toBeLessThan(1e-3);
    },
    300_000,
  );
});
