/** JSON as annotation tools write it: with a byte order mark, in UTF-16, compressed by gzip, with Python's NaN. */
import { isUtf8 } from "node:buffer";
import { gunzipSync } from "node:zlib";
import { DataError } from "../../../data-error.js";
import { decode, utf16Of } from "../annotated/encoding.js";
import { readBounded } from "../annotated/file.js";

/** Below the length of V8's longest string; COCO's own training annotations are 450 million bytes. */
const MAX_JSON = 500 * 1024 * 1024;
/** Lists and objects in one another; COCO's files have six. */
const MAX_DEPTH = 64;
/** What the values may take, estimated; COCO's own training annotations come to about one gigabyte. */
const MAX_MEMORY = 2 * 1024 ** 3;
/** Bytes that values take in memory, at least: an empty object, a number in a list, a text without its characters. */
const COST = { container: 64, item: 16, text: 32 };

/** Stands for Python's NaN, which JSON has no word for; {@link Place} gives it back as a number. */
export const NOT_A_NUMBER = "\ufffeNaN";

/**
 * The value of a JSON file, or of one that gzip compressed. `NaN`, `Infinity` and `-Infinity`, which Python writes, are
 * read as it reads them.
 *
 * @throws {DataError} one line: missing, no JSON, or larger, deeper or of more values than are read
 */
export async function readJson(file: string): Promise<unknown> {
  return parseJson(await readBounded(file, MAX_JSON), file);
}

/** @throws {DataError} */
export function parseJson(given: Uint8Array, file: string): unknown {
  const bytes = inUtf8(unpacked(given, file), file);
  const words = survey(bytes, file);
  const text = words.length === 0 ? bytes.toString("utf8") : replaced(bytes, words);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new DataError(`${file}: not JSON: ${reasonOf(error as Error)}`, { cause: error });
  }
}

function unpacked(bytes: Uint8Array, file: string): Buffer {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.subarray(0, 4).equals(ZIP)) throw new DataError(`${file}: a ZIP archive, not JSON; unpack it`);
  if (buffer[0] !== 0x1f || buffer[1] !== 0x8b) return buffer;
  try {
    return gunzipSync(buffer, { maxOutputLength: MAX_JSON });
  } catch (error) {
    const isLarge = (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
    throw new DataError(
      `${file}: ${isLarge ? `unpacked it is more than the ${MAX_JSON} bytes that are read` : "damaged or cut short (gzip)"}`,
      { cause: error },
    );
  }
}

const ZIP = Buffer.from("PK\u0003\u0004");

/** Without a byte order mark. */
function inUtf8(bytes: Buffer, file: string): Buffer {
  const encoding = utf16Of(bytes, file);
  if (encoding !== undefined) {
    const text = decode(bytes, encoding, file, encoding);
    if (text.length > MAX_JSON / 2) throw new DataError(`${file}: too large for a file in UTF-16`);
    return Buffer.from(text);
  }
  if (!isUtf8(bytes)) throw new DataError(`${file}: not JSON: it is not in UTF-8`);
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

const CODE = Object.fromEntries([...'"\\[]{},NI'].map((letter) => [letter, letter.charCodeAt(0)]));
const [QUOTE, BACKSLASH, OPEN, CLOSE, BEGIN, END, COMMA, NAN, INFINITY] = Object.values(CODE) as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number, // prettier-ignore
];

/** A word of Python's outside of texts. */
interface Word {
  readonly at: number;
  readonly length: number;
  readonly json: string;
}

/**
 * Looks at the bytes alone, before anything is made of them: a file of brackets would take thirty times its size.
 *
 * @returns where Python's words for numbers stand
 */
function survey(bytes: Buffer, file: string): Word[] {
  const words: Word[] = [];
  let [depth, memory] = [0, 0];
  for (let i = 0; i < bytes.length; i++) {
    switch (bytes[i]) {
      case QUOTE: {
        const start = i++;
        while (i < bytes.length && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1;
        memory += COST.text + i - start;
        break;
      }
      case OPEN:
      case BEGIN:
        memory += COST.container;
        if (++depth > MAX_DEPTH) throw new DataError(`${file}: more than ${MAX_DEPTH} lists in one another`);
        break;
      case CLOSE:
      case END:
        depth--;
        break;
      case COMMA:
        memory += COST.item;
        if (memory > MAX_MEMORY) {
          throw new DataError(
            `${file}: its values would take more than the ${MAX_MEMORY / 1024 ** 3} GB that are read`,
          );
        }
        break;
      case NAN:
        if (isAt(bytes, i, "NaN")) words.push({ at: i, length: 3, json: JSON.stringify(NOT_A_NUMBER) });
        break;
      case INFINITY:
        // Read as Infinity: more than a number can be. A minus before it stays.
        if (isAt(bytes, i, "Infinity")) words.push({ at: i, length: 8, json: "1e999" });
        break;
    }
  }
  return words;
}

function isAt(bytes: Buffer, at: number, word: string): boolean {
  return bytes.toString("latin1", at, at + word.length) === word;
}

function replaced(bytes: Buffer, words: readonly Word[]): string {
  const parts: string[] = [];
  let from = 0;
  for (const { at, length, json } of words) {
    parts.push(bytes.toString("utf8", from, at), json);
    from = at + length;
  }
  parts.push(bytes.toString("utf8", from));
  return parts.join("");
}

/** V8's reason in one line, without a piece of the file that may hold anything. */
function reasonOf({ message }: Error): string {
  const [line] = message.replaceAll(/[^\x20-\x7e]+/g, " ").split(/, (?=\.*")|(?: in JSON)? at position/, 1);
  const place = /\(line \d+ column \d+\)|position \d+/.exec(message)?.[0];
  const reason = line!.charAt(0).toLowerCase() + line!.slice(1);
  return place === undefined ? reason : `${reason} at ${place.replace(/[()]/g, "")}`;
}
