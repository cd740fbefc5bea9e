/** How a folder of images is laid out: in parts with classes, or in classes alone. */
import path from "node:path";
import { readImageFolder } from "../../../images/folder.js";
import { firstFew } from "../../../few.js";
import { leftOutLine } from "../../../images/names.js";
import { DataError } from "../../../data-error.js";

export type PartName = "train" | "validation" | "test";

/** How the parts may be called, in capitals too; the usual name first. */
const NAMES: Readonly<Record<PartName, readonly string[]>> = {
  train: ["train", "training"],
  validation: ["val", "validation", "valid"],
  test: ["test", "testing"],
};

export interface Layout {
  /** The folder itself, or the only one in it. */
  readonly root: string;
  /** Paths of the parts; absent where the folder's folders are the classes. */
  readonly parts?: Readonly<Partial<Record<PartName, string>>>;
}

export const EXPECTED = "expected train/CLASS/*.jpg and val/CLASS/*.jpg, or CLASS/*.jpg";

/** A folder in a folder in a folder, as archives unpack. */
const MOST_NESTED = 3;

/** What a part may be called in data sets of other kinds: no class. */
const LIKE_PART = /^(train|val|valid|test|eval|dev)(ing|ation|uation)?[-_ ]?(set|split|\d+)?$/i;

/**
 * @throws {DataError} where the folder is no data set: what was found in it, and what is expected
 */
export async function findLayout(folder: string, nested = 0): Promise<Layout> {
  const { files, folders, others } = await readImageFolder(folder).catch((error: unknown) => {
    throw new DataError(`${folder}: can't be listed (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
  });
  const parts: Partial<Record<PartName, string>> = {};
  for (const part of ["train", "validation", "test"] as const) {
    const found = folders.filter((name) => NAMES[part].includes(name.toLowerCase()));
    if (found.length > 1) throw new DataError(`${folder}: has ${found.join(" and ")}: which of them is meant?`);
    if (found[0] !== undefined) parts[part] = path.join(folder, found[0]);
  }
  if (parts.train !== undefined) return { root: folder, parts };
  const other = parts.validation ?? parts.test;
  if (other !== undefined) {
    throw new DataError(
      `${folder}: has no folder train, only ${path.basename(other)}; to look at that alone, give ${other}`,
    );
  }
  if (folders.length === 1 && files.length === 0 && nested < MOST_NESTED) {
    return findLayout(path.join(folder, folders[0]!), nested + 1);
  }
  const odd = folders.filter((name) => LIKE_PART.test(name));
  if (folders.length >= 2 && odd.length === 0) return { root: folder };
  const found = [
    ...(folders.length > 0
      ? [`${folders.length === 1 ? "the folder" : `${folders.length} folders:`} ${firstFew(folders)}`]
      : []),
    ...(files.length > 0 ? [`${files.length} ${files.length === 1 ? "image" : "images"} without a class`] : []),
    ...[leftOutLine(others)].filter((line) => line !== undefined),
  ];
  const what = found.length === 0 ? "is empty" : `found ${found.join("; ")}`;
  throw new DataError(`${folder}: is no data set: ${what}; ${EXPECTED}, or the files of CIFAR`);
}
