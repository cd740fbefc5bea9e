/** Graphs that give one number of each of many tensors, for whoever wants to know whether they are there, and finite. */
import type { NamedValue, Value } from "../ir/types.js";
import { formula, type Formula } from "../ops/formula.js";
import { recorder } from "../ops/recorder.js";
import { runPasses, TRIMMING_PASSES } from "../passes/index.js";
import { NUMBERS, type TrainingGraph } from "./contract.js";
import { emitGraph, part, type EmittedGraph } from "./graphs.js";

/** The mean of all values of a tensor, in fp32: finite only if all of them are. */
export function meanOf(f: Formula, value: Value): Value {
  const wide = value.type.dtype === "float32" ? value : f.apply("cast", [value], { to: "float32" });
  const axes = value.type.shape.map((_, axis) => axis);
  return axes.length === 0 ? f.affine(wide, 1) : f.mean(wide, axes);
}

export interface Probes {
  readonly graph: EmittedGraph;
  /** The layers, in order, with the outputs of the graph that are their means. */
  readonly layers: readonly { readonly path: string; readonly output: string }[];
}

/** The forward pass of a step, with the mean of the output of each of its layers. */
export function forwardProbes(step: TrainingGraph): Probes {
  const loss = step.graph.outputs.filter(({ name }) => name === "loss" || name === NUMBERS);
  const forward = runPasses(TRIMMING_PASSES, { ...step.graph, outputs: loss }, {});
  const record = recorder({ path: "probe" });
  const f = formula(record);
  const seen = forward.nodes.flatMap((node) => {
    const [output] = node.outputs;
    return output && /^float/.test(output.type.dtype) ? [{ path: node.path, output }] : [];
  });
  const outputs = seen.map(({ output }, index): NamedValue => ({ name: `probe.${index}`, value: meanOf(f, output) }));
  const { numbers: _numbers, ...plain } = step;
  const whole: TrainingGraph = {
    ...plain,
    graph: {
      ...step.graph,
      name: "probes",
      nodes: [...forward.nodes, ...record.nodes],
      constants: [...step.graph.constants, ...record.constants],
    },
    writes: [],
  };
  return {
    graph: emitGraph(part(whole, outputs)),
    layers: seen.map(({ path }, index) => ({ path, output: outputs[index]!.name })),
  };
}
