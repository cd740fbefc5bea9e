/** A data set annotated as PASCAL VOC's: a folder with an XML file for each image, and lists of its parts. */
import { stat } from "node:fs/promises";
import path from "node:path";
import { DataError } from "../../../data-error.js";
import { subset, type AnnotatedSplit, type DataSet } from "../../data-set.js";
import type { AnnotatedImage } from "../../objects.js";
import { counted } from "../annotated/problems.js";
import { annotatedData, dividedWhere, type DivisionOption, type ImagesOption } from "../annotated/split.js";
import { readSet, readVocFolder, type VocOptions } from "./annotations.js";

/** The parts of a data set, and the lists of ImageSets/Main that they are. */
const LISTS = { train: "train", validation: "val", test: "test" } as const;

/**
 * With a list that is asked for (`set`), its images, undivided; else all of them, and as parts the lists `train`, `val` and
 * `test` where they are there and all their images are annotated. Where there are no lists they may be divided.
 *
 * @throws {DataError} one line: what is wrong with a file, or which image is not there; where they are to be divided, a list
 *   `train` or `val` with images that are not annotated, and `val` without `train`
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
    const list = await listed(folder, LISTS[part], annotations.images);
    if (list === undefined) continue;
    if ("indices" in list) parts[part] = { ...subset(data.whole, list.indices), name: part };
    else if (divide && part !== "test") throw new DataError(list.problem);
  }
  if (parts.train === undefined) {
    if (!divide || parts.validation === undefined) return { ...dividedWhere(data, division), ...parts };
    throw new DataError(
      `${path.join(folder, "ImageSets", "Main")}: has a list val, and none that is called train: add it, or name a list with --set`,
    );
  }
  if (validation !== undefined) {
    throw new DataError(`${name}: has a list of training images of its own: none can be set aside besides`);
  }
  return { ...data, ...parts };
}

/** Places of a list's images, in their order, or why it is no part; undefined where there is no such list. */
async function listed(
  folder: string,
  set: string,
  images: readonly AnnotatedImage[],
): Promise<{ readonly indices: Uint32Array } | { readonly problem: string } | undefined> {
  const file = path.join(folder, "ImageSets", "Main", `${set}.txt`);
  if (!(await stat(file).catch(() => undefined))?.isFile()) return undefined;
  const names = new Set(await readSet(folder, set));
  if (names.size === 0) return { problem: `${file}: lists no images` };
  const places = [...images.keys()].filter((index) => names.delete(images[index]!.stem!));
  if (names.size === 0) return { indices: Uint32Array.from(places) };
  return { problem: `${file}: ${counted(names.size, "image")} without annotations (first: ${[...names][0]!})` };
}
