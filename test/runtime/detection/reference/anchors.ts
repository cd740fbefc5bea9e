/** The three anchor tables, and their places on a map. */
import type { Box } from "./boxes.js";

/** py-faster-rcnn (lib/rpn/generate_anchors.py): rounded on a base of 16 pixels, then scaled; by ratio, then by scale. */
export function paperAnchors(scales: readonly number[], ratios: readonly number[]): Box[] {
  return ratios.flatMap((ratio) => {
    const width = halfToEven(Math.sqrt(256 / ratio));
    const height = halfToEven(width * ratio);
    return scales.map((scale): Box => {
      const [x, y] = [0.5 * (width * scale - 1), 0.5 * (height * scale - 1)];
      return [7.5 - x, 7.5 - y, 7.5 + x, 7.5 + y];
    });
  });
}

/** Detectron2 (modeling/anchor_generator.py): not rounded, round the corner of a cell; by size, then by ratio. */
export function detectron2Anchors(sizes: readonly number[], ratios: readonly number[]): Box[] {
  return sizes.flatMap((size) =>
    ratios.map((ratio): Box => {
      const width = Math.sqrt(size ** 2 / ratio);
      const height = ratio * width;
      return [-width / 2, -height / 2, width / 2, height / 2];
    }),
  );
}

/** torchvision (models/detection/anchor_utils.py): corners rounded; by ratio, then by size. */
export function torchvisionAnchors(sizes: readonly number[], ratios: readonly number[]): Box[] {
  return ratios.flatMap((ratio) =>
    sizes.map((size): Box => {
      const [x, y] = [halfToEven(size / Math.sqrt(ratio) / 2), halfToEven((size * Math.sqrt(ratio)) / 2)];
      return [-x, -y, x, y];
    }),
  );
}

/** Anchors at each place of a map: by row, by column, then by anchor. */
export function placed(
  anchors: readonly Box[],
  map: { readonly height: number; readonly width: number },
  step: { readonly y: number; readonly x: number },
): Box[] {
  return Array.from({ length: map.height * map.width }, (_, i) => {
    const [x, y] = [(i % map.width) * step.x, Math.floor(i / map.width) * step.y];
    return anchors.map(([x1, y1, x2, y2]): Box => [x1 + x, y1 + y, x2 + x, y2 + y]);
  }).flat();
}

function halfToEven(value: number): number {
  const whole = Math.floor(value);
  if (value - whole !== 0.5) return Math.round(value);
  return whole % 2 === 0 ? whole : whole + 1;
}
