/** `--training` of compile and summary: the graphs of a training step, and what they need. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Device } from "../compiler/device.js";
import type { CompileTrainingOptions, Model, ParameterValues, Recipe, TrainingMemory } from "../compiler/index.js";
import type { InputShape } from "./arguments.js";
import { InputFailure, UsageFailure } from "./failure.js";
import { printReport } from "./report.js";
import { loadModel, loadPhase } from "./target.js";
import { byteSize, log } from "./terminal.js";

export interface TrainingRequest {
  readonly recipe?: string;
  readonly phase?: string;
  readonly batch?: number | "dynamic";
  readonly opset?: number;
  readonly device?: "any" | Device;
  /** Of a detector: the canvas. */
  readonly size?: readonly [height: number, width: number];
}

/**
 * What is trained by graphs of images of one size. A detector's `--input` is of those alone, for it finds objects in images of
 * any.
 *
 * @param model as it was loaded with that input
 */
export async function forTraining(
  target: string,
  model: Model,
  input: InputShape | undefined,
): Promise<{ readonly model: Model } & Pick<TrainingRequest, "size">> {
  if (model.detection === undefined) return { model };
  if (input === undefined && model.graph.inputs[0]!.value.type.shape.slice(2).some((dim) => typeof dim !== "number")) {
    throw new UsageFailure(
      `${model.name} takes images of any size, and a training graph those of one: --input 3x480x640`,
    );
  }
  const [, height, width] = input ?? [];
  if (typeof height !== "number" || typeof width !== "number") return { model };
  return { model: await loadModel(target, { quiet: true }), size: [height, width] };
}

/** The optimiser of the paper's experiments, where no recipe is named. */
const DEFAULT_RECIPE = "cifar10";

function recipeOf({ recipe, phase }: TrainingRequest): Promise<Recipe> {
  return loadPhase(recipe ?? DEFAULT_RECIPE, phase);
}

/** A dynamic batch is none: all sizes of a training graph are numbers. */
function settingsOf({
  batch,
  size,
  device,
}: TrainingRequest): Pick<CompileTrainingOptions, "batch" | "size" | "device"> {
  return {
    ...(typeof batch === "number" && { batch }),
    ...(size && { size }),
    ...(device !== undefined && device !== "any" && { device }),
  };
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
      ...settingsOf(request),
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
  return untrainable(() => compiler.memoryOfTraining(model, recipe, settingsOf(request)));
}

export function describeMemory(memory: TrainingMemory & { readonly batch: number }): string {
  const { batch, state, inputs, peak, at, objects, proposals } = memory;
  const rows = [
    ...(objects === undefined ? [] : [`${objects} objects`]),
    ...(proposals === undefined ? [] : [`${proposals} proposals`]),
  ];
  const counted = rows.length === 0 ? "" : `; counted with ${rows.join(" and ")} an image`;
  return (
    `a training step of ${batch} images takes ${byteSize(state + inputs + peak)}: ${byteSize(state)} of weights and ` +
    `momenta, ${byteSize(inputs)} of images, ${byteSize(peak)} of activations and gradients (most at ${at}${counted})`
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
