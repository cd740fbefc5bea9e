/** Opens a weight file by what is in it; its name may end in anything. */
import { openCaffe } from "./caffe.js";
import { InputFile } from "./input-file.js";
import { openNumpyPickle } from "./numpy.js";
import { LEGACY_MAGIC, openPytorchArchive, openPytorchLegacy } from "./pytorch.js";
import { looksLikeSafetensors, openSafetensors } from "./safetensors.js";
import { WeightsError, type TensorSource } from "./source.js";

interface Format {
  matches(head: Uint8Array): boolean;
  open(file: InputFile): TensorSource | Promise<TensorSource>;
}

const startsWith = (magic: string | Uint8Array) => (head: Uint8Array) => {
  const bytes = typeof magic === "string" ? Buffer.from(magic, "latin1") : magic;
  return Buffer.from(head.subarray(0, bytes.length)).equals(bytes);
};

const refuse = (what: string) => (file: InputFile) => {
  throw file.error(what);
};

/** The first that matches. Caffe's files have no mark, so they are what remains. */
const FORMATS: readonly Format[] = [
  { matches: (head) => head.length === 0, open: refuse("is empty") },
  { matches: startsWith("PK\x03\x04"), open: openPytorchArchive },
  { matches: startsWith(LEGACY_MAGIC), open: openPytorchLegacy },
  { matches: startsWith("\x80"), open: openNumpyPickle },
  { matches: looksLikeSafetensors, open: openSafetensors },
  { matches: startsWith("version https://git-lfs"), open: refuse("is a git-lfs pointer; run `git lfs pull`") },
  { matches: startsWith("\x89HDF"), open: refuse("is an HDF5 file (Keras), which is not read") },
  { matches: startsWith("\x1f\x8b"), open: refuse("is compressed with gzip; expand it first") },
  { matches: startsWith("<"), open: refuse("is a web page, not a weight file") },
  { matches: () => true, open: openCaffe },
];

const HEAD = 64;

/**
 * Opens `.pth`, `.pt` (zip and legacy), `.safetensors`, `.caffemodel` and numpy `.pkl` files. The index is read and
 * checked; tensors are read on demand. Throws a {@link WeightsError}, whose message is one line that names the file.
 */
export async function openWeights(path: string): Promise<TensorSource> {
  const file = new InputFile(path);
  try {
    const head = file.read(0, Math.min(HEAD, file.size));
    const format = FORMATS.find((candidate) => candidate.matches(head));
    if (!format) throw file.error("is of no known format");
    return await format.open(file);
  } catch (cause) {
    file.close();
    throw cause;
  }
}

export { WeightsError };
