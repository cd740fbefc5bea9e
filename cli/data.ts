/** What `--data` names. */
import type { DataSet, OpenOptions } from "../runtime/data/index.js";

export const DATA =
  "shapes, cifar10:FOLDER, cifar100:FOLDER, or a folder with train/CLASS and val/CLASS, or with CLASS alone";

/** @throws {DataError} */
export async function loadData(data: string, options: OpenOptions = {}): Promise<DataSet> {
  const { openDataSet } = await import("../runtime/data/index.js");
  return openDataSet(data, options);
}

/**
 * For a model; where it is a training's folder, with the images set aside that the training set aside.
 *
 * @throws {DataError}
 */
export async function loadDataFor(model: string, data: string): Promise<DataSet> {
  const { isRunFolder, readConfig } = await import("../runtime/training/run-folder.js");
  const heldOut = isRunFolder(model) ? (await readConfig(model)).heldOut : undefined;
  return loadData(data, heldOut && { heldOut });
}
