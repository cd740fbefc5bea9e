/** What programs use of detection. */
export {
  DetectionError,
  fromInclusiveCorners,
  type Box,
  type Category,
  type Detection,
  type DetectionData,
  type GroundTruth,
  type AnnotatedImage,
} from "./records.js";
export {
  openDetector,
  type Detected,
  type DetectedObject,
  type Detector,
  type DetectorOptions,
  type DetectOptions,
} from "./detector.js";
export {
  AREA_RANGES,
  evaluateCoco,
  IOU_THRESHOLDS,
  RECALLS,
  type CocoClass,
  type CocoEvaluation,
  type CocoNumbers,
} from "./evaluate/coco.js";
export {
  evaluateVoc,
  type EvaluateVocOptions,
  type VocClass,
  type VocEvaluation,
  type VocMetric,
} from "./evaluate/voc.js";
export { parseCocoAnnotations, readCocoAnnotations } from "../data/sources/coco/annotations.js";
export { parseCocoDetections, readCocoDetections, type Detections } from "./coco-detections.js";
export {
  parseVocXml,
  readVocFolder,
  VOC_CLASSES,
  type VocObject,
  type VocOptions,
  type VocImage,
} from "../data/sources/voc/annotations.js";
export { locateImages, imageFolder, readAnnotations, type LocatedImages } from "../data/sources/annotated/index.js";
export type { Annotated } from "./evaluate/group.js";
export { detectData, type DetectDataOptions, type DetectedData } from "./run.js";
export { matchCategories, toDetections, type CategoryMatch } from "./categories.js";
export { writeCocoAnnotations, writeCocoDetections, type WrittenDetection } from "./write.js";
export { drawDetections, type DrawOptions, type Mark } from "./overlay/index.js";
export { drawCocoCurves, drawVocCurves } from "../figures/detection-curves.js";
export { SCENES_FIRST, scenesTestSet } from "../data/sources/synthetic/scenes/test-set.js";
export {
  drawScenes,
  SCENE_CATEGORIES,
  writeScenes,
  type DrawnImage,
  type ScenesOptions,
} from "../data/sources/synthetic/scenes/index.js";
