/** `resnetc compile --training` for programs: a recipe's training step as files, for any binding of ONNX Runtime. */
import type { Chunked } from "../emit/onnx.js";
import { valuesOf, type ParameterValues } from "../emit/parameters.js";
import type { Device } from "../device.js";
import type { Model } from "../model.js";
import { phaseNamed, type Recipe } from "../recipe.js";
import { buildTraining } from "./build.js";
import type { TrainingOptions } from "./contract.js";
import { describeTraining, type TrainingDescription } from "./describe.js";
import { emitTraining } from "./emit.js";
import { heldOn } from "./held.js";
import { recipeOptions, thawGroups } from "./from-recipe.js";
import { trainingMemory, type TrainingMemory } from "./memory.js";
import { sizesFor } from "./sizes.js";
import { zeroInitResidual } from "./zero-init.js";

/** How a training step is compiled. */
export interface CompileTrainingOptions {
  /** Images that a graph takes, each step of which is an update then. Default: the recipe's batch / accumulate. */
  readonly batch?: number;
  /** Height and width of the images, of a network that takes any: of a detector the canvas that they lie in. `evaluate` of a detector takes any all the same. */
  readonly size?: readonly [height: number, width: number];
  /** Version of the ai.onnx operators, 16 to 21. Default 17. */
  readonly opset?: number;
  /** Whose operators, algorithms and way to hold the state are taken; a GPU's is in vectors. Default cpu. */
  readonly device?: Device;
  /** First values by parameter path; what is not in it begins as its initializer says. */
  readonly weights?: ParameterValues;
  /** What random initial values are made from. Default 0. */
  readonly seed?: number;
}

/** A parameter or running statistic before the first step. */
export interface InitialTensor {
  readonly name: string;
  readonly dtype: "float32";
  readonly shape: readonly number[];
  /** Row-major. */
  data(): Float32Array;
}

/** What docs/training-graphs.md describes. */
export interface CompiledTraining {
  /** By name: `train.onnx`, `gradients.onnx`, `update.onnx`, `evaluate.onnx`, those of phases, and `training.json`. */
  readonly files: ReadonlyMap<string, Chunked>;
  /** Tensors of the file `initial.safetensors`, which `training.json` names. */
  readonly initial: readonly InitialTensor[];
  /** What `training.json` says. */
  readonly description: TrainingDescription;
  /** What a step takes. */
  readonly memory: TrainingMemory;
}

const INITIAL = "initial.safetensors";

/**
 * The training step of a network by a recipe, or by one of its phases.
 *
 * @throws RangeError, TypeError one line, where the network can't be trained so, or an option is out of range
 */
export function compileTraining(source: Model, recipe: Recipe, options: CompileTrainingOptions = {}): CompiledTraining {
  const { batch, size, opset, device, weights, seed = 0 } = options;
  phaseNamed(recipe);
  const model = recipe.zeroInitResidual ? zeroInitResidual(source) : source;
  const settings = { ...optionsOf(model, recipe, { batch, size, device }), ...(opset === undefined ? {} : { opset }) };
  const { program, files } = emitTraining(model, settings);
  const description = describeTraining(model, program, {
    accumulate: batch === undefined ? recipe.accumulate : 1,
    initial: INITIAL,
    until: thawGroups(recipe).map(({ after, unit }) => ({ after, unit })),
  });
  return {
    // Last: who finds it finds all that it names.
    files: new Map<string, Chunked>([...files, ["training.json", text(JSON.stringify(description, undefined, 2))]]),
    initial: model.graph.parameters.map((parameter) => ({
      name: parameter.path,
      dtype: "float32",
      shape: parameter.value.type.shape as readonly number[],
      data: () => valuesOf(parameter, weights, seed),
    })),
    description,
    memory: trainingMemory(program.train),
  };
}

/**
 * What a training step takes, known before anything is emitted.
 *
 * @throws RangeError, TypeError one line, where the network can't be trained so
 */
export function memoryOfTraining(
  model: Model,
  recipe: Recipe,
  given: Pick<CompileTrainingOptions, "batch" | "size" | "device"> = {},
): TrainingMemory & { readonly batch: number } {
  phaseNamed(recipe);
  const options = optionsOf(model, recipe, given);
  return { batch: options.batch, ...trainingMemory(buildTraining(model, options).train) };
}

function optionsOf(
  model: Model,
  recipe: Recipe,
  { batch, size, device }: { readonly [K in "batch" | "size" | "device"]?: CompileTrainingOptions[K] | undefined },
): TrainingOptions {
  return {
    ...recipeOptions(recipe),
    ...(batch !== undefined && { batch }),
    ...(size && { sizes: sizesFor(model, size) }),
    ...(device && { device, held: heldOn(device) }),
  };
}

function text(content: string): Chunked {
  const bytes = new TextEncoder().encode(`${content}\n`);
  return { chunks: [bytes], byteLength: bytes.byteLength };
}
