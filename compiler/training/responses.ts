/** A network that gives what its layers respond: figure 7 of the paper. */
import { emitOnnx, type EmittedModel } from "../emit/onnx.js";
import type { ParameterValues } from "../emit/parameters.js";
import type { NamedValue } from "../ir/types.js";
import type { Model } from "../model.js";
import { INFERENCE_PASSES, runPasses } from "../passes/index.js";

export interface ResponseModel {
  readonly emitted: EmittedModel;
  /** Batch norms in order, and the outputs that are theirs. */
  readonly layers: readonly { readonly path: string; readonly output: string }[];
}

/** Its outputs are those of the batch norms, but for projections': figure 7 shows the layers of the residual functions. */
export function emitResponses(
  model: Model,
  options: { readonly weights?: ParameterValues; readonly seed?: number },
): ResponseModel {
  const graph = runPasses(INFERENCE_PASSES, model.graph, { foldBatchNorms: false });
  const norms = graph.nodes.filter(({ op, path }) => op === "bn" && !path.includes(".shortcut"));
  const outputs = norms.map(({ path, outputs: [output] }): NamedValue => ({
    name: `response.${path}`,
    value: output!,
  }));
  return {
    emitted: emitOnnx({ ...graph, outputs }, options),
    layers: norms.map(({ path }, index) => ({ path, output: outputs[index]!.name })),
  };
}
