/** Options that change a recipe: all of them are values in place of the recipe's own, checked as those are. */
import { Option } from "commander";

export interface RecipeChanges {
  readonly set?: readonly string[];
  readonly steps?: number;
  readonly epochs?: number;
  readonly batch?: number;
  readonly seed?: number;
}

export function setOption(): Option {
  const text = "a value in place of the recipe's: learning_rate=0.01, optimizer.momentum=0.8, ema=none; repeatable";
  return new Option("--set <name=value>", text).argParser((value: string, before: readonly string[] = []) => [
    ...before,
    value,
  ]);
}

export function phaseOption(): Option {
  return new Option("--phase <name>", "of a recipe that is made of phases, the one that is meant");
}

/** As {@link RecipeOptions.set} takes them; `--steps` and its like come last. */
export function changesOf({ set = [], steps, epochs, batch, seed }: RecipeChanges): readonly string[] {
  const given = { "stop.steps": steps, "stop.epochs": epochs, "batch.images": batch, seed };
  const own = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  return [...set, ...own];
}
