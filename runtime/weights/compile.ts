/** From a target and a weight file to a model in one call. */
import {
  emitModel,
  inMemory,
  type CompileInput,
  type CompileOptions,
  type CompileResult,
} from "../../compiler/compile.js";
import { elaborate } from "../../compiler/analyze.js";
import { memoryHost } from "../../compiler/host.js";
import { parseTarget, type Target } from "../../compiler/target.js";
import { loadWeights, type LoadedWeights, type LoadWeightsOptions } from "./load.js";

/** How a target is compiled and how a weight file is matched with it. */
export interface CompileWithWeightsOptions
  extends Omit<CompileOptions, "weights" | "withWeights">, LoadWeightsOptions {}

/** What was found in the file is absent where the source has errors. */
export type CompileWithWeightsResult = CompileResult & {
  readonly weights?: Pick<LoadedWeights, "report" | "warnings" | "notes" | "preprocess">;
};

/**
 * Compiles a target with the weights of a file: the bytes that `resnetc compile TARGET --weights FILE` writes.
 *
 * @throws {WeightsError} for a file that can't be used or does not fit, a RangeError for options out of range
 */
export async function compileWithWeights(
  input: string | Target | CompileInput,
  path: string,
  options: CompileWithWeightsOptions = {},
): Promise<CompileWithWeightsResult> {
  const files = typeof input === "object" && "files" in input ? input : undefined;
  const target = files ? parseTarget(files.entry) : typeof input === "string" ? parseTarget(input) : (input as Target);
  const host = options.host ?? memoryHost(files?.files ?? {});
  const { model, ...findings } = elaborate(target, { ...options, host });
  if (!model) return findings;
  const loaded = await loadWeights(model, path, options);
  try {
    const { report, warnings, notes, preprocess } = loaded;
    const emitted = emitModel(loaded.model, { ...loaded.emit, ...options, weights: loaded.values });
    const compiled = inMemory(model, emitted, findings);
    return compiled.onnx ? { ...compiled, weights: { report, warnings, notes, preprocess } } : compiled;
  } finally {
    loaded.close();
  }
}
