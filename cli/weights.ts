/** Trained weights for a network, with what there is to tell about them. */
import type { EmitModelOptions } from "../compiler/compile.js";
import type { ParameterValues } from "../compiler/emit/parameters.js";
import type { Model } from "../compiler/model.js";
import { fitted, imageChannels } from "../compiler/preprocess.js";
import type { Match } from "../runtime/weights/index.js";
import { sayWarning } from "./terminal.js";

export interface LoadedWeights {
  readonly values: ParameterValues;
  /** What follows for compiling: the values, and the preprocessing that the weights were trained with. */
  readonly emit: Pick<EmitModelOptions, "weights" | "preprocess">;
  /** For programs. */
  readonly report: WeightsReport;
  /** To be called when the values were used: they are read from the file until then. */
  close(): void;
}

export interface WeightsReport {
  readonly file: string;
  readonly names: string;
  readonly loaded: number;
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
  readonly misshaped: readonly string[];
}

/** Opens and matches a weight file; throws a WeightsError where they do not fit and that was not allowed. */
export async function loadWeights(model: Model, file: string, options: { lenient?: boolean }): Promise<LoadedWeights> {
  const weights = await import("../runtime/weights/index.js");
  const source = await weights.openWeights(file);
  try {
    const match = weights.matchWeights(source, model.graph.parameters, model.weightMaps);
    const values = weights.loadWeights(match, { lenient: options.lenient === true });
    const mismatch = weights.describeMismatch(match);
    if (mismatch !== undefined) sayWarning(mismatch);
    const stride = weights.strideWarning(model, match.map);
    if (stride !== undefined) sayWarning(stride);
    const { trainedWith } = match.map;
    // The same with other arguments, a detector's on smaller pictures, is what the user asked for.
    const other = trainedWith?.name === model.preprocess?.name ? undefined : trainedWith;
    const { preprocess = undefined, assumed = undefined } = other ? fitted(other, imageChannels(model)) : {};
    if (assumed !== undefined) sayWarning(`${model.name}: ${assumed}`);
    return {
      values,
      emit: { weights: values, ...(preprocess && { preprocess }) },
      report: reportOf(file, match),
      close: () => source.close(),
    };
  } catch (error) {
    source.close();
    throw error;
  }
}

function reportOf(file: string, { map, origins, missing, unexpected, misshaped }: Match): WeightsReport {
  return {
    file,
    names: map.name,
    loaded: origins.size,
    missing: missing.map(({ path }) => path),
    unexpected,
    misshaped: misshaped.map(({ path }) => path),
  };
}
