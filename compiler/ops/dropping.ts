/** Values zeroed by chance while training, and the others scaled up so that their expectation stays (dropout.ts, drop_path.ts). */
import { int } from "./attributes.js";
import { elementwise } from "./elementwise.js";
import { formula, sizes } from "./formula.js";
import { number } from "../words/schema.js";
import type { Operator } from "./operator.js";

export interface Dropping {
  readonly name: string;
  readonly doc: string;
  /** What is zeroed together, for the argument's sentence: "values". */
  readonly what: string;
  /** Of the random numbers, of an input of these sizes: kept is where one is at least the probability. */
  readonly chances: (shape: readonly number[]) => readonly number[];
}

export function dropping({ name, doc, what, chances }: Dropping): Operator {
  return elementwise({
    name,
    doc,
    arguments: { probability: number(`Share of the ${what} that become zero.`, { min: 0, max: 1 }) },
    trainingOnly: true,
    onnx: "Identity",
    gradient: (_f, dy) => dy,
    training(node, builder) {
      const f = formula(builder);
      const [x] = node.inputs;
      const probability = int(node.attributes, "probability");
      if (probability === 0) return x!;
      const limit = builder.constant(Float32Array.of(probability), []);
      const scale = probability < 1 ? 1 / (1 - probability) : 0;
      return f.times(x!, f.affine(f.less(builder.noise(chances(sizes(x!))), limit), -scale, scale));
    },
  });
}
