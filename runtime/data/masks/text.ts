/**
 * Masks as COCO's files have them: `{ size: [height, width], counts }`, where counts is a short text. The number of each run
 * (from the fourth on: less that of the run before the last) is written five bits a letter, the lowest first, from "0" on;
 * the sixth bit says that more follow, and the last letter's fifth is the sign (maskApi.c, `rleToString`).
 */
import { DataError } from "../../data-error.js";
import type { Mask } from "./mask.js";

/** A mask in a file. */
export interface MaskText {
  readonly size: readonly [height: number, width: number];
  readonly counts: string;
}

const FIRST = 48;
const MORE = 0x20;
const SIGN = 0x10;
/** Letters that a number of 32 bits and its sign take. */
const LONGEST = 7;

/** A mask as COCO's files have it; {@link readMask} gives the same back. */
export function writeMask({ width, height, runs }: Mask): MaskText {
  const letters: number[] = [];
  runs.forEach((run, index) => {
    let rest = index > 2 ? run - runs[index - 2]! : run;
    for (let more = true; more;) {
      const low = rest - 32 * Math.floor(rest / 32);
      rest = Math.floor(rest / 32);
      more = (low & SIGN) === 0 ? rest !== 0 : rest !== -1;
      letters.push(FIRST + low + (more ? MORE : 0));
    }
  });
  return { size: [height, width], counts: letters.map((letter) => String.fromCharCode(letter)).join("") };
}

/**
 * A mask of COCO's text.
 *
 * @throws {DataError} where the text is no mask of this size; the caller says where it stands
 */
export function readMask({ size: [height, width], counts }: MaskText): Mask {
  const runs: number[] = [];
  for (let at = 0; at < counts.length;) {
    let value = 0;
    let length = 0;
    for (let more = true; more; length++) {
      const letter = counts.charCodeAt(at++) - FIRST;
      if (!(letter >= 0 && letter < 64)) {
        throw new DataError(at > counts.length ? "ends in a number" : `has a letter that no mask has, at ${at}`);
      }
      if (length === LONGEST) throw new DataError(`has a number of too many letters, at ${at}`);
      value += (letter & 0x1f) * 32 ** length;
      more = (letter & MORE) !== 0;
      if (!more && (letter & SIGN) !== 0) value -= 32 ** (length + 1);
    }
    const run = value + (runs.length > 2 ? runs[runs.length - 2]! : 0);
    if (run < 0) throw new DataError(`has a negative run, at ${at}`);
    runs.push(run);
  }
  return maskOfRuns(runs, width, height);
}

/** @throws {DataError} where the runs are not of an image of this size */
export function maskOfRuns(runs: readonly number[], width: number, height: number): Mask {
  const sum = runs.reduce((all, run) => all + run, 0);
  if (sum !== width * height) throw new DataError(`is of ${sum} pixels, and the image has ${width} x ${height}`);
  return { width, height, runs: Uint32Array.from(runs) };
}
