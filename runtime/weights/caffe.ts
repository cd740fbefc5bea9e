/**
 * Caffe's `.caffemodel`: a NetParameter message of protocol buffers, walked by position.
 *
 * Tensors are named `layer/index`, as the blobs of a layer have no names: `conv1/0` is conv1's weight, `conv1/1` its
 * bias. What the blobs of each kind of layer mean is the name map's business. Field numbers are those of
 * src/caffe/proto/caffe.proto of BVLC Caffe.
 */
import { ProtobufCursor, ProtobufError, type Field, type Range } from "../onnx/protobuf-cursor.js";
import type { InputFile } from "./input-file.js";
import { shownName, shownShape } from "./shown.js";
import type { StoredType, TensorSource } from "./source.js";
import { elementCount, fileRegion, stridedSource, stridedTensor, type Storage, type StridedTensor } from "./strided.js";

const NET = { name: 1, layersV1: 2, layer: 100 };
const LAYER = { name: 1, blobs: 7 };
const LAYER_V1 = { name: 4, blobs: 6 };
const BLOB = { legacyShape: [1, 2, 3, 4], data: 5, shape: 7, doubleData: 8 };
const SHAPE = { dim: 1 };

/** A ResNet-152 has 20,000. Bounds the time that is spent on a file that only looks like a message. */
const MOST_FIELDS = 1_000_000;
/** In bytes. */
const LONGEST_NAME = 1024;

/** Throws a WeightsError. */
export function openCaffe(file: InputFile): TensorSource {
  try {
    return new CaffeReader(file).read();
  } catch (cause) {
    if (!(cause instanceof ProtobufError)) throw cause;
    throw file.error(
      cause.kind === "truncated"
        ? "is truncated, or no weight file of a known format"
        : "is damaged, or no weight file of a known format",
    );
  }
}

class CaffeReader {
  readonly #file: InputFile;
  readonly #cursor: ProtobufCursor;
  #fieldsLeft = MOST_FIELDS;

  constructor(file: InputFile) {
    this.#file = file;
    this.#cursor = new ProtobufCursor({
      size: file.size,
      read: (target, position) => file.readInto(target, position),
      close: () => file.close(),
    });
  }

  read(): TensorSource {
    const tensors: StridedTensor[] = [];
    const metadata: Record<string, string> = {};
    let layers = 0;
    for (const { number, range } of this.#fields(this.#cursor.all)) {
      if (!range) continue;
      if (number === NET.name) metadata["name"] = this.#name(range);
      const numbers = number === NET.layer ? LAYER : number === NET.layersV1 ? LAYER_V1 : undefined;
      if (!numbers) continue;
      layers++;
      tensors.push(...this.#layer(range, numbers));
    }
    if (layers === 0) throw this.#file.error("is no weight file of a known format");
    return stridedSource(this.#file, "caffe", tensors, metadata);
  }

  #layer(layer: Range, numbers: typeof LAYER): StridedTensor[] {
    let name = "";
    const blobs: Range[] = [];
    for (const { number, range } of this.#fields(layer)) {
      if (range && number === numbers.name) name = this.#name(range);
      if (range && number === numbers.blobs) blobs.push(range);
    }
    return blobs.map((blob, index) => this.#blob(`${name}/${index}`, blob));
  }

  /** BlobProto: values as packed floats or doubles, and a shape as a list or, in old files, as four numbers. */
  #blob(name: string, blob: Range): StridedTensor {
    const runs: { dtype: StoredType; range: Range }[] = [];
    const legacy = new Map<number, number>();
    let shape: number[] | undefined;
    for (const { number, range, varint } of this.#fields(blob)) {
      if (range && (number === BLOB.data || number === BLOB.doubleData)) {
        runs.push({ dtype: number === BLOB.data ? "float32" : "float64", range });
      } else if (range && number === BLOB.shape) shape = this.#shape(range);
      else if (varint !== undefined && BLOB.legacyShape.includes(number)) legacy.set(number, varint);
    }
    const damaged = (what: string) => this.#file.error(`is damaged: ${shownName(name)} ${what}`);
    const dtype = runs[0]?.dtype ?? "float32";
    if (runs.some((run) => run.dtype !== dtype)) throw damaged("has values of two types");
    const storage = this.#joined(runs.map((run) => run.range));
    const count = storage.byteLength / (dtype === "float32" ? 4 : 8);
    if (legacy.size > 0) shape ??= BLOB.legacyShape.map((number) => legacy.get(number) ?? 1);
    shape ??= [count];
    if (elementCount(shape) !== count) throw damaged(`has ${count} values, not those of ${shownShape(shape)}`);
    return stridedTensor(this.#file, name, dtype, shape, storage);
  }

  /** BlobShape: `dim`, packed or not. */
  #shape(message: Range): number[] {
    const dims: number[] = [];
    for (const { number, range, varint } of this.#fields(message)) {
      if (number !== SHAPE.dim) continue;
      if (varint !== undefined) dims.push(varint);
      // More than this is no shape; the tensor's check says so.
      if (range) dims.push(...this.#cursor.packed({ start: range.start, end: Math.min(range.end, range.start + 256) }));
    }
    return dims;
  }

  /** Packed values may be split over several fields, though nobody does it for large ones. */
  #joined(runs: readonly Range[]): Storage {
    const [only] = runs;
    if (only && runs.length === 1) return fileRegion(this.#file, only.start, only.end - only.start);
    return {
      byteLength: runs.reduce((sum, run) => sum + (run.end - run.start), 0),
      read: (offset, length) => {
        const parts = runs.map((run) => this.#file.read(run.start, run.end - run.start));
        return new Uint8Array(Buffer.concat(parts).subarray(offset, offset + length));
      },
    };
  }

  #name(range: Range): string {
    if (range.end - range.start > LONGEST_NAME) throw this.#file.error("is damaged: a name without an end");
    return this.#cursor.text(range);
  }

  *#fields(message: Range): Generator<Field> {
    for (const field of this.#cursor.fields(message)) {
      if (this.#fieldsLeft-- === 0) throw this.#file.error(`is damaged: more than ${MOST_FIELDS} fields`);
      yield field;
    }
  }
}
