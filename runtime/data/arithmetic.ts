/** Functions that give the same bits on every machine: of operations alone that IEEE 754 rounds exactly. */
export { logarithm, randomStream, fillNormal, type Random } from "../../compiler/emit/random.js";

/** The exponential function for arguments from -20 to 20, to about 1e-15 relative. */
export function exponential(x: number): number {
  // exp x = 2^k exp r with r within half of log 2; the series of exp r ends below the last bit.
  const k = Math.round(x / Math.LN2);
  const r = x - k * Math.LN2;
  let series = 1;
  for (let n = 18; n >= 1; n--) series = 1 + (series * r) / n;
  return series * 2 ** k;
}
