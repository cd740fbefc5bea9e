/** Data sets, augmentation and loading: what training and evaluation use. */
export { balancedWeights, classCounts } from "./balanced.js";
export {
  checkClasses,
  classesOfObjects,
  classifierData,
  evaluationSplit,
  isAnnotated,
  isLabelled,
  isMultiLabel,
  subset,
  type AnnotatedSplit,
  type ClassifiedSplit,
  type DataSet,
  type LabelledSplit,
  type MultiLabelSplit,
  type Split,
} from "./data-set.js";
export { DataError } from "../data-error.js";
export {
  Loader,
  type Batch,
  type DetectionBatch,
  type DetectionBatches,
  type EvaluationBatches,
  type LoaderOptions,
  type TrainingBatches,
} from "./loader.js";
export type { BatchBoxes, BatchMasks, BatchObjects, KnownObjects } from "./detection/batch.js";
export type { KeptProposals } from "./detection/proposals.js";
export type { BatchShare } from "./shared-plan.js";
export type { DetectionImage } from "./detection/reader.js";
export { measureStatistics, type MeasureOptions } from "./measure.js";
export { openDataSet, type OpenOptions } from "./open.js";
export type { SplitName } from "./reader.js";
export {
  fromInclusiveCorners,
  type AnnotatedImage,
  type Annotations,
  type Box,
  type Category,
  type Detection,
  type GroundTruth,
} from "./objects.js";
export { areaOf, boxOf, eachRun, type Mask } from "./masks/mask.js";
export { maskOf, type ObjectMask, type Outline } from "./masks/outline.js";
export { readMask, writeMask, type MaskText } from "./masks/text.js";
export { batchesPerEpoch } from "./order.js";
export {
  preparePipeline,
  deterministicTransforms,
  type Begun,
  type LazyImage,
  type Pipeline,
  type PipelineOptions,
  type SampleKey,
  type Transformed,
} from "../images/transforms/pipeline.js";
export type { ImageInfo, PlacedBox } from "../images/transforms/boxes.js";
export type { Raster } from "../images/transforms/raster.js";
export type { SampleReference } from "./sample.js";
export type { Shrink } from "../images/transforms/frame.js";
export type { BytesReference, FileReference } from "./sources/image-file.js";
export type { PixelsReference } from "./sources/pixels/sample.js";
export type { RecordReference } from "./sources/cifar/record.js";
export type { ShapesReference } from "./sources/synthetic/shapes/sample.js";
export type { HeldOut, HeldOutChoice } from "./sources/held-out.js";
export { openCifar, type CifarOptions } from "./sources/cifar/index.js";
export { ARCHIVES, verifyArchive } from "./sources/cifar/checksum.js";
export { openFolders, type FolderOptions } from "./sources/folders/index.js";
export { openLabelsFile, type LabelsFileOptions } from "./sources/labels/index.js";
export { openShapes, type ShapesOptions } from "./sources/synthetic/shapes/index.js";
export { locateImages, imageFolder, readAnnotations, type LocatedImages } from "./sources/annotated/index.js";
export type { DivideOptions } from "./divided.js";
export type { DivisionOption, ImagesOption } from "./sources/annotated/split.js";
export { openCoco } from "./sources/coco/index.js";
export { parseCocoAnnotations, readCocoAnnotations, type CocoOptions } from "./sources/coco/annotations.js";
export { parseCocoDetections, readCocoDetections, type Detections } from "./sources/coco/detections.js";
export { writeCocoAnnotations, writeCocoDetections, type WrittenDetection } from "./sources/coco/write.js";
export { openVoc } from "./sources/voc/index.js";
export {
  parseVocXml,
  readVocFolder,
  VOC_CLASSES,
  type VocObject,
  type VocOptions,
  type VocImage,
} from "./sources/voc/annotations.js";
export { openScenes, SCENES_FIRST, type ScenesDataOptions } from "./sources/synthetic/scenes/index.js";
export type { SceneSize } from "./sources/synthetic/scenes/draw.js";
export type { ScenesReference } from "./sources/synthetic/scenes/sample.js";
export {
  drawScenes,
  SCENE_CATEGORIES,
  type DrawnImage,
  type SceneNumber,
  type ScenesOptions,
} from "./sources/synthetic/scenes/scenes.js";
export { writeScenes } from "./sources/synthetic/scenes/write.js";
export type { Statistics } from "../images/statistics.js";
export { loadStatistics, saveStatistics } from "./statistics.js";
export { TRANSFORMS, type Transform, type TransformInfo, type TransformSettings } from "../images/transforms/index.js";
