/** What PyTorch makes of a recipe's settings (test/oracle/recipe_golden.py). */
import { readFileSync } from "node:fs";

export interface RecipeGolden {
  /** Learning rates of 40 updates, by schedule; the base rate is 0.4. */
  readonly schedules: Readonly<Record<string, readonly number[]>>;
  readonly losses: readonly {
    readonly weights: readonly number[];
    readonly smoothing: number;
    readonly loss: number;
    readonly gradient: readonly number[];
  }[];
  /** Of labels that are shares, [6, 5]; no weights: null. */
  readonly soft_losses: readonly {
    readonly weights: readonly number[] | null;
    readonly smoothing: number;
    readonly shares: readonly number[];
    readonly loss: number;
    readonly gradient: readonly number[];
    readonly correct: number;
  }[];
  /** Weights after each of five updates, by optimiser and the update before which conv1 thaws. */
  readonly updates: Readonly<Record<string, readonly Readonly<Record<string, readonly number[]>>[]>>;
  /** The same of three updates, by optimiser, where each kind of parameter has a rate and a weight decay of its own. */
  readonly kinds: Readonly<Record<string, readonly Readonly<Record<string, readonly number[]>>[]>>;
}

const file = new URL("../golden/training/recipes.json", import.meta.url);
export const RECIPE_GOLDEN = JSON.parse(readFileSync(file, "utf8")) as RecipeGolden;
