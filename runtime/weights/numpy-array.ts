/**
 * Arrays of numpy in a pickle: Detectron2's model zoo and its ImageNet backbones (`.pkl`), and those of Caffe2's Detectron.
 *
 * The array's data are a byte string inside the pickle; it stays in the file until it is read. See
 * detectron2/checkpoint/detection_checkpoint.py and `array_reduce` of numpy/core/src/multiarray/methods.c.
 */
import type { InputFile } from "./input-file.js";
import { integers, isCallOf, kindOf, sequenceItems, type PickleSpan, type PickleValue } from "./pickle/values.js";
import { plainName, shownName } from "./shown.js";
import type { StoredType } from "./source.js";
import { denseStrides, elementCount, fileRegion, stridedTensor, type Storage, type StridedTensor } from "./strided.js";
import { ELEMENT_SIZE } from "./elements.js";

const DTYPES: Readonly<Record<string, StoredType>> = {
  f8: "float64",
  f4: "float32",
  f2: "float16",
  i8: "int64",
  i4: "int32",
  i2: "int16",
  i1: "int8",
  u1: "uint8",
  b1: "bool",
};

const RECONSTRUCT = ["numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"];
const FROM_BUFFER = ["numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer"];

const BYTE_CALLS = ["_codecs.encode", "builtins.bytearray", "__builtin__.bytearray"];

/** An array, or why it can't be read. */
type Found = StridedTensor | { readonly unread: string };

/** The array that a call describes; undefined where it describes none. Throws a WeightsError. */
export function numpyArray(file: InputFile, name: string, value: PickleValue | undefined): Found | undefined {
  const parts = numpyParts(value);
  return parts && view(file, name, parts);
}

/** What a call says of an array; its data are bytes in one of several forms. */
export interface NumpyParts {
  readonly shape: PickleValue | undefined;
  readonly dtype: PickleValue | undefined;
  readonly fortran: boolean;
  readonly data: PickleValue | undefined;
}

/** Undefined where the value is no array. */
export function numpyParts(value: PickleValue | undefined): NumpyParts | undefined {
  if (isCallOf(value, ...RECONSTRUCT)) {
    const [, shape, dtype, fortran, data] = sequenceItems(value.state) ?? [];
    return { shape, dtype, fortran: fortran === true, data };
  }
  if (isCallOf(value, ...FROM_BUFFER)) {
    const [data, dtype, shape, order] = value.arguments;
    return { shape, dtype, fortran: order === "F", data };
  }
  return undefined;
}

function view(
  file: InputFile,
  name: string,
  { shape: shapeValue, dtype: dtypeValue, fortran, data }: NumpyParts,
): Found {
  const dtype = elementType(dtypeValue);
  if (typeof dtype !== "string") return dtype;
  const shape = integers(shapeValue);
  if (!shape) throw file.error(`is damaged: array ${shownName(name)} has no shape`);
  const storage = bytesOf(file, data, elementCount(shape) * ELEMENT_SIZE[dtype]);
  return stridedTensor(file, name, dtype, shape, storage, 0, denseStrides(shape, fortran));
}

/** `numpy.dtype("f4", False, True)` with the state `(3, "<", ...)`; or why such elements can't be read. */
export function elementType(value: PickleValue | undefined): StoredType | { readonly unread: string } {
  const code = isCallOf(value, "numpy.dtype") ? value.arguments[0] : undefined;
  const order = isCallOf(value, "numpy.dtype") ? sequenceItems(value.state)?.[1] : undefined;
  if (typeof code !== "string" || !Object.hasOwn(DTYPES, code)) {
    return { unread: `an array of ${typeof code === "string" ? plainName(code, 20) : "no"} type` };
  }
  return order === ">" ? { unread: "a big-endian array" } : DTYPES[code]!;
}

/** A byte string as Python 3 (a span), Python 2 (latin1 text) or Python 3 for Python 2 (`encode(text, "latin1")`) put it. */
function bytesOf(file: InputFile, value: PickleValue | undefined, needed: number): Storage {
  const data = plainBytes(value);
  if (typeof data === "string") return inMemory(Buffer.from(data, "latin1"));
  if (kindOf(data) !== "span") throw file.error(`is damaged: an array's data are a ${kindOf(data)}`);
  const span = data as PickleSpan;
  if (!span.text) return fileRegion(file, span.start, span.length);
  // Bytes above 127 take two in UTF-8, so places can't be computed: the text is decoded whole for each read.
  const decode = () => Buffer.from(Buffer.from(file.read(span.start, span.length)).toString("utf8"), "latin1");
  return {
    byteLength: Math.min(needed, span.length),
    read(offset, length) {
      const bytes = decode();
      if (bytes.length !== needed)
        throw file.error(`is damaged: an array has ${bytes.length} bytes, it needs ${needed}`);
      return new Uint8Array(bytes.subarray(offset, offset + length));
    },
  };
}

/** Without the calls round them. */
export function plainBytes(value: PickleValue | undefined): PickleValue | undefined {
  let data = value;
  // At most bytearray(encode(...)): a hostile file may nest a million of them.
  for (let depth = 0; depth < 2 && isCallOf(data, ...BYTE_CALLS); depth++) data = data.arguments[0];
  return data;
}

function inMemory(bytes: Uint8Array): Storage {
  return {
    byteLength: bytes.length,
    read: (offset, length) => new Uint8Array(bytes.subarray(offset, offset + length)),
  };
}
