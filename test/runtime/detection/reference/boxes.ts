/** Boxes in float64, as the three detectors that ours are held against calculate with them. */

/** x1, y1, x2, y2. */
export type Box = readonly [x1: number, y1: number, x2: number, y2: number];

/** dx, dy, dw, dh. */
export type Delta = readonly [number, number, number, number];

/** An image: its size in the tensor and its own, in pixels, and the tensor's pixels to one of its own. */
export interface Info {
  readonly height: number;
  readonly width: number;
  readonly originalHeight: number;
  readonly originalWidth: number;
  readonly scaleY: number;
  readonly scaleX: number;
}

/** What a box's last coordinate adds to its width: 1 where it names the last pixel. */
export type One = 0 | 1;

export interface Coder {
  readonly one: One;
  /** Deltas are divided by these. */
  readonly weights: Delta;
  /** dw and dh at most; the logarithm of 1000/16 in Detectron's family. */
  readonly clamp: number;
}

export const CLAMP = Math.log(1000 / 16);

export function sides([x1, y1, x2, y2]: Box, one: One): { width: number; height: number } {
  return { width: x2 - x1 + one, height: y2 - y1 + one };
}

export function area(box: Box, one: One): number {
  const { width, height } = sides(box, one);
  return width * height;
}

/** Intersection over union; 0 of boxes that have no area. */
export function iou(a: Box, b: Box, one: One): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]) + one;
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]) + one;
  if (width <= 0 || height <= 0) return 0;
  return (width * height) / (area(a, one) + area(b, one) - width * height);
}

/**
 * The box that a delta makes of another. The last coordinate is the centre plus half the size in all three detectors,
 * in py-faster-rcnn too, whose sizes have one added: its decoding is not the inverse of its encoding.
 */
export function decode(box: Box, delta: Delta, { one, weights, clamp }: Coder): Box {
  const { width, height } = sides(box, one);
  const [dx, dy, dw, dh] = delta.map((value, i) => value / weights[i]!) as [number, number, number, number];
  const [x, y] = [box[0] + 0.5 * width + dx * width, box[1] + 0.5 * height + dy * height];
  const [w, h] = [width * Math.exp(Math.min(dw, clamp)), height * Math.exp(Math.min(dh, clamp))];
  return [x - 0.5 * w, y - 0.5 * h, x + 0.5 * w, y + 0.5 * h];
}

/** Clips to [0, width - one] and [0, height - one]. */
export function clip([x1, y1, x2, y2]: Box, height: number, width: number, one: One): Box {
  const [x, y] = [within(width - one), within(height - one)];
  return [x(x1), y(y1), x(x2), y(y2)];
}

function within(last: number): (value: number) => number {
  return (value) => Math.max(0, Math.min(last, value));
}

/** Times the factors. */
export function scale([x1, y1, x2, y2]: Box, y: number, x: number): Box {
  return [x1 * x, y1 * y, x2 * x, y2 * y];
}

export function isFinite(box: Box): boolean {
  return box.every(Number.isFinite);
}
