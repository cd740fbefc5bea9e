/** Source files that the command line names. */
import { readdir, readFile, stat } from "node:fs/promises";
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
  const nested = await Promise.all(
    entries.map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : inFolder(path);
      return entry.isFile() && entry.name.endsWith(".resnet") ? [path] : [];
    }),
  );
  return nested.flat();
}

/** The text of a source, which must be UTF-8. */
export async function readSource(path: string): Promise<string> {
  return decodeSource(await readFile(path), path);
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
