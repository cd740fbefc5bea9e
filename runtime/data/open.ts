/** From what `--data` says to a data set. */
import { stat } from "node:fs/promises";
import { DataError } from "./error.js";
import type { DataSet } from "./data-set.js";
import { findCifar, openCifar } from "./sources/cifar.js";
import { findPart, openFolders } from "./sources/folders.js";
import { openShapes } from "./sources/shapes/index.js";

export interface OpenOptions {
  /** Decides which pictures are set aside for validation, and which shapes are drawn. Default 1. */
  readonly seed?: number;
  /** CIFAR: training pictures set aside for validation. Default the paper's 5,000. */
  readonly validation?: number;
  /** Where listings of folders are kept; false: nowhere. Default: the user's folder for caches. */
  readonly cache?: string | false;
}

/**
 * @param data `shapes`, or a folder: with the unpacked CIFAR-10 or CIFAR-100 in its binary version, or with train/CLASS
 *   and val/CLASS
 * @throws {DataError}
 */
export async function openDataSet(data: string, { seed, validation, cache }: OpenOptions = {}): Promise<DataSet> {
  const seeded = seed === undefined ? {} : { seed };
  if (data === "shapes") return openShapes(seeded);
  const found = await stat(data).catch(() => undefined);
  if (!found) throw new DataError(`${data}: no such folder (the data set that needs no files is named shapes)`);
  if (!found.isDirectory()) {
    const hint = /\.(tar|gz|tgz|zip)$/.test(data) ? "unpack it and give the folder" : "give a folder";
    throw new DataError(`${data}: is a file; ${hint}`);
  }
  const cifar = findCifar(data);
  if (cifar) return openCifar(cifar.kind, cifar.folder, { ...seeded, ...(validation !== undefined && { validation }) });
  if (findPart(data, "train") !== undefined) return openFolders(data, cache === undefined ? {} : { cache });
  throw new DataError(`${data}: holds neither the files of CIFAR nor a folder train with a folder for each class`);
}
