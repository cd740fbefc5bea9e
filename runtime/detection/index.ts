/** What programs use of detection. */
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
  withoutMasks,
  type CocoClass,
  type CocoEvaluation,
  type CocoNumbers,
} from "./evaluate/coco.js";
export type { IouType } from "./evaluate/coco-match.js";
export {
  evaluateVoc,
  type EvaluateVocOptions,
  type VocClass,
  type VocEvaluation,
  type VocMetric,
} from "./evaluate/voc.js";
export type { Annotated } from "./evaluate/group.js";
export { detectData, type DetectDataOptions, type DetectedData } from "./run.js";
export { matchCategories, toDetections, type CategoryMatch } from "./categories.js";
export { maskInImage, pasteMask, type Corners, type MaskGrid, type PastedMask } from "./paste.js";
export { drawDetections, type DrawOptions, type Mark } from "./overlay/index.js";
export { drawCocoCurves, drawVocCurves } from "../figures/detection-curves.js";
