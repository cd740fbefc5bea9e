/** Files of nested dictionaries of tensors, as torch.save and safetensors write them. */
import { zipOf } from "./zip.js";

export interface FileTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface Tree {
  readonly [key: string]: FileTensor | Tree;
}

/** Filled with one value. */
export function tensorOf(shape: readonly number[], value: number): FileTensor {
  const size = shape.reduce((product, length) => product * length, 1);
  return { shape, values: new Float32Array(size).fill(value) };
}

function isTensor(value: FileTensor | Tree): value is FileTensor {
  return value["values"] instanceof Float32Array;
}

export interface Padding {
  /** Around a safetensors header. */
  readonly before?: string;
  readonly after?: string;
}

/** `.safetensors` has no dictionaries: keys are joined by dots. */
export function torchFile(tree: Tree, format: "pth" | "safetensors", padding: Padding = {}): Buffer {
  return format === "pth" ? pth(tree) : safetensors(tree, padding);
}

function safetensors(tree: Tree, { before = "", after = "" }: Padding): Buffer {
  const header: Record<string, unknown> = {};
  const data: Buffer[] = [];
  let at = 0;
  const add = (value: FileTensor | Tree, name: string): void => {
    if (!isTensor(value))
      return Object.entries(value).forEach(([key, each]) => add(each, name ? `${name}.${key}` : key));
    const bytes = Buffer.from(value.values.buffer);
    header[name] = { dtype: "F32", shape: value.shape, data_offsets: [at, at + bytes.length] };
    at += bytes.length;
    data.push(bytes);
  };
  add(tree, "");
  const text = Buffer.from(before + JSON.stringify(header) + after);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...data]);
}

/**
 * A zip of a pickle by protocol 2 and one entry a tensor.
 *
 * @param extra what stands beside the tree's entries, pickled
 * @param metadata of every tensor, as torch writes them since 2.0
 */
export function pth(tree: Tree, extra = "", metadata: Readonly<Record<string, boolean>> = {}): Buffer {
  const storages: Record<string, Uint8Array> = {};
  const string = (text: string): string => {
    const bytes = Buffer.from(text);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    return `X${length.toString("latin1")}${bytes.toString("latin1")}`;
  };
  const number = (value: number): string => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    return `J${bytes.toString("latin1")}`;
  };
  const tuple = (values: readonly string[]): string => `(${values.join("")}t`;
  const pickled = (value: FileTensor | Tree): string => {
    if (!isTensor(value)) {
      return `}(${Object.entries(value)
        .map(([key, each]) => string(key) + pickled(each))
        .join("")}u`;
    }
    const key = String(Object.keys(storages).length);
    storages[`archive/data/${key}`] = new Uint8Array(value.values.buffer);
    const strides = value.shape.map((_, i) =>
      value.shape.slice(i + 1).reduce((product, length) => product * length, 1),
    );
    const id = tuple([
      string("storage"),
      "ctorch\nFloatStorage\n",
      string(key),
      string("cpu"),
      number(value.values.length),
    ]);
    const values = [`${id}Q`, number(0), tuple(value.shape.map(number)), tuple(strides.map(number)), "\x89", "}"];
    if (Object.keys(metadata).length > 0) {
      const entries = Object.entries(metadata).map(([name, set]) => string(name) + (set ? "\x88" : "\x89"));
      values.push(`}(${entries.join("")}u`);
    }
    return `ctorch._utils\n_rebuild_tensor_v2\n${tuple(values)}R`;
  };
  const root = pickled(tree);
  const pickle = `\x80\x02${extra === "" ? root : `${root}(${extra}u`}.`;
  return zipOf({ "archive/data.pkl": pickle, ...storages });
}
