/** What batch norms add to the variance before its root is taken: not all networks were trained with the same. */

/** Of our batch norms, and of most. */
export const BATCH_NORM_EPSILON = 1e-5;

/** A variance of 0 with an epsilon of 0 has no root to divide by; torchvision's trained networks have none. */
const LEAST = 1e-12;

/** The variances with which a batch norm of epsilon `to` does what one of epsilon `from` did with these; perhaps below 0. */
export function changeEpsilon(variances: Float32Array, from: number, to: number): Float32Array {
  return variances.map((variance) => Math.max(variance + from, LEAST) - to);
}
