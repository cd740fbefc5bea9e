/** Choosing methods by measuring: what is measured, what is chosen, and that every choice computes the same. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { elaborate, parseTarget } from "../../../../compiler/index.js";
import { verify } from "../../../../compiler/ir/verify.js";
import type { Graph } from "../../../../compiler/ir/types.js";
import { buildTraining, unloweredGradients } from "../../../../compiler/training/build.js";
import type { TrainingOptions } from "../../../../compiler/training/contract.js";
import { tuneMethods } from "../../../../compiler/training/lowering/index.js";
import { methodKey, methodsOf } from "../../../../compiler/training/lowering/methods.js";
import { tune, tunedBefore } from "../../../../runtime/tune.js";
import { machineBlockSize } from "../../../../runtime/blocked-layout.js";
import { relativeError } from "../../emit/run.js";
import { openTraining } from "../session.js";

const model = elaborate(parseTarget("CifarResNet(depth: 8)")).model!;
const options = (blockSize: number): TrainingOptions => ({ batch: 16, optimizer: { kind: "sgd" }, blockSize });

describe("methods of operations", () => {
  const graph = unloweredGradients(model, options(16));
  const lowering = { target: "cpu", block: 16 } as const;

  it("are those of the plain layout and of the blocked one", () => {
    const weight = graph.nodes.find((node) => node.op === "conv_weight_gradient")!;
    expect(methodsOf(weight, lowering)).toEqual(["blocked", "columns", "gathered"]);
    expect(methodsOf(weight, { ...lowering, block: 0 })).toEqual(["columns", "gathered"]);
    const forward = graph.nodes.find((node) => node.op === "conv")!;
    expect(methodsOf(forward, lowering)).toEqual(["blocked", "plain"]);
    expect(methodsOf(forward, { ...lowering, block: 0 })).toEqual([]);
  });

  it("are measured once for each shape, and the fastest is taken", async () => {
    const measured: Graph[] = [];
    const seen: string[] = [];
    const measure = (piece: Graph): Promise<number> => {
      measured.push(verify(piece));
      const isBlocked = piece.nodes.some((node) => node.op.startsWith("blocked_conv"));
      return Promise.resolve(isBlocked ? 2 : 1 + (measured.length % 7) / 10);
    };
    const choices = await tuneMethods(graph, lowering, measure, {}, ({ key }) => seen.push(key));
    expect(new Set(seen).size).toBe(seen.length);
    const keys = new Set(
      graph.nodes.filter((node) => methodsOf(node, lowering).length > 1).map((node) => methodKey(node, lowering)),
    );
    expect(new Set(Object.keys(choices))).toEqual(keys);
    expect(Object.values(choices)).not.toContain("blocked");
    // Nothing is left to measure.
    measured.length = 0;
    expect(await tuneMethods(graph, lowering, measure, choices)).toEqual(choices);
    expect(measured).toEqual([]);
  });

  it("that fail are not chosen", async () => {
    const measure = (piece: Graph): Promise<number> =>
      piece.nodes.some((node) => node.op === "blocked_conv")
        ? Promise.reject(new Error("no kernel"))
        : Promise.resolve(1);
    const choices = await tuneMethods(graph, lowering, measure);
    const forward = graph.nodes.find((node) => node.op === "conv")!;
    expect(choices[methodKey(forward, lowering)]).toBe("plain");
  });

  it("compute the same, whichever is chosen", async () => {
    const blockSize = await machineBlockSize();
    const results: Record<string, Float32Array>[] = [];
    const here = { target: "cpu", block: blockSize } as const;
    for (const index of [0, 1, 2]) {
      const methods = Object.fromEntries(
        graph.nodes.flatMap((node) => {
          const all = methodsOf(node, here);
          return all.length === 0 ? [] : [[methodKey(node, here), all[index % all.length]!]];
        }),
      );
      const { gradients } = buildTraining(model, { ...options(blockSize), methods });
      const session = await openTraining(gradients, { target: "CifarResNet(depth: 8)", image: [16, 3, 32, 32] });
      results.push(await session.run(0));
      await session.close();
    }
    for (const [name, values] of Object.entries(results[0]!)) {
      for (const other of results.slice(1)) expect(relativeError(other[name]!, values, 1e-2), name).toBeLessThan(1e-4);
    }
  });
});

describe("choices on this machine", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "resnetc-tune-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("are kept in a file, and taken from it; a damaged file counts as empty", async () => {
    const file = path.join(folder, "cache", "methods.json");
    const small = { ...options(await machineBlockSize()), batch: 8 };
    let measured = 0;
    const how = { threads: 1, file, observe: () => (measured += 1) };
    const choices = await tune(model, small, how);
    expect(measured).toBe(Object.keys(choices).length);
    expect(measured).toBeGreaterThan(5);
    const written = JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;
    expect(Object.values(written)).toEqual([choices]);
    expect(await tune(model, small, how)).toEqual(choices);
    expect(measured).toBe(Object.keys(choices).length);
    expect(await tunedBefore(1, file)).toEqual(choices);
    expect(await tunedBefore(3, file)).toEqual({});
    await writeFile(file, '{"a": 3, "b": ["c"]');
    expect(await tunedBefore(1, file)).toEqual({});
  });
});
