/**
 * What engines that compute shares of a batch add up for an update, one behind the other in one array: the gradients, the next
 * running statistics, and the loss with what is told beside it. Each gives its own times its share of the images. Behind them is room
 * for what those tell one another that do the adding up.
 */
import { lossOfName } from "../../compiler/ir/names.js";
import { sizeOf } from "../../compiler/training/held.js";
import type { TrainingGraphs } from "../../compiler/training/graphs.js";

/** Where in the array a tensor is. */
export interface Place {
  readonly name: string;
  readonly shape: readonly number[];
  readonly start: number;
  readonly length: number;
}

export interface Sums {
  readonly gradients: readonly Place[];
  /** By the names of what is held. */
  readonly statistics: readonly Place[];
  /** Single numbers: `loss`, `loss.NAME`, and how many are `correct`. */
  readonly numbers: readonly Place[];
  /** How many engines failed, and how many were asked to stop: an engine itself leaves these as they are. */
  readonly failed: Place;
  readonly asked: Place;
  readonly length: number;
}

/** @param phase default: the last */
export function sumsOf({ phases, held }: Pick<TrainingGraphs, "phases" | "held">, phase = phases.length - 1): Sums {
  const { step, accumulate } = phases[phase]!;
  if (accumulate === undefined) throw new TypeError("these graphs make a whole update");
  const shapes = new Map(held.map(({ name, shape }) => [name, shape]));
  let length = 0;
  const place = (name: string, shape: readonly number[]): Place => {
    const start = length;
    length += sizeOf(shape);
    return { name, shape, start, length: length - start };
  };
  const gradients = accumulate.gradients.map(({ gradient, shape }) => place(gradient, shape));
  const statistics = step.writes.map((name) => place(name, shapes.get(name)!));
  const isNumber = (name: string): boolean => name === "loss" || name === "correct" || lossOfName(name) !== undefined;
  const numbers = (step.numbers ?? step.outputs).filter(isNumber).map((name) => place(name, []));
  const [failed, asked] = [place("failed", []), place("asked", [])];
  return { gradients, statistics, numbers, failed, asked, length };
}

/** A tensor to its place, or added to what is there. */
export function putAt(sums: Float32Array, { start, length }: Place, values: ArrayLike<number>, isAdded: boolean): void {
  // A loop of its own: what is in it is done for every weight of a network.
  if (isAdded) for (let at = 0; at < length; at++) sums[start + at]! += values[at]!;
  else sums.set(values, start);
}

export function scale(sums: Float32Array, { start, length }: Place, factor: number): void {
  for (let at = start; at < start + length; at++) sums[at]! *= factor;
}

export function valuesAt(sums: Float32Array, { start, length }: Place): Float32Array {
  return sums.subarray(start, start + length);
}
