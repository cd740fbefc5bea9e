/** How strongly the layers of a network respond: figure 7 of the paper. */
import { concat, type ParameterValues } from "../../compiler/emit/onnx.js";
import type { Model } from "../../compiler/model.js";
import { emitResponses } from "../../compiler/training/responses.js";
import { DataError } from "../data-error.js";
import type { DeviceRequest } from "../onnx/device.js";
import { openSession } from "../onnx/session.js";

export interface LayerResponse {
  /** Of the batch norm: `conv4.22.bn2`. */
  readonly path: string;
  /** Standard deviation of its output, after the batch norm and before the nonlinearity or the addition. */
  readonly std: number;
}

/**
 * Standard deviations over images, channels and positions, in the order of the layers. Batch norms of projections
 * are left out: figure 7 shows the layers of the residual functions.
 *
 * @param batches float32[N, channels, height, width], normalised as the network was trained
 * @throws {SessionError}
 * @throws {DataError} where there is no batch
 */
export async function layerResponses(
  model: Model,
  weights: ParameterValues | undefined,
  batches: AsyncIterable<{ readonly images: Float32Array; readonly shape: readonly number[] }>,
  options: { readonly device?: DeviceRequest; readonly threads?: number; readonly seed?: number } = {},
): Promise<readonly LayerResponse[]> {
  const { emitted, layers } = emitResponses(model, {
    ...(weights && { weights }),
    ...(options.seed !== undefined && { seed: options.seed }),
  });
  const session = await openSession(concat(emitted.chunks, emitted.byteLength), options);
  const sums = layers.map(() => ({ count: 0, sum: 0, squares: 0 }));
  try {
    const [input] = session.inputs;
    for await (const { images, shape } of batches) {
      const results = await session.run({ [input!.name]: { data: images, shape } });
      layers.forEach(({ output }, index) => {
        const total = sums[index]!;
        const data = results[output]!.data as Float32Array;
        for (const value of data) {
          total.sum += value;
          total.squares += value * value;
        }
        total.count += data.length;
      });
    }
  } finally {
    await session.close();
  }
  if (sums.some(({ count }) => count === 0)) throw new DataError("no image could be read: there are no responses");
  return layers.map(({ path }, index) => {
    const { count, sum, squares } = sums[index]!;
    return { path, std: Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2)) };
  });
}
