/** From a target or a text to the bytes of an `.onnx` file. */
import { hasIndependentScores } from "./independent-scores.js";
import { modelMetadata, type WeightsOrigin } from "./metadata.js";
import type { Diagnostic } from "./diagnostics/diagnostic.js";
import { formatPlace } from "./diagnostics/render.js";
import { concat, emitOnnx, type EmittedModel } from "./emit/onnx.js";
import { valuesOf, type ParameterValues } from "./emit/parameters.js";
import { elaborate, type ElaborateOptions, type Findings } from "./analyze.js";
import { takingPixels } from "./input-pixels.js";
import type { Model, Preprocess } from "./model.js";
import { channelProblem, fitted, imageChannels } from "./preprocess.js";
import { operator } from "./ops/index.js";
import type { Device } from "./device.js";
import { INFERENCE_PASSES, runPasses } from "./passes/index.js";
import type { Quantization } from "./quantization/quantization.js";
import { parseTarget, type Target } from "./target.js";
import { memoryHost } from "./host.js";

/** How a model is written as ONNX. */
export interface EmitModelOptions {
  /** Values by parameter path; what is missing begins as its initializer says. */
  readonly weights?: ParameterValues;
  /** Where the weights came from, for those who run the model. Default: given, or without {@link weights} random. */
  readonly origin?: WeightsOrigin;
  /** What random initial values are made from; the same seed gives the same bytes. Default 0. */
  readonly seed?: number;
  /** Of weights and activations; inputs and outputs stay fp32. Default fp32. */
  readonly precision?: "fp32" | "fp16";
  /**
   * Layers compute with 8-bit numbers: ranges that were measured on images, as `calibrate` of resnetc/runtime gives them. It does not
   * go with `precision` and needs the weights, with batch norms folded.
   */
  readonly quantization?: Quantization;
  /** The device whose fastest operators are used where there is a choice. Default `any`: those that all devices run. */
  readonly device?: "any" | Device;
  /** A fixed batch size. Default: dynamic. */
  readonly batch?: number | "dynamic";
  /** Version of the ai.onnx operators, 13 to 21. Default 17. */
  readonly opset?: number;
  /** False: structure only; the parameters are inputs of the model. Default true. */
  readonly withWeights?: boolean;
  /** Batch norms become part of the convolutions before them. Default: with weights. */
  readonly fold?: boolean;
  /** Names of the classes, in place of those that the source declares. */
  readonly labels?: readonly string[];
  /** The preprocessing, in place of the one that the source declares; made grey for a network of one channel. */
  readonly preprocess?: Preprocess;
  /** The input is an image as it is decoded, uint8 [N, H, W, 3]: the preprocessing becomes a part of the graph. */
  readonly inputPixels?: boolean;
  /** Name of a file for the weights beside the model. Above 1.9 GB they go to one anyway, called so or NETWORK.onnx.data. */
  readonly externalData?: string | { readonly ifLarge: string };
}

/** How a target is read, and how its model is written. */
export interface CompileOptions extends EmitModelOptions, ElaborateOptions {}

/** A model. The diagnostics are warnings at most. */
export interface Compiled extends Findings {
  /** The `.onnx` file. Its weights may be in {@link external}. */
  readonly onnx: Uint8Array;
  /** A file of weights that the model refers to, where it is too large for one file or that was asked for. */
  readonly external?: { readonly name: string; readonly data: Uint8Array };
  /** What was compiled: graph, shapes, preprocessing, labels. */
  readonly model: Model;
}

/** No model: at least one diagnostic is an error. */
export interface NotCompiled extends Findings {
  readonly onnx?: undefined;
  readonly external?: undefined;
  readonly model?: undefined;
}

/** `if (result.onnx)` tells which of the two it is. */
export type CompileResult = Compiled | NotCompiled;

/** Files given as text, and the target among them: `{ files: { "net.resnet": "..." }, entry: "net.resnet#Small" }`. */
export interface CompileInput {
  readonly files: Readonly<Record<string, string>>;
  readonly entry: string;
}

/**
 * Compiles a target (`"ResNet50"`, `"net.resnet#Small(classes: 10)"`), or files given as text. Mistakes in the source
 * are diagnostics; a RangeError says that an option is out of range.
 */
export function compile(input: string | Target | CompileInput, options: CompileOptions = {}): CompileResult {
  const files = typeof input === "object" && "files" in input ? input : undefined;
  const host = options.host ?? memoryHost(files?.files ?? {});
  const text = files ? files.entry : input;
  const target = typeof text === "string" ? parseTarget(text, host) : (text as Target);
  const { model, ...findings } = elaborate(target, { ...options, host });
  if (!model) return findings;
  return inMemory(model, emitModel(model, options), findings);
}

/** What one array of bytes holds; ONNX Runtime's own arrays end there too. */
const LARGEST_ARRAY = 2 ** 32 - 1;

/** All of an emitted model in memory; where that is too much, an error in place of it, before anything is computed. */
export function inMemory(model: Model, emitted: EmittedModel, findings: Findings): CompileResult {
  const byteLength = emitted.external?.byteLength ?? emitted.byteLength;
  if (byteLength <= LARGEST_ARRAY) return { ...findings, model, ...modelBytes(emitted) };
  const tooLarge: Diagnostic = {
    code: "too-large",
    severity: "error",
    message: `${model.name} has ${(byteLength / 1e9).toFixed(1)} GB of weights, more than one array of bytes holds`,
    span: model.root.span,
    notes: [],
    help: "`resnetc compile` writes it to a file piece by piece; half precision halves it",
    chain: [],
  };
  return { ...findings, diagnostics: [...findings.diagnostics, tooLarge], errorCount: findings.errorCount + 1 };
}

/** Whether a model is written otherwise for one device than for another. */
export function dependsOnDevice({ graph }: Model): boolean {
  return graph.nodes.some((node) => operator(node.op).algorithms !== undefined);
}

/** The values that a network's parameters have without weights, by path. */
export function initialWeights({ graph }: Model, seed: number): ParameterValues {
  const parameters = new Map(graph.parameters.map((parameter) => [parameter.path, parameter]));
  return {
    get(path) {
      const parameter = parameters.get(path);
      return parameter && valuesOf(parameter, undefined, seed);
    },
  };
}

/** All of an emitted model in memory. */
export function modelBytes({ chunks, byteLength, external }: EmittedModel): Pick<Compiled, "onnx" | "external"> {
  return {
    onnx: concat(chunks, byteLength),
    ...(external && { external: { name: external.name, data: concat(external.chunks, external.byteLength) } }),
  };
}

/** A model as the pieces of its file, so that the weights need never be in memory at once. */
export function emitModel(model: Model, options: EmitModelOptions = {}): EmittedModel {
  const { withWeights = true, fold = withWeights, batch, precision, device = "any" } = options;
  const given = options.preprocess ?? model.preprocess;
  const channels = imageChannels(model);
  const preprocess = given && fitted(given, channels).preprocess;
  const problem = preprocess && channelProblem(channels, preprocess);
  if (problem !== undefined) throw new RangeError(`${model.name}: ${problem}`);
  const { graph: whole } = options.inputPixels ? takingPixels(model, preprocess) : model;
  const { quantization } = options;
  if (quantization && (precision === "fp16" || !fold || !withWeights)) {
    throw new RangeError(`${model.name}: 8-bit numbers are made of fp32 weights, with batch norms folded into them`);
  }
  const graph = runPasses(INFERENCE_PASSES, whole, {
    foldBatchNorms: fold,
    ...(typeof batch === "number" ? { sizes: { N: batch } } : {}),
    ...(precision === undefined ? {} : { precision }),
    ...(quantization && { quantization }),
    ...(device === "any" ? {} : { device }),
  });
  return emitOnnx(graph, {
    withWeights,
    sourceLine: (span) => formatPlace(span, model.sources),
    metadata: modelMetadata(
      preprocess,
      options.labels ?? model.labels,
      model.name,
      model.detection,
      withWeights ? (options.origin ?? { from: options.weights ? "given" : "random" }) : undefined,
      model.views,
      hasIndependentScores(model) ? "independent" : undefined,
    ),
    ...(options.opset === undefined ? {} : { opset: options.opset }),
    ...(options.weights ? { weights: options.weights } : {}),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    ...(options.externalData === undefined ? {} : { externalData: options.externalData }),
  });
}
