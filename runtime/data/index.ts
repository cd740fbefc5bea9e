/** Data sets, augmentation and loading: what training and evaluation use. */
export { balancedWeights, classCounts } from "./balanced.js";
export { checkClasses, evaluationSplit, subset, type DataSet, type Split } from "./data-set.js";
export { DataError } from "./error.js";
export { Loader, type Batch, type EvaluationBatches, type LoaderOptions, type TrainingBatches } from "./loader.js";
export { measureStatistics, type MeasureOptions } from "./measure.js";
export { openDataSet, type OpenOptions } from "./open.js";
export { batchesPerEpoch } from "./order.js";
export {
  preparePipeline,
  steadyTransforms,
  type LazyImage,
  type Pipeline,
  type PipelineOptions,
  type SampleKey,
} from "../images/transforms/pipeline.js";
export type { Raster } from "../images/transforms/raster.js";
export type { SampleReference } from "./sample.js";
export type { Shrink } from "../images/transforms/frame.js";
export type { FileReference } from "./sources/image-file.js";
export type { RecordReference } from "./sources/cifar/record.js";
export type { ShapesReference } from "./sources/synthetic/shapes/sample.js";
export type { HeldOut, HeldOutChoice } from "./sources/held-out.js";
export { openCifar, type CifarOptions } from "./sources/cifar/index.js";
export { ARCHIVES, verifyArchive } from "./sources/cifar/checksum.js";
export { openFolders, type FolderOptions } from "./sources/folders/index.js";
export { openShapes, type ShapesOptions } from "./sources/synthetic/shapes/index.js";
export { loadStatistics, saveStatistics, type Statistics } from "./statistics.js";
export { TRANSFORMS, type Transform, type TransformInfo, type TransformSettings } from "../images/transforms/index.js";
