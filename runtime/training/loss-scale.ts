/** Loss scaling for mixed precision (Micikevicius et al., arXiv:1710.03740, section 3.2): small gradients survive fp16. */
export interface LossScale {
  /** The loss is multiplied by it before it is differentiated, a power of 2. */
  readonly scale: number;
  /** Updates since the scale last changed. */
  readonly good: number;
}

export const LOSS_SCALE_START: LossScale = { scale: 65536, good: 0 };

/** Good updates after which a larger scale is tried. */
const PATIENCE = 2000;
const LARGEST = 2 ** 24;
/** The loss as it is. */
export const SMALLEST = 1;

/** Half where a gradient was infinite (the update was not made), twice after a long time without. */
export function afterUpdate({ scale, good }: LossScale, finite: boolean): LossScale {
  if (!finite) return { scale: Math.max(SMALLEST, scale / 2), good: 0 };
  return good + 1 < PATIENCE ? { scale, good: good + 1 } : { scale: Math.min(LARGEST, scale * 2), good: 0 };
}
