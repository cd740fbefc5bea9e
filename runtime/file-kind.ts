/* eslint-disable no-control-regex -- that is what marks are made of */
/**
 * Which kind a file is, by its first bytes: one ordered list, so that no two readers judge the same bytes differently.
 *
 * A mark of a few bytes can begin another kind's file too: a safetensors file begins with the length of its header, which
 * may be any number. So kinds that are known by more bytes come before those that are known by fewer.
 */

export type FileKind =
  | "empty"
  | "safetensors"
  | "zip"
  | "torch pickles"
  | "pickle"
  | "text pickle"
  | "onnx"
  | "hdf5"
  | "npy"
  | "gzip"
  | "compressed"
  | "tar"
  | "lfs pointer"
  | "markup"
  | "json"
  | "image"
  | "pdf"
  | "gguf"
  | "tflite"
  | "mxnet"
  | "tensorflow"
  | "matlab"
  | "torch7"
  | "darknet"
  | "text"
  | "other";

/** As many of a file's first bytes as {@link kindOfFile} looks at. */
export const HEAD_BYTES = 512;

/** The pickle that begins a file of torch.save before 1.6: torch's magic number, 0x1950a86a20f9469cfc6c. */
const TORCH_PICKLES = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

const starts =
  (...marks: readonly string[]) =>
  (text: string): boolean =>
    marks.some((mark) => text.startsWith(mark));

/** The first that matches is the kind. `text` has one character a byte. */
const KINDS: readonly (readonly [FileKind, (text: string) => boolean])[] = [
  ["empty", (text) => text.length === 0],
  ["safetensors", isSafetensors],
  ["torch pickles", starts(TORCH_PICKLES)],
  ["zip", starts("PK\x03\x04", "PK\x05\x06", "PK\x07\x08")],
  ["hdf5", starts("\x89HDF\r\n\x1a\n")],
  ["npy", starts("\x93NUMPY")],
  ["tar", (text) => text.startsWith("ustar", 257)],
  ["image", isImage],
  ["pdf", starts("%PDF-")],
  ["gguf", starts("GGUF")],
  ["tflite", (text) => text.startsWith("TFL3", 4)],
  ["mxnet", starts("\x12\x01\0\0\0\0\0\0")],
  ["matlab", starts("MATLAB 5.0 MAT-file")],
  // A table of Torch's binary format: type 3 or 4, then the number of the object.
  ["torch7", (text) => /^[\x03\x04]\0\0\0\x01\0\0\0/.test(text)],
  // Version 0.1 or 0.2, then the revision, in four bytes each.
  ["darknet", (text) => /^\0\0\0\0[\x01\x02]\0\0\0.\0\0\0/s.test(text)],
  ["pickle", (text) => /^\x80[\x02-\x05]/.test(text)],
  ["gzip", starts("\x1f\x8b")],
  [
    "compressed",
    starts("BZh", "\xfd7zXZ\0", "\x28\xb5\x2f\xfd", "\x04\x22\x4d\x18", "7z\xbc\xaf\x27\x1c", "Rar!\x1a\x07"),
  ],
  ["lfs pointer", starts("version https://git-lfs")],
  ["markup", (text) => /^(\xef\xbb\xbf)?\s*<[!?a-z]/i.test(text)],
  ["json", (text) => /^(\xef\xbb\xbf)?\s*[[{][\s"[\]{}\d-]/.test(text)],
  // What protocol 0 writes first for a dictionary, a list, an object.
  ["text pickle", (text) => /^(\((dp?\d*|lp?\d*|i[\w.]+)|c[\w.]+\n[\w.]+)\n/.test(text)],
  ["tensorflow", (text) => /^\x08\x01\x12[\x80-\xff]/.test(text)],
  // An ONNX ModelProto: `ir_version` first, a small number, then texts, the graph or its sets of operators.
  ["onnx", (text) => /^\x08[\x01-\x20][\x12\x1a\x22\x28\x32\x3a\x42]/.test(text)],
  // A header's length that no file has: damage, but of this kind.
  ["safetensors", (text) => /^.{8}\{["}]/s.test(text)],
  ["text", (text) => /^(\xef\xbb\xbf)?[\t\n\r\x20-\x7e\x80-\xff]*$/.test(text) && /^[\t\n\r\x20-\x7e]{16}/.test(text)],
  ["other", () => true],
];

/** @param head the first {@link HEAD_BYTES} bytes, or all where there are fewer */
export function kindOfFile(head: Uint8Array): FileKind {
  const text = String.fromCharCode(...head.subarray(0, HEAD_BYTES));
  return KINDS.find(([, matches]) => matches(text))![0];
}

/** A header's length below 2^32, and the brace that every header begins with; some writers put blanks before it. */
function isSafetensors(text: string): boolean {
  return /^.{4}\0{4}[\t\n\r ]*\{/s.test(text);
}

function isImage(text: string): boolean {
  return (
    starts("\xff\xd8\xff", "\x89PNG\r\n\x1a\n", "GIF87a", "GIF89a", "II*\0", "MM\0*")(text) ||
    /^(RIFF.{4}WEBP|BM.{4}\0{4}|.{4}ftyp(avif|heic|heix|mif1))/s.test(text)
  );
}
