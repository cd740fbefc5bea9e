/** A model's graph with its losses in it: what the passes of training begin with. */
import { tensor, value } from "../ir/build.js";
import { symbol } from "../ir/dim.js";
import { lossName } from "../ir/names.js";
import type { Graph, Node, Value } from "../ir/types.js";
import type { Model } from "../model.js";
import { operator } from "../ops/index.js";
import { recorder } from "../ops/recorder.js";
import { rewrite } from "../passes/rewrite.js";

/** Losses are outputs `loss.NAME`; what they need of the data is an input `labels`, float32 [N, classes]. */
export function withLosses({ graph, losses }: Pick<Model, "graph" | "losses">): Graph {
  if (losses === undefined) return graph;
  return {
    ...graph,
    inputs: [...graph.inputs, ...losses.targets],
    nodes: [...graph.nodes, ...losses.nodes],
    outputs: [...graph.outputs, ...losses.each.map(({ name, value }) => ({ name: lossName(name), value }))],
  };
}

/** The same with labels that are class numbers, int64 [N]: of images with one class each. */
export function withNumberedLosses(model: Pick<Model, "graph" | "losses">, classes: number): Graph {
  const labels = model.losses?.targets.find(({ name }) => name === "labels")?.value;
  const graph = withLosses(model);
  return labels === undefined ? graph : withNumbers(graph, labels, classes);
}

/** Labels are class numbers, int64 [N]; what compares no classes is given 1 at each image's and 0 at the others. */
function withNumbers(graph: Graph, labels: Value, classes: number): Graph {
  const numbers = value(tensor([symbol("N")], "int64"), "labels");
  const record = recorder({ path: "labels" });
  const [shares] = record.apply("one_hot", [numbers], { classes });
  const inputs = graph.inputs.map((input) => (input.value === labels ? { name: "labels", value: numbers } : input));
  const given = rewrite({ ...graph, nodes: graph.nodes.map(ofNumbers) }, () => undefined, {
    inputs,
    values: new Map([[labels.id, shares!]]),
  });
  return { ...given, nodes: [...record.nodes, ...given.nodes] };

  function ofNumbers(node: Node): Node {
    if (operator(node.op).layer?.loss?.ofClasses !== true) return node;
    return { ...node, inputs: node.inputs.map((input) => (input === labels ? numbers : input)) };
  }
}
