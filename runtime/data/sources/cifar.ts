/** CIFAR-10 and CIFAR-100 in their binary version (Krizhevsky 2009), unpacked. */
import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import type { DataSet, Split } from "../data-set.js";
import { DataError } from "../error.js";
import { permutation } from "../permutation.js";
import { PIXEL_BYTES, SIDE } from "./cifar-record.js";

export interface CifarOptions {
  /** Training pictures that are set aside for validation, chosen by the seed; the paper's 5,000. With 0, the test pictures are the validation. */
  readonly validation?: number;
  /** Default 1. */
  readonly seed?: number;
}

interface Layout {
  readonly name: string;
  /** Of the archive, and of the folder in it. */
  readonly archive: { readonly file: string; readonly md5: string };
  readonly folder: string;
  readonly train: readonly string[];
  readonly test: string;
  readonly recordsPerFile: { readonly train: number; readonly test: number };
  /** Bytes before the pixels; the last of them is the class that is told apart. */
  readonly labelBytes: number;
  readonly classes: number;
  /** The file with their names, one a line. */
  readonly names: string;
}

export const CIFAR: Readonly<Record<"cifar10" | "cifar100", Layout>> = {
  cifar10: {
    name: "CIFAR-10",
    archive: { file: "cifar-10-binary.tar.gz", md5: "c32a1d4ab5d03f1284b67883e8d87530" },
    folder: "cifar-10-batches-bin",
    train: [1, 2, 3, 4, 5].map((part) => `data_batch_${part}.bin`),
    test: "test_batch.bin",
    recordsPerFile: { train: 10_000, test: 10_000 },
    labelBytes: 1,
    classes: 10,
    names: "batches.meta.txt",
  },
  cifar100: {
    name: "CIFAR-100",
    archive: { file: "cifar-100-binary.tar.gz", md5: "03b5dce01913d631647c71ecec9e9cb8" },
    folder: "cifar-100-binary",
    train: ["train.bin"],
    test: "test.bin",
    recordsPerFile: { train: 50_000, test: 10_000 },
    // The coarse class comes first.
    labelBytes: 2,
    classes: 100,
    names: "fine_label_names.txt",
  },
};

/** The folder with the files in it: this one or, as the archive unpacks, the one in it. */
export function findCifar(folder: string): { readonly kind: keyof typeof CIFAR; readonly folder: string } | undefined {
  for (const kind of ["cifar10", "cifar100"] as const) {
    const layout = CIFAR[kind];
    for (const candidate of [folder, path.join(folder, layout.folder)]) {
      if (existsSync(path.join(candidate, layout.train[0]!))) return { kind, folder: candidate };
    }
  }
  return undefined;
}

/** @throws {DataError} where a file is missing, has another size, or a label is out of range */
export async function openCifar(
  kind: keyof typeof CIFAR,
  folder: string,
  { validation = 5000, seed = 1 }: CifarOptions = {},
): Promise<DataSet> {
  const layout = CIFAR[kind];
  const place = findCifar(folder);
  const root = place?.kind === kind ? place.folder : folder;
  const total = layout.train.length * layout.recordsPerFile.train;
  if (!Number.isInteger(validation) || validation < 0 || validation >= total) {
    throw new DataError(`${layout.name}: validation must be from 0 to ${total - 1} pictures, not ${validation}`);
  }
  const train = await records(layout, root, layout.train, layout.recordsPerFile.train);
  const test = await records(layout, root, [layout.test], layout.recordsPerFile.test);
  const order = permutation(total, `${layout.name} validation ${seed}`);
  // Each part in the files' order, so that a part is read from front to back when it is not shuffled.
  const kept = order.slice(0, total - validation).sort();
  const aside = order.slice(total - validation).sort();
  const everything = Uint32Array.from({ length: layout.recordsPerFile.test }, (_, index) => index);
  return {
    name: layout.name,
    classes: await classNames(layout, root),
    inputShape: [3, SIDE, SIDE],
    train: splitOf("train", train, kept),
    validation: validation > 0 ? splitOf("validation", train, aside) : splitOf("validation", test, everything),
    test: splitOf("test", test, everything),
    warnings:
      validation > 0 ? [] : [`${layout.name}: no pictures are set aside, so the test pictures are the validation`],
  };
}

interface Records {
  readonly labels: Uint8Array;
  readonly place: (index: number) => { readonly file: string; readonly offset: number };
}

async function records(layout: Layout, root: string, names: readonly string[], perFile: number): Promise<Records> {
  const bytes = layout.labelBytes + PIXEL_BYTES;
  const files = names.map((name) => path.join(root, name));
  const labels = new Uint8Array(files.length * perFile);
  for (const [part, file] of files.entries()) {
    const data = await readChecked(layout, file, perFile * bytes);
    for (let i = 0; i < perFile; i++) {
      const label = data[i * bytes + layout.labelBytes - 1]!;
      if (label >= layout.classes) {
        throw new DataError(`${file}: record ${i} has label ${label}, ${layout.name} has ${layout.classes} classes`);
      }
      labels[part * perFile + i] = label;
    }
  }
  return {
    labels,
    place: (index) => ({
      file: files[Math.floor(index / perFile)]!,
      offset: (index % perFile) * bytes + layout.labelBytes,
    }),
  };
}

async function readChecked(layout: Layout, file: string, expected: number): Promise<Uint8Array> {
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) {
    throw new DataError(`${file}: missing; ${layout.name} is read from the unpacked ${layout.archive.file}`);
  }
  if (found.size !== expected) {
    throw new DataError(`${file}: has ${found.size} bytes, ${layout.name} has ${expected} in this file`);
  }
  return readFile(file);
}

async function classNames(layout: Layout, root: string): Promise<readonly string[]> {
  const text = await readFile(path.join(root, layout.names), "utf8").catch(() => "");
  const names = text.split(/\s+/).filter((name) => name !== "");
  // The names are for people; without their file the numbers do.
  if (names.length !== layout.classes) return Array.from({ length: layout.classes }, (_, label) => String(label));
  return names;
}

function splitOf(name: Split["name"], { labels, place }: Records, order: Uint32Array): Split {
  return {
    name,
    size: order.length,
    label: (index) => labels[order[index]!]!,
    reference: (index) => ({ kind: "record", ...place(order[index]!) }),
    pictureSize: [SIDE, SIDE],
    isLight: true,
  };
}
