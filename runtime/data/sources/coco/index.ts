/** A data set annotated as COCO's: one JSON file, and the images that it names. */
import path from "node:path";
import type { AnnotatedSplit, DataSet } from "../../data-set.js";
import { annotatedData, dividedWhere, type DivisionOption, type ImagesOption } from "../annotated/split.js";
import { readCocoAnnotations, type CocoOptions } from "./annotations.js";

/** @throws {DataError} one line: what is wrong with the file, or which image is not there */
export async function openCoco(
  file: string,
  options: ImagesOption & CocoOptions & DivisionOption = {},
): Promise<DataSet<AnnotatedSplit>> {
  const annotations = await readCocoAnnotations(file, options);
  return dividedWhere(await annotatedData(path.basename(file), file, annotations, options), options);
}
