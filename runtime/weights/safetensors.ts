/**
 * The safetensors format: a length, a JSON header with the type, shape and place of every tensor, and their bytes.
 *
 * https://github.com/huggingface/safetensors#format; the checks are those of its Rust reader: sizes that agree, and
 * data without overlaps or holes up to the end of the file.
 */
import { checksum, type Crc32 } from "./checksum.js";
import { ByteCursor, type InputFile } from "./input-file.js";
import { ELEMENT_SIZE } from "./elements.js";
import type { StoredType, TensorSource } from "./source.js";
import { elementCount, fileRegion, stridedSource, stridedTensor, type StridedTensor } from "./strided.js";
import { scanJson } from "./json-scan.js";
import { shownName, shownShape } from "./shown.js";

export const SAFETENSORS_TYPES: Readonly<Record<string, StoredType>> = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  I64: "int64",
  I32: "int32",
  I16: "int16",
  I8: "int8",
  U8: "uint8",
  BOOL: "bool",
};

/** In bytes. The format allows 100 MB; a ResNet-152 needs 100 kB. */
const LONGEST_HEADER = 16_000_000;

/** Metadata key of files that we write: CRC-32 of all data, as 8 hex digits. */
export const CHECKSUM_KEY = "resnetc.crc32";

interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** Throws a WeightsError. */
export function openSafetensors(file: InputFile, crc32: Crc32): TensorSource {
  const cursor = new ByteCursor(file);
  const length = cursor.u64();
  if (length > LONGEST_HEADER) throw file.error(`is damaged: a header of ${length} bytes`);
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(cursor.bytes(length));
  const header = parseHeader(file, text);
  const dataStart = cursor.position;
  const dataLength = file.size - dataStart;

  let next = 0;
  const tensors: StridedTensor[] = [];
  for (const entry of header.entries.sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    const damaged = (what: string) => file.error(`is damaged: tensor ${shownName(entry.name)} ${what}`);
    const dtype = Object.hasOwn(SAFETENSORS_TYPES, entry.dtype) ? SAFETENSORS_TYPES[entry.dtype] : undefined;
    if (!dtype) throw damaged(`has the type ${shownName(entry.dtype, 20)}, which is not read`);
    if (entry.begin < next) throw damaged("overlaps another");
    if (entry.begin > next) throw damaged("leaves a gap before it");
    if (entry.end > dataLength) {
      throw file.error(`is truncated: its tensors take ${entry.end} bytes, ${dataLength} are there`);
    }
    if (elementCount(entry.shape) * ELEMENT_SIZE[dtype] !== entry.end - entry.begin) {
      throw damaged(`has ${entry.end - entry.begin} bytes, not those of ${entry.dtype} ${shownShape(entry.shape)}`);
    }
    const storage = fileRegion(file, dataStart + entry.begin, entry.end - entry.begin);
    tensors.push(stridedTensor(file, entry.name, dtype, entry.shape, storage));
    next = entry.end;
  }
  if (next !== dataLength) throw file.error(`is damaged: ${dataLength - next} bytes belong to no tensor`);
  verifyChecksum(file, header.metadata[CHECKSUM_KEY], dataStart, crc32);
  return stridedSource(file, "safetensors", tensors, header.metadata);
}

function verifyChecksum(file: InputFile, expected: string | undefined, dataStart: number, crc32: Crc32): void {
  if (expected === undefined) return;
  const found = checksum(fileRegion(file, dataStart, file.size - dataStart), crc32);
  if (found !== Number.parseInt(expected, 16)) throw file.error("is damaged: the checksum of its data is wrong");
}

/** A header has tensors, their fields, and lists of numbers in these; JSON.parse takes minutes for millions of levels. */
const DEEPEST = 8;

function parseHeader(file: InputFile, text: string): { entries: Entry[]; metadata: Record<string, string> } {
  const { repeated, depth } = scanJson(text, DEEPEST);
  if (depth > DEEPEST) throw file.error("is damaged: its header is nested deeper than any that describes tensors");
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    throw file.error("is damaged: its header is no JSON");
  }
  if (!isRecord(header)) throw file.error("is damaged: its header is no JSON object");
  if (repeated !== undefined) throw file.error(`is damaged: it names ${shownName(repeated)} twice`);
  const entries: Entry[] = [];
  const metadata: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") {
      if (!isRecord(value)) throw file.error("is damaged: its metadata are no JSON object");
      for (const [key, text] of Object.entries(value)) if (typeof text === "string") metadata[key] = text;
    } else {
      entries.push(parseEntry(file, name, value));
    }
  }
  return { entries, metadata };
}

function parseEntry(file: InputFile, name: string, value: unknown): Entry {
  const { dtype, shape, data_offsets: offsets } = isRecord(value) ? value : {};
  const isSize = (item: unknown): item is number => Number.isSafeInteger(item) && (item as number) >= 0;
  if (typeof dtype === "string" && Array.isArray(shape) && Array.isArray(offsets) && offsets.length === 2) {
    const [begin, end] = offsets as unknown[];
    if (shape.every(isSize) && isSize(begin) && isSize(end) && begin <= end) {
      return { name, dtype, shape, begin, end };
    }
  }
  throw file.error(`is damaged: tensor ${shownName(name)} is not described as the format says`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
