/** Runs the built command line as a person would, in a folder of its own. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

export const BIN = fileURLToPath(new URL("../../bin/resnetc.js", import.meta.url));

if (!existsSync(new URL("../../dist/bundle/main.js", import.meta.url))) {
  throw new Error("the command line is not built: npm run build");
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  /** Called with the process when it has started. */
  readonly started?: (child: ReturnType<typeof spawn>) => void;
}

export function resnetc(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { NO_COLOR: _no, FORCE_COLOR: _force, ...env } = process.env;
  const child = spawn(process.execPath, [BIN, ...args], { cwd: options.cwd, env: { ...env, ...options.env } });
  options.started?.(child);
  child.stdin.end(options.input ?? "");
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) =>
      resolve({ code, signal, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }),
    );
  });
}

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

/** A new folder with these files; it goes when the tests of the file have ended. */
export async function folderWith(files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "resnetc-test-"));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}

export function listing(folder: string): Promise<string[]> {
  return readdir(folder).then((names) => names.sort());
}

/** A network that compiles in no time. */
export const SMALL = `import { basic } from "std/blocks"

network Small(classes = 4) {
  input image 3x16x16
  stage conv1 { conv 3x3, 8   bn   relu }
  stage conv2 { basic(8) x 2 }
  head        { global_avg_pool   fc classes   softmax }
}
`;

/** Two errors: shapes that do not fit, and a layer that does not exist. */
export const BROKEN = `network Broken {
  input image 3x16x16
  stage conv1 { add { conv 3x3, 8 } { conv 3x3, 16 } }
  stage conv2 { conv 3x3, 8   bn   rellu }
}
`;
