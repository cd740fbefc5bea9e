/** What `--data` names. */
import type { DataSet, OpenOptions } from "../runtime/data/index.js";

export const DATA =
  "shapes, cifar10:FOLDER, cifar100:FOLDER, or a folder with train/CLASS and val/CLASS, or with CLASS alone";

/** Data whose images have any number of labels. */
export const LABELS_DATA = "for several labels an image a labels.csv, coco:FILE, voc:FOLDER, or scenes";

/** Data whose images have objects with boxes in them. */
export const ANNOTATED_DATA =
  "coco:instances.json, coco:FOLDER, voc:FOLDER, scenes, scenes:COUNT, or scenes:TRAIN/VAL/TEST";

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
export async function loadDataFor(
  model: string | undefined,
  data: string,
  options: OpenOptions = {},
): Promise<DataSet> {
  const { isRunFolder, readConfig } = await import("../runtime/training/run-folder.js");
  const heldOut = model !== undefined && isRunFolder(model) ? (await readConfig(model)).heldOut : undefined;
  return loadData(data, { ...options, ...(heldOut && { heldOut }) });
}
