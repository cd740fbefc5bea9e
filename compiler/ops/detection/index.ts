/** Operators that detectors are composed of, by the blocks of std/detection. */
import type { Operator } from "../operator.js";
import { ANCHORS } from "./anchors.js";
import { BOXES } from "./boxes.js";
import { CANDIDATES } from "./candidates.js";
import { DETECTIONS } from "./detections.js";
import { LEVELS } from "./levels.js";
import { MATCHING } from "./matching.js";
import { maskTargets } from "./mask_targets.js";
import { IMAGES } from "./images.js";
import { PROPOSAL_OPERATORS } from "./proposals.js";
import { RANKING } from "./ranking.js";
import { REGIONS } from "./regions.js";
import { roiAlign } from "./roi_align.js";
import { roiAlignGradient, roiPoolGradient } from "./roi_gradients.js";
import { roiPool } from "./roi_pool.js";
import { SAMPLING_OPERATORS } from "./sampling.js";
import { SUPPRESSION } from "./nms.js";
import { boxVote } from "./vote.js";

export const DETECTION_OPERATORS: readonly Operator[] = [
  ...[...IMAGES, ...ANCHORS, ...BOXES],
  ...[...RANKING, ...CANDIDATES, ...SUPPRESSION, ...REGIONS],
  ...[roiPool, roiAlign, roiPoolGradient, roiAlignGradient, ...LEVELS],
  ...[...DETECTIONS, boxVote, maskTargets, ...MATCHING, ...SAMPLING_OPERATORS, ...PROPOSAL_OPERATORS],
];
