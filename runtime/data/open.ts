/** From what `--data` says to a data set. */
import { stat } from "node:fs/promises";
import path from "node:path";
import { DataError } from "./error.js";
import type { DataSet } from "./data-set.js";
import { CIFAR, findCifar, openCifar, packedCifar, type CifarKind } from "./sources/cifar/index.js";
import { openFolders } from "./sources/folders/index.js";
import type { HeldOut, HeldOutChoice } from "./sources/held-out.js";
import { openShapes } from "./sources/synthetic/shapes/index.js";

/** How a data set is opened. */
export interface OpenOptions {
  /** Decides which images are set aside for validation. Default 1. The images of `shapes` are always the same. */
  readonly seed?: number;
  /**
   * Of CIFAR, and of folders without `val`: training images set aside for validation, a share (0.1) or how many. Default
   * a tenth. With 0, the test images are the validation.
   */
  readonly validation?: HeldOut;
  /** How a training set images aside: done again where nothing else is asked for and there is no `val`. */
  readonly heldOut?: HeldOutChoice;
  /** Where listings of folders are kept; false: nowhere. Default: the user's folder for caches. */
  readonly cache?: string | false;
}

/**
 * @param data `shapes`; `cifar10:FOLDER`, `cifar100:FOLDER`; or a folder: with the unpacked CIFAR-10 or CIFAR-100 (binary
 *   or Python's version), with train/CLASS and val/CLASS, or with CLASS alone
 * @throws {DataError}
 */
export async function openDataSet(data: string, options: OpenOptions = {}): Promise<DataSet> {
  const { seed, validation, heldOut, cache } = options;
  if (data === "shapes") {
    if (validation !== undefined)
      throw new DataError("shapes: has validation images of its own: none can be set aside");
    return openShapes();
  }
  const how = {
    ...(seed !== undefined && { seed }),
    ...(validation !== undefined && { validation }),
    ...(heldOut && { heldOut }),
  };
  const named = /^(cifar10|cifar100):(.+)$/s.exec(data);
  if (named) return openCifar(named[1] as CifarKind, named[2]!, how);
  const found = await stat(data).catch(() => undefined);
  if (!found) throw new DataError(`${data}: no such folder (the data set that needs no files is named shapes)`);
  if (!found.isDirectory()) {
    const isPacked = /\.(tar|gz|tgz|zip)$/.test(data);
    const hint = isPacked ? `unpack it (tar -xf ${path.basename(data)}) and give the folder` : "give a folder";
    throw new DataError(`${data}: is a file; ${hint}`);
  }
  const [cifar, other] = findCifar(data);
  if (cifar && other) {
    const names = [cifar, other].map(({ kind }) => `${kind}:${data} for ${CIFAR[kind].name}`);
    throw new DataError(`${data}: holds two data sets: give ${names.join(", ")}`);
  }
  if (cifar) return openCifar(cifar.kind, cifar.folder, how);
  try {
    return await openFolders(data, { ...how, ...(cache !== undefined && { cache }) });
  } catch (error) {
    const packed = error instanceof DataError ? await packedCifar(data) : undefined;
    throw packed === undefined ? error : new DataError(`${(error as DataError).message}; ${packed}`, { cause: error });
  }
}
