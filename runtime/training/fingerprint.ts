/**
 * What a training is made of as digests of content: equal under another path or in another working directory, other as
 * soon as a value is. SHA-256, in hexadecimal.
 */
import { createHash, type Hash } from "node:crypto";
import path from "node:path";
import type { ParameterValues } from "../../compiler/emit/parameters.js";
import { formatShape } from "../../compiler/ir/dim.js";
import type { Graph, Parameter, Value } from "../../compiler/ir/types.js";
import { isLabelled, isMultiLabel, type DataSet, type Split } from "../data/index.js";

/** A network: its graph without spans, files and its own name. */
export interface NetworkDigest {
  readonly digest: string;
  /** Of each layer by its path, so that what differs can be named. */
  readonly layers: Readonly<Record<string, string>>;
}

export function networkDigest(graph: Graph): NetworkDigest {
  const numbers = new Map<number, number>();
  const number = ({ id }: Value): number => {
    const known = numbers.get(id) ?? numbers.size;
    numbers.set(id, known);
    return known;
  };
  const typeOf = ({ type }: Value): string => `${type.dtype}${formatShape(type.shape)}`;
  const lines: [path: string, line: string][] = [];
  for (const { value } of graph.inputs) lines.push(["the input", `${number(value)} ${typeOf(value)}`]);
  for (const { path: at, value, role, trainable, init } of graph.parameters) {
    lines.push([at, JSON.stringify([number(value), typeOf(value), role, trainable, init])]);
  }
  for (const { value, data } of graph.constants) {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const digest = createHash("sha256").update(bytes).digest("hex");
    lines.push(["a constant", `${number(value)} ${typeOf(value)} ${digest}`]);
  }
  for (const { op, inputs, outputs, attributes, path: at } of graph.nodes) {
    const settings = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
    const results = outputs.map((output) => [number(output), typeOf(output)]);
    lines.push([at, JSON.stringify([op, inputs.map(number), results, settings])]);
  }
  for (const { name, value } of graph.outputs) lines.push(["the outputs", `${name} ${number(value)}`]);
  const whole = createHash("sha256");
  const layers = new Map<string, Hash>();
  for (const [at, line] of lines) {
    whole.update(`${at}\n${line}\n`);
    const layer = layers.get(at) ?? createHash("sha256");
    layers.set(at, layer.update(`${line}\n`));
  }
  return {
    digest: whole.digest("hex"),
    layers: Object.fromEntries([...layers].map(([at, hash]) => [at, hash.digest("hex").slice(0, 8)])),
  };
}

export interface SplitDigest {
  readonly size: number;
  /** Of every sample's name and label, in their order. */
  readonly digest: string;
}

/**
 * Names and labels of the samples, not their pixels: a file is named by its path below the folder that all of the data
 * have in common, a CIFAR record by its file's name and place, a shape by the numbers that it is drawn from.
 */
export function splitDigests({ train, validation }: Pick<DataSet, "train" | "validation">): {
  readonly train: SplitDigest;
  readonly validation: SplitDigest;
} {
  const root = commonFolder([train, validation]);
  const digest = (split: Split): SplitDigest => {
    const hash = createHash("sha256");
    const known = knownOf(split);
    for (let index = 0; index < split.size; index++) {
      hash.update(`${known(index)} ${nameOf(split.reference(index), root)}\n`);
    }
    return { size: split.size, digest: hash.digest("hex") };
  };
  return { train: digest(train), validation: digest(validation) };
}

/** What is known of each image, as text: its class, its classes, or its objects. */
function knownOf(split: Split): (index: number) => string {
  if (isLabelled(split)) return (index) => String(split.label(index));
  if (isMultiLabel(split)) return (index) => split.labels(index).join();
  const { images, objects } = split.annotations!();
  const byImage = new Map<number, unknown[]>();
  for (const { image, box, category, isCrowd, isDifficult, mask } of objects) {
    const said = [box, category, isCrowd, isDifficult, ...(mask ? [mask] : [])];
    const known = byImage.get(image);
    if (known) known.push(said);
    else byImage.set(image, [said]);
  }
  return (index) => JSON.stringify(byImage.get(images[index]!.id) ?? []);
}

function nameOf(reference: ReturnType<Split["reference"]>, root: string): string {
  return JSON.stringify(reference, (key, value: unknown) => {
    if (key === "file" && typeof value === "string") return relativeName(value, root);
    if (ArrayBuffer.isView(value)) {
      const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
      return createHash("sha256").update(bytes).digest("hex");
    }
    return value;
  });
}

/** File systems differ in how they compose letters, and in what separates folders. */
function relativeName(file: string, root: string): string {
  const name = file.startsWith(root) ? file.slice(root.length) : file;
  return name.replaceAll(path.sep, "/").normalize("NFC");
}

/** With a separator at its end; nothing where no sample is a file. */
function commonFolder(splits: readonly Split[]): string {
  let common: string | undefined;
  for (const split of splits) {
    for (let index = 0; index < split.size; index++) {
      const reference = split.reference(index);
      if (!("file" in reference)) continue;
      const { file } = reference;
      common = common === undefined ? folderOf(file) : above(common, file);
    }
  }
  return common ?? "";
}

function folderOf(file: string): string {
  const end = file.lastIndexOf(path.sep);
  return file.slice(0, end + 1);
}

/** The folder itself where the file is in it, else the nearest above it that both are in. */
function above(folder: string, file: string): string {
  let common = folder;
  while (!file.startsWith(common)) common = folderOf(common.slice(0, -1));
  return common;
}

/** Of the values that a network's parameters are given, by their paths. */
export function weightsDigest(parameters: readonly Parameter[], values: ParameterValues): string {
  const hash = createHash("sha256");
  for (const { path: at } of parameters) {
    const given = values.get(at);
    if (given === undefined) continue;
    hash.update(`${at} ${given.length}\n`).update(new Uint8Array(given.buffer, given.byteOffset, given.byteLength));
  }
  return hash.digest("hex");
}
