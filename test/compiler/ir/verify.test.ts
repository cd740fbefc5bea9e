import { describe, expect, it } from "vitest";
import { tensor, value } from "../../../compiler/ir/build.js";
import { printGraph } from "../../../compiler/ir/print.js";
import { verify } from "../../../compiler/ops/verify.js";
import type { Graph } from "../../../compiler/ir/types.js";
import { graphOf, layerGraph, smallResidualNetwork } from "../ops/graphs.js";

const small = smallResidualNetwork();

describe("verify", () => {
  it("takes a sound graph", () => {
    expect(verify(small)).toBe(small);
  });

  it.each<[string, (graph: Graph) => Graph, string]>([
    ["use before making", (graph) => ({ ...graph, nodes: graph.nodes.toReversed() }), "before it is made"],
    ["two makers", (graph) => ({ ...graph, nodes: [...graph.nodes, graph.nodes[0]!] }), "is made twice"],
    ["two parameters of one path", (graph) => twice(graph), "two parameters are named"],
    [
      "an output that nothing makes",
      (graph) => ({ ...graph, outputs: [{ name: "lost", value: value(tensor([1]), "x") }] }),
      "nothing makes",
    ],
    ["a type that is not inferred", (graph) => wrongType(graph), "infers"],
  ])("finds %s", (_, breakIt, message) => {
    expect(() => verify(breakIt(small))).toThrow(message);
  });
});

function twice(graph: Graph): Graph {
  const [first] = graph.parameters;
  return { ...graph, parameters: [...graph.parameters, { ...first!, value: value(first!.value.type, "copy") }] };
}

function wrongType(graph: Graph): Graph {
  const [first, ...others] = graph.nodes;
  const outputs = [{ ...first!.outputs[0]!, type: tensor([1, 2, 3, 4]) }];
  return { ...graph, nodes: [{ ...first!, outputs }, ...others] };
}

describe("printGraph", () => {
  it("writes one line a parameter and node", () => {
    expect(printGraph(layerGraph("conv", [[1, 3, 8, 8]], { kernel: [3, 3], channels: 4 }))).toBe(
      [
        "graph test(x: float32[1, 3, 8, 8]) {",
        "  parameter conv.weight: float32[4, 3, 3, 3]",
        "  conv = conv(x, conv.weight) { kernel: 3x3, channels: 4, stride: 1x1, pad: 1x1, dilation: 1x1, groups: 1, bias: false } : float32[1, 4, 8, 8]",
        "  return output = conv",
        "}",
        "",
      ].join("\n"),
    );
  });

  it("tells values of one name apart", () => {
    const graph = graphOf((make) => {
      const x = make.input("x", [1, 2]);
      return make.layer("add", [make.layer("relu", [x], {}, "same"), make.layer("tanh", [x], {}, "same")], {}, "sum");
    });
    expect(printGraph(graph)).toContain("sum = add(same, same_2)");
  });
});
