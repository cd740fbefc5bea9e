/** A detector as it is while it is trained: compiled with the weights of the moment, as its model will be, and opened. */
import { emitModel } from "../../../compiler/compile.js";
import { concat } from "../../../compiler/emit/onnx.js";
import type { Model, Preprocess } from "../../../compiler/model.js";
import { openDetector, type Detector, type DetectorOptions } from "../../detection/detector.js";
import { TrainingError } from "../error.js";

/** @throws {TrainingError} where it does not fit in one file */
export async function openTrained(
  model: Model,
  weights: ReadonlyMap<string, Float32Array>,
  preprocess: Preprocess,
  options: DetectorOptions,
): Promise<Detector> {
  const emitted = emitModel(model, { weights, preprocess, origin: { from: "training" } });
  if (emitted.external) throw new TrainingError(`${model.name} is too large to find anything while it is trained`);
  return openDetector(concat(emitted.chunks, emitted.byteLength), options);
}
