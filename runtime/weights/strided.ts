/** Tensors as weight files lay them out: a view with strides on bytes that other views may share. */
import { ELEMENT_SIZE, widen } from "./elements.js";
import type { InputFile } from "./input-file.js";
import { shownName, shownShape } from "./shown.js";
import type { StoredType, TensorInfo, TensorSource } from "./source.js";

/** Bytes that tensors are views of. */
export interface Storage {
  readonly byteLength: number;
  /** A copy in a buffer of its own. The range was checked against `byteLength`. */
  read(offset: number, length: number): Uint8Array;
}

/** A part of a file as it is. */
export function fileRegion(file: InputFile, start: number, byteLength: number): Storage {
  file.check(start, byteLength);
  return { byteLength, read: (offset, length) => file.read(start + offset, length) };
}

export interface StridedTensor extends TensorInfo {
  readonly storage: Storage;
  /** Of the first element, in bytes. */
  readonly byteOffset: number;
  /** In elements, one for each dimension. */
  readonly strides: readonly number[];
  /** Values are to be turned in sign. */
  readonly negative?: boolean;
}

/** A view that repeats elements (stride 0) may not make a small file large: this many elements at most. */
const MOST_REPEATED = 1 << 16;

/** Strides of a dense tensor; `fortran`: first dimension fastest. */
export function denseStrides(shape: readonly number[], fortran = false): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  const order = fortran ? shape.map((_, i) => i) : shape.map((_, i) => shape.length - 1 - i);
  let step = 1;
  for (const axis of order) {
    strides[axis] = step;
    step *= shape[axis] ?? 1;
  }
  return strides;
}

/** The tensor, after a check that every element of it lies in its storage. Throws a WeightsError. */
export function stridedTensor(
  file: InputFile,
  name: string,
  dtype: StoredType,
  shape: readonly number[],
  storage: Storage,
  byteOffset = 0,
  strides: readonly number[] = denseStrides(shape),
): StridedTensor {
  const damaged = (what: string) => file.error(`is damaged: tensor ${shownName(name)} ${what}`);
  const whole = (values: readonly number[]) => values.every((value) => Number.isSafeInteger(value) && value >= 0);
  if (
    shape.length > 16 ||
    shape.length !== strides.length ||
    !whole(shape) ||
    !whole(strides) ||
    !whole([byteOffset])
  ) {
    throw damaged("has an impossible shape");
  }
  const size = ELEMENT_SIZE[dtype];
  const count = elementCount(shape);
  const available = Math.floor(storage.byteLength / size);
  if (count > Math.max(available, MOST_REPEATED)) {
    throw damaged(`has the shape ${shownShape(shape)}, but its data hold ${available} values`);
  }
  const last = shape.reduce((sum, length, axis) => sum + (length - 1) * (strides[axis] ?? 0), 0);
  if (count > 0 && !(byteOffset + (last + 1) * size <= storage.byteLength)) {
    throw damaged("reaches beyond its data");
  }
  return { name, dtype, shape, storage, byteOffset, strides };
}

/** Infinity for an empty-looking overflow is fine: it is larger than any storage. */
export function elementCount(shape: readonly number[]): number {
  return shape.includes(0) ? 0 : shape.reduce((product, length) => product * length, 1);
}

/** Values in row-major order. */
export function readStrided(tensor: StridedTensor): Float32Array {
  const { shape, strides, dtype, storage, byteOffset, negative } = tensor;
  const count = elementCount(shape);
  if (count === 0) return new Float32Array(0);
  const last = shape.reduce((sum, length, axis) => sum + (length - 1) * (strides[axis] ?? 0), 0);
  const values = widen(storage.read(byteOffset, (last + 1) * ELEMENT_SIZE[dtype]), dtype);
  const dense = isDense(shape, strides) ? values : gather(values, shape, strides, count);
  return negative ? dense.map((value) => -value) : dense;
}

function isDense(shape: readonly number[], strides: readonly number[]): boolean {
  const dense = denseStrides(shape);
  return shape.every((length, axis) => length === 1 || strides[axis] === dense[axis]);
}

function gather(
  values: Float32Array,
  shape: readonly number[],
  strides: readonly number[],
  count: number,
): Float32Array {
  const result = new Float32Array(count);
  const index = new Array<number>(shape.length).fill(0);
  let position = 0;
  for (let i = 0; i < count; i++) {
    result[i] = values[position] ?? 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1;
      position += strides[axis] ?? 0;
      if (next < (shape[axis] ?? 0)) {
        index[axis] = next;
        break;
      }
      position -= next * (strides[axis] ?? 0);
      index[axis] = 0;
    }
  }
  return result;
}

/** The source that every file format ends in. */
export function stridedSource(
  file: InputFile,
  format: TensorSource["format"],
  tensors: Iterable<StridedTensor>,
  metadata: Readonly<Record<string, string>> = {},
): TensorSource {
  const byName = new Map<string, StridedTensor>();
  for (const tensor of tensors) {
    if (byName.has(tensor.name)) throw file.error(`is damaged: it holds two tensors named ${shownName(tensor.name)}`);
    byName.set(tensor.name, tensor);
  }
  if (byName.size === 0) throw file.error("holds no tensors");
  return {
    file: file.path,
    format,
    tensors: byName,
    metadata,
    read(name) {
      const tensor = byName.get(name);
      if (!tensor) throw file.error(`holds no tensor named ${shownName(name)}`);
      return readStrided(tensor);
    },
    close: () => file.close(),
  };
}
