/** Where a number that is none appears first. */
import { dropDeadCode } from "../../compiler/passes/drop-dead-code.js";
import type { NamedValue } from "../../compiler/ir/types.js";
import { formula } from "../../compiler/ops/formula.js";
import type { TrainingGraph, TrainingProgram } from "../../compiler/training/contract.js";
import { recorder } from "../../compiler/ops/recorder.js";
import type { Engine, StepInput } from "./engine.js";
import { emit, part, type EmittedGraph } from "./graphs.js";

/** In words: `the output of conv3.2.conv1`, `the weights conv1.weight`, `the batch`. */
export async function firstNotFinite(engine: Engine, program: TrainingProgram, input: StepInput): Promise<string> {
  if (!input.images.every(Number.isFinite)) return "the batch itself";
  const state = await engine.getState();
  for (const { name, role } of program.state) {
    if (!state.get(name)!.every(Number.isFinite)) return `the ${role} ${name}, made by the update before`;
  }
  const phase = input.phase === undefined ? undefined : program.phases[input.phase];
  const { graph, paths } = probes((phase ?? program).gradients);
  const sums = await engine.probe(graph, input);
  const first = paths.findIndex((_, index) => !Number.isFinite(sums.get(probeName(index))));
  return first < 0 ? "the loss" : `the output of ${paths[first]!}`;
}

const probeName = (index: number): string => `probe.${index}`;

/** The forward pass, with one number for each of its layers: the mean, which is finite only if everything is. */
function probes(step: TrainingGraph): { readonly graph: EmittedGraph; readonly paths: readonly string[] } {
  const loss = step.graph.outputs.filter(({ name }) => name === "loss");
  const forward = dropDeadCode.run({ ...step.graph, outputs: loss }, {});
  const record = recorder({ path: "probe" });
  const f = formula(record);
  const seen = forward.nodes.flatMap((node) => {
    const [output] = node.outputs;
    return output && /^float/.test(output.type.dtype) ? [{ path: node.path, output }] : [];
  });
  const outputs = seen.map(({ output }, index): NamedValue => {
    const wide = output.type.dtype === "float32" ? output : f.apply("cast", [output], { to: "float32" });
    const axes = output.type.shape.map((_, axis) => axis);
    return { name: probeName(index), value: axes.length === 0 ? f.affine(wide, 1) : f.mean(wide, axes) };
  });
  const whole: TrainingGraph = {
    ...step,
    graph: {
      ...step.graph,
      name: "probes",
      nodes: [...forward.nodes, ...record.nodes],
      constants: [...step.graph.constants, ...record.constants],
    },
    writes: [],
  };
  return { graph: emit(part(whole, outputs)), paths: seen.map(({ path }) => path) };
}
