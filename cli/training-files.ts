/** `--training` of compile and summary: the graphs of a training step, and what they need. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { CompileTrainingOptions, Model, ParameterValues, Recipe, TrainingMemory } from "../compiler/index.js";
import { InputFailure } from "./failure.js";
import { printReport } from "./report.js";
import { loadRecipe } from "./target.js";
import { byteSize, log } from "./terminal.js";

export interface TrainingRequest {
  readonly recipe?: string;
  readonly batch?: number | "dynamic";
  readonly opset?: number;
}

/** The optimiser of the paper's experiments, where no recipe is named. */
const DEFAULT_RECIPE = "cifar10";

function recipeOf({ recipe }: TrainingRequest): Promise<Recipe> {
  return loadRecipe(recipe ?? DEFAULT_RECIPE);
}

/** A dynamic batch is none: all sizes of a training graph are numbers. */
function batchOf({ batch }: TrainingRequest): Pick<CompileTrainingOptions, "batch"> {
  return typeof batch === "number" ? { batch } : {};
}

/** Writes train.onnx, gradients.onnx, update.onnx, evaluate.onnx, training.json and the first weights into a folder. */
export async function writeTraining(
  model: Model,
  folder: string,
  request: TrainingRequest & { readonly json?: boolean; readonly seed?: number },
  weights?: ParameterValues,
): Promise<void> {
  const { compileTraining } = await import("../compiler/index.js");
  const { makeFolder, writeWhole } = await import("../runtime/files.js");
  const { writeSafetensors } = await import("../runtime/weights/write-safetensors.js");
  const { opset, seed } = request;
  const recipe = await recipeOf(request);
  const { files, initial, description, memory } = untrainable(() =>
    compileTraining(model, recipe, {
      ...batchOf(request),
      ...(opset === undefined ? {} : { opset }),
      ...(weights && { weights }),
      ...(seed === undefined ? {} : { seed }),
    }),
  );
  await makeFolder(folder);
  // The description is last, and the first weights before it: who finds it finds all that it names.
  const first = join(folder, description.initial);
  await writeSafetensors(first, initial, { format: "pt", "resnetc.network": model.name });
  for (const [name, { chunks }] of files) await writeWhole(join(folder, name), chunks);
  const written = [
    { path: first, bytes: (await stat(first)).size },
    ...[...files].map(([name, { byteLength }]) => ({ path: join(folder, name), bytes: byteLength })),
  ];
  if (request.json) {
    const state = description.state.map(({ name, shape, role }) => ({ name, shape, role }));
    printReport({ network: model.name, files: written, memory, state });
  } else log(`wrote ${written.map(({ path, bytes }) => `${path} (${byteSize(bytes)})`).join(", ")}`);
}

/** What a training step takes, before anything runs. */
export async function memoryOfTraining(
  model: Model,
  request: TrainingRequest,
): Promise<TrainingMemory & { readonly batch: number }> {
  const compiler = await import("../compiler/index.js");
  const recipe = await recipeOf(request);
  return untrainable(() => compiler.memoryOfTraining(model, recipe, batchOf(request)));
}

export function describeMemory(memory: TrainingMemory & { readonly batch: number }): string {
  const { batch, state, inputs, peak, at } = memory;
  return (
    `a training step of ${batch} images takes ${byteSize(state + inputs + peak)}: ${byteSize(state)} of weights and ` +
    `momenta, ${byteSize(inputs)} of images, ${byteSize(peak)} of activations and gradients (most at ${at})`
  );
}

/** What can't be trained so is a mistake in the input. */
function untrainable<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) throw new InputFailure(error.message);
    throw error;
  }
}
