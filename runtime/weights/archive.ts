/** Zip archives whose entries are stored as they are, so that any part of them can be read by position. */
import zlib from "node:zlib";
import yauzl from "yauzl";
import type { InputFile } from "./input-file.js";
import { checksum } from "./checksum.js";
import { shownName } from "./shown.js";
import { fileRegion, type Storage } from "./strided.js";

export interface ArchiveEntry {
  readonly name: string;
  /** Where its bytes begin in the file. */
  readonly start: number;
  readonly byteLength: number;
  /** The entry's bytes; the first read of any part checks the checksum of the whole. */
  readonly storage: Storage;
}

/** The entries by name. Throws a WeightsError for what is no zip, and for doubled entries; compressed ones when they are read. */
export async function openArchive(file: InputFile): Promise<ReadonlyMap<string, ArchiveEntry>> {
  const entries = new Map<string, ArchiveEntry>();
  try {
    const zip = await yauzl.fromRandomAccessReaderPromise(new CheckedReader(file), file.size, { autoClose: false });
    for await (const entry of zip.eachEntry()) {
      const name = entry.fileName;
      if (name.endsWith("/")) continue;
      if (entries.has(name)) throw new Error(`two entries are named ${name}`);
      // torch stores all entries as they are. Expanding others is the way of the zip bomb. What is not read may be anything.
      if (entry.isEncrypted() || entry.compressionMethod !== 0) {
        const what = entry.isEncrypted() ? "encrypted" : "compressed, which torch.save does not do";
        entries.set(name, refusedEntry(file, name, what));
        continue;
      }
      const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
      const region = fileRegion(file, fileDataStart, entry.uncompressedSize);
      const storage = checkedOnce(region, () => verify(file, name, region, entry.crc32));
      entries.set(name, { name, start: fileDataStart, byteLength: entry.uncompressedSize, storage });
    }
  } catch (cause) {
    if (cause instanceof Error && cause.name === "WeightsError") throw cause;
    const [reason = ""] = (cause instanceof Error ? cause.message : String(cause)).split(". ");
    throw file.error(`is truncated or damaged: ${reason.slice(0, 200).replaceAll(/[^\x20-\x7e]+/g, "?")}`);
  }
  return entries;
}

/**
 * yauzl's own reader hands positions of the file on to Node, which throws for impossible ones, out of a callback where
 * nobody can catch it. This one checks them, and calls back at once, so that what yauzl throws reaches its caller.
 */
class CheckedReader extends yauzl.RandomAccessReader {
  readonly #file: InputFile;

  constructor(file: InputFile) {
    super();
    this.#file = file;
  }

  override read(
    target: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    let failure: Error | null = null;
    try {
      this.#file.check(position, length);
      this.#file.readInto(target.subarray(offset, offset + length), position);
    } catch (cause) {
      failure = cause as Error;
    }
    callback(failure);
  }

  override close(callback: (error: Error | null) => void): void {
    callback(null);
  }
}

/** An entry that only its name is known of. */
function refusedEntry(file: InputFile, name: string, what: string): ArchiveEntry {
  const read = () => {
    throw file.error(`is damaged or was packed again: its entry ${shownName(name)} is ${what}`);
  };
  return { name, start: 0, byteLength: 0, storage: { byteLength: 0, read } };
}

function checkedOnce(storage: Storage, check: () => void): Storage {
  let checked = false;
  return {
    byteLength: storage.byteLength,
    read(offset, length) {
      if (!checked) check();
      checked = true;
      return storage.read(offset, length);
    },
  };
}

function verify(file: InputFile, name: string, storage: Storage, expected: number): void {
  if (checksum(storage, zlib.crc32) !== expected) throw file.error(`is damaged: the checksum of ${name} is wrong`);
}
