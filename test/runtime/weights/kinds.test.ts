/** Files of every kind that people give as weights: each is read by its own reader, or named for what it is. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { kindOfFile, type FileKind } from "../../../runtime/file-kind.js";
import { openWeights } from "../../../runtime/weights/open.js";
import { goldenWeights, temporaryFolder } from "../../support/weight-files.js";
import { zipOf } from "../../support/zip.js";

const folder = temporaryFolder();
const bytes = (text: string) => Buffer.from(text, "latin1");
const golden = (name: string) => fs.readFileSync(goldenWeights.path(name));

/** A safetensors file whose header has this length; one tensor of one number. */
function safetensorsOf(headerLength: number, blanksFirst = 0): Buffer {
  const entry = (name: string) => `{"${name}":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`;
  const text = (" ".repeat(blanksFirst) + entry("a.weight")).padEnd(headerLength);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, Buffer.from(text), Buffer.alloc(4)]);
}

/** An ONNX model's first fields: IR version 8, the producer, a graph. */
const onnx = bytes("\x08\x08\x12\x07resnetc\x3a\x05\x12\x03net");

/** Every kind, with what is said of it where it is no weight file. */
const FILES: readonly [what: string, kind: FileKind, content: Uint8Array, message?: RegExp][] = [
  ["safetensors", "safetensors", golden("every_kind.safetensors")],
  ["safetensors, header of 0x80 mod 256", "safetensors", safetensorsOf(0x180)],
  ["safetensors, header like a zip's mark", "safetensors", safetensorsOf(0x4b50)],
  ["safetensors, header like gzip's mark", "safetensors", safetensorsOf(0x8b1f)],
  ["safetensors, header like a markup", "safetensors", safetensorsOf(0x3c)],
  ["safetensors, blanks before the header", "safetensors", safetensorsOf(0x100, 5)],
  ["a state_dict", "zip", golden("state_dict.pt")],
  ["a state_dict of before torch 1.6", "torch pickles", golden("every_kind_legacy.pth")],
  ["a numpy pickle", "pickle", golden("numpy_protocol4.pkl")],
  ["a pickle of Python 2", "pickle", golden("python2.pkl")],
  ["a caffemodel", "other", golden("layers.caffemodel")],
  ["an old caffemodel", "other", golden("layers_v1.caffemodel")],
  ["nothing", "empty", bytes(""), /is empty$/],
  [
    "TorchScript",
    "zip",
    zipOf({ "r/data.pkl": "\x80\x02}.", "r/constants.pkl": "\x80\x02).", "r/code/a.py": "x" }, true),
    /is a TorchScript program; save its state_dict/,
  ],
  [
    "a program of torch.export",
    "zip",
    zipOf({ "a/version": "1", "a/models/model.json": "{}" }),
    /is a program of torch\.export/,
  ],
  ["a zip of a .pth", "zip", zipOf({ "resnet18.pth": "x" }, true), /is a zip with resnet18\.pth in it; unpack it/],
  ["npz", "zip", zipOf({ "a.npy": "\x93NUMPY" }, true), /numpy arrays \(\.npz\)/],
  ["Keras 3", "zip", zipOf({ "config.json": "{}", "model.weights.h5": "x" }), /is a Keras model/],
  ["an empty zip", "zip", zipOf({}), /it has no data\.pkl \(but nothing\)/],
  [
    "another zip",
    "zip",
    zipOf({ "a.txt": "x", "b.txt": "y" }),
    /not one of torch\.save: it has no data\.pkl \(but a\.txt, b\.txt\)/,
  ],
  [
    "a packed-again state_dict",
    "zip",
    zipOf({ "a/data.pkl": "\x80\x02}." }, true),
    /its entry "a\/data\.pkl" is compressed/,
  ],
  ["ONNX", "onnx", onnx, /is an ONNX model, not a weight file/],
  ["HDF5", "hdf5", bytes("\x89HDF\r\n\x1a\n\0\0\0\0"), /HDF5 file \(Keras\)/],
  ["npy", "npy", bytes("\x93NUMPY\x01\0v\0{'descr': '<f4'}"), /is one numpy array/],
  ["gzip", "gzip", bytes("\x1f\x8b\x08\0\0\0\0\0"), /gzip; expand it first/],
  ["xz", "compressed", bytes("\xfd7zXZ\0\0\x04"), /compressed file; expand it/],
  ["tar", "tar", bytes("resnet.pth".padEnd(257, "\0") + "ustar\x0000" + "\0".repeat(300)), /tar archive; unpack it/],
  [
    "an LFS pointer",
    "lfs pointer",
    bytes("version https://git-lfs.github.com/spec/v1\noid sha256:1\n"),
    /git-lfs pointer/,
  ],
  ["a web page", "markup", bytes("\n<!DOCTYPE html><html></html>"), /web page/],
  [
    "XML of a store",
    "markup",
    bytes('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'),
    /web page or XML/,
  ],
  [
    "an index",
    "json",
    bytes('{"weight_map": {"conv1.weight": "model-00001-of-00002.safetensors"}}'),
    /is an index of several files \("model-00001-of-00002\.safetensors"\)/,
  ],
  ["other JSON", "json", bytes('{\n  "architectures": ["ResNet"]}'), /is JSON, not a weight file/],
  ["a pickle of protocol 0", "text pickle", bytes("(dp0\nS'a'\np1\nI1\ns."), /pickle of protocol 0 or 1/],
  ["PNG", "image", bytes("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), /is an image/],
  ["JPEG", "image", bytes("\xff\xd8\xff\xe0\0\x10JFIF\0"), /is an image/],
  ["PDF", "pdf", bytes("%PDF-1.7\n"), /is a PDF document/],
  ["GGUF", "gguf", bytes("GGUF\x03\0\0\0"), /GGUF/],
  ["TensorFlow Lite", "tflite", bytes("\x1c\0\0\0TFL3\x14\0"), /TensorFlow Lite/],
  ["a SavedModel", "tensorflow", bytes("\x08\x01\x12\xff\x83\x02"), /SavedModel/],
  ["MXNet", "mxnet", bytes("\x12\x01\0\0\0\0\0\0\0\0\0\0"), /MXNet/],
  ["MatConvNet", "matlab", bytes("MATLAB 5.0 MAT-file, Platform: GLNXA64"), /MATLAB/],
  ["Torch7", "torch7", bytes("\x04\0\0\0\x01\0\0\0\x03\0\0\0V 1"), /Torch7/],
  ["Darknet", "darknet", bytes("\0\0\0\0\x02\0\0\0\x05\0\0\0\0\0\0\0"), /Darknet/],
  ["prototxt", "text", bytes('name: "ResNet-50"\nlayer {\n  name: "conv1"\n}\n'), /is text, no weight file/],
];

async function outcome(content: Uint8Array): Promise<string | undefined> {
  const file = path.join(folder, "file.bin");
  fs.writeFileSync(file, content);
  try {
    (await openWeights(file)).close();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

describe.each(FILES)("%s", (_what, kind, content, message) => {
  test("is told by its first bytes", () => expect(kindOfFile(content)).toBe(kind));

  test(message ? "is named for what it is, in one line" : "is read", async () => {
    const said = await outcome(content);
    if (message === undefined) expect(said).toBeUndefined();
    else {
      expect(said).toMatch(message);
      expect(said).not.toContain("\n");
    }
  });

  test("under another kind's name, and with another kind's bytes behind it, it stays what it is", () => {
    for (const [, , other] of FILES) {
      if (content.length === 0) continue;
      expect(kindOfFile(Buffer.concat([content, Buffer.alloc(512), other]))).toBe(kind === "text" ? "other" : kind);
    }
  });
});

test("safetensors are read whatever their header's length is mod 256", async () => {
  for (let length = 70; length < 70 + 256; length++)
    expect(await outcome(safetensorsOf(length)), `${length}`).toBeUndefined();
});

test("a file that is cut stays one of its kind", async () => {
  for (const name of ["every_kind.safetensors", "state_dict.pt", "every_kind_legacy.pth", "numpy_protocol4.pkl"]) {
    const said = await outcome(golden(name).subarray(0, 100));
    expect(said, name).toMatch(/truncated|damaged/);
  }
});
