/**
 * Weights made from tensor names by integer arithmetic alone: the twin of test/oracle/oracle_weights.py, which explains
 * the ranges. Both give the same bits, so that a test has torchvision's exact state_dict without shipping it.
 */
import type { TensorInfo, TensorSource } from "../../runtime/weights/source.js";

/** Uniform in [low, high), by MurmurHash3's finalizer over a counter that starts at the FNV-1a hash of the name. */
export function uniform(name: string, count: number, low: number, high: number): Float32Array {
  let seed = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 0x01000193);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    let hash = (seed + Math.imul(i, 0x9e3779b9)) | 0;
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash ^= hash >>> 16;
    values[i] = low + (high - low) * ((hash >>> 8) / 16777216);
  }
  return values;
}

function bounds(name: string, shape: readonly number[]): readonly [low: number, high: number] {
  if (shape.length > 1) {
    const bound = Math.sqrt(6 / product(shape.slice(1)));
    return [-bound, bound];
  }
  if (name.endsWith("running_var")) return [0.5, 1.5];
  if (name.endsWith("running_mean")) return [-0.2, 0.2];
  if (name.endsWith("weight")) return [0.4, 0.8];
  return [-0.1, 0.1];
}

/** By tensor name: the ranges of those that are not {@link bounds}'. */
export type Ranges = Readonly<Record<string, readonly [low: number, high: number]>>;

export function oracleTensor(name: string, shape: readonly number[], ranges: Ranges = {}): Float32Array {
  if (name.endsWith("num_batches_tracked")) return new Float32Array(1);
  return uniform(name, product(shape), ...(ranges[name] ?? bounds(name, shape)));
}

/** What the oracle's networks are run on: [1, 3, side, side]. */
export function oracleImage(side = 224): Float32Array {
  return uniform("input", 3 * side * side, -2, 2);
}

/** Bytes [3, height, width] of squares of 4, 16 and 64 pixels on one another, as images have detail of every size. */
export function oraclePixels(name: string, height: number, width: number): Uint8Array {
  const total = new Uint16Array(3 * height * width);
  for (const shift of [2, 4, 6]) {
    const [rows, columns] = [((height - 1) >> shift) + 1, ((width - 1) >> shift) + 1];
    const squares = uniform(`${name}.${shift}`, 3 * rows * columns, 0, 256);
    for (let i = 0; i < total.length; i++) {
      const [x, line] = [i % width, Math.floor(i / width)];
      const [y, channel] = [line % height, Math.floor(line / height)];
      total[i]! += Math.floor(squares[(channel * rows + (y >> shift)) * columns + (x >> shift)]!);
    }
  }
  return Uint8Array.from(total, (sum) => Math.floor(sum / 3));
}

/** A state_dict of these names and shapes as a weight file would be. */
export function oracleSource(
  file: string,
  tensors: Readonly<Record<string, readonly number[]>>,
  ranges?: Ranges,
): TensorSource {
  const infos = new Map<string, TensorInfo>(
    Object.entries(tensors).map(([name, shape]) => [name, { name, shape, dtype: "float32" }]),
  );
  return {
    file,
    format: "pytorch",
    tensors: infos,
    metadata: {},
    read: (name) => oracleTensor(name, infos.get(name)?.shape ?? [], ranges),
    close: () => undefined,
  };
}

function product(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1);
}

/** A state_dict as files of torchvision's before 0.13 have it; their frozen batch norms count no batches. */
export function underOldNames(source: TensorSource, oldName: (name: string) => string): TensorSource {
  const kept = [...source.tensors.values()].filter(({ name }) => !name.endsWith("num_batches_tracked"));
  const newName = new Map(kept.map(({ name }) => [oldName(name), name]));
  return {
    ...source,
    tensors: new Map([...newName].map(([old, name]) => [old, { ...source.tensors.get(name)!, name: old }])),
    read: (old) => source.read(newName.get(old)!),
  };
}
