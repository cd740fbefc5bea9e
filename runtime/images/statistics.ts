/** Mean and spread of the training images. */
export interface Statistics {
  readonly height: number;
  readonly width: number;
  /** Mean of every pixel, [height, width, channels], from 0 (black) to 1; in shared memory, so that threads get no copies. */
  readonly mean: Float32Array;
  /** Mean of red, green and blue (of grey: one) over all pixels; fp32 values, so that stored ones are the same. */
  readonly channelMean: readonly number[];
  /** Standard deviation of red, green and blue (of grey: one) over all pixels. */
  readonly channelStd: readonly number[];
  /** How many images were measured. */
  readonly samples: number;
}
