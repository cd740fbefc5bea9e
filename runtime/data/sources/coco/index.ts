/** A data set annotated as COCO's: a JSON file and the images that it names, or a folder with a file for each part. */
import { stat } from "node:fs/promises";
import path from "node:path";
import type { AnnotatedSplit, DataSet } from "../../data-set.js";
import { annotatedData, dividedWhere, type DivisionOption, type ImagesOption } from "../annotated/split.js";
import { readCocoAnnotations, type CocoOptions } from "./annotations.js";
import { openCocoFolder } from "./folder.js";

/**
 * A file is undivided; the parts of a folder are its files.
 *
 * @throws {DataError} one line: what is wrong with a file, or which image is not there
 */
export async function openCoco(
  place: string,
  options: ImagesOption & CocoOptions & DivisionOption = {},
): Promise<DataSet<AnnotatedSplit>> {
  if ((await stat(place).catch(() => undefined))?.isDirectory()) return openCocoFolder(place, options);
  const annotations = await readCocoAnnotations(place, options);
  return dividedWhere(await annotatedData(path.basename(place), place, annotations, options), options);
}
