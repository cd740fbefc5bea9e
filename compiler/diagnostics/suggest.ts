import { nearest } from "../../grammar/nearest.js";

export { nearest };

/** "did you mean `bottleneck`?", or undefined where nothing is near. */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  const candidate = nearest(name, candidates);
  return candidate === undefined ? undefined : `did you mean \`${candidate}\`?`;
}
