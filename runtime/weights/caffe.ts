/**
 * Caffe's `.caffemodel`: a NetParameter message of protocol buffers, walked by position.
 *
 * Tensors are named `layer/index`, as the blobs of a layer have no names: `conv1/0` is conv1's weight, `conv1/1` its
 * bias. What the blobs of each kind of layer mean is the name map's business. Field numbers are those of
 * src/caffe/proto/caffe.proto of BVLC Caffe.
 */
import type { InputFile } from "./input-file.js";
import type { StoredType, TensorSource } from "./source.js";
import { elementCount, fileRegion, stridedSource, stridedTensor, type Storage, type StridedTensor } from "./strided.js";
import { ProtobufReader, type Field } from "./protobuf.js";

const NET = { name: 1, layersV1: 2, layer: 100 };
const LAYER = { name: 1, type: 2, blobs: 7 };
const LAYER_V1 = { name: 4, type: 5, blobs: 6 };
const BLOB = { legacyShape: [1, 2, 3, 4], data: 5, shape: 7, doubleData: 8 };
const SHAPE = { dim: 1 };

/** Layers that a network can have: bounds the work on a file that only looks like one. */
const MOST_LAYERS = 100_000;

/** Throws a WeightsError. */
export function openCaffe(file: InputFile): TensorSource {
  const reader = new ProtobufReader(file);
  const tensors: StridedTensor[] = [];
  const metadata: Record<string, string> = {};
  let layers = 0;
  for (const field of reader.fields()) {
    if (field.number === NET.name && field.wire === "bytes") metadata["name"] = text(file, field);
    else if (field.number === NET.layer && field.wire === "bytes") tensors.push(...layerBlobs(reader, field, LAYER));
    else if (field.number === NET.layersV1 && field.wire === "bytes")
      tensors.push(...layerBlobs(reader, field, LAYER_V1));
    else continue;
    if (++layers > MOST_LAYERS) throw file.error(`is damaged: it has more than ${MOST_LAYERS} layers`);
  }
  if (layers === 0) throw file.error("is no weight file of a known format");
  return stridedSource(file, "caffe", tensors, metadata);
}

function layerBlobs(reader: ProtobufReader, layer: Field, numbers: typeof LAYER): StridedTensor[] {
  let name = "";
  const blobs: Field[] = [];
  for (const field of reader.fields(layer)) {
    if (field.wire !== "bytes") continue;
    if (field.number === numbers.name) name = text(reader.file, field);
    if (field.number === numbers.blobs) blobs.push(field);
  }
  return blobs.map((blob, index) => readBlob(reader, `${name}/${index}`, blob));
}

/** BlobProto: values as packed floats (or doubles), and a shape as a list or, in old files, as four numbers. */
function readBlob(reader: ProtobufReader, name: string, blob: Field): StridedTensor {
  const { file } = reader;
  const runs: { dtype: StoredType; start: number; length: number }[] = [];
  const legacy = new Map<number, number>();
  let shape: number[] | undefined;
  for (const field of reader.fields(blob)) {
    if (field.number === BLOB.data || field.number === BLOB.doubleData) {
      if (field.wire !== "bytes") throw file.error(`has values of ${name} that are not packed, which is not read`);
      const dtype = field.number === BLOB.data ? "float32" : "float64";
      runs.push({ dtype, start: field.start, length: field.length });
    } else if (field.number === BLOB.shape && field.wire === "bytes") shape = blobShape(reader, field);
    else if (BLOB.legacyShape.includes(field.number) && field.wire === "varint") legacy.set(field.number, field.value);
  }
  const dtype = runs[0]?.dtype ?? "float32";
  if (runs.some((run) => run.dtype !== dtype)) throw file.error(`is damaged: ${name} has values of two types`);
  shape ??= legacy.size > 0 ? BLOB.legacyShape.map((number) => legacy.get(number) ?? 1) : undefined;
  const storage = joined(file, runs);
  const count = storage.byteLength / (dtype === "float32" ? 4 : 8);
  const dimensions = shape ?? [count];
  if (elementCount(dimensions) !== count) {
    throw file.error(`is damaged: ${name.slice(0, 100)} has ${count} values, its shape is [${dimensions.join(", ")}]`);
  }
  return stridedTensor(file, name, dtype, dimensions, storage);
}

/** BlobShape: `dim`, packed or not. */
function blobShape(reader: ProtobufReader, field: Field): number[] {
  const dims: number[] = [];
  for (const inner of reader.fields(field)) {
    if (inner.number !== SHAPE.dim) continue;
    if (inner.wire === "varint") dims.push(inner.value);
    else if (inner.wire === "bytes") dims.push(...reader.varints(inner));
  }
  return dims;
}

/** Packed values may be split over several fields, though nobody does it for large ones. */
function joined(file: InputFile, runs: readonly { start: number; length: number }[]): Storage {
  const [only] = runs;
  if (only && runs.length === 1) return fileRegion(file, only.start, only.length);
  const byteLength = runs.reduce((sum, run) => sum + run.length, 0);
  return {
    byteLength,
    read(offset, length) {
      const all = Buffer.concat(runs.map((run) => file.read(run.start, run.length)));
      return new Uint8Array(all.subarray(offset, offset + length));
    },
  };
}

function text(file: InputFile, field: Field): string {
  if (field.length > 1024) throw file.error("is damaged: a name of more than 1024 bytes");
  return Buffer.from(file.read(field.start, field.length)).toString("utf8");
}
