/** Depthwise convolutions of blocked maps whose factors are constants, the same for every channel. */
import { POINTWISE, type Steps } from "./steps.js";

export interface Depthwise {
  readonly channels: number;
  readonly block: number;
  /** Default: 1x1. */
  readonly kernel?: readonly [number, number];
  readonly strides?: readonly [number, number];
  readonly dilations?: readonly [number, number];
  /** Rows above, columns on the left, rows below, columns on the right. */
  readonly pads?: readonly number[];
  /** A map that is added before the activation. */
  readonly addend?: string;
  /** 1 where the sum is 0, 0 where it is positive. */
  readonly isZero?: boolean;
}

/** A hard sigmoid so steep that it is 1 at 0 and 0 at every normal number above. */
const IS_ZERO = { activation: "HardSigmoid", activation_params: { floats: [-3e38, 1] } } as const;

/** @param factors of the kernel's taps */
export function writeDepthwise(
  x: string,
  factors: readonly number[],
  { channels, block, kernel = [1, 1], addend, isZero = false, ...geometry }: Depthwise,
  s: Steps,
  output?: string,
): string {
  const lanes = factors.flatMap((factor) => Array.from({ length: block }, () => factor));
  const filter = Array.from({ length: channels / block }, () => lanes).flat();
  const inputs = [x, s.floats(filter, [channels, 1, ...kernel]), ...(addend === undefined ? [] : ["", addend])];
  const attributes = { ...POINTWISE, kernel_shape: kernel, group: channels, ...geometry, ...(isZero && IS_ZERO) };
  return s.blocked("Conv", inputs, attributes, output);
}
