/** Runs a TypeScript file in a process of its own: for an environment that has to be there when a process starts. */
import { execFile } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";

const run = promisify(execFile);
const ROOT = path.join(import.meta.dirname, "../..");

/** What the file printed, as JSON. Packages are resolved as from the repository's root. */
export async function runInNode<T>(file: string, env: Readonly<Record<string, string>> = {}): Promise<T> {
  const folder = path.join(ROOT, "node_modules/.cache/resnetc-tests");
  await mkdir(folder, { recursive: true });
  const bundle = path.join(folder, `${path.basename(file, ".ts")}-${process.pid}.mjs`);
  await build({
    entryPoints: [file],
    outfile: bundle,
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    logLevel: "silent",
  });
  try {
    const { stdout } = await run(process.execPath, [bundle], { env: { ...process.env, ...env } });
    return JSON.parse(stdout) as T;
  } finally {
    await rm(bundle, { force: true });
  }
}
