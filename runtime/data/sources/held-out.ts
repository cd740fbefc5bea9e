/** Images that are set aside for validation, where data come without. */
import { createHash } from "node:crypto";
import path from "node:path";
import { DataError } from "../../data-error.js";

/** A share of the images (above 0 and below 1), or how many. */
export type HeldOut = number;

/** Enough to make the same choice again. */
export interface HeldOutChoice {
  readonly validation: HeldOut;
  readonly seed: number;
}

/** `0.1`, `500` */
export function isShare(validation: HeldOut): boolean {
  return validation > 0 && validation < 1;
}

/**
 * How many images are set aside of so many.
 *
 * @throws {DataError}
 */
export function heldOutCount(name: string, total: number, validation: HeldOut): number {
  const count = isShare(validation) ? Math.max(1, Math.round(validation * total)) : validation;
  if (!Number.isInteger(count) || count < 0 || count >= total) {
    throw new DataError(
      `${name}: validation must be a share between 0 and 1, or a number of images from 0 to ${total - 1}, not ${validation}`,
    );
  }
  return count;
}

export interface Divided {
  readonly kept: ReadonlyMap<string, readonly string[]>;
  readonly aside: ReadonlyMap<string, readonly string[]>;
}

/**
 * Of every class the same share; each keeps an image at least, and gives one where it has two and the share is above 0.
 * Which images these are follows from the seed and their paths below the class: images that are added or taken away
 * change nothing for the others of equal share, nor does where the data lie.
 *
 * @param classes paths of each class's images
 */
export function divideByClass(
  name: string,
  classes: ReadonlyMap<string, readonly string[]>,
  validation: HeldOut,
  seed: number,
): Divided {
  const sizes = [...classes.values()].map((files) => files.length);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const counts = isShare(validation)
    ? sizes.map((size) => Math.min(size - 1, Math.max(1, Math.round(size * validation))))
    : proportional(name, sizes, heldOutCount(name, total, validation));
  const kept = new Map<string, readonly string[]>();
  const aside = new Map<string, readonly string[]>();
  [...classes].forEach(([className, files], label) => {
    const chosen = new Set(inSeededOrder(files, seed).slice(0, counts[label]));
    // Both in the order of the names.
    kept.set(
      className,
      files.filter((file) => !chosen.has(file)),
    );
    aside.set(
      className,
      files.filter((file) => chosen.has(file)),
    );
  });
  return { kept, aside };
}

/**
 * Some of the images, whatever they show, chosen by the seed and their names as {@link divideByClass} does.
 *
 * @param files names of all images
 * @returns places of those that stay and of those that are set aside, each in their order
 */
export function divideImages(
  name: string,
  files: readonly string[],
  validation: HeldOut,
  seed: number,
): { readonly kept: Uint32Array; readonly aside: Uint32Array } {
  const count = heldOutCount(name, files.length, validation);
  const chosen = new Set(inSeededOrder([...new Set(files)], seed, (file) => file).slice(0, count));
  const places = (isChosen: boolean): Uint32Array =>
    Uint32Array.from([...files.keys()].filter((index) => chosen.has(files[index]!) === isChosen));
  return { kept: places(false), aside: places(true) };
}

const belowClass = (file: string): string => file.split(path.sep).slice(1).join("/");

function inSeededOrder(
  files: readonly string[],
  seed: number,
  nameOf: (file: string) => string = belowClass,
): readonly string[] {
  const key = (file: string) => {
    return createHash("sha1")
      .update(`${seed} ${nameOf(file).normalize("NFC")}`)
      .digest("hex");
  };
  return files
    .map((file) => ({ file, key: key(file) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ file }) => file);
}

/** So many in all, by the largest remainders; each class keeps one. */
function proportional(name: string, sizes: readonly number[], count: number): number[] {
  const room = sizes.reduce((sum, size) => sum + size - 1, 0);
  if (count > room) {
    throw new DataError(`${name}: ${count} images can't be set aside: each class keeps one, so ${room} is the most`);
  }
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const exact = sizes.map((size) => (size * count) / total);
  const counts = exact.map((share, i) => Math.min(sizes[i]! - 1, Math.floor(share)));
  const order = exact
    .map((share, i) => ({ i, rest: share - Math.floor(share) }))
    .sort((a, b) => b.rest - a.rest || a.i - b.i);
  let missing = count - counts.reduce((sum, each) => sum + each, 0);
  while (missing > 0) {
    for (const { i } of order) {
      if (missing === 0 || counts[i]! >= sizes[i]! - 1) continue;
      counts[i] = counts[i]! + 1;
      missing--;
    }
  }
  return counts;
}
