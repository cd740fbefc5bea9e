/** CIFAR's Python version: pickled dictionaries, of which nothing is executed. The pixels stay where they are in the file. */
import { ByteCursor, type InputFile } from "../../../weights/input-file.js";
import { openInputFile } from "../../../weights/open-file.js";
import { elementType, numpyArray, numpyParts, plainBytes } from "../../../weights/numpy-array.js";
import { readPickle } from "../../../weights/pickle/read.js";
import {
  integers,
  kindOf,
  sequenceItems,
  type PickleDict,
  type PickleSpan,
  type PickleValue,
} from "../../../weights/pickle/values.js";
import { WeightsError } from "../../../weights/source.js";
import { stridedSource } from "../../../weights/strided.js";
import { DataError } from "../../../data-error.js";
import { PIXEL_BYTES, SIDE, type RecordReference } from "./record.js";

export interface PythonBatch {
  readonly labels: readonly number[];
  readonly place: (index: number) => Omit<RecordReference, "kind">;
}

/** @throws {DataError} where it is no batch of CIFAR, or does not hold an image for each label */
export function readPythonBatch(file: string, labelKey: string): PythonBatch {
  return opened(file, (input, entries) => {
    const labels = labelsOf(input, entries.get(labelKey));
    if (!labels) throw new DataError(`${file}: no batch of CIFAR: it has no list of whole numbers "${labelKey}"`);
    const array = numpyParts(entries.get("data"));
    const shape = integers(array?.shape);
    const isRight =
      array !== undefined &&
      shape !== undefined &&
      !array.fortran &&
      elementType(array.dtype) === "uint8" &&
      [`${PIXEL_BYTES}`, `3,${SIDE},${SIDE}`].includes(shape.slice(1).join());
    if (!isRight)
      throw new DataError(`${file}: no batch of CIFAR: its "data" are no uint8 array [images, ${PIXEL_BYTES}]`);
    if (shape[0] !== labels.length) {
      throw new DataError(`${file}: damaged: it has ${shape[0]} images and ${labels.length} labels`);
    }
    const bytes = plainBytes(array.data);
    const needed = labels.length * PIXEL_BYTES;
    if (kindOf(bytes) !== "span") {
      // Few images, as a short text in the pickle: no file of CIFAR has them.
      throw new DataError(`${file}: holds its images as text, which is not read; save it again with protocol=4`);
    }
    const { start, length, text } = bytes as PickleSpan;
    if (text ? length < needed : length !== needed) {
      throw new DataError(`${file}: damaged: ${length} bytes for ${labels.length} images, which take ${needed}`);
    }
    return {
      labels,
      place: (index) =>
        text
          ? { file, offset: index * PIXEL_BYTES, text: { start, length } }
          : { file, offset: start + index * PIXEL_BYTES },
    };
  });
}

/** The names of the classes; undefined where the file is not there or has none. */
export function readPythonNames(file: string, key: string): readonly string[] | undefined {
  try {
    return opened(file, (input, entries) => sequenceItems(entries.get(key))?.map((item) => textOf(input, item) ?? ""));
  } catch (error) {
    if (error instanceof DataError) return undefined;
    throw error;
  }
}

function opened<T>(file: string, read: (input: InputFile, entries: ReadonlyMap<string, PickleValue>) => T): T {
  let input: InputFile | undefined;
  try {
    input = openInputFile(file);
    const top = readPickle(new ByteCursor(input));
    if (kindOf(top) !== "dict") throw new DataError(`${file}: no batch of CIFAR: a pickle, but of no dictionary`);
    const entries = new Map<string, PickleValue>();
    for (const [key, value] of (top as PickleDict).entries) {
      const name = textOf(input, key);
      if (name !== undefined) entries.set(name, value);
    }
    return read(input, entries);
  } catch (error) {
    if (!(error instanceof WeightsError)) throw error;
    throw new DataError(error.message.replace("not a weight file", "not a batch of CIFAR"), { cause: error });
  } finally {
    input?.close();
  }
}

const LONGEST_NAME = 200;

/** A text, or bytes that are one: Python 2 and 3 wrote them differently. */
function textOf(input: InputFile, value: PickleValue): string | undefined {
  if (typeof value === "string") return value;
  if (kindOf(value) !== "span" || (value as PickleSpan).length > LONGEST_NAME) return undefined;
  const { start, length } = value as PickleSpan;
  return Buffer.from(input.read(start, length)).toString("utf8");
}

/** A list, or an array. */
function labelsOf(input: InputFile, value: PickleValue | undefined): readonly number[] | undefined {
  const tensor = numpyArray(input, "labels", value);
  const labels =
    tensor && !("unread" in tensor)
      ? [...stridedSource(input, "detectron2", [tensor]).read("labels")]
      : integers(value);
  return labels?.every((label) => Number.isInteger(label)) ? labels : undefined;
}
