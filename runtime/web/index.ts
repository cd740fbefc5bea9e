/**
 * What pages use of the runtime: `import { openClassifier } from "resnetc/web"`. It has no Node API, and shares with
 * `resnetc/runtime` everything but files, threads and decoders. ONNX Runtime Web is loaded when the first model is opened.
 *
 * @module resnetc/web
 */
export {
  openClassifier,
  openDetector,
  type WebClassifierOptions,
  type WebDetectorOptions,
  type WebModel,
} from "./models.js";
export type { OnnxRuntimeWeb, WebOptions } from "./options.js";
export { imageOf, readImage, type CanvasPixels } from "./images.js";
export { openImages, type ImageClass, type ImagesOptions } from "./data.js";
export { openShapes, type ShapesOptions } from "../data/sources/synthetic/shapes/index.js";
export { train, type SavedTraining, type WebTrainOptions, type WebTrainRequest, type WebTrainResult } from "./train.js";
export { evaluate, type WebEvaluateOptions } from "./evaluate.js";
export { loadWeights, writeWeights } from "./weights.js";
export { preprocessImage } from "../images/views.js";
export type { Planes } from "../images/planes.js";
export { figure, type FigureOptions } from "../figures/figure.js";
export { drawConfusion } from "../figures/confusion.js";
export type {
  Classified,
  Classifier,
  ClassifierOptions,
  ClassifyOptions,
  Prediction,
} from "../classification/classify.js";
export type { ClassAccuracy, Tallied } from "../classification/tally.js";
export type { Detected, DetectedObject, Detector, DetectorOptions, DetectOptions } from "../detection/detect.js";
export { DataError } from "../data-error.js";
export { ImageError, type Image, type Size } from "../images/image.js";
export type { ImageSource, MadeImage, NamedImage, NamedSource } from "../images/source.js";
export { SessionError } from "../onnx/session-error.js";
export type { Session, Values } from "../onnx/session-types.js";
export { TrainingError } from "../training/error.js";
export type { Metrics, StepMetrics, ValidationMetrics } from "../training/metrics.js";
export type { Exported, GradientFormat, RanksInfo, TrainEvent } from "../training/request.js";
export type { LoadedWeights, LoadWeightsOptions, WeightsReport } from "../weights/fit.js";
export { WeightsError } from "../weights/source.js";
