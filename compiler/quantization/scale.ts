/** Scales of 8-bit numbers. */

/** The least and the greatest of some values. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** uint8 numbers q of values scale * (q - zeroPoint). */
export interface Affine {
  /** An fp32 number. */
  readonly scale: number;
  readonly zeroPoint: number;
}

const LEVELS = 255;
/** Symmetric: -128 is left out. */
export const WEIGHT_LIMIT = 127;

export function united(a: Range, b: Range): Range {
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
}

/**
 * The numbers that reach over a range, and to 0, which is one of them: padding and what a ReLU cuts off are exact. Of a range that
 * is 0 alone the scale is 1.
 */
export function affineOf(range: Range): Affine {
  const { min, max } = united(range, { min: 0, max: 0 });
  const scale = Math.fround((max - min) / LEVELS);
  if (scale === 0) return { scale: 1, zeroPoint: 0 };
  return { scale, zeroPoint: Math.round(-min / scale) + 0 };
}

/** What a symmetric scale of int8 is for the greatest magnitude, 1 where all is 0. */
export function symmetricScale(magnitude: number): number {
  return Math.fround(magnitude / WEIGHT_LIMIT) || 1;
}
