/** Choosing methods by measuring: what is measured, what is chosen, and that every choice computes the same. */
import { describe, expect, it } from "vitest";
import { elaborate, parseTarget } from "../../../../compiler/index.js";
import { verify } from "../../../../compiler/ops/verify.js";
import type { Graph } from "../../../../compiler/ir/types.js";
import { buildTraining, unloweredGradients } from "../../../../compiler/training/build.js";
import type { TrainingOptions } from "../../../../compiler/training/contract.js";
import {
  choicesOf,
  fastest,
  lowerTraining,
  measureChoice,
  relevantMethods,
} from "../../../../compiler/training/lowering/index.js";
import { estimatedMethod, methodKey, methodsOf } from "../../../../compiler/training/lowering/methods.js";
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

  it("are a choice once for each shape, with the layers that have it", () => {
    const choices = choicesOf(graph, lowering);
    const keys = choices.map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
    const nodes = graph.nodes.filter((node) => methodsOf(node, lowering).length > 1);
    expect(new Set(keys)).toEqual(new Set(nodes.map((node) => methodKey(node, lowering))));
    expect(choices.reduce((sum, { layers }) => sum + layers.length, 0)).toBe(nodes.length);
    const known = { [keys[3]!]: "plain", "cpu/16; conv; of another network": "plain" };
    expect(relevantMethods(graph, lowering, known)).toEqual({ [keys[3]!]: "plain" });
  });

  it.each([0, 16])("without a measurement are those that the cost model estimates, blocks of %i", (block) => {
    const here = { ...lowering, block };
    const nodes = graph.nodes.filter((node) => methodsOf(node, here).length > 1);
    const methods = Object.fromEntries(nodes.map((node) => [methodKey(node, here), estimatedMethod(node, here)]));
    const written = (given: typeof methods): unknown =>
      lowerTraining(graph, { target: "cpu", blockSize: block, methods: given }).nodes.map(({ op, attributes }) => [
        op,
        attributes["method"],
      ]);
    expect(written(methods)).toEqual(written({}));
  });

  it("leave in blocks what has no choice of layouts", () => {
    const methods = Object.fromEntries(
      graph.nodes.map((node) => [methodKey(node, lowering), node.op === "relu_gradient" ? "compare" : "onnx"]),
    );
    const convolutions = choicesOf(graph, lowering).map(({ key, methods: [first] }) => [key, first!] as const);
    const { nodes } = lowerTraining(graph, {
      target: "cpu",
      blockSize: 16,
      methods: { ...methods, ...Object.fromEntries(convolutions) },
    });
    expect(nodes.filter(({ op }) => op === "bn_train")).toEqual([]);
    const reordered = (graph: Graph): number => graph.nodes.filter(({ op }) => op === "to_blocks").length;
    expect(reordered({ ...graph, nodes })).toBe(reordered(lowerTraining(graph, { target: "cpu", blockSize: 16 })));
  });

  const weight = choicesOf(graph, lowering).find(({ node }) => node.op === "conv_weight_gradient")!;
  /** Times by method, one a measurement; the last stays. */
  const clock = (times: Readonly<Record<string, readonly number[]>>) => {
    const left = Object.fromEntries(Object.entries(times).map(([method, each]) => [method, [...each]]));
    return (piece: Graph): Promise<number> => {
      const { nodes } = verify(piece);
      const method = nodes.some(({ op }) => op === "blocked_conv_weight_gradient")
        ? "blocked"
        : (nodes.find(({ op }) => op === "conv_weight_gradient")!.attributes["method"] as string);
      const queue = left[method]!;
      const time = queue.length > 1 ? queue.shift()! : queue[0]!;
      return time < Infinity ? Promise.resolve(time) : Promise.reject(new Error("no kernel"));
    };
  };

  it.each<[string, Record<string, number[]>, Record<string, number>, string | undefined]>([
    ["the fastest", { blocked: [3], columns: [2], gathered: [1] }, { blocked: 3, columns: 2, gathered: 1 }, "gathered"],
    [
      "the estimate where the gain is noise",
      { blocked: [1], columns: [0.97], gathered: [2] },
      { blocked: 1, columns: 0.97, gathered: 2 },
      "blocked",
    ],
    [
      "the estimate where it was only slow while the machine was busy",
      { blocked: [5, 1], columns: [2], gathered: [3] },
      { blocked: 1, columns: 2, gathered: 3 },
      "blocked",
    ],
    ["no method that fails", { blocked: [Infinity], columns: [2], gathered: [Infinity] }, { columns: 2 }, "columns"],
    ["none where all fail", { blocked: [Infinity], columns: [Infinity], gathered: [Infinity] }, {}, undefined],
  ])("are measured, and it is %s that is taken", async (_, times, expected, method) => {
    const seconds = await measureChoice(weight, lowering, clock(times));
    expect(seconds).toEqual(expected);
    expect(fastest(weight, seconds)).toBe(method);
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
