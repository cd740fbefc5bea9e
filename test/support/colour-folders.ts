/** Folders of images of one colour each, as a data set whose classes a model of mean colours tells apart. */
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { solidPng } from "./detection-data.js";

export const RGB = { red: [250, 20, 20], green: [20, 250, 20], blue: [20, 20, 250] } as const;
export type Colour = keyof typeof RGB;

/**
 * Writes train/CLASS and val/CLASS.
 *
 * @param classes colours of each class's images in `val`; `broken` is none
 */
export async function colourFolders(
  root: string,
  classes: Readonly<Record<string, readonly (Colour | "broken")[]>>,
): Promise<void> {
  for (const [name, colours] of Object.entries(classes)) {
    for (const part of ["train", "val"]) await mkdir(path.join(root, part, name), { recursive: true });
    await writeFile(path.join(root, "train", name, "a.png"), await solidPng(40, 40, RGB.red));
    for (const [i, colour] of colours.entries()) {
      const bytes = colour === "broken" ? Buffer.from("no image") : await solidPng(40, 40, RGB[colour]);
      await writeFile(path.join(root, "val", name, `${i}.png`), bytes);
    }
  }
}
