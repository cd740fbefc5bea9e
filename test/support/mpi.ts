/** Runs a TypeScript file as several ranks under an mpirun. */
import { spawn } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { build } from "esbuild";

const ROOT = path.join(import.meta.dirname, "../..");

export const MPIS = ["openmpi", "mpich"] as const;
export type Mpi = (typeof MPIS)[number];

const ARGUMENTS: Readonly<Record<Mpi, readonly string[]>> = {
  openmpi: ["--bind-to", "none", "--map-by", "slot:OVERSUBSCRIBE"],
  mpich: [],
};

const ENVIRONMENT = { OMPI_ALLOW_RUN_AS_ROOT: "1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1" };

/** Threads that a program starts, which lie beside it. */
const THREADS = [
  "runtime/parallel/watchdog-thread.ts",
  "runtime/training/engine-thread.ts",
  "runtime/data/data-worker.ts",
];

export interface RankProgram {
  readonly file: string;
  remove(): Promise<void>;
}

/** As JavaScript, with its threads, in a folder of its own. */
export async function rankProgram(entry: string): Promise<RankProgram> {
  const folder = path.join(ROOT, ".cache/resnetc-tests", `ranks-${path.basename(entry, ".ts")}-${process.pid}`);
  await mkdir(folder, { recursive: true });
  await build({
    entryPoints: [entry, ...THREADS.map((thread) => path.join(ROOT, thread))],
    entryNames: "[name]",
    outdir: folder,
    bundle: true,
    splitting: true,
    packages: "external",
    external: ["#onnxruntime"],
    platform: "node",
    format: "esm",
    logLevel: "silent",
  });
  return {
    file: path.join(folder, `${path.basename(entry, ".ts")}.js`),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

export interface RanksRun {
  readonly code: number | null;
  /** Lines that are JSON, as values, in whatever order the ranks printed them. */
  readonly told: readonly unknown[];
  readonly stderr: string;
  readonly seconds: number;
}

export function runRanks(
  mpi: Mpi,
  size: number,
  { file }: RankProgram,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<RanksRun> {
  return runJob([`mpirun.${mpi}`, ...ARGUMENTS[mpi], "-np", String(size), process.execPath, file, ...args], env);
}

/** @param started is given the number of the process that was started */
export async function runJob(
  [command, ...words]: readonly string[],
  env: Readonly<Record<string, string>> = {},
  started?: (pid: number) => void,
): Promise<RanksRun> {
  const began = performance.now();
  const child = spawn(command!, words, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...ENVIRONMENT, ...env },
  });
  started?.(child.pid!);
  const [stdout, stderr] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  const code = child.exitCode ?? (await new Promise<number | null>((resolve) => child.once("exit", resolve)));
  const told = stdout.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as unknown] : []));
  return { code, told, stderr, seconds: (performance.now() - began) / 1000 };
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  return text;
}
