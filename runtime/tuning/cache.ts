/** What was measured on this machine, kept for the next time in one file of the user's. */
import { mkdir, readFile, stat } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { AlgorithmChoices } from "../../compiler/tuning/choices.js";
import type { Times } from "../../compiler/tuning/choices.js";
import { fileFailure, writeWhole } from "../files.js";
import type { Runtime } from "../onnx/onnxruntime.js";

export interface Measured {
  /** The one to take. */
  readonly method: string;
  readonly seconds: Times;
}

/** By the key of an operation, which has the device, its shapes and attributes in it. */
export type Measurements = Readonly<Record<string, Measured>>;

/** Of this user: `~/.cache/resnetc/methods.json`, or below `$XDG_CACHE_HOME`. */
export function cacheFile(): string {
  const cache = process.env["XDG_CACHE_HOME"];
  const folder = cache !== undefined && path.isAbsolute(cache) ? cache : path.join(os.homedir(), ".cache");
  return path.join(folder, "resnetc", "methods.json");
}

/** Other processors, other numbers of threads and other versions of ONNX Runtime choose otherwise. */
export function machineName(runtime: Runtime, threads: number | undefined): string {
  const version = runtime.env.versions.node ?? runtime.env.versions.common;
  return `${os.cpus()[0]?.model.trim() ?? os.arch()}, ${threads ?? "all"} threads, ONNX Runtime ${version}`;
}

const VERSION = 1;
type Machines = Readonly<Record<string, Measurements>>;

/** What was found on a machine; nothing where nothing was, or, with a warning, where the file is not what we write. */
export async function readCache(file: string, machine: string, warn: (message: string) => void): Promise<Measurements> {
  return (await readMachines(file, warn))[machine] ?? {};
}

/**
 * Adds to what is there.
 *
 * @throws {FileError}
 */
export async function addToCache(file: string, machine: string, found: Measurements): Promise<void> {
  const folder = path.dirname(file);
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw fileFailure(folder, cause);
  });
  // Another process may have added something meanwhile. What is damaged was told of when it was read.
  const machines = await readMachines(file, () => undefined);
  const whole = written({ ...machines, [machine]: { ...machines[machine], ...found } });
  // What others measured goes before the file becomes too large to be read.
  await writeWhole(file, [whole.length > LARGEST ? written({ [machine]: found }) : whole]);
}

function written(machines: Machines): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify({ version: VERSION, machines }, undefined, 1)}\n`);
}

export function algorithmsOfCache(measurements: Measurements): AlgorithmChoices {
  return Object.fromEntries(Object.entries(measurements).map(([key, { method }]) => [key, method]));
}

/** Bytes: many times what all networks of a user give. Reading more would take longer than measuring. */
const LARGEST = 16e6;

async function readMachines(file: string, warn: (message: string) => void): Promise<Machines> {
  let text: string;
  try {
    const found = await stat(file);
    const cause = found.isFile() ? (found.size > LARGEST ? "is larger than 16 MB" : undefined) : "is no file";
    if (cause !== undefined) {
      warn(`${file}: ${cause}: what was measured is not used`);
      return {};
    }
    text = await readFile(file, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTDIR")
      warn(`${file}: can't be read (${code}): what was measured is not used`);
    return {};
  }
  const machines = parsed(text);
  if (machines === undefined) warn(`${file}: is damaged: what was measured before is not used`);
  return machines ?? {};
}

/** Undefined where it is not what {@link addToCache} writes. */
function parsed(text: string): Machines | undefined {
  try {
    const { version, machines } = JSON.parse(text) as { version?: unknown; machines?: unknown };
    const good = version === VERSION && isRecord(machines, (each): each is Measurements => isRecord(each, isMeasured));
    return good ? machines : undefined;
  } catch {
    return undefined;
  }
}

/** Seconds: no operation takes a day. */
const LONGEST = 86_400;

function isMeasured(value: unknown): value is Measured {
  const { method, seconds } = (value ?? {}) as Partial<Record<keyof Measured, unknown>>;
  const isTime = (each: unknown): each is number => typeof each === "number" && each > 0 && each < LONGEST;
  return typeof method === "string" && isRecord(seconds, isTime) && Object.hasOwn(seconds, method);
}

function isRecord<T>(value: unknown, isGood: (each: unknown) => each is T): value is Readonly<Record<string, T>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.values(value).every(isGood);
}
