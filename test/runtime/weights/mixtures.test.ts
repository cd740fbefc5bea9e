/**
 * A thousand files as training scripts write them: weights under keys and prefixes in any nesting and order, with other
 * tensors beside them, in `.pth` and `.safetensors`; and a thousand headers. Each is loaded, or refused in one clear line.
 */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { elaborate } from "../../../compiler/index.js";
import { loadWeights, openWeights, WeightsError } from "../../../runtime/weights/index.js";
import { uniform } from "../../support/oracle-weights.js";
import { temporaryFolder } from "../../support/weight-files.js";
import { torchFile, tensorOf, type Tree } from "../../support/torch-file.js";
import { processorTime } from "../../support/processor-time.js";

const folder = temporaryFolder();

const text = `
  weights theirs { format pytorch   rename "conv1.conv", "conv1"   rename "conv1.bn", "bn1"   rename "head.fc", "fc" }
  network Tiny {
    input image 3x8x8   weights theirs
    stage conv1 { conv 1x1, 2   bn }
    stage head { global_avg_pool   fc 2 }
  }
`;
const { model } = elaborate({ file: "tiny.resnet" }, { host: { read: () => text } });

/** The state_dict of the network, every value `value`. */
function stateDict(value: number): Record<string, ReturnType<typeof tensorOf>> {
  return {
    "conv1.weight": tensorOf([2, 3, 1, 1], value),
    "bn1.weight": tensorOf([2], value),
    "bn1.bias": tensorOf([2], value),
    "bn1.running_mean": tensorOf([2], value),
    "bn1.running_var": tensorOf([2], value),
    "bn1.num_batches_tracked": tensorOf([], value),
    "fc.weight": tensorOf([2, 2], value),
    "fc.bias": tensorOf([2], value),
  };
}

const PREFIXES = ["module.", "_orig_mod.", "model.", "net.", "backbone.", "encoder_q.", "student.", "0."];
const KEYS = ["state_dict", "model_state_dict", "model", "net", "params", "weights", "network", "my_model"];
const AVERAGES = ["state_dict_ema", "model_ema", "ema_model", "params_ema", "ema", "ema_state_dict", "teacher"];
const BESIDE: Tree = {
  best_acc1: tensorOf([], 69.7),
  epoch: tensorOf([], 3),
  n_averaged: tensorOf([1], 5),
  queue: tensorOf([4, 4], 1),
  queue_ptr: tensorOf([1], 1),
};

/** One mixture of a seed: what the file has, and the value of the weights that are to be taken. */
function mixture(seed: number) {
  const random = uniform(`mixture ${seed}`, 40, 0, 1);
  let next = 0;
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random[next++]! * list.length)]!;
  const chance = (share: number): boolean => random[next++]! < share;
  const prefix = Array.from({ length: Math.floor(random[next++]! * 4) }, () => pick(PREFIXES)).join("");
  const named = (value: number): Tree =>
    Object.fromEntries(Object.entries(stateDict(value)).map(([name, tensor]) => [prefix + name, tensor]));
  const onlyAverage = chance(0.15);
  const withAverage = onlyAverage || chance(0.3);
  const flat = !withAverage && chance(0.3);
  const entries: [string, Tree | ReturnType<typeof tensorOf>][] = [];
  if (flat) entries.push(...Object.entries(named(1)));
  else {
    if (!onlyAverage) entries.push([pick(KEYS), named(1)]);
    if (withAverage) entries.push([pick(AVERAGES), named(2)]);
  }
  for (const [name, tensor] of Object.entries(BESIDE)) if (chance(0.3)) entries.push([name, tensor]);
  if (chance(0.4)) {
    const slots = Object.fromEntries(
      Object.keys(stateDict(3)).map((_, i) => [String(i), { exp_avg: tensorOf([2], 3), step: tensorOf([], 3) }]),
    );
    entries.push(["optimizer", { state: slots }]);
  }
  // Any order.
  const order = entries.map((entry) => ({ entry, key: random[next++ % random.length]! })).sort((a, b) => a.key - b.key);
  return {
    tree: Object.fromEntries(order.map(({ entry }) => entry)),
    expected: onlyAverage ? 2 : 1,
    withAverage,
  };
}

describe.each(["pth", "safetensors"] as const)("mixtures in .%s", (format) => {
  test("500 of them load the weights that are meant", async () => {
    const file = path.join(folder, `mixed.${format}`);
    for (let seed = 0; seed < 500; seed++) {
      const { tree, expected, withAverage } = mixture(seed);
      fs.writeFileSync(file, torchFile(tree, format));
      const loaded = await loadWeights(model!, file).catch((error: unknown) => {
        throw new Error(`seed ${seed}: ${String(error)}\n${JSON.stringify(tree).slice(0, 500)}`);
      });
      for (const { path: name } of model!.graph.parameters) {
        expect([...new Set(loaded.values.get(name))], `seed ${seed}, ${name}`).toEqual([expected]);
      }
      expect(loaded.report.loaded, `seed ${seed}`).toBe(model!.graph.parameters.length);
      const said = loaded.warnings.join("\n");
      if (withAverage && expected === 1)
        expect(said, `seed ${seed}`).toMatch(/several state dicts that fit: taken is /);
      else expect(said, `seed ${seed}`).toBe("");
      loaded.close();
    }
  });

  test("the average can be taken by its name", async () => {
    const file = path.join(folder, `average.${format}`);
    const prefixed = Object.fromEntries(Object.entries(stateDict(2)).map(([name, each]) => [`module.${name}`, each]));
    fs.writeFileSync(file, torchFile({ model: stateDict(1), model_ema: prefixed }, format));
    const loaded = await loadWeights(model!, file, { stateDict: "model_ema" });
    expect(loaded.values.get("head.fc.bias")).toEqual(Float32Array.of(2, 2));
    expect(loaded.report).toMatchObject({ stateDict: "model_ema.module", passedOver: "model (8 tensors)" });
    expect(loaded.warnings).toEqual([]);
    loaded.close();
    await expect(loadWeights(model!, file, { stateDict: "nothing" })).rejects.toThrow(
      /has no state dict nothing; it has model, model_ema\.module$/,
    );
  });
});

test("a thousand headers of safetensors: any length, padding, order and names", async () => {
  const file = path.join(folder, "headers.safetensors");
  const seen = new Set<number>();
  for (let seed = 0; seed < 1000; seed++) {
    const random = uniform(`header ${seed}`, 12, 0, 1);
    const names = Object.entries(stateDict(1)).sort(() => random[seed % 12]! - 0.5);
    const bytes = torchFile(
      { ["x".repeat(Math.floor(random[0]! * 300)) + ".y"]: tensorOf([1], 0), ...Object.fromEntries(names) },
      "safetensors",
      {
        before: " ".repeat(random[1]! < 0.2 ? Math.floor(random[2]! * 9) : 0),
        after: [" ", "\n", "\t"][Math.floor(random[3]! * 3)]!.repeat(Math.floor(random[4]! * 256)),
      },
    );
    seen.add(bytes[0]!);
    fs.writeFileSync(file, bytes);
    const source = await openWeights(file);
    expect(source.tensors.size, `seed ${seed}`).toBe(9);
    expect(source.read("fc.bias")).toEqual(Float32Array.of(1, 1));
    source.close();
  }
  expect(seen.size).toBeGreaterThan(240);
});

describe("headers that attack", () => {
  const attacks: [string, string, RegExp][] = [
    ["millions of levels", `{"a":${"[".repeat(7_000_000)}${"]".repeat(7_000_000)}}`, /nested deeper/],
    [
      "millions of dimensions",
      `{"a":{"dtype":"F32","shape":[1${",1".repeat(5_000_000)}],"data_offsets":[0,4]}}`,
      /impossible shape|not those of/,
    ],
    [
      "a name of millions of characters",
      `{"${"n".repeat(5_000_000)}":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}`,
      /has the type/,
    ],
  ];
  test.each(attacks)("%s: one short line, soon", async (_what, header, message) => {
    const file = path.join(folder, "attack.safetensors");
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    fs.writeFileSync(file, Buffer.concat([length, Buffer.from(header), Buffer.alloc(4)]));
    const worked = processorTime();
    const error = (await openWeights(file).catch((cause: unknown) => cause)) as WeightsError;
    expect(error).toBeInstanceOf(WeightsError);
    expect(error.message).toMatch(message);
    expect(error.message.length).toBeLessThan(400);
    expect(worked()).toBeLessThan(8000);
  });
});
