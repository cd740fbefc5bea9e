/** The images that places name: files, folders of them, standard input. */
import { stat } from "node:fs/promises";
import path from "node:path";
import { readImageFolder } from "./folder.js";
import { ImageError } from "./image.js";
import { firstFew } from "../few.js";
import { leftOutLine } from "./names.js";
import type { NamedSource } from "./source.js";

/** Images that were found, and what was passed over. */
export interface FoundImages {
  readonly images: readonly NamedSource[];
  /** What was passed over, one line each. */
  readonly warnings: readonly string[];
}

/**
 * Files as they are, the images of folders in the order of their names (not of folders in them), and for `-` one from
 * standard input. A file that is not there is no error here: whoever reads it says so.
 *
 * @throws {ImageError} one line, for a folder without images and for `-` named twice
 */
export async function imagesAt(places: readonly string[]): Promise<FoundImages> {
  if (places.filter((place) => place === "-").length > 1) throw new ImageError("- is one image: name it once");
  const images: NamedSource[] = [];
  const warnings: string[] = [];
  for (const place of places) {
    if (place === "-") images.push({ name: "stdin", bytes: await readStandardInput() });
    else if ((await stat(place).catch(() => undefined))?.isDirectory()) {
      const found = await inFolder(place);
      images.push(...found.images);
      warnings.push(...found.warnings);
    } else images.push(place);
  }
  return { images, warnings };
}

async function inFolder(folder: string): Promise<FoundImages> {
  const { files, folders, others, brokenLinks } = await readImageFolder(folder).catch(
    (error: NodeJS.ErrnoException) => {
      throw new ImageError(`${folder}: can't be listed (${error.code ?? String(error)})`, { cause: error });
    },
  );
  const leftOut = [
    leftOutLine(others),
    brokenLinks.length > 0 ? `links to nothing left out: ${firstFew(brokenLinks)}` : undefined,
    folders.length > 0 ? `folders in it not looked into: ${firstFew(folders)}` : undefined,
  ].filter((line) => line !== undefined);
  if (files.length === 0) throw new ImageError([`${folder}: no images in this folder`, ...leftOut].join("; "));
  return {
    images: files.map((name) => path.join(folder, name)),
    warnings: leftOut.map((line) => `${folder}: ${line}`),
  };
}

async function readStandardInput(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
