/** What the phases of a recipe are to a network: found out, and refused where they contradict it, before anything runs. */
import type { Model } from "../model.js";
import { phasesOf, type Recipe } from "../recipe.js";
import { trainedParameters } from "./build.js";
import { recipeOptions } from "./from-recipe.js";
import { learnedLosses, onlyLearned, parametersOfLosses } from "./learned.js";
import { learnsFromProposals, parametersOfProposals, withGivenProposals } from "./proposals.js";
import { withLosses } from "./with-losses.js";

/** A phase of a recipe, of this network. */
export interface PlannedPhase {
  readonly recipe: Recipe;
  /**
   * What a validation can measure: the network as it will be used; what a detector proposes, while its head has not been
   * learned yet; nothing, where it is the other way round.
   */
  readonly measures: "network" | "proposals" | "nothing";
  /** What a detector proposes when it is over is kept, for a phase behind it. */
  readonly keepsProposals: boolean;
}

/**
 * @param recipe with whatever weights of classes
 * @throws {RangeError} one line: losses or parts that the network does not have, a loss that is learned while all that it
 *   depends on is frozen, proposals of a phase that does not learn to propose
 */
export function planPhases(model: Model, recipe: Recipe): readonly PlannedPhase[] {
  const phases = phasesOf(recipe);
  const own = phases.some(({ proposals, learned }) => proposals ?? learned) ? ownOfProposals(model) : undefined;
  const changed = phases.map((phase) => trainedParameters(model, withoutWeights(phase)));
  const proposes = (index: number): boolean => [...(own ?? [])].some((path) => changed[index]!.has(path));
  const learned = phases.map((phase) => learnedLosses(model, phase.learned).map(({ name }) => name));
  let known = new Set<string>();
  return phases.map((phase, index): PlannedPhase => {
    const { name, proposals, beginsAnew } = phase;
    const from = phases.findIndex((each) => each.name === proposals);
    if (proposals !== undefined && !proposes(from)) {
      const what = own ? `does not train what proposes (${few([...own])})` : "has none: the detector proposes nothing";
      throw new RangeError(`phase ${name} is to learn from the proposals of ${proposals}, and ${proposals} ${what}`);
    }
    known = new Set([...(beginsAnew ? [] : known), ...learned[index]!]);
    const coming = learned.slice(index + 1).flat();
    const isWhole = model.detection === undefined || coming.every((loss) => known.has(loss));
    return {
      recipe: phase,
      measures: isWhole ? "network" : proposes(index) ? "proposals" : "nothing",
      keepsProposals: phases.some((each) => each.proposals === name),
    };
  });
}

/** What `balanced` weights come to is not asked here. */
function withoutWeights({ classWeights: _weights, ...recipe }: Recipe) {
  return recipeOptions(recipe);
}

/** Parameters that only proposals come from, and not what is said of them; undefined where nothing learns from proposals. */
function ownOfProposals(model: Model): ReadonlySet<string> | undefined {
  const all = learnedLosses(model, undefined);
  if (model.detection === undefined || all.length === 0) return undefined;
  const whole = withLosses(model);
  const learning = all.filter((loss) => learnsFromProposals(onlyLearned(whole, [loss])));
  if (learning.length === 0) return undefined;
  const others = parametersOfLosses(withGivenProposals(onlyLearned(whole, learning)));
  return new Set([...parametersOfProposals(model)].filter((path) => !others.has(path)));
}

function few(paths: readonly string[]): string {
  return paths.length > 3 ? `${paths.slice(0, 3).join(", ")}, ...` : paths.join(", ");
}
