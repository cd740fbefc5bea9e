/**
 * The compiler's public interface. It runs in Node and in a browser: files come from a {@link Host}, or are given as
 * text. Mistakes in a source come back as diagnostics; nothing here prints, exits or throws for them.
 *
 *     const { model, diagnostics } = elaborate(parseTarget("ResNet50"));
 *     const { onnx } = compile("ResNet50", { seed: 1 });
 */
export {
  check,
  elaborate,
  elaborateRecipe,
  standardTargets,
  type ElaborateOptions,
  type Findings,
  type RecipeOptions,
  type SourceText,
} from "./analyze.js";
export {
  compile,
  emitModel,
  type Compiled,
  type CompileInput,
  type CompileOptions,
  type CompileResult,
  type NotCompiled,
  type EmitModelOptions,
} from "./compile.js";
export { CancelledError, type Cancellation } from "./budget.js";
export { CODES, type Code } from "./diagnostics/codes.js";
export type { Diagnostic } from "./diagnostics/diagnostic.js";
export { ANSI_COLORS, diagnosticToJson, NO_COLORS, renderDiagnostic } from "./diagnostics/render.js";
export { memoryHost, UnreadableFile, type Host } from "./host.js";
export type { Model, Preprocess, WeightMap } from "./model.js";
export type { EarlyStop, Recipe, StageRate, Thaw } from "./recipe.js";
export { summarize, type Summary } from "./summary.js";
export { parseTarget, type Target } from "./target.js";
export { format } from "../grammar/format.js";
