/** `--training` of compile and summary: the graphs of a training step, and what they need. */
import { join } from "node:path";
import type { Model } from "../compiler/model.js";
import type { TrainingOptions } from "../compiler/training/contract.js";
import type { Memory } from "../compiler/training/memory.js";
import { InputFailure } from "./failure.js";
import { loadRecipe } from "./target.js";
import { byteSize, printJson, say } from "./terminal.js";

export interface TrainingRequest {
  readonly recipe?: string;
  readonly batch?: number | "dynamic";
  readonly opset?: number;
}

/** The optimiser of the paper's experiments, where no recipe is named. */
const DEFAULT_RECIPE = "cifar10";

async function optionsOf({ recipe, batch }: TrainingRequest): Promise<TrainingOptions> {
  const { recipeOptions } = await import("../compiler/training/from_recipe.js");
  const options = recipeOptions(await loadRecipe(recipe ?? DEFAULT_RECIPE));
  return typeof batch === "number" ? { ...options, batch } : options;
}

/** Writes train.onnx, gradients.onnx, update.onnx and evaluate.onnx into a folder. */
export async function writeTraining(
  model: Model,
  folder: string,
  request: TrainingRequest & { readonly json?: boolean },
): Promise<void> {
  const { emitTraining } = await import("../compiler/training/emit.js");
  const { trainingMemory } = await import("../compiler/training/memory.js");
  const { makeFolder, writeWhole } = await import("../runtime/files.js");
  const options = await optionsOf(request);
  const { program, files } = told(() =>
    emitTraining(model, { ...options, ...(request.opset === undefined ? {} : { opset: request.opset }) }),
  );
  await makeFolder(folder);
  const written: { path: string; bytes: number }[] = [];
  for (const [name, file] of files) {
    const path = join(folder, name);
    await writeWhole(path, file.chunks);
    written.push({ path, bytes: file.byteLength });
  }
  if (request.json) {
    const state = program.state.map(({ name, shape, role }) => ({ name, shape, role }));
    printJson({ schema: 1, network: model.name, files: written, memory: trainingMemory(program.train), state });
  } else say(`wrote ${written.map(({ path, bytes }) => `${path} (${byteSize(bytes)})`).join(", ")}`);
}

/** What a training step takes, before anything runs. */
export async function memoryOfTraining(
  model: Model,
  request: TrainingRequest,
): Promise<Memory & { readonly batch: number }> {
  const { buildTraining } = await import("../compiler/training/build.js");
  const { trainingMemory } = await import("../compiler/training/memory.js");
  const options = await optionsOf(request);
  return { batch: options.batch, ...trainingMemory(told(() => buildTraining(model, options)).train) };
}

export function describeMemory({ batch, state, inputs, peak, at }: Memory & { readonly batch: number }): string {
  return (
    `a training step of ${batch} images takes ${byteSize(state + inputs + peak)}: ${byteSize(state)} of weights and ` +
    `momenta, ${byteSize(inputs)} of images, ${byteSize(peak)} of activations and gradients (most at ${at})`
  );
}

/** What can't be trained so is a mistake in the input. */
function told<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) throw new InputFailure(error.message);
    throw error;
  }
}
