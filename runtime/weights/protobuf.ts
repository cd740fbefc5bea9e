/**
 * Fields of a protocol buffer message, found by position in a file: nothing is copied, so a file of gigabytes costs
 * nothing but its field headers. (protobufjs reads messages that are in memory.)
 * https://protobuf.dev/programming-guides/encoding
 */
import { ByteCursor, type InputFile } from "./input-file.js";

export interface Field {
  readonly number: number;
  /** How it is encoded; `fixed`: 4 or 8 bytes. */
  readonly wire: "varint" | "bytes" | "fixed";
  /** Place and length of the content in the file. */
  readonly start: number;
  readonly length: number;
  /** Of a varint. */
  readonly value: number;
}

/** A ResNet-152 has 20,000. Bounds the time that is spent on a file that only looks like a message. */
const MOST_FIELDS = 1_000_000;

/** Reads the messages of one file. Throws WeightsErrors where bytes are no message. */
export class ProtobufReader {
  readonly file: InputFile;
  #fieldsLeft = MOST_FIELDS;

  constructor(file: InputFile) {
    this.file = file;
  }

  /** Fields of the whole file, or of the message that a field holds, in order. */
  *fields(message?: Field): Generator<Field> {
    const cursor = this.#cursor(message);
    while (!cursor.atEnd) {
      if (this.#fieldsLeft-- === 0) throw this.file.error(`is damaged: more than ${MOST_FIELDS} fields`);
      yield this.#field(cursor);
    }
  }

  /** Packed varints. */
  varints(field: Field): number[] {
    const cursor = this.#cursor(field);
    const values: number[] = [];
    while (!cursor.atEnd) {
      if (this.#fieldsLeft-- === 0) throw this.file.error(`is damaged: more than ${MOST_FIELDS} fields`);
      values.push(varint(cursor));
    }
    return values;
  }

  #cursor(message: Field | undefined): ByteCursor {
    return message
      ? new ByteCursor(this.file, message.start, message.start + message.length)
      : new ByteCursor(this.file);
  }

  #field(cursor: ByteCursor): Field {
    const at = cursor.position;
    const tag = varint(cursor);
    const number = Math.floor(tag / 8);
    const start = cursor.position;
    if (number >= 1 && number <= 0x1fffffff) {
      if (tag % 8 === 0) {
        const value = varint(cursor);
        return { number, wire: "varint", start, length: cursor.position - start, value };
      }
      if (tag % 8 === 2) {
        const length = varint(cursor);
        return { number, wire: "bytes", start: cursor.skip(length), length, value: 0 };
      }
      const length = FIXED_LENGTH[tag % 8];
      if (length) return { number, wire: "fixed", start: cursor.skip(length), length, value: 0 };
    }
    throw this.file.error(`is damaged or of no known format: byte ${at} begins no protobuf field`);
  }
}

const FIXED_LENGTH: Readonly<Record<number, number>> = { 1: 8, 5: 4 };

/** Sizes and shapes are at most 2^53; a larger number (a negative one) is damage. */
function varint(cursor: ByteCursor): number {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 10; i++) {
    const byte = cursor.u8();
    value += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte < 0x80) return value;
  }
  throw cursor.file.error(`is damaged: a number without an end at byte ${cursor.position}`);
}
