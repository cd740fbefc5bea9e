/** The language server over the standard input and output of a process. */
import { readdir } from "node:fs/promises";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { createConnection, IPCMessageReader, IPCMessageWriter } from "vscode-languageserver/node";
import { exists } from "../../compiler/host.js";
import { fileHost } from "../../runtime/host.js";
import { writeModel } from "../../runtime/onnx/model-files.js";
import { pathOfUri } from "./places.js";
import type { Platform } from "./platform.js";
import { serve } from "./server.js";
import { SuppliedFiles } from "./supplied.js";

/** Folders that have none of one's own sources, and how many sources are looked for. */
const SKIPPED = new Set(["node_modules", "dist", ".git"]);
const MOST_FILES = 5000;

/**
 * This machine's files.
 *
 * @param standardFolder the folder of the standard library's files, where they are files
 */
export function nodePlatform(version: string, standardFolder?: string): Platform {
  const host = fileHost();
  const supplied = new SuppliedFiles();
  return {
    ...host,
    read: (path) => supplied.read(path) ?? host.read(path),
    exists: (path) => supplied.read(path) !== undefined || exists(host, path),
    version,
    ...(standardFolder !== undefined && { standardFolder: portable(standardFolder) }),
    pause: () => setImmediate(),
    async list(folders) {
      const found = supplied.paths();
      for (const folder of folders) await collect(folder, found);
      return found;
    },
    supply: (given) => supplied.supply(given),
    async writeModel(uri, emit) {
      const written = await writeModel(pathOfUri(uri), emit);
      return written.map(({ path: name, bytes }) => ({ name, bytes }));
    },
  };
}

async function collect(folder: string, found: string[]): Promise<void> {
  // A folder that is gone, or may not be read, has none.
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (found.length >= MOST_FILES) return;
    const place = portable(path.join(folder, entry.name));
    if (entry.isDirectory() && !SKIPPED.has(entry.name)) await collect(place, found);
    else if (entry.isFile() && entry.name.endsWith(".resnet")) found.push(place);
  }
}

function portable(place: string): string {
  return path.sep === "/" ? place : place.replaceAll(path.sep, "/");
}

/** Serves until the client says that it is over, or is gone. */
export function serveStdio(platform: Platform): void {
  serve(createConnection(process.stdin, process.stdout), platform);
}

/** The same over the channel of a process that a client has forked. */
export function serveFork(platform: Platform): void {
  serve(createConnection(new IPCMessageReader(process), new IPCMessageWriter(process)), platform);
}
