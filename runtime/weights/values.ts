/** Values of a network's parameters from a weight file, read one at a time. */
import type { Parameter } from "../../compiler/ir/types.js";
import type { ParameterValues } from "../../compiler/emit/parameters.js";
import { BATCH_NORM_EPSILON, changeEpsilon } from "./epsilon.js";
import { isComplete, type Match } from "./match.js";
import { describeMismatch } from "./report.js";
import { WeightsError } from "./source.js";
import { elementCount } from "./strided.js";

/** What is allowed, and what is known of the file's batch norms. */
export interface MatchedValuesOptions {
  /** Parameters without a tensor of their shape keep their initial values. Default: that is an error. */
  readonly lenient?: boolean;
  /** What the file's batch norms add to the variance. Default: what the name map says, else 1e-5. */
  readonly epsilon?: number;
}

/**
 * The values that a match found; each `get` reads the file, nothing is kept. The source has to stay open. Throws a
 * WeightsError where file and network don't fit (its message then has several lines), and `get` where a tensor is
 * damaged; `get` gives undefined for what keeps its initial value.
 */
export function matchedValues(match: Match, options: MatchedValuesOptions = {}): ParameterValues {
  if (options.lenient ? match.origins.size === 0 : !isComplete(match))
    throw new WeightsError(describeMismatch(match) ?? "");
  const epsilon = options.epsilon ?? match.map.epsilon;
  const parameters = new Map(match.parameters.map((parameter) => [parameter.path, parameter]));
  return {
    get(path) {
      const origin = match.origins.get(path);
      const parameter = parameters.get(path);
      if (!origin || !parameter) return undefined;
      const read = origin.tensors.map((name) => match.source.read(name));
      const values = origin.compute?.(...read) ?? read[0] ?? new Float32Array(0);
      checkValues(match, parameter, values);
      if (parameter.role !== "running_var" || epsilon === undefined) return values;
      return changeEpsilon(values, epsilon, BATCH_NORM_EPSILON);
    },
  };
}

/** Formats without a checksum have no other sign of a flipped bit; a network with such a value computes nothing. */
function checkValues(match: Match, parameter: Parameter, values: Float32Array): void {
  const problem = (what: string) => new WeightsError(`${match.source.file}: is damaged: ${parameter.path} ${what}`);
  const count = elementCount(parameter.value.type.shape.map(Number));
  if (values.length !== count) throw problem(`has ${values.length} values, not ${count}`);
  const isVariance = parameter.role === "running_var";
  for (const value of values) {
    if (!Number.isFinite(value)) throw problem("has a value that is infinite or not a number");
    if (isVariance && value < 0) throw problem("has a variance below 0");
  }
}
