import { value } from "../ir/build.js";
import { bindDim, sameShape } from "../ir/dim.js";
import { rewrite } from "./rewrite.js";
import type { NamedValue, Value } from "../ir/types.js";
import type { Pass } from "./pass.js";

/** Gives symbols and inputs the sizes that were asked for; everything after the inputs is inferred from them. */
export const bindSizes: Pass = {
  name: "bind sizes",
  run(graph, { sizes = {}, inputShapes = {} }) {
    const values = new Map<number, Value>();
    const inputs = graph.inputs.map((input): NamedValue => {
      const { dtype, shape: declared } = input.value.type;
      const shape = (inputShapes[input.name] ?? declared).map((dim) => bindDim(dim, sizes));
      if (sameShape(shape, declared)) return input;
      const bound = value({ dtype, shape }, input.value.name);
      values.set(input.value.id, bound);
      return { name: input.name, value: bound };
    });
    return values.size === 0 ? graph : rewrite(graph, () => undefined, { inputs, values });
  },
};
