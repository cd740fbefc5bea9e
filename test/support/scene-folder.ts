/** Small scenes as a COCO folder: data of files, for the command line. */
import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { writeScenes } from "../../runtime/data/sources/synthetic/scenes/write.js";

/** Writes `annotations/instances_train2017.json`, `train2017/` and those of `val2017` below the folder. */
export async function sceneFolder(folder: string, { train = 12, val = 6 } = {}): Promise<void> {
  await mkdir(join(folder, "annotations"), { recursive: true });
  for (const [seed, [part, count]] of Object.entries({ train, val }).entries()) {
    const made = join(folder, `made-${part}`);
    await writeScenes(made, count, { width: 64, height: 48, seed: seed + 1 });
    await rename(join(made, "images"), join(folder, `${part}2017`));
    await rename(join(made, "instances.json"), join(folder, `annotations/instances_${part}2017.json`));
  }
}
