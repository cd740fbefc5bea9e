/** Which images of a batch a rank computes. The recipe's batch is that of all ranks together. */
import type { Recipe } from "../../../compiler/recipe.js";
import type { BatchShare } from "../../data/shared-plan.js";
import { everywhere } from "../../parallel/agree.js";
import { shareOf, type Ranks } from "../../parallel/ranks.js";
import { TrainingError } from "../error.js";

/**
 * Undefined where one process computes all.
 *
 * @throws {TrainingError} on every rank, where there are more of them than images
 */
export function batchShare(
  { name, batch, accumulate }: Pick<Recipe, "name" | "batch" | "accumulate">,
  ranks: Pick<Ranks, "rank" | "size">,
): BatchShare | undefined {
  if (ranks.size === 1) return undefined;
  const of = batch / accumulate;
  if (of < ranks.size) {
    const parts = accumulate > 1 ? `, in ${accumulate} parts` : "";
    throw everywhere(
      new TrainingError(
        `recipe ${name}: a batch of ${batch}${parts} can't be shared out among ${ranks.size} ranks, of which each computes ` +
          "an image at least: take fewer ranks, or a larger batch",
      ),
    );
  }
  return { parts: accumulate, ...shareOf(of, ranks), of };
}
