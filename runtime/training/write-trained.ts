/** Files of what a training ends in. */
import type { Model } from "../../compiler/model.js";
import { writeWhole } from "../files.js";
import { trainedMetadata, type Trained } from "../weights/trained.js";
import { writeSafetensors } from "../weights/write-safetensors.js";
import { TrainingError } from "./error.js";
import { trainedModel } from "./export.js";
import type { RunFolder } from "./run-folder.js";

/** Writes `model.safetensors` and `model.onnx`, each whole or not at all. */
export async function writeTrained(
  run: RunFolder,
  model: Model,
  weights: ReadonlyMap<string, Float32Array>,
  trained: Trained,
): Promise<void> {
  const tensors = model.graph.parameters.map(({ path, value }) => ({
    name: path,
    dtype: "float32" as const,
    shape: value.type.shape as readonly number[],
    data: () => weights.get(path)!,
  }));
  // Whatever was averaged has its own names here.
  const metadata = trainedMetadata({ ...trained, prefix: "" }, "model.onnx");
  await writeSafetensors(run.weights, tensors, { format: "pt", ...metadata });
  const emitted = trainedModel(model, weights, trained);
  if (emitted.external) throw new TrainingError(`${model.name} is too large for ${run.model}: compile ${run.weights}`);
  await writeWhole(run.model, emitted.chunks);
}
