/** The weights that a training began with, for phases that begin with them again. */
import { valuesOf } from "../../compiler/emit/parameters.js";
import type { PlannedPhase } from "../../compiler/training/phase-plan.js";
import { existsSync } from "node:fs";
import { openWeights } from "../weights/open.js";
import { writeSafetensors } from "../weights/write-safetensors.js";
import { TrainingError } from "./error.js";
import type { Session } from "./one-phase.js";

/**
 * Values that were not given follow from the seed, and need not be kept. What is kept already stays: it is what the training began
 * with, if it is taken up again before its first checkpoint.
 */
export async function keepInitial(
  { request, options, model, run }: Pick<Session, "request" | "options" | "model" | "run">,
  phases: readonly PlannedPhase[],
): Promise<void> {
  const { weights } = options;
  if (weights === undefined || !phases.slice(1).some(({ recipe }) => recipe.beginsAnew)) return;
  if (existsSync(run.initial)) return;
  await writeSafetensors(
    run.initial,
    model.graph.parameters.map((parameter) => ({
      name: parameter.path,
      dtype: "float32" as const,
      shape: parameter.value.type.shape as readonly number[],
      data: () => valuesOf(parameter, weights, request.recipe.seed),
    })),
    { format: "pt", "resnetc.network": model.name },
  );
}

/** Undefined where none were kept: they are those that the training was given, or follow from the seed. */
export async function readInitial({
  model,
  run,
}: Pick<Session, "model" | "run">): Promise<ReadonlyMap<string, Float32Array> | undefined> {
  if (!existsSync(run.initial)) return undefined;
  const source = await openWeights(run.initial);
  try {
    return new Map(
      model.graph.parameters.map(({ path }) => {
        if (!source.tensors.has(path))
          throw new TrainingError(`${run.initial}: has no ${path}: it is of another network`);
        return [path, source.read(path)];
      }),
    );
  } finally {
    source.close();
  }
}
