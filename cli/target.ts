/** From what the command line calls a network to the network, its problems told on the way. */
import type { Diagnostic } from "../compiler/diagnostics/diagnostic.js";
import { renderDiagnostic } from "../compiler/diagnostics/render.js";
import type { Model } from "../compiler/model.js";
import type { Recipe } from "../compiler/recipe.js";
import type { InputShape } from "./arguments.js";
import { EXIT, Stop } from "./failure.js";
import { portable } from "./sources.js";
import { palette, plural, say, sayWarning } from "./terminal.js";

export interface LoadOptions {
  /** In place of the input that the source declares. */
  readonly input?: InputShape | undefined;
  /** The problems were told before. */
  readonly quiet?: boolean;
}

/** Elaborates it; warnings and errors go to the standard error, and errors end the command. */
export async function loadModel(target: string, { input, quiet }: LoadOptions = {}): Promise<Model> {
  const { elaborate } = await import("../compiler/analyze.js");
  const { parseTarget } = await import("../compiler/target.js");
  const { fileHost } = await import("../runtime/host.js");
  const result = elaborate(parseTarget(portable(target)), { host: fileHost(), ...(input && { input }) });
  if (!quiet) {
    tell(result.diagnostics, result.sources);
    result.model?.assumed?.forEach(sayWarning);
  }
  if (result.model === undefined) throw new Stop(EXIT.input);
  return result.model;
}

/**
 * The recipe that a target names; its problems are told and end the command.
 *
 * @param set values in place of the recipe's: `learning_rate=0.01`
 */
export async function loadRecipe(target: string, set: readonly string[] = []): Promise<Recipe> {
  const { elaborateRecipe, parseTarget } = await import("../compiler/index.js");
  const { fileHost } = await import("../runtime/host.js");
  const result = elaborateRecipe(parseTarget(target), { host: fileHost(), set });
  tell(result.diagnostics, result.sources);
  if (result.recipe === undefined) throw new Stop(EXIT.input);
  return result.recipe;
}

/** Prints problems for people. */
export function tell(diagnostics: readonly Diagnostic[], sources: ReadonlyMap<string, string>): void {
  for (const diagnostic of diagnostics) say(`${renderDiagnostic(diagnostic, sources, palette("error"))}\n`);
  if (diagnostics.length > 0) say(tally(diagnostics));
}

/** `2 errors, 1 warning` */
export function tally(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === "error").length;
  const warnings = diagnostics.length - errors;
  const parts = [
    ...(errors > 0 || warnings === 0 ? [plural(errors, "error")] : []),
    ...(warnings > 0 ? [plural(warnings, "warning")] : []),
  ];
  return parts.join(", ");
}
