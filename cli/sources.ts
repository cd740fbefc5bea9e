/** Source files that the command line names. */
import { readdir, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { InputFailure } from "./failure.js";

const SKIPPED = new Set(["node_modules", "dist", ".git"]);

/** With `/` between folders, as the compiler wants paths. */
export function portable(path: string): string {
  return sep === "/" ? path : path.replaceAll(sep, "/");
}

/** The files themselves, and every `.resnet` file in the folders, in order. */
export async function sourceFiles(paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    if ((await stat(path)).isDirectory()) {
      const inside = await inFolder(path);
      if (inside.length === 0) throw new InputFailure(`${path}: no .resnet files in this folder`);
      found.push(...inside);
    } else found.push(path);
  }
  return [...new Set(found.map(portable))];
}

async function inFolder(folder: string): Promise<string[]> {
  const entries = (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
  const found: string[] = [];
  // One after the other: a system lets a process open a few hundred at once.
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !SKIPPED.has(entry.name)) found.push(...(await inFolder(path)));
    else if (entry.isFile() && entry.name.endsWith(".resnet")) found.push(path);
  }
  return found;
}

/** The text of a source, which must be UTF-8 in a regular file that is not larger than any source. */
export async function readSource(path: string): Promise<string> {
  const { readRegularFile } = await import("../runtime/host.js");
  const { UnreadableFile } = await import("../compiler/host.js");
  try {
    const bytes = readRegularFile(path);
    if (bytes) return decodeSource(bytes, path);
  } catch (error) {
    if (error instanceof UnreadableFile) throw new InputFailure(`${path}: ${error.message}`);
    throw error;
  }
  throw new InputFailure(`${path}: no such file or folder`);
}

export function decodeSource(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new InputFailure(`${path}: not UTF-8 text`);
  }
}

export async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return decodeSource(Buffer.concat(chunks), "standard input");
}
