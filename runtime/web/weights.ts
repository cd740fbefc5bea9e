/** Weights out of bytes, and into bytes. */
import { concat } from "../../compiler/emit/onnx.js";
import type { Model } from "../../compiler/model.js";
import type { ParameterValues } from "../../compiler/emit/parameters.js";
import { valuesOf } from "../../compiler/emit/parameters.js";
import { crc32 } from "../weights/checksum.js";
import { weightsFor, type LoadedWeights, type LoadWeightsOptions } from "../weights/fit.js";
import { bytesInMemory, InputFile } from "../weights/input-file.js";
import { openSafetensors } from "../weights/safetensors.js";
import { safetensorsBytes, type WrittenTensor } from "../weights/safetensors-bytes.js";

/**
 * Matches the weights of a safetensors file with a network, as `resnetc compile --weights` does.
 *
 * @param bytes of the file
 * @param name of the file, for messages
 * @throws {WeightsError} one line where the file can't be used, several where it does not fit and that was not allowed
 */
export function loadWeights(
  model: Model,
  bytes: Uint8Array,
  name = "weights",
  options: LoadWeightsOptions = {},
): LoadedWeights {
  return weightsFor(model, openSafetensors(new InputFile(name, bytesInMemory(bytes)), crc32), options);
}

/**
 * A network's weights as the bytes of a safetensors file, by their paths: what {@link loadWeights} and
 * `resnetc compile --weights` read.
 */
export function writeWeights(model: Model, weights: ParameterValues): Uint8Array {
  const tensors = model.graph.parameters.map((parameter): WrittenTensor => ({
    name: parameter.path,
    dtype: "float32",
    shape: parameter.value.type.shape as readonly number[],
    data: () => valuesOf(parameter, weights, 0),
  }));
  const parts = [...safetensorsBytes(tensors, { format: "pt", "resnetc.network": model.name }, crc32)];
  return concat(
    parts,
    parts.reduce((sum, { length }) => sum + length, 0),
  );
}
