/** The passes between elaboration and emission, in the order in which they run. */
import type { Graph } from "../ir/types.js";
import { bindSizes } from "./bind_sizes.js";
import { writeForDevice } from "./choose_methods.js";
import { dropDeadCode } from "./drop_dead_code.js";
import { dropTrainingOnly } from "./drop_training_only.js";
import { foldBatchNorms } from "./fold_batch_norms.js";
import type { Pass, PassContext } from "./pass.js";
import { toFloat16 } from "./to_float16.js";

export type { Pass, PassContext } from "./pass.js";

/** What makes an inference graph of an elaborated one. */
export const INFERENCE_PASSES: readonly Pass[] = [
  ...[bindSizes, dropTrainingOnly, foldBatchNorms],
  ...[toFloat16, writeForDevice, dropDeadCode],
];

/**
 * The graph after all passes. `observe` sees what each one gave: tests verify it there, `--print-after` prints it.
 * Throws a ShapeError where the sizes asked for do not fit.
 */
export function runPasses(
  graph: Graph,
  context: PassContext = {},
  observe: (pass: Pass, graph: Graph) => void = () => {},
  passes: readonly Pass[] = INFERENCE_PASSES,
): Graph {
  return passes.reduce((current, pass) => {
    const next = pass.run(current, context);
    observe(pass, next);
    return next;
  }, graph);
}
