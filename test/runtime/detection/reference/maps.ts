/** What a region proposal network computes of one image, before it is boxes. */
import type { Delta } from "./boxes.js";

/** A map [C, height, width]. */
export interface Map3 {
  readonly height: number;
  readonly width: number;
  readonly values: ArrayLike<number>;
}

export function channels({ height, width, values }: Map3): number {
  return values.length / (height * width);
}

/** A channel's values in order of place. */
function channel({ height, width, values }: Map3, index: number): number[] {
  return Array.from({ length: height * width }, (_, i) => values[index * height * width + i]!);
}

/** One logit an anchor [A, height, width], in order of place and then anchor. */
export function logits(map: Map3): number[] {
  const each = Array.from({ length: channels(map) }, (_, anchor) => channel(map, anchor));
  return interleave(each);
}

/** py-faster-rcnn's two logits an anchor [2A, height, width], backgrounds first: the probabilities of the foreground. */
export function foregrounds(map: Map3): number[] {
  const anchors = channels(map) / 2;
  const each = Array.from({ length: anchors }, (_, anchor) => {
    const background = channel(map, anchor);
    return channel(map, anchors + anchor).map((logit, i) => 1 / (1 + Math.exp(background[i]! - logit)));
  });
  return interleave(each);
}

/** Four values an anchor [4A, height, width], an anchor's together, in order of place and then anchor. */
export function deltas(map: Map3): Delta[] {
  const each = Array.from({ length: channels(map) / 4 }, (_, anchor) => {
    const [dx, dy, dw, dh] = [0, 1, 2, 3].map((k) => channel(map, 4 * anchor + k));
    return dx!.map((value, i): Delta => [value, dy![i]!, dw![i]!, dh![i]!]);
  });
  return interleave(each);
}

function interleave<T>(columns: readonly (readonly T[])[]): T[] {
  return (columns[0] ?? []).flatMap((_, i) => columns.map((column) => column[i]!));
}

export function softmax(values: readonly number[]): number[] {
  const largest = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - largest));
  const sum = powers.reduce((all, power) => all + power, 0);
  return powers.map((power) => power / sum);
}

/** The four deltas of a class in a region's row of all. */
export function deltaOf(row: ArrayLike<number>, index: number): Delta {
  return [row[4 * index]!, row[4 * index + 1]!, row[4 * index + 2]!, row[4 * index + 3]!];
}
