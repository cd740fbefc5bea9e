/** `check --watch`: once more whenever a source changes, or one that it imports. */
import { watch, type FSWatcher } from "node:fs";
import { stat } from "node:fs/promises";
import path from "node:path";
import { explain } from "../failure.js";
import { log, logError } from "../terminal.js";

/** Milliseconds without a change: an editor writes a file in several steps. */
const QUIET = 100;

/**
 * Runs until the process is ended.
 *
 * @param places files and folders that the command line names
 * @param run does the work and gives the files that it depended on; what it throws is told
 */
export async function keepRunning(places: readonly string[], run: () => Promise<readonly string[]>): Promise<never> {
  let watchers = new Map<string, FSWatcher>();
  let wake = (): void => undefined;
  for (let round = 0; ; round++) {
    const changed = new Promise<void>((resolve) => (wake = resolve));
    // On a terminal each round has the screen for itself.
    if (process.stdout.isTTY) process.stdout.write("\u001b[2J\u001b[3J\u001b[H");
    // An editor's task knows by this line that what it read before is old.
    if (round > 0) log(process.stdout.isTTY ? "changed; once more" : "\nchanged; once more");
    let files: readonly string[] = [];
    try {
      files = await run();
    } catch (error) {
      const { message } = explain(error);
      if (message !== undefined) logError(message);
    }
    watchers = await watching(await foldersOf([...places, ...files]), watchers, () => wake());
    log("watching; Ctrl-C ends it");
    await changed;
    await quiet();
  }

  async function quiet(): Promise<void> {
    for (let isQuiet = false; !isQuiet;) {
      const more = new Promise<boolean>((resolve) => (wake = () => resolve(false)));
      isQuiet = await Promise.race([more, new Promise<boolean>((resolve) => setTimeout(resolve, QUIET, true))]);
    }
  }
}

/** Folders are watched, not files: many editors replace a file by another. */
async function foldersOf(places: readonly string[]): Promise<ReadonlySet<string>> {
  const folders = new Set<string>();
  for (const place of places) {
    const found = await stat(place).catch(() => undefined);
    folders.add(path.resolve(found?.isDirectory() ? place : path.dirname(place)));
  }
  return folders;
}

async function watching(
  folders: ReadonlySet<string>,
  old: ReadonlyMap<string, FSWatcher>,
  onChange: () => void,
): Promise<Map<string, FSWatcher>> {
  const watchers = new Map<string, FSWatcher>();
  for (const [folder, watcher] of old) {
    if (folders.has(folder)) watchers.set(folder, watcher);
    else watcher.close();
  }
  for (const folder of folders) {
    if (watchers.has(folder)) continue;
    try {
      const watcher = watch(folder, (_event, name) => {
        if (name === null || name.endsWith(".resnet")) onChange();
      });
      watcher.on("error", () => watcher.close());
      watchers.set(folder, watcher);
    } catch {
      // A folder that is gone, of an import that is none: its problem is told already.
    }
  }
  return watchers;
}
