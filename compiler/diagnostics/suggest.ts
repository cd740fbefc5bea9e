import { nearest } from "../../grammar/nearest.js";
import { foreignName } from "./foreign-names.js";
import { standardFileOf } from "./standard-names.js";

export { nearest };

/** "did you mean `bottleneck`?", or undefined where nothing is near. */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  const candidate = nearest(name, candidates);
  return candidate === undefined ? undefined : `did you mean \`${candidate}\`?`;
}

/**
 * What may be meant by a name that nothing is called: what the standard library has and was not imported, the same in other
 * letters, what others call something, a near one.
 */
export function helpForUnknown(name: string, candidates: () => Iterable<string>): string | undefined {
  const file = standardFileOf(name);
  if (file !== undefined) return `${file} has it: \`import { ${name} } from "${file}"\``;
  const suggestion = nearest(name, candidates());
  const isSame = suggestion?.toLowerCase() === name.toLowerCase();
  return (isSame ? undefined : foreignName(name)) ?? (suggestion && `did you mean \`${suggestion}\`?`);
}

/** What is said of a name that nothing has: as a statement among layers, and elsewhere. */
export const NO_LAYER = "no layer, block or label is called";
export const NOTHING = "nothing here is called";
