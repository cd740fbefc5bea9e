/**
 * What the detection operators give, again, in float64 and plain loops over rows: from the sources that the operators
 * name. Boxes by themselves are those of the detectors' own reference (test/runtime/detection/reference/).
 */
import type { Attributes } from "../../../../compiler/ir/types.js";
import {
  clip,
  decode,
  iou,
  scale,
  sides,
  type Box,
  type Delta,
  type One,
} from "../../../runtime/detection/reference/boxes.js";
import { LOWEST } from "./samples.js";
import type { Tensor } from "./run.js";

export type Rows = readonly (readonly number[])[];

/** The last axis: [..., k] to rows of k. */
export function rowsOf({ shape, data }: Tensor, length = shape.at(-1)!): number[][] {
  return Array.from({ length: length === 0 ? 0 : data.length / length }, (_, row) =>
    data.slice(row * length, (row + 1) * length),
  );
}

export const boxesOf = (tensor: Tensor): Box[] => rowsOf(tensor) as unknown as Box[];

export function tensor(shape: readonly number[], data: readonly number[]): Tensor {
  return { shape, data, dtype: "float32" };
}

export function integers(shape: readonly number[], data: readonly number[]): Tensor {
  return { shape, data, dtype: "int64" };
}

export const one = (attributes: Attributes): One => (attributes["inclusive"] === true ? 1 : 0);

/** A row of `b` for each row of `a`, where b's leading sizes of 1 stand for any. */
export function paired(a: Tensor, b: Tensor): readonly (readonly [number[], number[]])[] {
  const [shapeA, shapeB] = [a.shape.slice(0, -1), b.shape.slice(0, -1)];
  const shape = shapeA.map((size, axis) => (size === 1 ? shapeB[axis]! : size));
  const [rowsA, rowsB] = [rowsOf(a), rowsOf(b)];
  const at = (own: readonly number[], index: readonly number[]): number =>
    own.reduce((flat, size, axis) => flat * size + (size === 1 ? 0 : index[axis]!), 0);
  return indicesOf(shape).map((index) => [rowsA[at(shapeA, index)]!, rowsB[at(shapeB, index)]!] as const);
}

/** Every index into a shape, in order. */
export function indicesOf(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (all, size) => all.flatMap((index) => Array.from({ length: size }, (_, next) => [...index, next])),
    [[]],
  );
}

export function decoded(from: readonly number[], delta: readonly number[], attributes: Attributes): Box {
  const clamp = attributes["clamp"] as number;
  const coder = {
    one: one(attributes),
    weights: attributes["weights"] as unknown as Delta,
    clamp: clamp === 0 ? Infinity : clamp,
  };
  const [x1, y1, x2, y2] = decode(from as unknown as Box, delta as unknown as Delta, coder);
  const last = attributes["last_pixel"] === true ? 1 : 0;
  return [x1, y1, x2 - last, y2 - last];
}

export function encoded(from: readonly number[], to: readonly number[], attributes: Attributes): number[] {
  const [a, b] = [from, to].map((box) => sides(box as unknown as Box, one(attributes))) as [Sides, Sides];
  const [wx, wy, ww, wh] = attributes["weights"] as Delta;
  return [
    (wx * (to[0]! + b.width / 2 - from[0]! - a.width / 2)) / a.width,
    (wy * (to[1]! + b.height / 2 - from[1]! - a.height / 2)) / a.height,
    ww * Math.log(b.width / a.width),
    wh * Math.log(b.height / a.height),
  ];
}

type Sides = ReturnType<typeof sides>;

export function clipped(box: readonly number[], [height, width]: readonly number[], attributes: Attributes): Box {
  return clip(box as unknown as Box, height!, width!, one(attributes));
}

export function scaled(box: readonly number[], [y, x]: readonly number[], attributes: Attributes): Box {
  const factor = (by: number): number => (attributes["divide"] === true ? 1 / by : by);
  return scale(box as unknown as Box, factor(y!), factor(x!));
}

/** Whether a box's score stays. */
export function largeEnough(box: readonly number[], minimum: number, attributes: Attributes): boolean {
  const { width, height } = sides(box as unknown as Box, one(attributes));
  if (!box.every(Number.isFinite)) return false;
  return attributes["strict"] === true ? width > minimum && height > minimum : width >= minimum && height >= minimum;
}

/** Corners the right way round: as ONNX sees a box. */
function turned([x1, y1, x2, y2]: Box, pixel: One): Box {
  const [right, bottom] = [x2 + pixel, y2 + pixel];
  return [Math.min(x1, right), Math.min(y1, bottom), Math.max(x1, right), Math.max(y1, bottom)];
}

/** Indices of the boxes that stay, best first: none that overlaps one before it by more than `threshold`. */
export function suppressed(boxes: readonly Box[], scores: readonly number[], threshold: number, pixel: One): number[] {
  const kept: number[] = [];
  for (const index of ranked(scores)) {
    const own = turned(boxes[index]!, pixel);
    if (kept.every((better) => !(iou(turned(boxes[better]!, pixel), own, 0) > threshold))) kept.push(index);
  }
  return kept;
}

/** Indices, the highest score first, equals in their order. */
export function ranked(scores: readonly number[]): number[] {
  return scores.map((_, index) => index).sort((a, b) => scores[b]! - scores[a]! || a - b);
}

export const isIn = (score: number): boolean => score > LOWEST * 0.99;

/** Detections image by image and class by class: image, class, row and score of each. */
export function classDetections(
  boxes: Tensor,
  scores: Tensor,
  regions: Tensor,
  images: number,
  attributes: Attributes,
): { readonly picks: number[][]; readonly scores: number[] } {
  const [rows, classes] = scores.shape as [number, number];
  const [all, imageOf] = [boxesOf(boxes), rowsOf(regions).map(([image]) => image!)];
  const picks = indicesOf([images, classes]).flatMap(([image, label]) => {
    const at = (row: number): number => row * classes + label!;
    const candidates = Array.from({ length: rows }, (_, row) => row).filter((row) => {
      const score = scores.data[at(row)]!;
      const real = Number.isFinite(score) && all[at(row)]!.every(Number.isFinite);
      return imageOf[row] === image && real && isIn(score) && score > (attributes["threshold"] as number);
    });
    const kept = suppressed(
      candidates.map((row) => all[at(row)]!),
      candidates.map((row) => scores.data[at(row)]!),
      attributes["iou"] as number,
      one(attributes),
    );
    return kept.map((index) => [image!, label!, candidates[index]!]);
  });
  return { picks, scores: picks.map(([, label, row]) => scores.data[row! * classes + label!]!) };
}

/** The mean of the candidates of a detection's class and image that overlap it, by their scores. */
export function voted(
  boxes: Tensor,
  scores: Tensor,
  regions: Tensor,
  [image, label, row]: readonly number[],
  attributes: Attributes,
): Box {
  const classes = scores.shape[1]!;
  const all = boxesOf(boxes);
  const own = all[row! * classes + label!]!;
  const [sums, total] = [[0, 0, 0, 0], { weight: 0 }];
  rowsOf(regions).forEach(([of], candidate) => {
    const box = all[candidate * classes + label!]!;
    const score = scores.data[candidate * classes + label!]!;
    if (of !== image || !(score > (attributes["threshold"] as number))) return;
    if (!(iou(own, box, one(attributes)) >= (attributes["iou"] as number))) return;
    const weight = Math.max(0, score + (attributes["offset"] as number));
    total.weight += weight;
    box.forEach((corner, axis) => (sums[axis]! += weight * corner));
  });
  return total.weight > 0 ? (sums.map((sum) => sum / total.weight) as unknown as Box) : own;
}
