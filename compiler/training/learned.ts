/** Of a network that states several losses, those that a training learns, and the parameters that they depend on. */
import { nearest } from "../../grammar/nearest.js";
import { lossOfName } from "../ir/names.js";
import type { Graph, Parameter } from "../ir/types.js";
import type { Loss, Model } from "../model.js";
import { dropDeadCode } from "../passes/drop-dead-code.js";
import { isInside } from "./places.js";

/**
 * @param names paths of losses, or of what they are in; undefined: all
 * @throws {RangeError} where the network states no such loss
 */
export function learnedLosses({ name, losses }: Model, names: readonly string[] | undefined): readonly Loss[] {
  const each = losses?.each ?? [];
  if (names === undefined) return each;
  if (each.length === 0) {
    throw new RangeError(`${name} states no losses, of which \`learn\` could take ${names.join(", ")}`);
  }
  const paths = each.map((loss) => loss.name);
  for (const wanted of names) {
    if (paths.some((path) => isInside(path, wanted))) continue;
    const parents = paths.flatMap((path) => path.split(".").map((_, at, parts) => parts.slice(0, at + 1).join(".")));
    const meant = nearest(wanted, [...new Set(parents)]);
    const help = meant === undefined ? `it has ${paths.join(", ")}` : `did you mean ${meant}?`;
    throw new RangeError(`${name} has no loss ${wanted}; ${help}`);
  }
  return each.filter((loss) => names.some((wanted) => isInside(loss.name, wanted)));
}

/** A graph with losses ({@link withLosses}) without those that are not learned. What they alone need is dead code then. */
export function onlyLearned(graph: Graph, learned: readonly Loss[]): Graph {
  const names = new Set(learned.map(({ name }) => name));
  const isKept = (loss: string | undefined): boolean => loss === undefined || names.has(loss);
  return { ...graph, outputs: graph.outputs.filter(({ name }) => isKept(lossOfName(name))) };
}

/** Paths of the parameters that a loss, or all that a graph gives of losses, depends on. */
export function parametersOfLosses(graph: Graph, loss?: string): ReadonlySet<string> {
  const outputs = graph.outputs.filter(({ name }) => {
    const found = lossOfName(name);
    return found !== undefined && (loss === undefined || found === loss);
  });
  return new Set(dropDeadCode.run({ ...graph, outputs }, {}).parameters.map(({ path }) => path));
}

/**
 * That what is learned can be.
 *
 * @throws {RangeError} where all that a loss depends on is frozen
 */
export function requireLearnable(
  { name }: Pick<Model, "name">,
  graph: Graph,
  learned: readonly Loss[],
  trained: readonly Parameter[],
): void {
  for (const loss of learned) {
    const paths = parametersOfLosses(graph, loss.name);
    if (trained.some(({ path }) => paths.has(path))) continue;
    throw new RangeError(
      `${name}: ${loss.name} is to be learned, and all that it depends on is frozen: leave it out of \`learn\`, or parts ` +
        "of the network out of `freeze`",
    );
  }
}
