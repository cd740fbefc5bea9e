/** Runs a TypeScript file in a process of its own: for an environment that has to be there when a process starts. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { build, type BuildOptions } from "esbuild";

const run = promisify(execFile);
const ROOT = path.join(import.meta.dirname, "../..");
const FOLDER = path.join(ROOT, ".cache/resnetc-tests");

/** ONNX Runtime is named by package.json's "imports", which esbuild does not take for a package. */
const BUNDLE = {
  bundle: true,
  packages: "external",
  external: ["#onnxruntime"],
  platform: "node",
  format: "esm",
  logLevel: "silent",
} satisfies BuildOptions;

/** What the file printed, as JSON. Packages are resolved as from the repository's root. `options` are Node's own. */
export async function runInNode<T>(
  file: string,
  env: Readonly<Record<string, string>> = {},
  options: readonly string[] = [],
): Promise<T> {
  await mkdir(FOLDER, { recursive: true });
  const bundle = path.join(FOLDER, `${path.basename(file, ".ts")}-${process.pid}.mjs`);
  await build({ ...BUNDLE, entryPoints: [file], outfile: bundle });
  try {
    const { stdout } = await run(process.execPath, [...options, bundle], { env: { ...process.env, ...env } });
    return JSON.parse(stdout) as T;
  } finally {
    await rm(bundle, { force: true });
  }
}

/**
 * Starts a module in a process of its own, and waits until it has printed something: for what a test then does to it.
 * `RUNTIME` in an import is runtime/files.ts, `RUNTIME/x` is runtime/x.ts.
 */
export async function startScript(source: string, ...args: readonly string[]): Promise<ChildProcess> {
  await mkdir(FOLDER, { recursive: true });
  const bundle = path.join(FOLDER, `script-${process.pid}-${Math.random().toString(36).slice(2)}.mjs`);
  const resolved = source.replace(/"RUNTIME(\/[\w/-]+)?"/g, (_, name: string | undefined) =>
    JSON.stringify(path.join(ROOT, "runtime", `${name ?? "/files"}.ts`)),
  );
  await build({ ...BUNDLE, stdin: { contents: resolved, resolveDir: ROOT, loader: "ts" }, outfile: bundle });
  const child = spawn(process.execPath, [bundle, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  child.on("close", () => void rm(bundle, { force: true }));
  await new Promise((resolve, reject) => {
    child.stdout.once("data", resolve);
    child.once("close", () => reject(new Error("ended before it said anything")));
  });
  return child;
}
