/**
 * What programs use of the runtime: `import { openClassifier } from "resnetc/runtime"`.
 *
 * @module resnetc/runtime
 */
export { fileHost } from "./host.js";
export { writeWhole, FileError, type Chunks, type WriteOptions } from "./files.js";
export { openSession, SessionError, type Session, type SessionOptions, type Values } from "./onnx/session.js";
export { type TensorSpec } from "./onnx/model-info.js";
export type { KernelTimes, Profile } from "./onnx/profile.js";
export { availability, DEVICES, type Availability, type Device, type DeviceRequest } from "./onnx/device.js";
export {
  openClassifier,
  type Classified,
  type Classifier,
  type ClassifierOptions,
  type ClassifyOptions,
  type Prediction,
} from "./classification/classifier.js";
export { ImageError, type Image } from "./images/image.js";
export type { Size } from "./images/image.js";
export type { ImageInput } from "./images/network-input.js";
export { imagesAt, type FoundImages } from "./images/places.js";
export type { ImageSource, MadeImage, NamedImage, NamedSource } from "./images/source.js";
export type { ScoreOutput } from "./classification/scores.js";
export type { ScoreKind } from "./classification/score-kind.js";
export { calibrate, type CalibrateOptions, type Calibration, type LayerError } from "./quantization/calibrate.js";
export { calibrationImages } from "./quantization/images.js";
export { type CalibrationMethod } from "./quantization/methods.js";
export { bench, type BenchOptions, type BenchResult, type LayerTime, type LineTime } from "./bench.js";
export {
  evaluateLabels,
  evaluateModel,
  type ClassAccuracy,
  type EvaluateOptions,
  type Evaluation,
  type Judgement,
  type Known,
  type LabelEvaluation,
  type Predicted,
  type Tallied,
} from "./classification/evaluate.js";
export type { F1, LabelScore, LabelScores } from "./classification/label-tally.js";
export { matchClasses, type ClassesBy, type ClassMatch, type NamedClasses } from "./data/class-match.js";
export { openPredictions, type PredictionsFile } from "./classification/predictions.js";
export { drawConfusion } from "./figures/confusion.js";
export * from "./data/index.js";
export { learnsMasks } from "./training/detection/masks.js";
export { train } from "./training/trainer.js";
export { openRanks } from "./parallel/open.js";
export { failedOn, groupOf } from "./parallel/agree.js";
export type { Group } from "./parallel/group.js";
export { ParallelError, type Combined, type Operation, type Ranks, type Traffic } from "./parallel/ranks.js";
export type { MpiOptions } from "./parallel/mpi/ranks.js";
export {
  type Exported,
  type GradientFormat,
  type RanksInfo,
  type TrainEvent,
  type TrainOptions,
  type TrainRequest,
  type TrainResult,
} from "./training/request.js";
export {
  findRate,
  type FindRateOptions,
  type FindRateRequest,
  type FoundRate,
  type RatePoint,
} from "./training/find-rate.js";
export { TrainingError } from "./training/error.js";
export type { RunFolder } from "./training/run-folder.js";
export type { TrainingLength } from "./training/schedule.js";
export type { Compared, Judged } from "./training/judge.js";
export { readMetrics, type Metrics, type StepMetrics, type ValidationMetrics } from "./training/metrics.js";
export { plot, type PlotOptions, type PlottedRun } from "./figures/plot.js";
export { figure, type FigureOptions } from "./figures/figure.js";
export { readModelInfo, type ModelInfo, type NodeInfo } from "./onnx/model-info.js";
export * from "./weights/index.js";
export * from "./detection/index.js";
