/** A data set annotated as PASCAL VOC's: a folder with an XML file for each image, and lists of its parts. */
import { stat } from "node:fs/promises";
import path from "node:path";
import { DataError } from "../../../data-error.js";
import { subset, type AnnotatedSplit, type DataSet } from "../../data-set.js";
import type { AnnotatedImage } from "../../objects.js";
import { annotatedData, dividedWhere, type DivisionOption, type ImagesOption } from "../annotated/split.js";
import { readSet, readVocFolder, type VocOptions } from "./annotations.js";

/** The parts of a data set, and the lists of ImageSets/Main that they are. */
const LISTS = { train: "train", validation: "val", test: "test" } as const;

/**
 * With a list that is asked for (`set`), its images, undivided; else all of them, and as parts the lists `train`, `val` and
 * `test` where they are there and all their images are annotated. Without a list `train` they may be divided.
 *
 * @throws {DataError} one line: what is wrong with a file, or which image is not there
 */
export async function openVoc(
  folder: string,
  { images, divide, validation, heldOut, seed, ...options }: VocOptions & ImagesOption & DivisionOption = {},
): Promise<DataSet<AnnotatedSplit>> {
  const annotations = await readVocFolder(folder, options);
  const name = path.basename(path.resolve(folder));
  const data = await annotatedData(name, folder, annotations, images === undefined ? {} : { images });
  const division = {
    ...(divide !== undefined && { divide }),
    ...(validation !== undefined && { validation }),
    ...(heldOut && { heldOut }),
    ...(seed !== undefined && { seed }),
  };
  if (options.set !== undefined) return dividedWhere(data, division);
  const parts: Partial<Record<keyof typeof LISTS, AnnotatedSplit>> = {};
  for (const part of Object.keys(LISTS) as (keyof typeof LISTS)[]) {
    const indices = await listed(folder, LISTS[part], annotations.images);
    if (indices) parts[part] = { ...subset(data.whole, indices), name: part };
  }
  if (parts.train === undefined) return { ...dividedWhere(data, division), ...parts };
  if (validation !== undefined) {
    throw new DataError(`${name}: has a list of training images of its own: none can be set aside besides`);
  }
  return { ...data, ...parts };
}

/** Places of a list's images, in their order; undefined where there is no such list, or one of them has no annotations. */
async function listed(
  folder: string,
  set: string,
  images: readonly AnnotatedImage[],
): Promise<Uint32Array | undefined> {
  const file = path.join(folder, "ImageSets", "Main", `${set}.txt`);
  if (!(await stat(file).catch(() => undefined))?.isFile()) return undefined;
  const names = new Set(await readSet(folder, set));
  const places = [...images.keys()].filter((index) => names.has(images[index]!.stem!));
  return places.length === names.size && names.size > 0 ? Uint32Array.from(places) : undefined;
}
