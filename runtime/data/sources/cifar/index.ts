/** CIFAR-10 and CIFAR-100 (Krizhevsky 2009), unpacked: the binary version or Python's. */
import { existsSync, statSync } from "node:fs";
import { readFile, readdir, stat } from "node:fs/promises";
import path from "node:path";
import { firstFew } from "../../../few.js";
import type { DataSet, LabelledSplit, Split } from "../../data-set.js";
import { DataError } from "../../../data-error.js";
import { permutation } from "../../../random.js";
import { readPythonBatch, readPythonNames } from "./python.js";
import { PIXEL_BYTES, SIDE, type RecordReference } from "./record.js";
import { heldOutCount, type HeldOut, type HeldOutChoice } from "../held-out.js";

/** How CIFAR is divided. */
export interface CifarOptions {
  /**
   * Training images that are set aside for validation, chosen by the seed: how many, or a share. Default: a tenth, which
   * is the paper's 5,000. With 0, the test images are the validation, and there is no test.
   */
  readonly validation?: HeldOut;
  /** Default 1. */
  readonly seed?: number;
  /** How a training chose them: done again where neither is given. */
  readonly heldOut?: HeldOutChoice;
}

/** How a version is stored. */
interface Version {
  /** Of the archive, and of the folder in it. */
  readonly archive: { readonly file: string; readonly md5: string };
  readonly folder: string;
  readonly train: readonly string[];
  readonly test: string;
  readonly names: string;
}

interface Layout {
  readonly name: string;
  readonly images: { readonly train: number; readonly test: number };
  readonly classes: number;
  readonly binary: Version & {
    /** Bytes before the pixels; the last of them is the class that is told apart. */
    readonly labelBytes: number;
  };
  readonly python: Version & { readonly labelKey: string; readonly namesKey: string };
}

const FIVE = [1, 2, 3, 4, 5].map((part) => `data_batch_${part}`);

export const CIFAR: Readonly<Record<"cifar10" | "cifar100", Layout>> = {
  cifar10: {
    name: "CIFAR-10",
    images: { train: 50_000, test: 10_000 },
    classes: 10,
    binary: {
      archive: { file: "cifar-10-binary.tar.gz", md5: "c32a1d4ab5d03f1284b67883e8d87530" },
      folder: "cifar-10-batches-bin",
      train: FIVE.map((name) => `${name}.bin`),
      test: "test_batch.bin",
      names: "batches.meta.txt",
      labelBytes: 1,
    },
    python: {
      archive: { file: "cifar-10-python.tar.gz", md5: "c58f30108f718f92721af3b95e74349a" },
      folder: "cifar-10-batches-py",
      train: FIVE,
      test: "test_batch",
      names: "batches.meta",
      labelKey: "labels",
      namesKey: "label_names",
    },
  },
  cifar100: {
    name: "CIFAR-100",
    images: { train: 50_000, test: 10_000 },
    classes: 100,
    binary: {
      archive: { file: "cifar-100-binary.tar.gz", md5: "03b5dce01913d631647c71ecec9e9cb8" },
      folder: "cifar-100-binary",
      train: ["train.bin"],
      test: "test.bin",
      names: "fine_label_names.txt",
      // The coarse class comes first.
      labelBytes: 2,
    },
    python: {
      archive: { file: "cifar-100-python.tar.gz", md5: "eb9058c3a382ffc7106e4002c42a8d85" },
      folder: "cifar-100-python",
      train: ["train"],
      test: "test",
      names: "meta",
      labelKey: "fine_labels",
      namesKey: "fine_label_names",
    },
  },
};

export type CifarKind = keyof typeof CIFAR;

export interface CifarPlace {
  readonly kind: CifarKind;
  readonly version: "binary" | "python";
  readonly folder: string;
}

const VERSIONS = ["binary", "python"] as const;

/** Where the files are: in the folder or, as the archives unpack, in the one in it. Of both versions the binary one. */
export function findCifar(folder: string, kinds: readonly CifarKind[] = ["cifar10", "cifar100"]): CifarPlace[] {
  return kinds.flatMap((kind) => {
    const places = VERSIONS.flatMap((version) => {
      const layout = CIFAR[kind][version];
      return [folder, path.join(folder, layout.folder)].map((at) => ({ kind, version, folder: at }));
    });
    const place = places.find(({ version, folder: at }) =>
      CIFAR[kind][version].train.some((name) => isFile(path.join(at, name))),
    );
    return place ? [place] : [];
  });
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** Archives of CIFAR in a folder, not unpacked: what can be said to whom has nothing else. */
export async function packedCifar(folder: string): Promise<string | undefined> {
  const names = await readdir(folder).catch(() => [] as string[]);
  const archives = Object.values(CIFAR).flatMap(({ binary, python }) => [binary.archive.file, python.archive.file]);
  const packed = names.filter((name) => archives.includes(name));
  return packed[0] && `${path.join(folder, packed[0])} is packed: unpack it there (tar -xf ${packed[0]})`;
}

/** @throws {DataError} where a file is missing or damaged, or a label is out of range */
export async function openCifar(
  kind: CifarKind,
  folder: string,
  { heldOut, validation = heldOut?.validation ?? 0.1, seed = heldOut?.seed ?? 1 }: CifarOptions = {},
): Promise<DataSet<LabelledSplit>> {
  const layout = CIFAR[kind];
  if (!existsSync(folder)) throw new DataError(`${folder}: no such folder`);
  const place = findCifar(folder, [kind])[0];
  if (!place) throw new DataError((await packedCifar(folder)) ?? nothingOf(layout, folder));
  const version = layout[place.version];
  const missing = [...version.train, version.test].filter((name) => !isFile(path.join(place.folder, name)));
  if (missing.length > 0) {
    throw new DataError(
      `${place.folder}: ${firstFew(missing)} ${missing.length === 1 ? "is" : "are"} missing; ` +
        `${layout.name} is read from the unpacked ${version.archive.file}`,
    );
  }
  const train = await records(layout, place, version.train);
  const test = await records(layout, place, [version.test]);
  const total = train.labels.length;
  const aside = heldOutCount(layout.name, total, validation);
  const order = permutation(total, `${layout.name} validation ${seed}`);
  // Each part in the files' order, so that a part is read from front to back when it is not shuffled.
  const kept = order.slice(0, total - aside).sort();
  const chosen = order.slice(total - aside).sort();
  const everything = Uint32Array.from({ length: test.labels.length }, (_, index) => index);
  const names = await classNames(layout, place);
  return {
    name: layout.name,
    classes: names ?? Array.from({ length: layout.classes }, (_, label) => String(label)),
    inputShape: [3, SIDE, SIDE],
    train: splitOf("train", train, kept),
    validation: aside > 0 ? splitOf("validation", train, chosen) : splitOf("validation", test, everything),
    ...(aside > 0 && { test: splitOf("test", test, everything) }),
    heldOut: { validation, seed },
    warnings: [
      ...(names ? [] : [`${place.folder}: no names of the classes in ${version.names}: numbers stand for them`]),
      ...(total === layout.images.train && test.labels.length === layout.images.test
        ? []
        : [
            `${layout.name}: a part of it: ${total} training and ${test.labels.length} test images, ` +
              `not ${layout.images.train} and ${layout.images.test}`,
          ]),
      ...(aside > 0 ? [] : [`${layout.name}: no images are set aside, so the test images are the validation`]),
    ],
  };
}

function nothingOf({ name, binary, python }: Layout, folder: string): string {
  return (
    `${folder}: has none of the files of ${name} (${binary.train[0]!}, or ${python.train[0]!} of the Python version): ` +
    `unpack ${binary.archive.file} or ${python.archive.file} there`
  );
}

type Place = Omit<RecordReference, "kind">;

interface Records {
  readonly labels: Uint8Array;
  readonly place: (index: number) => Place;
}

interface BatchFile {
  readonly labels: ArrayLike<number>;
  readonly place: (index: number) => Place;
}

async function records(layout: Layout, { version, folder }: CifarPlace, names: readonly string[]): Promise<Records> {
  const batches: (BatchFile & { readonly first: number })[] = [];
  let size = 0;
  for (const name of names) {
    const file = path.join(folder, name);
    const batch =
      version === "binary" ? await binaryBatch(layout, file) : readPythonBatch(file, layout.python.labelKey);
    if (batch.labels.length === 0) throw new DataError(`${file}: has no images`);
    const odd = Array.from(batch.labels).findIndex((label) => label < 0 || label >= layout.classes);
    if (odd >= 0) {
      throw new DataError(
        `${file}: record ${odd} has label ${batch.labels[odd]}, ${layout.name} has ${layout.classes} classes`,
      );
    }
    batches.push({ ...batch, first: size });
    size += batch.labels.length;
  }
  const labels = new Uint8Array(size);
  for (const batch of batches) labels.set(batch.labels, batch.first);
  return {
    labels,
    place(index) {
      const batch = batches.findLast(({ first }) => first <= index)!;
      return batch.place(index - batch.first);
    },
  };
}

async function binaryBatch({ name, binary: { labelBytes } }: Layout, file: string): Promise<BatchFile> {
  const bytes = labelBytes + PIXEL_BYTES;
  const { size } = await stat(file);
  if (size % bytes !== 0) {
    throw new DataError(
      `${file}: cut short or damaged: ${size} bytes are no whole number of ${name}'s records of ${bytes}`,
    );
  }
  const data = await readFile(file);
  const labels = Uint8Array.from({ length: size / bytes }, (_, i) => data[i * bytes + labelBytes - 1]!);
  return { labels, place: (index) => ({ file, offset: index * bytes + labelBytes }) };
}

/** The names are for people; without their file the numbers do. */
async function classNames(layout: Layout, { version, folder }: CifarPlace): Promise<readonly string[] | undefined> {
  const file = path.join(folder, layout[version].names);
  const names =
    version === "python"
      ? readPythonNames(file, layout.python.namesKey)
      : (await readFile(file, "utf8").catch(() => "")).split(/\s+/).filter((name) => name !== "");
  const areGood = names?.length === layout.classes && new Set(names).size === names.length && !names.includes("");
  return areGood ? names : undefined;
}

function splitOf(name: Split["name"], { labels, place }: Records, order: Uint32Array): LabelledSplit {
  return {
    name,
    size: order.length,
    label: (index) => labels[order[index]!]!,
    reference: (index) => ({ kind: "record", ...place(order[index]!) }),
    imageSize: [SIDE, SIDE],
    isLight: true,
  };
}
