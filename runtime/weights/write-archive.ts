/** Writes zip archives of stored entries, their data aligned as torch.save aligns them. */
import zlib from "node:zlib";
import { WeightsError } from "./source.js";

export interface WrittenEntry {
  readonly name: string;
  /** Asked for once, when its turn comes. */
  data(): Uint8Array;
}

/** torch reads storages in place from multiples of this. */
const ALIGNMENT = 64;
const LOCAL_HEADER = 30;
const CENTRAL_HEADER = 46;
/** 1980-01-01, the first date that zip knows: the same contents give the same bytes. */
const DATE = 0x21;
const LARGEST = 0xffff_ffff;

/** The archive's bytes in order, one entry in memory at a time. Throws a WeightsError above 4 GB. */
export function* archiveChunks(entries: Iterable<WrittenEntry>): Generator<Uint8Array> {
  const directory: Buffer[] = [];
  let position = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name, "utf8");
    const data = entry.data();
    const crc = zlib.crc32(data);
    if (position + data.length > LARGEST) throw new WeightsError("a .pth above 4 GB is not written; use safetensors");

    // An extra field ("FB", as torch's) fills up to the alignment; its own head takes 4 bytes.
    const unpadded = position + LOCAL_HEADER + name.length + 4;
    const padding = Buffer.alloc(4 + ((ALIGNMENT - (unpadded % ALIGNMENT)) % ALIGNMENT), "Z");
    padding.write("FB", 0, "latin1");
    padding.writeUInt16LE(padding.length - 4, 2);

    const local = Buffer.alloc(LOCAL_HEADER);
    local.write("PK\x03\x04", 0, "latin1");
    writeCommon(local.subarray(4), name.length, data.length, crc);
    local.writeUInt16LE(padding.length, 28);

    const central = Buffer.alloc(CENTRAL_HEADER);
    central.write("PK\x01\x02", 0, "latin1");
    writeCommon(central.subarray(6), name.length, data.length, crc);
    central.writeUInt32LE(position, 42);
    directory.push(central, name);

    yield Buffer.concat([local, name, padding]);
    yield data;
    position += LOCAL_HEADER + name.length + padding.length + data.length;
  }
  const central = Buffer.concat(directory);
  const count = directory.length / 2;
  if (count > 0xffff || position + central.length > LARGEST) {
    throw new WeightsError("a .pth of more than 65535 tensors or 4 GB is not written; use safetensors");
  }
  yield central;
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(position, 16);
  yield end;
}

/** What local and central headers share: version, flags (names are UTF-8), no compression, date, checksum, sizes. */
function writeCommon(header: Buffer, nameLength: number, size: number, crc: number): void {
  header.writeUInt16LE(20, 0);
  header.writeUInt16LE(0x0800, 2);
  header.writeUInt16LE(DATE, 8);
  header.writeUInt32LE(crc, 10);
  header.writeUInt32LE(size, 14);
  header.writeUInt32LE(size, 18);
  header.writeUInt16LE(nameLength, 22);
}
