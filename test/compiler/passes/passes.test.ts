import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parameterSize, sourceParameters } from "../../../compiler/emit/parameters.js";
import { fillNormal, randomStream } from "../../../compiler/emit/random.js";
import { formatShape, symbol } from "../../../compiler/ir/dim.js";
import type { Graph, Value } from "../../../compiler/ir/types.js";
import { verify } from "../../../compiler/ops/verify.js";
import { INFERENCE_PASSES, runPasses, type PassContext } from "../../../compiler/passes/index.js";
import { relativeError, runGraph, type Tensor } from "../emit/run.js";
import { graphOf, smallResidualNetwork, type GraphMaker } from "../ops/graphs.js";

/** All passes, the graph verified after each. */
function passes(graph: Graph, context: PassContext = {}): Graph {
  verify(graph);
  return runPasses(INFERENCE_PASSES, graph, context, (_, after) => verify(after));
}

function normal(size: number, name: string, std = 1): Float32Array {
  const data = new Float32Array(size);
  fillNormal(data, std, randomStream(name));
  return data;
}

/** As a trained network's: statistics are not 0 and 1. */
function trainedWeights(graph: Graph): Map<string, Float32Array> {
  return new Map(
    sourceParameters(graph).map((each) => {
      const values = normal(parameterSize(each), each.path, each.role === "weight" ? 0.2 : 0.5);
      const positive = each.role === "running_var" || each.role === "scale";
      return [each.path, positive ? values.map((value) => Math.abs(value) + 0.5) : values];
    }),
  );
}

const ops = (graph: Graph): string[] => graph.nodes.map((node) => node.op);
const image = (shape: readonly number[]): Tensor => ({
  shape,
  data: normal(
    shape.reduce((a, b) => a * b, 1),
    "image",
  ),
});

describe("bind sizes", () => {
  const small = smallResidualNetwork();

  it("substitutes symbols and infers everything from them", () => {
    const bound = passes(small, { sizes: { N: 4, H: 224, W: 160 }, foldBatchNorms: false });
    const shapes = Object.fromEntries(bound.nodes.map((node) => [node.path, formatShape(node.outputs[0]!.type.shape)]));
    expect(shapes["conv1.conv"]).toBe("[4, 8, 112, 80]");
    expect(shapes["conv3.0.add"]).toBe("[4, 16, 28, 20]");
    expect(
      bound.nodes.flatMap((node) => node.outputs).every((value) => !/[A-Z]/.test(formatShape(value.type.shape))),
    ).toBe(true);
  });

  it("takes a whole shape for an input, and says so where the network can't", () => {
    const resized = passes(small, { inputShapes: { image: [symbol("N"), 3, 96, 96] } });
    expect(formatShape(resized.inputs[0]!.value.type.shape)).toBe("[N, 3, 96, 96]");
    const fixed = graphOf((make) => make.layer("fc", [make.input("x", [1, 3, 4, 4])], { channels: 2 }));
    expect(() => passes(fixed, { inputShapes: { x: [1, 3, 8, 8] } })).toThrow(
      "fc: the weight is [2, 48], this input needs [2, 192]",
    );
  });

  it("leaves a graph alone that has nothing to bind", () => {
    const once = passes(small);
    expect(passes(once)).toEqual(once);
  });
});

describe("sizes inferred with symbols", () => {
  it("are what ONNX Runtime gives for any height and width", async () => {
    const graph = passes(smallResidualNetwork());
    const between = graph.nodes.flatMap((node) => node.outputs).filter((value) => value.type.shape.length === 4);
    const all = { ...graph, outputs: between.map((value) => ({ name: value.name, value })) };
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 8, max: 60 }), fc.integer({ min: 8, max: 60 }), async (H, W) => {
        const bound = passes(all, { sizes: { N: 1, H, W } });
        const expected = Object.fromEntries(bound.outputs.map(({ name, value }) => [name, value.type.shape]));
        const outputs = await runGraph(all, { image: image([1, 3, H, W]) });
        expect(Object.fromEntries(Object.entries(outputs).map(([name, { shape }]) => [name, shape]))).toEqual(expected);
      }),
      { numRuns: 15 },
    );
  });
});

describe("training-only layers", () => {
  it("are left out, and nothing else", async () => {
    const graph = graphOf((make) => {
      const x = make.input("x", [2, 6]);
      const dropped = make.layer("dropout", [make.layer("identity", [x])], { probability: 0.5 });
      return make.layer("add", [make.layer("relu", [dropped]), make.layer("identity", [dropped])]);
    });
    const after = passes(graph);
    expect(ops(after)).toEqual(["relu", "add"]);
    const feeds = { x: image([2, 6]) };
    expect(await runGraph(after, feeds)).toEqual(await runGraph(graph, feeds));
  });

  it("may be the whole network", async () => {
    const after = passes(graphOf((make) => make.layer("dropout", [make.input("x", [2])], { probability: 0.1 })));
    expect(ops(after)).toEqual([]);
    const x = image([2]);
    expect((await runGraph(after, { x }))["output"]).toEqual(x);
  });
});

describe("folded batch norms", () => {
  it("compute what they did on their own", async () => {
    const graph = smallResidualNetwork();
    const weights = trainedWeights(graph);
    const folded = passes(graph);
    expect(ops(folded)).not.toContain("bn");
    const feeds = { image: image([2, 3, 40, 33]) };
    const expected = await runGraph(passes(graph, { foldBatchNorms: false }), feeds, { weights });
    const actual = await runGraph(folded, feeds, { weights });
    expect(relativeError(actual["logits"]!.data, expected["logits"]!.data)).toBeLessThan(1e-5);
  });

  it("keep the convolution's names and give it a bias", () => {
    const folded = passes(smallResidualNetwork());
    const paths = folded.parameters.map((each) => each.path);
    expect(paths.slice(0, 2)).toEqual(["conv1.conv.weight", "conv1.conv.bias"]);
    expect(paths.some((path) => path.includes("bn"))).toBe(false);
    expect(sourceParameters(folded).map((each) => each.path)).toContain("conv1.bn.running_var");
    expect(folded.nodes[0]!.path).toBe("conv1.conv");
  });

  it.each<[string, string[], (make: GraphMaker, x: Value) => Value | Record<string, Value>]>([
    [
      "a convolution with a bias",
      ["conv", "relu"],
      (make, x) => make.layer("relu", [make.layer("bn", [conv(make, x, { bias: true })])]),
    ],
    ["a grouped convolution", ["conv"], (make, x) => make.layer("bn", [conv(make, x, { groups: 2, channels: 6 })])],
    [
      "a transposed convolution",
      ["conv_transpose", "relu"],
      (make, x) => make.layer("relu", [make.layer("bn", [transposed(make, x, { channels: 6 })])]),
    ],
    [
      "a grouped transposed convolution with a bias",
      ["conv_transpose"],
      (make, x) => make.layer("bn", [transposed(make, x, { channels: 6, groups: 2, bias: true })]),
    ],
    [
      "a fully connected layer",
      ["fc"],
      (make, x) => make.layer("bn", [make.layer("fc", [x], { channels: 5, bias: false })]),
    ],
    [
      "two norms, of which the second stays",
      ["conv", "bn"],
      (make, x) => make.layer("bn", [make.layer("bn", [conv(make, x)])]),
    ],
    [
      "one before its convolution, which stays",
      ["bn", "relu", "conv"],
      (make, x) => conv(make, make.layer("relu", [make.layer("bn", [x])])),
    ],
    ["one after a branch point, which stays", ["conv", "bn", "add"], (make, x) => branching(make, x)],
    ["one whose convolution is an output too", ["conv", "bn"], (make, x) => observed(make, x)],
  ])("are right for %s", async (_, expected, build) => {
    const graph = graphOf((make) => build(make, make.input("x", [2, 4, 5, 6])));
    const weights = trainedWeights(graph);
    const folded = passes(graph);
    expect(ops(folded)).toEqual(expected);
    const feeds = { x: image([2, 4, 5, 6]) };
    const [actual, wanted] = [await runGraph(folded, feeds, { weights }), await runGraph(graph, feeds, { weights })];
    for (const [name, { data }] of Object.entries(wanted))
      expect(relativeError(actual[name]!.data, data)).toBeLessThan(2e-6);
  });

  it("share what layers with one weight share, and stay where one of them has another norm", () => {
    const shared = (normOfSecond: "same" | "other"): Graph => {
      const graph = graphOf((make) => {
        const x = make.input("x", [1, 4, 5, 5]);
        return make.layer("add", [
          make.layer("bn", [conv(make, x)], {}, "first"),
          make.layer("bn", [conv(make, make.layer("relu", [x]))], {}, "second"),
        ]);
      });
      // The second convolution and norm with the first one's parameters.
      const [firstConv, firstNorm] = [graph.nodes[0]!, graph.nodes[1]!];
      const nodes = graph.nodes.map((node) => {
        if (node.op === "conv") return { ...node, inputs: [node.inputs[0]!, firstConv.inputs[1]!] };
        const share = node.op === "bn" && normOfSecond === "same";
        return share ? { ...node, inputs: [node.inputs[0]!, ...firstNorm.inputs.slice(1)] } : node;
      });
      return { ...graph, nodes };
    };
    expect(ops(passes(shared("same")))).toEqual(["conv", "relu", "conv", "add"]);
    expect(passes(shared("same")).parameters).toHaveLength(2);
    expect(ops(passes(shared("other"))).filter((op) => op === "bn")).toHaveLength(2);
  });
});

describe("fp16", () => {
  const graph = smallResidualNetwork();
  const half = passes(graph, { precision: "fp16" });

  it("keeps inputs and outputs fp32 and what is delicate too", () => {
    expect(half.inputs[0]!.value.type.dtype).toBe("float32");
    expect(half.outputs.map((output) => output.value.type.dtype)).toEqual(["float32", "float32"]);
    const types = Object.fromEntries(half.nodes.map((node) => [node.path, node.outputs[0]!.type.dtype]));
    expect(
      half.nodes.filter((node) => node.op === "conv").every((node) => node.outputs[0]!.type.dtype === "float16"),
    ).toBe(true);
    expect(types["head.softmax"]).toBe("float32");
    expect(types["head.global_avg_pool"]).toBe("float32");
    expect(half.parameters.every((each) => each.value.type.dtype === "float16")).toBe(true);
    expect(half.parameters.map((each) => each.path)).toEqual(passes(graph).parameters.map((each) => each.path));
  });

  it("stays near the fp32 network", async () => {
    const weights = trainedWeights(graph);
    const feeds = { image: image([2, 3, 40, 33]) };
    const expected = await runGraph(graph, feeds, { weights });
    for (const foldBatchNorms of [true, false]) {
      const actual = await runGraph(passes(graph, { precision: "fp16", foldBatchNorms }), feeds, { weights });
      const error = relativeError(actual["logits"]!.data, expected["logits"]!.data);
      expect(error).toBeLessThan(1e-2);
      expect(error).toBeGreaterThan(1e-6);
    }
  });
});

describe("dead code", () => {
  it("goes with its parameters; inputs stay", () => {
    const graph = graphOf((make) => {
      const [x] = [make.input("x", [1, 2]), make.input("unused", [1])];
      make.layer("fc", [x], { channels: 9 });
      return make.layer("relu", [x]);
    });
    const after = passes(graph);
    expect([ops(after), after.parameters, after.inputs.length]).toEqual([["relu"], [], 2]);
  });
});

function conv(make: GraphMaker, x: Value, attributes = {}): Value {
  return make.layer("conv", [x], { kernel: [3, 3], channels: 3, ...attributes });
}

function transposed(make: GraphMaker, x: Value, attributes: Record<string, number | boolean>): Value {
  return make.layer("conv_transpose", [x], { kernel: [3, 2], stride: [2, 2], ...attributes });
}

function branching(make: GraphMaker, x: Value): Value {
  const y = conv(make, x);
  return make.layer("add", [make.layer("bn", [y]), y]);
}

function observed(make: GraphMaker, x: Value): Record<string, Value> {
  const y = conv(make, x);
  return { raw: y, normal: make.layer("bn", [y]) };
}
