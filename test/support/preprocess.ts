/** How an image becomes an input, for tests: its levels from 0 to 1, and nothing else but what a test changes. */
import { fromVersion1, type PreprocessVersion1 } from "../../compiler/metadata-version-1.js";
import type { Preprocess } from "../../compiler/model.js";

/** As a model's metadata of version 1 has it. */
export function plainRecord(changes: Partial<PreprocessVersion1> = {}): PreprocessVersion1 {
  return {
    name: "plain",
    interpolation: "bilinear",
    color: "rgb",
    range: 1,
    mean: [0, 0, 0],
    std: [1, 1, 1],
    ...changes,
  };
}

export function plainPreprocess(changes: Partial<PreprocessVersion1> = {}): Preprocess {
  return fromVersion1(plainRecord(changes));
}
