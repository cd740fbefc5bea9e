import type { Initializer } from "../ir/types.js";
import { fillNormal, fillUniform, randomStream } from "./random.js";

/**
 * The values that a parameter begins with. They depend on the seed and the path alone: not on the machine, nor on
 * what else the network has.
 */
export function initialValues(init: Initializer, size: number, path: string, seed: number): Float32Array {
  const out = new Float32Array(size);
  const random = randomStream(`${seed}:${path}`);
  switch (init.kind) {
    case "constant":
      return out.fill(init.value);
    case "uniform":
      fillUniform(out, init.bound, random);
      return out;
    case "normal":
      fillNormal(out, init.std, random);
      return out;
    case "he_normal":
      fillNormal(out, Math.sqrt(2 / init.fanIn), random);
      return out;
  }
}
