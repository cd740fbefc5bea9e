/** `--training` of compile and summary: the graphs of a training step, and what they need. */
import { join } from "node:path";
import type { Model } from "../compiler/model.js";
import type { ParameterValues } from "../compiler/emit/parameters.js";
import type { Recipe } from "../compiler/recipe.js";
import type { StateTensor, TrainingOptions } from "../compiler/training/contract.js";
import type { Memory } from "../compiler/training/memory.js";
import { InputFailure } from "./failure.js";
import { printReport } from "./report.js";
import { loadRecipe } from "./target.js";
import { byteSize, say } from "./terminal.js";

export interface TrainingRequest {
  readonly recipe?: string;
  readonly batch?: number | "dynamic";
  readonly opset?: number;
}

/** The optimiser of the paper's experiments, where no recipe is named. */
const DEFAULT_RECIPE = "cifar10";

interface Settings {
  readonly recipe: Recipe;
  readonly options: TrainingOptions;
}

async function settingsOf({ recipe: name, batch }: TrainingRequest): Promise<Settings> {
  const { recipeOptions } = await import("../compiler/training/from-recipe.js");
  const recipe = await loadRecipe(name ?? DEFAULT_RECIPE);
  const options = told(() => recipeOptions(recipe));
  return { recipe, options: typeof batch === "number" ? { ...options, batch } : options };
}

/** What `--json` says of the state. */
const shown = ({ name, shape, role }: StateTensor) => ({ name, shape, role });

/** The file of a training's first weights and statistics. */
const INITIAL = "initial.safetensors";

/** Writes train.onnx, gradients.onnx, update.onnx, evaluate.onnx, training.json and the first weights into a folder. */
export async function writeTraining(
  source: Model,
  folder: string,
  request: TrainingRequest & { readonly json?: boolean; readonly seed?: number },
  weights?: ParameterValues,
): Promise<void> {
  const { emitTraining } = await import("../compiler/training/emit.js");
  const { describeTraining } = await import("../compiler/training/describe.js");
  const { thawGroups } = await import("../compiler/training/from-recipe.js");
  const { trainingMemory } = await import("../compiler/training/memory.js");
  const { zeroInitResidual } = await import("../compiler/training/zero-init.js");
  const { valuesOf } = await import("../compiler/emit/parameters.js");
  const { makeFolder, writeWhole } = await import("../runtime/files.js");
  const { safetensorsChunks } = await import("../runtime/weights/write-safetensors.js");
  const { recipe, options } = await settingsOf(request);
  const model = recipe.zeroInitResidual ? told(() => zeroInitResidual(source)) : source;
  const { program, files } = told(() =>
    emitTraining(model, { ...options, ...(request.opset === undefined ? {} : { opset: request.opset }) }),
  );
  const description = describeTraining(model, program, {
    // With a batch of its own every step is an update.
    accumulate: typeof request.batch === "number" ? 1 : recipe.accumulate,
    initial: INITIAL,
    until: thawGroups(recipe).map(({ after, unit }) => ({ after, unit })),
  });
  const parameters = model.graph.parameters.map((parameter) => ({
    name: parameter.path,
    dtype: "float32" as const,
    shape: parameter.value.type.shape as readonly number[],
    data: () => valuesOf(parameter, weights, request.seed ?? 0),
  }));
  await makeFolder(folder);
  const written: { path: string; bytes: number }[] = [];
  const write = async (name: string, chunks: Iterable<Uint8Array>): Promise<void> => {
    let bytes = 0;
    const counted = function* (): Generator<Uint8Array> {
      for (const chunk of chunks) {
        bytes += chunk.byteLength;
        yield chunk;
      }
    };
    await writeWhole(join(folder, name), counted());
    written.push({ path: join(folder, name), bytes });
  };
  for (const [name, file] of files) await write(name, file.chunks);
  await write(INITIAL, safetensorsChunks(parameters, { format: "pt", "resnetc.network": model.name }));
  // Last: who finds it finds all that it names.
  await write("training.json", [Buffer.from(`${JSON.stringify(description, undefined, 2)}\n`)]);
  if (request.json) {
    const memory = trainingMemory(program.train);
    printReport({ network: model.name, files: written, memory, state: program.state.map(shown) });
  } else say(`wrote ${written.map(({ path, bytes }) => `${path} (${byteSize(bytes)})`).join(", ")}`);
}

/** What a training step takes, before anything runs. */
export async function memoryOfTraining(
  model: Model,
  request: TrainingRequest,
): Promise<Memory & { readonly batch: number }> {
  const { buildTraining } = await import("../compiler/training/build.js");
  const { trainingMemory } = await import("../compiler/training/memory.js");
  const { options } = await settingsOf(request);
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
