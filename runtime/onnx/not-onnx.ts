/** What a file is that was given where an ONNX model is expected, and what to do with it. */
import { kindOfFile, type FileKind } from "../file-kind.js";

const weightsAlone = (what: string): string =>
  `${what}, which has weights and no network: compile its network with it (resnetc compile NETWORK --weights FILE)`;
const otherModel = (what: string): string => `${what}, not an ONNX file`;

const SAID: Readonly<Partial<Record<FileKind, string>>> = {
  safetensors: weightsAlone("is a safetensors file"),
  "torch pickles": weightsAlone("is a PyTorch checkpoint"),
  pickle: weightsAlone("is a pickle"),
  "text pickle": otherModel("is a pickle"),
  zip: otherModel("is a zip archive"),
  hdf5: otherModel("is an HDF5 file (Keras)"),
  npy: otherModel("is a numpy array"),
  gzip: "is compressed with gzip; expand it first",
  compressed: "is a compressed file; expand it first",
  tar: "is a tar archive; unpack it and give the model that is in it",
  "lfs pointer": "is a git-lfs pointer; run `git lfs pull`",
  markup: "is a web page or XML, not an ONNX file: the download went wrong",
  json: otherModel("is JSON"),
  image: otherModel("is an image"),
  pdf: otherModel("is a PDF document"),
  gguf: otherModel("is a GGUF file (llama.cpp)"),
  tflite: otherModel("is a TensorFlow Lite model"),
  tensorflow: otherModel("is a TensorFlow SavedModel"),
  mxnet: otherModel("is an MXNet file"),
  matlab: otherModel("is a MATLAB file"),
  torch7: otherModel("is a file of Lua's Torch7"),
  darknet: otherModel("is a Darknet file"),
  text: "is text, not an ONNX file; a source is compiled first (resnetc compile)",
};

/**
 * `is a PyTorch checkpoint, which has ...`; undefined where the first bytes say nothing, or are those of an ONNX model.
 *
 * @param head the file's first bytes, those that `kindOfFile` looks at
 */
export function notOnnx(head: Uint8Array): string | undefined {
  const kind = kindOfFile(head);
  // What torch.save writes begins with the pickle; its folder has any name.
  if (kind === "zip" && /^[^/]{0,256}\/(data\.pkl|\.format_version)/.test(firstEntry(head))) {
    return SAID["torch pickles"];
  }
  return SAID[kind];
}

/** The name of a zip's first entry. */
function firstEntry(head: Uint8Array): string {
  if (head.length < 30) return "";
  const length = new DataView(head.buffer, head.byteOffset).getUint16(26, true);
  return String.fromCharCode(...head.subarray(30, 30 + length));
}
