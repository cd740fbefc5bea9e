/** A training program as `.onnx` files that any ONNX Runtime binding can drive (docs/training-graphs.md). */
import { formatPlace } from "../diagnostics/render.js";
import { emitOnnx, type EmittedModel } from "../emit/onnx.js";
import type { Model } from "../model.js";
import { buildTraining } from "./build.js";
import { describeState, graphFile } from "./describe.js";
import {
  TRAINING_GRAPHS,
  type HeldTensor,
  type TrainingGraph,
  type TrainingOptions,
  type TrainingProgram,
} from "./contract.js";

/** The first in which ScatterElements adds up: the gradient of a maximum pool. */
const OLDEST_OPSET = 16;

export interface EmittedTraining {
  readonly program: TrainingProgram;
  /** By file name. */
  readonly files: ReadonlyMap<string, EmittedModel>;
}

export interface EmitTrainingOptions extends TrainingOptions {
  /** Version of the ai.onnx operators. Default 17, at least 16. */
  readonly opset?: number;
}

/** Throws a RangeError where the model can't be trained so; see {@link buildTraining}. */
export function emitTraining(model: Model, options: EmitTrainingOptions): EmittedTraining {
  if (options.opset !== undefined && options.opset < OLDEST_OPSET) {
    throw new RangeError(`training graphs need opset ${OLDEST_OPSET} or later, not ${options.opset}`);
  }
  const program = buildTraining(model, options);
  const files = TRAINING_GRAPHS.map((name) => [graphFile(name, undefined), program[name]] as const);
  const earlier = program.phases.flatMap((phase, index) =>
    (["train", "gradients", "update"] as const).map((name) => [graphFile(name, index), phase[name]] as const),
  );
  const emitted = [...files, ...earlier].map(
    ([name, graph]) => [name, emitTrainingGraph(graph, { ...options, model })] as const,
  );
  return { program, files: new Map(emitted) };
}

/** @param options `model`: with the lines of its source, and metadata that say what is read and written, as JSON */
export function emitTrainingGraph(
  training: TrainingGraph,
  { opset, model }: Pick<EmitTrainingOptions, "opset"> & { readonly model?: Model } = {},
): EmittedModel {
  const version = opset === undefined ? {} : { opset };
  if (model === undefined) return emitOnnx(training.graph, version);
  return emitOnnx(training.graph, {
    ...version,
    sourceLine: (span) => (span.file === "" ? "" : formatPlace(span, model.sources)),
    metadata: {
      "resnetc.network": model.name,
      "resnetc.training.reads": JSON.stringify(training.reads.map(forMetadata)),
      "resnetc.training.writes": JSON.stringify(training.writes.map((each) => each.name)),
      "resnetc.training.noise": JSON.stringify(training.noise),
    },
  });
}

/** Shorter than in `training.json`: all state is float32. */
function forMetadata({ name, shape, parts }: HeldTensor): unknown {
  const [first, ...others] = parts.map((state) => {
    const { dtype: _dtype, ...description } = describeState(state);
    return description;
  });
  return others.length === 0 ? first : { name, shape, parts: [first, ...others] };
}
