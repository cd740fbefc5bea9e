/** Pictures in a folder a class, as ImageNet is laid out: train/CLASS/*.JPEG and val/CLASS/*.JPEG. */
import { existsSync } from "node:fs";
import path from "node:path";
import type { DataSet, Split } from "../data-set.js";
import { DataError } from "../error.js";
import { listPictures, type ListingOptions } from "./listing.js";

/** How the parts are named, the usual name first. */
const FOLDERS: Readonly<Record<Split["name"], readonly string[]>> = {
  train: ["train", "training"],
  validation: ["val", "validation", "valid"],
  test: ["test"],
};

/** The folder of a part, if there is one. */
export function findPart(root: string, part: Split["name"]): string | undefined {
  return FOLDERS[part].find((name) => existsSync(path.join(root, name)));
}

/**
 * The classes are the folders in `train`, sorted by name; a class's pictures may lie in folders below.
 *
 * @throws {DataError} where a part or a class is missing, a class has no training picture, or a part has another class
 */
export async function openFolders(root: string, options: ListingOptions = {}): Promise<DataSet> {
  const train = await listPart(root, "train", options);
  const validation = await listPart(root, "validation", options);
  if (!train || !validation) {
    const missing = FOLDERS[train ? "validation" : "train"][0]!;
    throw new DataError(`${root}: no folder named ${missing}; expected train/CLASS/*.jpg and val/CLASS/*.jpg`);
  }
  // A `test` folder without classes is a usual thing: the answers are kept secret.
  const test = await listPart(root, "test", options);
  const classes = [...train.classes.keys()];
  if (classes.length < 2)
    throw new DataError(`${train.folder}: ${classes.length} class folders, at least 2 are needed`);
  const empty = classes.filter((name) => train.classes.get(name)!.length === 0);
  if (empty.length > 0) throw new DataError(`${path.join(train.folder, empty[0]!)}: no pictures${others(empty)}`);
  checkSameClasses(validation, classes);
  const isLabelled = test !== undefined && test.classes.size > 0;
  if (isLabelled) checkSameClasses(test, classes);
  return {
    name: path.basename(path.resolve(root)),
    classes,
    train: splitOf("train", train, classes),
    validation: splitOf("validation", validation, classes),
    ...(isLabelled && { test: splitOf("test", test, classes) }),
    warnings: [train, validation, ...(test ? [test] : [])].flatMap((part) => part.warnings),
  };
}

interface Part {
  readonly folder: string;
  /** Paths of each class's pictures, relative to the folder. */
  readonly classes: ReadonlyMap<string, readonly string[]>;
  readonly warnings: readonly string[];
}

async function listPart(root: string, part: Split["name"], options: ListingOptions): Promise<Part | undefined> {
  const name = findPart(root, part);
  if (name === undefined) return undefined;
  const folder = path.join(root, name);
  const listing = await listPictures(folder, options);
  const classes = new Map<string, string[]>();
  const warnings = listing.strayLinks.map(
    (link) => `${path.join(folder, link)}: a link out of the folder, not followed`,
  );
  for (const { path: at, files } of listing.folders) {
    const [className] = at.split(path.sep);
    if (className === undefined || className === "") {
      if (files.length > 0) warnings.push(`${folder}: ${files.length} pictures outside of class folders are left out`);
      continue;
    }
    const known = classes.get(className) ?? [];
    for (const file of files) known.push(path.join(at, file));
    classes.set(className, known);
  }
  return { folder, classes, warnings };
}

function checkSameClasses({ folder, classes }: Part, expected: readonly string[]): void {
  const missing = expected.filter((name) => !classes.has(name));
  if (missing.length > 0) throw new DataError(`${folder}: no folder for class ${missing[0]!}${others(missing)}`);
  const known = new Set(expected);
  const unknown = [...classes.keys()].filter((name) => !known.has(name));
  if (unknown.length > 0) {
    throw new DataError(
      `${path.join(folder, unknown[0]!)}: a class that is not among the training ones${others(unknown)}`,
    );
  }
}

function others(names: readonly string[]): string {
  return names.length > 1 ? ` (and ${names.length - 1} more such)` : "";
}

function splitOf(name: Split["name"], { folder, classes }: Part, order: readonly string[]): Split {
  const starts: number[] = [];
  let size = 0;
  for (const className of order) {
    starts.push(size);
    size += classes.get(className)!.length;
  }
  if (size === 0) throw new DataError(`${folder}: no pictures`);
  const labels = new Uint16Array(size);
  starts.forEach((start, label) => labels.fill(label, start));
  return {
    name,
    size,
    label: (index) => labels[index]!,
    reference: (index) => {
      const label = labels[index]!;
      const file = classes.get(order[label]!)![index - starts[label]!]!;
      return { kind: "file", file: path.join(folder, file) };
    },
    isLight: false,
  };
}
