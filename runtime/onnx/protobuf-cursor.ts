/** Walks a protobuf message by position, so that a file is looked through without being loaded. */

/** Bytes of known number that can be read anywhere. */
export interface Bytes {
  readonly size: number;
  /** Fills `target` from `position`; the range was checked against the size. */
  read(target: Uint8Array, position: number): void;
  close(): void;
}

export function bytesOf(source: Uint8Array): Bytes {
  return {
    size: source.length,
    read: (target, position) => target.set(source.subarray(position, position + target.length)),
    close: () => undefined,
  };
}

/**
 * `truncated`: a length leads beyond the end. `malformed`: these bytes are no protobuf of the expected kind. `too large`:
 * more fields or text than were allowed.
 */
export class ProtobufError extends Error {
  readonly kind: "truncated" | "malformed" | "too large";

  constructor(kind: ProtobufError["kind"]) {
    super(kind);
    this.name = "ProtobufError";
    this.kind = kind;
  }
}

/** One field: its number, and its value where that is a number, or where its bytes lie. */
export interface Field {
  readonly number: number;
  readonly varint?: number;
  readonly range?: Range;
}

export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Read at once around the position: nodes are a few hundred bytes, and weights between them are jumped over. */
const WINDOW = 8192;
/** Text longer than this is no name, no doc string and no list of labels. */
const LONGEST_TEXT = 64 * 1024 * 1024;

/** How much of a message is looked at, in all. */
export interface CursorLimits {
  readonly fields?: number;
  /** Bytes of text. */
  readonly text?: number;
}

export class ProtobufCursor {
  readonly #bytes: Bytes;
  readonly #window = new Uint8Array(WINDOW);
  #windowStart = 0;
  #windowEnd = 0;
  #fieldsLeft: number;
  #textLeft: number;

  constructor(bytes: Bytes, { fields = Infinity, text = Infinity }: CursorLimits = {}) {
    this.#bytes = bytes;
    this.#fieldsLeft = fields;
    this.#textLeft = text;
  }

  get all(): Range {
    return { start: 0, end: this.#bytes.size };
  }

  /** The fields of the message in a range, in file order; what they hold is skipped unless it is asked for. */
  *fields({ start, end }: Range): Generator<Field> {
    let position = start;
    const varint = (): number => {
      const [value, next] = this.#varint(position, end);
      position = next;
      return value;
    };
    while (position < end) {
      if (this.#fieldsLeft-- <= 0) throw new ProtobufError("too large");
      const tag = varint();
      const number = Math.floor(tag / 8);
      if (number < 1 || number >= 2 ** 29) throw new ProtobufError("malformed");
      const wire = tag % 8;
      if (wire === WIRE_VARINT) {
        yield { number, varint: varint() };
        continue;
      }
      if (wire !== WIRE_BYTES && wire !== WIRE_64 && wire !== WIRE_32) throw new ProtobufError("malformed");
      const length = wire === WIRE_BYTES ? varint() : wire === WIRE_64 ? 8 : 4;
      if (length < 0) throw new ProtobufError("malformed");
      if (length > end - position) throw new ProtobufError("truncated");
      const range = { start: position, end: position + length };
      position = range.end;
      yield { number, range };
    }
  }

  /** The whole numbers of a packed field. */
  packed(range: Range): number[] {
    const values: number[] = [];
    for (let position = range.start; position < range.end;) {
      const [value, next] = this.#varint(position, range.end);
      values.push(value);
      position = next;
    }
    return values;
  }

  text(range: Range): string {
    const length = range.end - range.start;
    if (length > LONGEST_TEXT) throw new ProtobufError("malformed");
    this.#textLeft -= length;
    if (this.#textLeft < 0) throw new ProtobufError("too large");
    const bytes = new Uint8Array(range.end - range.start);
    this.#bytes.read(bytes, range.start);
    return new TextDecoder().decode(bytes);
  }

  #varint(start: number, end: number): [value: number, next: number] {
    let value = 0;
    for (let shift = 0, position = start; shift < 70; shift += 7) {
      if (position >= end) throw new ProtobufError("truncated");
      const byte = this.#byteAt(position++);
      // Doubles are exact up to 2^53; lengths and the dimensions that occur are far below.
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return [value >= 2 ** 63 ? value - 2 ** 64 : value, position];
    }
    throw new ProtobufError("malformed");
  }

  #byteAt(position: number): number {
    if (position < this.#windowStart || position >= this.#windowEnd) {
      const length = Math.min(WINDOW, this.#bytes.size - position);
      this.#bytes.read(this.#window.subarray(0, length), position);
      this.#windowStart = position;
      this.#windowEnd = position + length;
    }
    return this.#window[position - this.#windowStart]!;
  }
}

const WIRE_VARINT = 0;
const WIRE_64 = 1;
const WIRE_BYTES = 2;
const WIRE_32 = 5;
