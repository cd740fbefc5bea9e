/** What a training ends in: the weights, and the model that classifies. */
import { emitModel } from "../../compiler/compile.js";
import { subtractingMean } from "../../compiler/mean-image.js";
import type { Model } from "../../compiler/model.js";
import { writeWhole } from "../files.js";
import { trainedMetadata, type Trained } from "../weights/trained.js";
import { writeSafetensors } from "../weights/write-safetensors.js";
import type { Values } from "./engine.js";
import { TrainingError } from "./error.js";
import type { RunFolder } from "./run-folder.js";

/** The network's parameters among a state; the averages of them where the state has those. */
export function trainedWeights(model: Model, state: Values): ReadonlyMap<string, Float32Array> {
  return new Map(model.graph.parameters.map(({ path }) => [path, state.get(`ema.${path}`) ?? state.get(path)!]));
}

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
  const { meanImage, labels, preprocess } = trained;
  const whole = meanImage ? subtractingMean(model, meanImage) : model;
  const emitted = emitModel(whole, { weights, labels, preprocess, origin: { from: "training" } });
  if (emitted.external) throw new TrainingError(`${model.name} is too large for ${run.model}: compile ${run.weights}`);
  await writeWhole(run.model, emitted.chunks);
}
