/** From what the command line calls a network to the network, its problems told on the way. */
import { open, stat } from "node:fs/promises";
import type { Findings } from "../compiler/analyze.js";
import { renderDiagnostic } from "../compiler/diagnostics/render.js";
import type { Model } from "../compiler/model.js";
import type { Recipe } from "../compiler/recipe.js";
import type { InputShape } from "./arguments.js";
import { EXIT, InputFailure, Stop } from "./failure.js";
import { keepProblems } from "./report.js";
import { portable } from "./sources.js";
import { count, palette, plural, logAlways, logWarning } from "./terminal.js";

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
  await refuseOtherFiles(target);
  const host = fileHost();
  const result = elaborate(parseTarget(portable(target), host), { host, ...(input && { input }) });
  if (!quiet) {
    logFindings(result);
    result.model?.assumed?.forEach(logWarning);
  }
  if (result.model === undefined) throw new Stop(EXIT.input);
  return result.model;
}

/** A file that is there and is no source is told for what it is: weights, a model, an image. */
async function refuseOtherFiles(target: string): Promise<void> {
  if (target.endsWith(".resnet") || !(await stat(target).catch(() => undefined))?.isFile()) return;
  const { HEAD_BYTES, kindOfFile } = await import("../runtime/file-kind.js");
  const { notOnnx } = await import("../runtime/onnx/not-onnx.js");
  const handle = await open(target);
  const { buffer, bytesRead } = await handle
    .read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
    .finally(() => handle.close());
  const head = buffer.subarray(0, bytesRead);
  const kind = kindOfFile(head);
  if (kind === "text") return;
  const what =
    kind === "onnx"
      ? "is an ONNX model: commands that run one know it by the ending .onnx, the others want a source (.resnet)"
      : (notOnnx(head) ?? "is neither a source (.resnet) nor an ONNX model (.onnx)");
  throw new InputFailure(`${target} ${what}`);
}

/**
 * The recipe that a target names; its problems are told and end the command.
 *
 * @param set values in place of the recipe's: `learning_rate=0.01`
 */
export async function loadRecipe(target: string, set: readonly string[] = []): Promise<Recipe> {
  const { elaborateRecipe, parseTarget } = await import("../compiler/index.js");
  const { fileHost } = await import("../runtime/host.js");
  const host = fileHost();
  const result = elaborateRecipe(parseTarget(portable(target), host), { host, set });
  logFindings(result);
  if (result.recipe === undefined) throw new Stop(EXIT.input);
  return result.recipe;
}

/** One phase of the recipe that a target names: of several the one that is named. */
export async function loadPhase(
  target: string,
  phase: string | undefined,
  set: readonly string[] = [],
): Promise<Recipe> {
  const { phaseNamed } = await import("../compiler/recipe.js");
  const recipe = await loadRecipe(target, set);
  try {
    return phaseNamed(recipe, phase);
  } catch (error) {
    if (error instanceof RangeError)
      throw new InputFailure(`${error.message}${phase === undefined ? " (--phase)" : ""}`);
    throw error;
  }
}

/** Prints problems for people, and keeps them for programs. */
export function logFindings(findings: Findings): void {
  keepProblems(findings);
  const { diagnostics, sources } = findings;
  for (const diagnostic of diagnostics) logAlways(`${renderDiagnostic(diagnostic, sources, palette("error"))}\n`);
  if (diagnostics.length > 0) logAlways(tally(findings));
}

/** `2 errors, 1 warning`; `1,200 errors (1,000 of them not shown)` */
export function tally({ diagnostics, errorCount, warningCount }: Findings): string {
  const parts = [
    ...(errorCount > 0 || warningCount === 0 ? [plural(errorCount, "error")] : []),
    ...(warningCount > 0 ? [plural(warningCount, "warning")] : []),
  ];
  const omitted = errorCount + warningCount - diagnostics.length;
  return parts.join(", ") + (omitted > 0 ? ` (${count(omitted)} of them not shown)` : "");
}
