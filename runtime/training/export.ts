/** What a training ends in: the weights, and the model that classifies. */
import { emitModel } from "../../compiler/compile.js";
import type { EmittedModel } from "../../compiler/emit/onnx.js";
import { subtractingMean } from "../../compiler/mean-image.js";
import type { Model } from "../../compiler/model.js";
import type { Trained } from "../weights/trained.js";
import type { Values } from "./engine.js";

/** The network's parameters among a state; the averages of them where the state has those. */
export function trainedWeights(model: Model, state: Values): ReadonlyMap<string, Float32Array> {
  return new Map(model.graph.parameters.map(({ path }) => [path, state.get(`ema.${path}`) ?? state.get(path)!]));
}

/** The model with these weights, which preprocesses and names as it was trained. */
export function trainedModel(
  model: Model,
  weights: ReadonlyMap<string, Float32Array>,
  { meanImage, labels, preprocess }: Pick<Trained, "meanImage" | "labels" | "preprocess">,
): EmittedModel {
  const whole = meanImage ? subtractingMean(model, meanImage) : model;
  return emitModel(whole, { weights, labels, preprocess, origin: { from: "training" } });
}
