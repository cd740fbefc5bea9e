/** The images that places name: files, folders of them, standard input. */
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { IMAGE_ENDINGS, isImageName } from "../data/sources/listing.js";
import { ImageError } from "./image.js";
import type { NamedSource } from "./source.js";

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
      const { names, others } = await inFolder(place);
      images.push(...names.map((name) => path.join(place, name)));
      if (others > 0)
        warnings.push(`${place}: ${others === 1 ? "1 file" : `${others} files`} of other endings left out`);
    } else images.push(place);
  }
  return { images, warnings };
}

async function inFolder(folder: string): Promise<{ readonly names: readonly string[]; readonly others: number }> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new ImageError(`${folder}: can't be listed (${error.code ?? String(error)})`, { cause: error });
  });
  const files = entries.filter((entry) => !entry.isDirectory() && !entry.name.startsWith(".")).map(({ name }) => name);
  const names = files.filter(isImageName).sort();
  if (names.length === 0) throw new ImageError(`${folder}: no images in this folder (${IMAGE_ENDINGS.join(", ")})`);
  return { names, others: files.length - names.length };
}

async function readStandardInput(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
