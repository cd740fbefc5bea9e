/** Bytes of annotation files as text: by their byte order mark, else by what the file declares; nothing is guessed. */
import { TextDecoder } from "node:util";
import { DataError } from "../../../data-error.js";

/** Names of encodings that Python and Windows write and the WHATWG's list of labels lacks. */
const ALIASES: Readonly<Record<string, string>> = { cp936: "gbk", cp932: "shift_jis", cp949: "euc-kr", cp950: "big5" };
const ASCII = /^(us-?)?ascii$/i;

/**
 * An XML file's text. A byte order mark decides, then the declaration (`<?xml version="1.0" encoding="GBK"?>`), then
 * UTF-8. All encodings of the WHATWG's standard are known; as there, ISO-8859-1 is read as its superset windows-1252.
 *
 * @throws {DataError} one line: an encoding that is unknown, or bytes that are none of it
 */
export function decodeXml(bytes: Uint8Array, file: string): string {
  const marked = markOf(bytes, file) ?? unmarkedUtf16(bytes, "<");
  if (marked !== undefined) return decode(bytes, marked, file, marked);
  const declared = declaredEncoding(bytes);
  if (declared === undefined) return decode(bytes, "utf-8", file, "UTF-8, and it declares no other encoding");
  // Where the declaration could be read, what declares UTF-16 is not in it: some programs write this over UTF-8.
  if (/^utf-?16/i.test(declared)) return decode(bytes, "utf-8", file, "UTF-16, which it declares, nor UTF-8");
  if (ASCII.test(declared) && bytes.some((byte) => byte > 0x7f)) throw notIn(file, `the ${declared} that it declares`);
  return decode(bytes, ALIASES[declared.toLowerCase()] ?? declared, file, `the ${declared} that it declares`);
}

/** @returns the encoding that a JSON text is in where it is UTF-16, by its mark or its zeros */
export function utf16Of(bytes: Uint8Array, file: string): "utf-16le" | "utf-16be" | undefined {
  const marked = markOf(bytes, file) ?? unmarkedUtf16(bytes, "[") ?? unmarkedUtf16(bytes, "{");
  return marked === "utf-8" ? undefined : marked;
}

/** @throws {DataError} */
export function decode(bytes: Uint8Array, encoding: string, file: string, words: string): string {
  let decoder: TextDecoder;
  try {
    decoder = new TextDecoder(encoding, { fatal: true });
  } catch {
    const name = JSON.stringify(encoding.slice(0, 40));
    throw new DataError(`${file}: declares the encoding ${name}, which is not known; save it as UTF-8`);
  }
  // Some versions of Node read windows-1252 as ISO-8859-1, whose 0x80 to 0x9f are control characters.
  if (decoder.encoding === "windows-1252") return windows1252(bytes);
  try {
    return decoder.decode(bytes);
  } catch {
    throw notIn(file, words);
  }
}

function windows1252(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  return text.replaceAll(/[\u0080-\u009f]/g, (letter) => WINDOWS_1252[letter.charCodeAt(0) - 0x80]!);
}

/** What stands at 0x80 to 0x9f. */
const WINDOWS_1252 =
  "\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f" +
  "\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178";

function notIn(file: string, words: string): DataError {
  return new DataError(`${file}: is not in ${words}; save it as UTF-8`);
}

type Marked = "utf-8" | "utf-16le" | "utf-16be";

function markOf(bytes: Uint8Array, file: string): Marked | undefined {
  const [a, b, c, d] = bytes;
  if (a === 0xff && b === 0xfe && c === 0 && d === 0) {
    throw new DataError(`${file}: is in UTF-32, which is not read; save it as UTF-8`);
  }
  if (a === 0xef && b === 0xbb && c === 0xbf) return "utf-8";
  if (a === 0xff && b === 0xfe) return "utf-16le";
  if (a === 0xfe && b === 0xff) return "utf-16be";
  return undefined;
}

function unmarkedUtf16(bytes: Uint8Array, first: string): Marked | undefined {
  const code = first.charCodeAt(0);
  if (bytes[0] === code && bytes[1] === 0) return "utf-16le";
  if (bytes[0] === 0 && bytes[1] === code) return "utf-16be";
  return undefined;
}

/** Declarations are in ASCII, in every encoding that is one of theirs. */
function declaredEncoding(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.subarray(0, 1024)).toString("latin1");
  return /^\s*<\?xml\s[^>]*?\bencoding\s*=\s*["']([^"']*)["']/.exec(start)?.[1];
}
