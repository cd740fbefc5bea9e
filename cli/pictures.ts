/** The pictures that the command line names. */
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import type { ImageSource } from "../runtime/images/source.js";
import { InputFailure, UsageFailure } from "./failure.js";

const ENDINGS = new Set([".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff"]);

/** Files as they are, the pictures of folders in the order of their names, and for `-` what comes from standard input. */
export async function picturesOf(places: readonly string[]): Promise<ImageSource[]> {
  if (places.filter((place) => place === "-").length > 1) throw new UsageFailure("- is one picture: name it once");
  const found: ImageSource[] = [];
  for (const place of places) {
    if (place === "-") found.push({ name: "stdin", bytes: await readStandardInput() });
    else if ((await stat(place).catch(() => undefined))?.isDirectory()) found.push(...(await inFolder(place)));
    else found.push(place);
  }
  return found;
}

async function inFolder(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => ENDINGS.has(path.extname(name).toLowerCase())).sort();
  if (names.length === 0) throw new InputFailure(`${folder}: no pictures in this folder (${[...ENDINGS].join(", ")})`);
  return names.map((name) => path.join(folder, name));
}

async function readStandardInput(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
