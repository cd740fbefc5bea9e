/** Writes a network's parameters under another framework's names, so that it can load what was trained here. */
import type { ParameterValues } from "../../compiler/emit/parameters.js";
import { METADATA_KEYS, type WeightsOrigin } from "../../compiler/metadata.js";
import type { Parameter } from "../../compiler/ir/types.js";
import type { WeightMap } from "../../compiler/model.js";
import { shapeOf } from "../../compiler/weights/rename.js";
import { writeWhole } from "../files.js";
import { BATCH_NORM_EPSILON, changeEpsilon } from "./epsilon.js";
import { namer, OWN_NAMES } from "./match.js";
import { WeightsError } from "./source.js";
import { elementCount } from "./strided.js";
import { stateDictChunks } from "./write-pytorch.js";
import { safetensorsChunks, type WrittenTensor } from "./write-safetensors.js";

/**
 * Writes parameters by the names of a map: `safetensors`, or `pth` as torch.save writes a state_dict, for
 * `module.load_state_dict(torch.load(path))`. Values are asked for one parameter at a time, twice each. Without a map:
 * by our own paths. A safetensors file says where its values come from, a pth has no place for it. Whole or not at all. Throws a WeightsError where the map is not one of PyTorch's, or gives one name
 * to two parameters, or a value is missing; a FileError where the file can't be written.
 */
export async function exportWeights(
  path: string,
  parameters: readonly Parameter[],
  values: ParameterValues,
  map: WeightMap = OWN_NAMES,
  format: "safetensors" | "pth" = "safetensors",
  origin?: WeightsOrigin,
): Promise<void> {
  if (map.format !== "pytorch") {
    throw new WeightsError(
      `${path}: the name map ${map.name} is for ${map.format}; weights are exported by PyTorch's alone`,
    );
  }
  const tensors = namedTensors(path, parameters, values, map);
  const metadata: Readonly<Record<string, string>> = {
    ...(map !== OWN_NAMES && { format: "pt" }),
    ...(origin && { [METADATA_KEYS.weights]: JSON.stringify(origin) }),
  };
  if (format === "pth") await writeWhole(path, stateDictChunks(tensors), { followLinks: true });
  else await writeWhole(path, safetensorsChunks(tensors, metadata), { followLinks: true });
}

function namedTensors(
  path: string,
  parameters: readonly Parameter[],
  values: ParameterValues,
  map: WeightMap,
): WrittenTensor[] {
  const originsOf = namer(map);
  const tensors = new Map<string, WrittenTensor>();
  const add = (tensor: WrittenTensor, of: string) => {
    if (tensors.has(tensor.name)) throw new WeightsError(`${path}: ${map.name} calls ${of} and another ${tensor.name}`);
    tensors.set(tensor.name, tensor);
  };
  for (const parameter of parameters) {
    const origin = originsOf(parameter)[0];
    const name = origin?.tensors[0] ?? parameter.path;
    const shape = origin?.shape ?? shapeOf(parameter);
    const data = () => {
      const found = values.get(parameter.path);
      if (!found) throw new WeightsError(`${path}: there are no values for ${parameter.path}`);
      if (found.length !== elementCount(shape)) {
        throw new WeightsError(
          `${path}: ${parameter.path} has ${found.length} values, its shape is [${shape.join(", ")}]`,
        );
      }
      if (parameter.role !== "running_var" || map.epsilon === undefined) return found;
      return changeEpsilon(found, BATCH_NORM_EPSILON, map.epsilon);
    };
    add({ name, dtype: "float32", shape, data }, parameter.path);
    // PyTorch's batch norms count the batches that they have seen; with a momentum, nothing depends on it.
    if (parameter.role === "running_var" && map !== OWN_NAMES) {
      const counter = name.replace(/running_var$/, "num_batches_tracked");
      add({ name: counter, dtype: "int64", shape: [], data: () => new BigInt64Array(1) }, parameter.path);
    }
  }
  return [...tensors.values()];
}
