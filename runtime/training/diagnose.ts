/** Where a number that is none appears first. */
import type { TrainingProgram } from "../../compiler/training/contract.js";
import { forwardProbes } from "../../compiler/training/probes.js";
import type { Engine, StepInput } from "./engine.js";

/** Where nothing before the loss is. */
export const NOWHERE = "the loss";

/** In words: `the output of conv3.2.conv1`, `the weights conv1.weight`, `the batch`. */
export async function firstNotFinite(engine: Engine, program: TrainingProgram, input: StepInput): Promise<string> {
  if (!input.images.every(Number.isFinite)) return "the batch itself";
  const state = await engine.getState();
  for (const { name, role } of program.state) {
    if (!state.get(name)!.every(Number.isFinite)) return `the ${role} ${name}, made by the update before`;
  }
  const phase = input.phase === undefined ? undefined : program.phases[input.phase];
  const { graph, layers } = forwardProbes((phase ?? program).gradients);
  const sums = await engine.probe(graph, input);
  const first = layers.find(({ output }) => !Number.isFinite(sums.get(output)));
  return first === undefined ? NOWHERE : `the output of ${first.path}`;
}
