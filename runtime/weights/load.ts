/** A weight file for a network. */
import type { Model } from "../../compiler/model.js";
import { weightsFor, type LoadedWeights, type LoadWeightsOptions } from "./fit.js";
import { openWeights } from "./open.js";

export type { LoadedWeights, LoadWeightsOptions, PreprocessOrigin, WeightsReport } from "./fit.js";

/**
 * Opens a weight file and matches it with a network, as `resnetc compile --weights` does.
 *
 * @param model of `elaborate` or `compile`
 * @throws {WeightsError} one line where the file can't be used, several where it does not fit and that was not allowed
 */
export async function loadWeights(
  model: Model,
  file: string,
  options: LoadWeightsOptions = {},
): Promise<LoadedWeights> {
  const source = await openWeights(file);
  try {
    return weightsFor(model, source, options);
  } catch (error) {
    source.close();
    throw error;
  }
}
