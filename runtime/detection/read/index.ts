/** Annotations of any kind that is read. */
import { stat } from "node:fs/promises";
import path from "node:path";
import { DetectionError, type DetectionData, type Picture } from "../records.js";
import { readCocoAnnotations } from "./coco.js";
import { readVocFolder, type VocOptions } from "./voc.js";

/**
 * @param place a JSON file of COCO's kind, or a folder of PASCAL VOC's kind
 * @param options for VOC
 * @throws {DetectionError}
 */
export async function readAnnotations(place: string, options?: VocOptions): Promise<DetectionData> {
  const isFolder = (await stat(place).catch(() => undefined))?.isDirectory() ?? false;
  return isFolder ? readVocFolder(place, options) : readCocoAnnotations(place);
}

/**
 * Where pictures usually are: JPEGImages in PASCAL VOC's folder, images beside COCO's file, otherwise with the
 * annotations.
 */
export async function pictureFolder(place: string): Promise<string> {
  const isFolder = (folder: string) =>
    stat(folder).then(
      (found) => found.isDirectory(),
      () => false,
    );
  const [folder, usual] = (await isFolder(place)) ? [place, "JPEGImages"] : [path.dirname(place), "images"];
  const inside = path.join(folder, usual);
  return (await isFolder(inside)) ? inside : folder;
}

/**
 * Where each picture lies, by id.
 *
 * @throws {DetectionError} one line: how many are not there and the first of them; or one whose name leads elsewhere
 */
export async function locatePictures(pictures: readonly Picture[], folder: string): Promise<Map<number, string>> {
  const root = path.resolve(folder);
  const found = new Map<number, string>();
  const missing: string[] = [];
  for (const { id, file } of pictures) {
    const full = path.resolve(root, file);
    if (!full.startsWith(root + path.sep)) {
      throw new DetectionError(`image ${id}: its file_name "${file.slice(0, 80)}" leads out of ${folder}`);
    }
    if ((await stat(full).catch(() => undefined))?.isFile() === true) found.set(id, full);
    else missing.push(file);
  }
  if (missing.length > 0) {
    const example = missing.length === 1 ? "" : `, ${missing.length} in all`;
    throw new DetectionError(`${folder}: ${missing[0]!} is not there${example}`);
  }
  return found;
}
