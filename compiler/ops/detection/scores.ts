/**
 * Scores of what is out (suppressed, too small, of another image) are LOWEST instead of leaving their place: shapes
 * stay as they are, and arithmetic stays finite, which it would not with minus infinity.
 */
export const LOWEST = -3.4e38;

/** What has a score above this is not out. */
export const IN = -3.3e38;

/** The largest finite float32: what is not below it in size is infinite or not a number. */
export const FINITE = 3.4028234663852886e38;
