/** Annotations of any kind that is read. */
import { stat } from "node:fs/promises";
import type { Annotations } from "../../objects.js";
import { readCocoAnnotations } from "../coco/annotations.js";
import { readVocFolder, type VocOptions } from "../voc/annotations.js";

export { locateImages, imageFolder, type LocatedImages } from "./locate.js";

/**
 * @param place a JSON file of COCO's kind, or a folder of PASCAL VOC's kind
 * @param options for VOC
 * @throws {DataError}
 */
export async function readAnnotations(place: string, options?: VocOptions): Promise<Annotations> {
  const isFolder = (await stat(place).catch(() => undefined))?.isDirectory() ?? false;
  return isFolder ? readVocFolder(place, options) : readCocoAnnotations(place);
}
