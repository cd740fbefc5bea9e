/** Measures the statistics that `subtract_mean` needs. */
import type { Size } from "../images/image.js";
import { subset, type Split } from "./data-set.js";
import { DataError } from "../data-error.js";
import type { Batch, EvaluationBatches } from "./batch-loader.js";
import { permutation } from "../random.js";
import { beforeStatistics, preparePipeline, deterministicTransforms } from "../images/transforms/pipeline.js";
import type { Statistics } from "../images/statistics.js";
import { Measurement } from "./measurement.js";
import type { TransformSettings } from "../images/transforms/index.js";

/** Which images are measured. */
export interface MeasureOptions {
  /** Images that are looked at, chosen by the seed. Default: all where they cost nothing to load, else 10,000. */
  readonly samples?: number;
  /** Default 1. */
  readonly seed?: number;
  /** 1: of the images in grey. Default: as `normalize` says, else 3. */
  readonly channels?: 1 | 3;
}

const BATCH = 64;

function differentSizes({ height, width }: Measurement, [otherHeight, otherWidth]: Size): DataError {
  return new DataError(
    `subtract_mean: needs images of one size: some are ${height}x${width} there, others ${otherHeight}x${otherWidth}; ` +
      "center_crop or resize before subtract_mean brings all to one size",
  );
}

/**
 * The mean and the spread of the images as they come to `subtract_mean`, with nothing left to chance before it.
 *
 * @param transforms of the training, all of them
 * @returns undefined where no transform needs statistics
 * @throws {DataError} where the images have different sizes there
 */
export async function measureStatistics(
  loader: { evaluation(options: EvaluationBatches): AsyncGenerator<Batch, void, void> },
  split: Split,
  transforms: readonly TransformSettings[],
  { samples = split.isLight ? split.size : 10_000, seed = 1, channels }: MeasureOptions = {},
): Promise<Statistics | undefined> {
  const before = beforeStatistics(transforms);
  if (!before) return undefined;
  const some =
    samples < split.size ? subset(split, permutation(split.size, `measure ${seed}`).slice(0, samples).sort()) : split;
  const deterministic = deterministicTransforms(before);
  const { size } = preparePipeline(deterministic, split.imageSize && { from: split.imageSize });
  // Images whose size is not known may differ, which no batch can hold.
  const batch = size ? BATCH : 1;
  let measurement: Measurement | undefined;
  const how = { split: some, batch, transforms: deterministic, ...(channels && { channels }) };
  for await (const { shape, images } of loader.evaluation(how)) {
    const [count, planes, height, width] = shape;
    measurement ??= new Measurement(height, width, planes);
    if (height !== measurement.height || width !== measurement.width)
      throw differentSizes(measurement, [height, width]);
    const each = images.length / count;
    for (let i = 0; i < count; i++) measurement.add(images.subarray(i * each, (i + 1) * each));
  }
  if (!measurement) throw new DataError(`${split.name}: no image could be read`);
  return measurement.result();
}
