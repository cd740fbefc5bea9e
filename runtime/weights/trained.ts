/**
 * What a training writes into its files of weights besides tensors: which of them were validated, and how images came
 * to them. A model can be made of such a file alone. docs/training.md lists the keys.
 */
import type { MeanImage } from "../../compiler/mean-image.js";
import { METADATA_KEYS, parseMetadata } from "../../compiler/metadata.js";
import type { Preprocess } from "../../compiler/model.js";
import { WeightsError, type TensorSource } from "./source.js";

export type { MeanImage };

/** What a training knows of its weights. */
export interface Trained {
  /** Name of the network: `ResNet50`. */
  readonly network: string;
  /** Class names in order. */
  readonly labels: readonly string[];
  readonly preprocess: Preprocess;
  readonly meanImage?: MeanImage;
  /** Prefix of the tensors that were validated: `ema.` for averaged weights, else nothing. */
  readonly prefix: "ema." | "";
}

export const TRAINED_KEYS = {
  network: METADATA_KEYS.network,
  labels: METADATA_KEYS.labels,
  preprocess: METADATA_KEYS.preprocess,
  /** `ema`: tensors `ema.PATH` were validated; `raw`: tensors `PATH`. */
  validated: "resnetc.validated",
  /** Where the mean image is: a tensor's name in this file, or `model.onnx` beside it. Absent: there is none. */
  meanImage: "resnetc.mean_image",
  /** `center`: the mean image was cut with the middle of the image, and fits no other view. */
  views: METADATA_KEYS.views,
} as const;

/** Name of the tensor with the mean image, in checkpoints. */
export const MEAN_IMAGE = "resnetc.mean_image";

/** @param meanImage where it is: among the tensors, or in the model beside the file */
export function trainedMetadata(trained: Trained, meanImage: "tensor" | "model.onnx"): Record<string, string> {
  return {
    [TRAINED_KEYS.network]: trained.network,
    [TRAINED_KEYS.labels]: JSON.stringify(trained.labels),
    [TRAINED_KEYS.preprocess]: JSON.stringify(trained.preprocess),
    [TRAINED_KEYS.validated]: trained.prefix === "" ? "raw" : "ema",
    ...(trained.meanImage && { [TRAINED_KEYS.meanImage]: meanImage === "tensor" ? MEAN_IMAGE : meanImage }),
    ...(trained.meanImage?.views && { [TRAINED_KEYS.views]: trained.meanImage.views }),
  };
}

/** What a file of weights says of the training that wrote it. */
export interface ReadTrained extends Trained {
  /** A mean image belongs to these weights, but is not in the file: it is in the `model.onnx` beside it. */
  readonly meanImageElsewhere: boolean;
}

/**
 * What a training wrote beside the tensors; undefined for files that no training wrote, or an earlier version's.
 *
 * @throws {WeightsError} where it is damaged
 */
export function readTrained(source: TensorSource): ReadTrained | undefined {
  const { file, metadata } = source;
  const validated = metadata[TRAINED_KEYS.validated];
  if (validated === undefined) return undefined;
  const damaged = (what: string): WeightsError => new WeightsError(`${file}: is damaged: ${what}`);
  if (validated !== "raw" && validated !== "ema")
    throw damaged(`metadata ${TRAINED_KEYS.validated} is neither raw nor ema`);
  const { network, labels, preprocess, views } = parsed(metadata, damaged);
  if (network === undefined || labels === undefined || preprocess === undefined) {
    throw damaged("its metadata say what was validated, but not by which labels and preprocessing");
  }
  const where = metadata[TRAINED_KEYS.meanImage];
  const meanImage = where === MEAN_IMAGE ? readMeanImage(source, damaged) : undefined;
  return {
    network,
    labels,
    preprocess,
    prefix: validated === "ema" ? "ema." : "",
    ...(meanImage && { meanImage: { ...meanImage, ...(views && { views }) } }),
    meanImageElsewhere: where !== undefined && meanImage === undefined,
  };
}

function parsed(metadata: Readonly<Record<string, string>>, damaged: (what: string) => WeightsError) {
  try {
    return parseMetadata(metadata);
  } catch (error) {
    throw damaged((error as Error).message);
  }
}

function readMeanImage(source: TensorSource, damaged: (what: string) => WeightsError): MeanImage {
  const [one, channels, height, width] = source.tensors.get(MEAN_IMAGE)?.shape ?? [];
  if (one !== 1 || (channels !== 3 && channels !== 1) || !height || !width)
    throw damaged(`it has no tensor ${MEAN_IMAGE} [1, 3, H, W], or [1, 1, H, W] of grey`);
  return { data: source.read(MEAN_IMAGE), shape: [1, channels, height, width] };
}
