/** The passes between elaboration and emission, in the order in which they run. */
import type { Graph } from "../ir/types.js";
import { addGradients } from "./differentiate.js";
import { addLoss } from "./add-loss.js";
import { bindSizes } from "./bind-sizes.js";
import { blockedLayout } from "./block-layout.js";
import { chooseAlgorithms } from "./choose-algorithms.js";
import { dropDeadCode } from "./drop-dead-code.js";
import { dropTrainingOnly } from "./drop-training-only.js";
import { dropUnusedInputs } from "./drop-unused-inputs.js";
import { foldBatchNorms } from "./fold-batch-norms.js";
import { foldFrozenNorms } from "./fold-frozen-norms.js";
import { normsOnGpu } from "./norms-on-gpu.js";
import { parametersAsInputs } from "./parameters-as-inputs.js";
import type { Pass, TrainingContext } from "./pass.js";
import { quantize } from "./quantize.js";
import { recomputeSegments } from "./recompute.js";
import { takeLogits } from "./take-logits.js";
import { toFloat16 } from "./to-float16.js";
import { trainingMode } from "./training-mode.js";

export type { Pass, PassContext, TrainingContext } from "./pass.js";

/** What leaves of an elaborated graph the layers that run: what is measured before it is written with 8-bit numbers. */
export const FOLDING_PASSES: readonly Pass[] = [bindSizes, dropTrainingOnly, foldBatchNorms];

/** What writes that with the numbers and operators that are asked for. */
export const WRITING_PASSES: readonly Pass[] = [quantize, toFloat16, chooseAlgorithms, dropDeadCode];

/** What makes an inference graph of an elaborated one. */
export const INFERENCE_PASSES: readonly Pass[] = [...FOLDING_PASSES, ...WRITING_PASSES];

/** What makes a graph of the loss and its gradients of an elaborated one. */
export const GRADIENT_PASSES: readonly Pass<TrainingContext>[] = [
  ...[bindSizes, takeLogits, trainingMode, parametersAsInputs],
  ...[foldFrozenNorms, addLoss, addGradients, dropDeadCode],
  ...[recomputeSegments, toFloat16],
];

/** What writes that for a device. */
export const DEVICE_PASSES: readonly Pass[] = [chooseAlgorithms, normsOnGpu, blockedLayout];

export const TRAINING_PASSES: readonly Pass<TrainingContext>[] = [...GRADIENT_PASSES, ...DEVICE_PASSES];

/** What makes a graph of the loss, by running statistics, of an elaborated one. */
export const EVALUATION_PASSES: readonly Pass<TrainingContext>[] = [
  ...[bindSizes, dropTrainingOnly, takeLogits, parametersAsInputs],
  ...[addLoss, dropDeadCode],
];

/** What makes a detector whose weights are inputs of an elaborated one. */
export const DETECTION_PASSES: readonly Pass<TrainingContext>[] = [dropTrainingOnly, parametersAsInputs, dropDeadCode];

/** What leaves of a graph only what its outputs need. */
export const TRIMMING_PASSES: readonly Pass[] = [dropDeadCode, dropUnusedInputs];

/**
 * The graph after all passes. `observe` sees what each one gave: tests verify it there.
 * Throws a ShapeError where the sizes asked for do not fit, a RangeError where a network can't be trained so.
 */
export function runPasses<Context>(
  passes: readonly Pass<Context>[],
  graph: Graph,
  context: Context,
  observe: (pass: Pass<Context>, graph: Graph) => void = () => {},
): Graph {
  return passes.reduce((current, pass) => {
    const next = pass.run(current, context);
    observe(pass, next);
    return next;
  }, graph);
}
