/** Opens a weight file by what is in it; its name may end in anything. */
import { HEAD_BYTES, kindOfFile, type FileKind } from "../file-kind.js";
import { openCaffe } from "./caffe.js";
import zlib from "node:zlib";
import type { InputFile } from "./input-file.js";
import { openInputFile } from "./open-file.js";
import { openNumpyPickle, openPytorchArchive, openPytorchLegacy } from "./pytorch.js";
import { openSafetensors } from "./safetensors.js";
import { WeightsError, type TensorSource } from "./source.js";

type Opener = (file: InputFile) => TensorSource | Promise<TensorSource>;

const refuse =
  (what: string): Opener =>
  (file) => {
    throw file.error(what);
  };

/** What is done with each kind of file: it is read, or said to be what it is, with what to do about it. */
const OPENERS: Readonly<Record<FileKind, Opener>> = {
  empty: refuse("is empty"),
  safetensors: (file) => openSafetensors(file, zlib.crc32),
  zip: openPytorchArchive,
  "torch pickles": openPytorchLegacy,
  pickle: openNumpyPickle,
  // Caffe's files have no mark, so they are what remains.
  other: openCaffe,
  "text pickle": refuse("is a pickle of protocol 0 or 1, which is not read; save it with torch.save, or by protocol 2"),
  onnx: refuse("is an ONNX model, not a weight file: it runs as it is (resnetc classify, detect, eval, bench)"),
  hdf5: refuse("is an HDF5 file (Keras), which is not read; save the weights with torch.save or as safetensors"),
  npy: refuse("is one numpy array, not a weight file; save all of them by their names, as safetensors"),
  gzip: refuse("is compressed with gzip; expand it first"),
  compressed: refuse("is a compressed file; expand it first"),
  tar: refuse("is a tar archive; unpack it and give the weight file that is in it"),
  "lfs pointer": refuse("is a git-lfs pointer; run `git lfs pull`"),
  markup: refuse("is a web page or XML, not a weight file: the download went wrong"),
  json: openJson,
  image: refuse("is an image, not a weight file"),
  pdf: refuse("is a PDF document, not a weight file"),
  gguf: refuse("is a GGUF file (llama.cpp), which is not read"),
  tflite: refuse("is a TensorFlow Lite model, which is not read"),
  tensorflow: refuse("is a TensorFlow SavedModel, which is not read"),
  mxnet: refuse("is an MXNet file, which is not read; save the weights as safetensors"),
  matlab: refuse("is a MATLAB file (MatConvNet), which is not read; save the weights as safetensors"),
  torch7: refuse("is a file of Lua's Torch7, which is not read; save the weights as safetensors"),
  darknet: refuse("is a Darknet file, which is not read; save the weights as safetensors"),
  text: refuse("is text, no weight file of a known format"),
};

/** Of an index this much is looked at for its mark. */
const MOST_JSON = 1 << 20;

/** Transformers writes large models as several files and an index of them. */
function openJson(file: InputFile): never {
  const text = Buffer.from(file.read(0, Math.min(file.size, MOST_JSON))).toString("utf8");
  if (!text.includes('"weight_map"')) throw file.error("is JSON, not a weight file");
  const parts = new Set(text.match(/"[^"\\]{1,200}\.(?:safetensors|bin|pth?)"/g) ?? []);
  const named = [...parts].slice(0, 3).join(", ");
  throw file.error(
    `is an index of several files${named && ` (${named}${parts.size > 3 ? ", ..." : ""})`}, not weights itself; ` +
      "save the model as one file (max_shard_size)",
  );
}

/**
 * Opens `.pth`, `.pt` (zip and legacy), `.safetensors`, `.caffemodel` and numpy `.pkl` files. The index is read and
 * checked; tensors are read on demand. Throws a {@link WeightsError}, whose message is one line that names the file.
 */
export async function openWeights(path: string): Promise<TensorSource> {
  const file = openInputFile(path);
  try {
    const kind = kindOfFile(file.read(0, Math.min(HEAD_BYTES, file.size)));
    return await OPENERS[kind](file);
  } catch (cause) {
    file.close();
    throw cause;
  }
}

export { WeightsError };
