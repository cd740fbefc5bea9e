/** Anchors as their sources print them: x1, y1, x2, y2. */

/** py-faster-rcnn, lib/rpn/generate_anchors.py, less 1, its table being MATLAB's: scales 8, 16 and 32 of each ratio. */
export const PAPER_ANCHORS = [
  [-84, -40, 99, 55],
  [-176, -88, 191, 103],
  [-360, -184, 375, 199],
  [-56, -56, 71, 71],
  [-120, -120, 135, 135],
  [-248, -248, 263, 263],
  [-36, -80, 51, 95],
  [-80, -168, 95, 183],
  [-168, -344, 183, 359],
];

/** Those of scale 4, which its COCO models have before them. */
export const PAPER_COCO_ANCHORS = [
  [-38, -16, 53, 31],
  [-24, -24, 39, 39],
  [-14, -36, 29, 51],
];

/** torchvision's of 32 pixels: 32 / sqrt(0.5) / 2 = 22.63 and 32 * sqrt(0.5) / 2 = 11.31. */
export const TORCHVISION_ANCHORS = [
  [-23, -11, 23, 11],
  [-16, -16, 16, 16],
  [-11, -23, 11, 23],
];
