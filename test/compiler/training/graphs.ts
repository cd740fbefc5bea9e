/** Graphs of gradients, for tests. */
import { tensor, value } from "../../../compiler/ir/build.js";
import type { Graph, Value } from "../../../compiler/ir/types.js";
import { differentiate } from "../../../compiler/passes/differentiate.js";
import { recorder } from "../../../compiler/ops/recorder.js";

/**
 * A graph that gives the gradients of sum(dy * y) with respect to the inputs and parameters (`gradient.NAME`), y the
 * graph's first output and `dy` a further input. Parameters are inputs.
 */
export function gradientGraph(graph: Graph, skip: (name: string) => boolean = () => false): Graph {
  const given = [...graph.inputs, ...graph.parameters.map((each) => ({ name: each.path, value: each.value }))];
  const y = graph.outputs[0]!.value;
  const dy = value(tensor(y.type.shape), "dy");
  const record = recorder({ path: "loss" });
  const [product] = record.apply("times", [y, dy]);
  const axes = y.type.shape.map((_, axis) => axis);
  const [loss] = record.apply("sum", [product!], { axes, keep: false });
  const seed = record.constant(Float32Array.of(1), []);
  const wanted = given.filter(({ name }) => !skip(name));
  const gradients = differentiate(
    { nodes: [...graph.nodes, ...record.nodes] },
    loss!,
    wanted.map((each) => each.value),
    seed,
    record,
  );
  return {
    ...graph,
    inputs: [...given, { name: "dy", value: dy }],
    parameters: [],
    constants: [...graph.constants, ...record.constants],
    nodes: [...graph.nodes, ...record.nodes],
    outputs: wanted.flatMap(({ name }, index) => {
      const gradient: Value | undefined = gradients[index];
      return gradient === undefined ? [] : [{ name: `gradient.${name}`, value: gradient }];
    }),
  };
}
