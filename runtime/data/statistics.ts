/** Files of the mean of the training images. */
import type { Statistics } from "../images/statistics.js";
import { openWeights } from "../weights/open.js";
import { WeightsError } from "../weights/source.js";
import { writeSafetensors } from "../weights/write-safetensors.js";
import { DataError } from "../data-error.js";
import { shared } from "./measurement.js";

/** Writes a small safetensors file, whole or not at all. */
export async function saveStatistics(file: string, statistics: Statistics): Promise<void> {
  const { height, width, mean, channelMean, channelStd, samples } = statistics;
  const metadata = { format: FORMAT, samples: String(samples) };
  await writeSafetensors(
    file,
    [
      { name: "mean", dtype: "float32", shape: [height, width, channelMean.length], data: () => mean },
      {
        name: "channel_mean",
        dtype: "float32",
        shape: [channelMean.length],
        data: () => Float32Array.from(channelMean),
      },
      { name: "channel_std", dtype: "float32", shape: [channelStd.length], data: () => Float32Array.from(channelStd) },
    ],
    metadata,
  );
}

const FORMAT = "resnetc data statistics";

/** @throws {DataError} */
export async function loadStatistics(file: string): Promise<Statistics> {
  try {
    const source = await openWeights(file);
    try {
      const shape = source.tensors.get("mean")?.shape ?? [];
      const [height, width, channels] = shape;
      const complete = source.tensors.has("channel_mean") && source.tensors.has("channel_std");
      if (
        source.metadata["format"] !== FORMAT ||
        shape.length !== 3 ||
        (channels !== 3 && channels !== 1) ||
        !complete
      ) {
        throw new DataError(`${file}: not the statistics of a data set`);
      }
      return {
        height: height!,
        width: width!,
        mean: shared(source.read("mean")),
        channelMean: [...source.read("channel_mean")],
        channelStd: [...source.read("channel_std")],
        samples: Number(source.metadata["samples"]),
      };
    } finally {
      source.close();
    }
  } catch (error) {
    if (error instanceof WeightsError) throw new DataError(error.message, { cause: error });
    throw error;
  }
}
