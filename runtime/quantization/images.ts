/** Images to calibrate on, from what a command line names. */
import { stat } from "node:fs/promises";
import { openDataSet } from "../data/index.js";
import { sampleSource } from "../data/sample.js";
import { readImageFolder } from "../images/folder.js";
import { imagesAt, type FoundImages } from "../images/places.js";

/**
 * Images of a folder, a file, or of data as `--data` names them: of data those for training. Of more than `most` so many are
 * taken, as far apart as can be.
 *
 * @throws {DataError | ImageError} one line, where there are none
 */
export async function calibrationImages(place: string, most: number): Promise<FoundImages> {
  if (await holdsImages(place)) {
    const { images, warnings } = await imagesAt([place]);
    return { images: spread(images, most), warnings };
  }
  const data = await openDataSet(place);
  const split = data.whole ?? data.train;
  const indices = spread(
    Array.from({ length: split.size }, (_, index) => index),
    most,
  );
  return { images: indices.map((index) => sampleSource(split.reference(index))), warnings: data.warnings };
}

/** An image, or a folder with images in it: folders of classes are data. */
async function holdsImages(place: string): Promise<boolean> {
  const found = await stat(place).catch(() => undefined);
  if (found?.isDirectory()) return (await readImageFolder(place)).files.length > 0;
  return found !== undefined && !/\.(json|csv)$/i.test(place);
}

function spread<T>(all: readonly T[], most: number): readonly T[] {
  if (all.length <= most) return all;
  return Array.from({ length: most }, (_, place) => all[Math.floor((place * all.length) / most)]!);
}
