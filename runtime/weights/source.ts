/** Named tensors that can be read one at a time, whatever file they come from. */

/** Element types that weight files hold. bf16 and fp16 are widened to fp32 when read. */
export type StoredType =
  "float64" | "float32" | "float16" | "bfloat16" | "int64" | "int32" | "int16" | "int8" | "uint8" | "bool";

/** A tensor's name, element type and shape. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: StoredType;
  readonly shape: readonly number[];
  /** The dictionaries of a pickle that the tensor is in, which its name begins with: `state_dict.`. */
  readonly within?: string;
}

/**
 * A weight file, opened. Its tensors have all their names in the file, with the keys of the dictionaries that they are in
 * (`state_dict.module.conv1.weight`). Its index was read and checked; tensor data is read on demand, so that memory stays small.
 */
export interface TensorSource {
  /** For messages: `resnet50.pth`. */
  readonly file: string;
  readonly format: "safetensors" | "pytorch" | "caffe" | "detectron2";
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Free-form metadata of the file. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Tensors that can't be read, by name, and what they are: `a sparse tensor`. */
  readonly unread?: ReadonlyMap<string, string>;
  /** What else a pickle has beside tensors, by its place, and its class: `omegaconf.dictconfig.DictConfig`. */
  readonly objects?: ReadonlyMap<string, string>;
  /** Functions that have nothing to do with weights, which a pickle would have had Python call. None was. */
  readonly calls?: readonly string[];
  /** Values as fp32, flat, row-major: a copy of the caller's own. Throws {@link WeightsError}. */
  read(name: string): Float32Array;
  /** Closes the file: nothing can be read after it. */
  close(): void;
}

/** A weight file that can't be used; the message is one clear line that names the file. */
export class WeightsError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "WeightsError";
  }
}
