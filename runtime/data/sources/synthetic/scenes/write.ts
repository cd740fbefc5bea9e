/** Scenes as files: what another program can train on. */
import path from "node:path";
import { makeFolder, writeWhole } from "../../../../files.js";
import type { AnnotatedImage, Annotations, GroundTruth } from "../../../objects.js";
import { writeCocoAnnotations } from "../../coco/write.js";
import { drawScenes, SCENE_CATEGORIES, type ScenesOptions } from "./scenes.js";

/**
 * Writes `images/000001.png` and so on, and `instances.json` when all are there. JPEG is smaller and loses a little;
 * the pixels of PNG are the same on every machine.
 *
 * @throws {DataError}
 * @throws {FileError}
 */
export async function writeScenes(
  folder: string,
  count: number,
  { format = "png", ...options }: ScenesOptions & { readonly format?: "png" | "jpeg" } = {},
): Promise<Annotations> {
  const { default: sharp } = await import("sharp");
  const scenes = drawScenes(count, options);
  const images: AnnotatedImage[] = [];
  const objects: GroundTruth[] = [];
  const imageFolder = path.join(folder, "images");
  let madeFolder = false;
  for (const { image, pixels, objects: own } of scenes) {
    if (!madeFolder) await makeFolder(imageFolder);
    madeFolder = true;
    const file = format === "png" ? image.file : image.file.replace(/png$/, "jpg");
    const raw = sharp(pixels.data, { raw: { width: pixels.width, height: pixels.height, channels: 3 } });
    const bytes = await (format === "png" ? raw.png() : raw.jpeg({ quality: 92 })).toBuffer();
    await writeWhole(path.join(imageFolder, file), [bytes]);
    images.push({ ...image, file });
    objects.push(...own);
  }
  const data: Annotations = { images, categories: SCENE_CATEGORIES, objects, warnings: [] };
  await writeCocoAnnotations(path.join(folder, "instances.json"), data);
  return data;
}
