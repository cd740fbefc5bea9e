/** Choosing algorithms by measuring: what is measured, what is chosen, and that every choice computes the same. */
import { describe, expect, it } from "vitest";
import { elaborate, parseTarget } from "../../../compiler/index.js";
import { verify } from "../../../compiler/ops/verify.js";
import type { Graph } from "../../../compiler/ir/types.js";
import { buildTraining, gradientGraph } from "../../../compiler/training/build.js";
import type { TrainingOptions } from "../../../compiler/training/contract.js";
import { symbol } from "../../../compiler/ir/dim.js";
import { algorithmKey, measuredAlgorithm } from "../../../compiler/passes/choose-algorithms.js";
import { DEVICE_PASSES, runPasses } from "../../../compiler/passes/index.js";
import { algorithmsOf, estimatedAlgorithm } from "../../../compiler/tuning/algorithms.js";
import { choicesOf, fastest, measureChoice, relevantAlgorithms } from "../../../compiler/tuning/choices.js";
import { machineBlockSize } from "../../../runtime/onnx/blocked-layout.js";
import { relativeError } from "../emit/run.js";
import { openTraining } from "../training/session.js";

const model = elaborate(parseTarget("CifarResNet(depth: 8)")).model!;
const options = (blockSize: number): TrainingOptions => ({ batch: 16, optimizer: { kind: "sgd" }, blockSize });

describe("algorithms of operations", () => {
  const graph = gradientGraph(model, options(16));
  const cpu = { device: "cpu", block: 16 } as const;

  it("are those of the plain layout and of the blocked one", () => {
    const weight = graph.nodes.find((node) => node.op === "conv_weight_gradient")!;
    expect(algorithmsOf(weight, cpu)).toEqual(["blocked", "columns", "gathered"]);
    expect(algorithmsOf(weight, { ...cpu, block: 0 })).toEqual(["columns", "gathered"]);
    const forward = graph.nodes.find((node) => node.op === "conv")!;
    expect(algorithmsOf(forward, cpu)).toEqual(["blocked", "plain"]);
    expect(algorithmsOf(forward, { ...cpu, block: 0 })).toEqual([]);
  });

  it("are a choice once for each shape, with the layers that have it", () => {
    const choices = choicesOf(graph, cpu);
    const keys = choices.map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
    const nodes = graph.nodes.filter((node) => algorithmsOf(node, cpu).length > 1);
    expect(new Set(keys)).toEqual(new Set(nodes.map((node) => algorithmKey(node, cpu))));
    expect(choices.reduce((sum, { layers }) => sum + layers.length, 0)).toBe(nodes.length);
    const known = { [keys[3]!]: "plain", "cpu/16; conv; of another network": "plain" };
    expect(relevantAlgorithms(graph, cpu, known)).toEqual({ [keys[3]!]: "plain" });
  });

  it("are not measured where a size is known only as the graph runs: the estimate stands", () => {
    const conv = graph.nodes.find((node) => node.op === "conv")!;
    const [x, ...weights] = conv.inputs;
    const open = { ...x!, type: { ...x!.type, shape: [symbol("S"), ...x!.type.shape.slice(1)] } };
    const some = { ...graph, nodes: [{ ...conv, inputs: [open, ...weights] }] };
    expect(choicesOf(some, cpu)).toEqual([]);
    expect(measuredAlgorithm(some.nodes[0]!, { ...cpu, algorithms: {} })).toBeUndefined();
  });

  it.each([0, 16])("without a measurement are those that the cost model estimates, blocks of %i", (block) => {
    const here = { ...cpu, block };
    const nodes = graph.nodes.filter((node) => algorithmsOf(node, here).length > 1);
    const algorithms = Object.fromEntries(
      nodes.map((node) => [algorithmKey(node, here)!, estimatedAlgorithm(node, here)]),
    );
    const written = (given: typeof algorithms): unknown =>
      runPasses(DEVICE_PASSES, graph, { ...here, algorithms: given }).nodes.map(({ op, attributes }) => [
        op,
        attributes["algorithm"],
      ]);
    expect(written(algorithms)).toEqual(written({}));
  });

  it("leave in blocks what has no choice of layouts", () => {
    const algorithms = Object.fromEntries(
      graph.nodes.map((node) => [algorithmKey(node, cpu)!, node.op === "relu_gradient" ? "compare" : "onnx"]),
    );
    const convolutions = choicesOf(graph, cpu).map(({ key, algorithms: [first] }) => [key, first!] as const);
    const { nodes } = runPasses(DEVICE_PASSES, graph, {
      ...cpu,
      algorithms: { ...algorithms, ...Object.fromEntries(convolutions) },
    });
    expect(nodes.filter(({ op }) => op === "bn_train")).toEqual([]);
    const reordered = (graph: Graph): number => graph.nodes.filter(({ op }) => op === "to_blocks").length;
    expect(reordered({ ...graph, nodes })).toBe(reordered(runPasses(DEVICE_PASSES, graph, cpu)));
  });

  const weight = choicesOf(graph, cpu).find(({ node }) => node.op === "conv_weight_gradient")!;
  /** Times by algorithm, one a measurement; the last stays. */
  const clock = (times: Readonly<Record<string, readonly number[]>>) => {
    const left = Object.fromEntries(Object.entries(times).map(([algorithm, each]) => [algorithm, [...each]]));
    return (piece: Graph): Promise<number> => {
      const { nodes } = verify(piece);
      const algorithm = nodes.some(({ op }) => op === "blocked_conv_weight_gradient")
        ? "blocked"
        : (nodes.find(({ op }) => op === "conv_weight_gradient")!.attributes["algorithm"] as string);
      const queue = left[algorithm]!;
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
    ["no algorithm that fails", { blocked: [Infinity], columns: [2], gathered: [Infinity] }, { columns: 2 }, "columns"],
    ["none where all fail", { blocked: [Infinity], columns: [Infinity], gathered: [Infinity] }, {}, undefined],
  ])("are measured, and it is %s that is taken", async (_, times, expected, algorithm) => {
    const seconds = await measureChoice(weight, cpu, clock(times));
    expect(seconds).toEqual(expected);
    expect(fastest(weight, seconds)).toBe(algorithm);
  });

  it("compute the same, whichever is chosen", async () => {
    const blockSize = await machineBlockSize();
    const results: Record<string, Float32Array>[] = [];
    const here = { device: "cpu", block: blockSize } as const;
    for (const index of [0, 1, 2]) {
      const algorithms = Object.fromEntries(
        graph.nodes.flatMap((node) => {
          const all = algorithmsOf(node, here);
          return all.length === 0 ? [] : [[algorithmKey(node, here)!, all[index % all.length]!]];
        }),
      );
      const { gradients } = buildTraining(model, { ...options(blockSize), algorithms });
      const session = await openTraining(gradients, { target: "CifarResNet(depth: 8)", image: [16, 3, 32, 32] });
      results.push(await session.run(0));
      await session.close();
    }
    for (const [name, values] of Object.entries(results[0]!)) {
      for (const other of results.slice(1)) expect(relativeError(other[name]!, values, 1e-2), name).toBeLessThan(1e-4);
    }
  });
});
