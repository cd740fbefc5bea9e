/** A file of untrusted bytes, read by position: nothing is allocated that the file could not fill. */
import { WeightsError } from "./source.js";

const WINDOW = 1 << 16;

/** Bytes that can be read anywhere. */
export interface RawBytes {
  readonly size: number;
  /** Reads into the target from a position; gives how many bytes were there. */
  read(target: Uint8Array, position: number): number;
  close(): void;
}

/** Bytes that are in memory. */
export function bytesInMemory(bytes: Uint8Array): RawBytes {
  return {
    size: bytes.length,
    read(target, position) {
      const part = bytes.subarray(position, position + target.length);
      target.set(part);
      return part.length;
    },
    close: () => undefined,
  };
}

export class InputFile {
  readonly path: string;
  readonly size: number;
  readonly #bytes: RawBytes;
  #open = true;

  constructor(path: string, bytes: RawBytes) {
    this.path = path;
    this.size = bytes.size;
    this.#bytes = bytes;
  }

  /** One line that names the file, to be thrown. */
  error(message: string): WeightsError {
    return new WeightsError(`${this.path}: ${message}`);
  }

  /** A copy of these bytes, in a buffer of its own (so that it is aligned for every element type). */
  read(offset: number, length: number): Uint8Array {
    this.check(offset, length);
    const bytes = new Uint8Array(new ArrayBuffer(length));
    this.readInto(bytes, offset);
    return bytes;
  }

  /** Fills the target from a position. */
  readInto(target: Uint8Array, offset: number): void {
    for (let done = 0; done < target.length;) {
      const count = this.#bytes.read(done === 0 ? target : target.subarray(done), offset + done);
      if (count === 0) throw this.error("is truncated: it became shorter while it was read");
      done += count;
    }
  }

  /** Throws where the range is not inside the file. */
  check(offset: number, length: number): void {
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) {
      throw this.error("is damaged: it holds an impossible size");
    }
    if (offset + length > this.size) {
      throw this.error(`is truncated or damaged: byte ${offset + length} is needed, there are ${this.size}`);
    }
  }

  close(): void {
    if (this.#open) this.#bytes.close();
    this.#open = false;
  }
}

/** Reads little-endian fields of a range of a file, one after the other, through a small window. */
export class ByteCursor {
  readonly file: InputFile;
  readonly end: number;
  position: number;
  #window: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#window.buffer);
  #windowStart = 0;
  /** Where in the window the bytes taken last begin. */
  #at = 0;

  constructor(file: InputFile, start = 0, end = file.size) {
    file.check(start, end - start);
    this.file = file;
    this.position = start;
    this.end = end;
  }

  get atEnd(): boolean {
    return this.position >= this.end;
  }

  /** Passes over a number of bytes and gives the place where they begin. */
  skip(length: number): number {
    const start = this.position;
    if (!(length <= this.end - start)) throw this.#truncated(length);
    this.position = start + length;
    return start;
  }

  u8(): number {
    return this.#take(1).getUint8(this.#at);
  }

  u16(): number {
    return this.#take(2).getUint16(this.#at, true);
  }

  u32(): number {
    return this.#take(4).getUint32(this.#at, true);
  }

  i32(): number {
    return this.#take(4).getInt32(this.#at, true);
  }

  /** A size or an offset; one beyond 2^53 is damage. */
  u64(): number {
    const value = this.#take(8).getBigUint64(this.#at, true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER))
      throw this.file.error(`is damaged: it claims a size of ${value} bytes`);
    return Number(value);
  }

  f64BigEndian(): number {
    return this.#take(8).getFloat64(this.#at, false);
  }

  /** A short field. For data, {@link skip} and read it later. */
  bytes(length: number): Uint8Array {
    if (length > WINDOW) return this.file.read(this.skip(length), length);
    this.#take(length);
    return this.#window.slice(this.#at, this.#at + length);
  }

  /** Passes over a few bytes and has them in the window, at {@link #at}. */
  #take(length: number): DataView {
    const start = this.skip(length);
    if (start < this.#windowStart || start + length > this.#windowStart + this.#window.length) {
      this.#window = this.file.read(start, Math.min(WINDOW, this.end - start));
      this.#view = new DataView(this.#window.buffer);
      this.#windowStart = start;
    }
    this.#at = start - this.#windowStart;
    return this.#view;
  }

  #truncated(length: number): WeightsError {
    return this.file.error(
      `is truncated or damaged: ${length} bytes are needed at byte ${this.position}, ${this.end - this.position} are left`,
    );
  }
}
