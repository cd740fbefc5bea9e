/**
 * The compiler's public interface. It runs in Node and in a browser: files come from a {@link Host}, or are given as
 * text. Mistakes in a source come back as diagnostics; nothing here prints, exits or throws for them.
 *
 *     const { model, diagnostics } = elaborate(parseTarget("ResNet50"));
 *     const { onnx } = compile("ResNet50", { seed: 1 });
 *
 * @module resnetc
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
export { CODES, type Code, type CodeInfo } from "./diagnostics/codes.js";
export type { Diagnostic, Frame, Note } from "./diagnostics/diagnostic.js";
export type { Severity } from "./diagnostics/codes.js";
export {
  ANSI_COLORS,
  diagnosticToJson,
  NO_COLORS,
  renderDiagnostic,
  type DiagnosticJson,
  type LocationJson,
  type Paint,
  type Palette,
} from "./diagnostics/render.js";
export type { Chunked, EmittedModel } from "./emit/onnx.js";
export type { ParameterValues } from "./emit/parameters.js";
export type { Quantization } from "./quantization/quantization.js";
export type { Range } from "./quantization/scale.js";
export { memoryHost, UnreadableFile, type Host } from "./host.js";
export type { Dim, SymbolicDim } from "./ir/dim.js";
export type {
  Attributes,
  AttributeValue,
  Constant,
  DataType,
  Derivation,
  Graph,
  Initializer,
  NamedValue,
  Node,
  Parameter,
  Scope,
  TensorType,
  Value,
} from "./ir/types.js";
export type { WeightsOrigin } from "./metadata.js";
export type { Detection, Loss, Losses, Model, ObjectRules, Preprocess, Rename, WeightMap } from "./model.js";
export type { Device } from "./device.js";
export type {
  EarlyStop,
  Mixing,
  ParameterKind,
  ParameterRate,
  Recipe,
  Schedule,
  StageRate,
  Thaw,
  TransformSettings,
  WarmUp,
} from "./recipe.js";
export {
  summarize,
  type Cost,
  type LayerSummary,
  type PartSummary,
  type StageSummary,
  type Summary,
} from "./summary.js";
export { parseTarget, type Target } from "./target.js";
export {
  compileTraining,
  memoryOfTraining,
  type CompiledTraining,
  type CompileTrainingOptions,
  type InitialTensor,
} from "./training/compile.js";
export type {
  GraphDescription,
  Moment,
  PhaseDescription,
  StateDescription,
  TensorDescription,
  TrainingDescription,
  VectorDescription,
} from "./training/describe.js";
export type { StateRole } from "./training/contract.js";
export type { TrainingMemory } from "./training/memory.js";
export type { Optimizer } from "./training/optimizers/index.js";
export type { Argument, ArgumentType, Bounds, Presence, Schema, Word, Words } from "./words/schema.js";
export { format, type FormatResult } from "./syntax.js";
