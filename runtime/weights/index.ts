/** Weight files: reading, matching with a network by name maps, and writing. */
export { openWeights } from "./open.js";
export type { ParameterOrigin } from "./layouts.js";
export {
  loadWeights,
  type LoadedWeights,
  type LoadWeightsOptions,
  type PreprocessOrigin,
  type WeightsReport,
} from "./load.js";
export { compileWithWeights, type CompileWithWeightsOptions, type CompileWithWeightsResult } from "./compile.js";
export { matchWeights, isComplete, OWN_NAMES, type Match, type MatchOptions, type Misshaped } from "./match.js";
export { describeMismatch } from "./report.js";
export { matchedValues, type MatchedValuesOptions } from "./values.js";
export { strideVariant, strideWarning, type KernelSize } from "./stride.js";
export { exportWeights } from "./export.js";
export { writeSafetensors, type TensorData, type WrittenTensor } from "./write-safetensors.js";
export { readTrained, type MeanImage, type ReadTrained, type Trained } from "./trained.js";
export { WeightsError, type StoredType, type TensorInfo, type TensorSource } from "./source.js";
