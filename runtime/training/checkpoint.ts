/**
 * Checkpoints: safetensors files with all state, so that training goes on as if it had never stopped.
 *
 * `checkpoints/step-391.safetensors` after 391 updates; the newest two are kept, and `best.safetensors`. Every file is
 * written whole or not at all, and an old one goes only after a new one is there.
 */
import { copyFile, mkdir, readdir, rename, rm } from "node:fs/promises";
import { constants } from "node:fs";
import path from "node:path";
import zlib from "node:zlib";
import type { StateTensor } from "../../compiler/training/contract.js";
import type { MethodChoices } from "../../compiler/training/lowering/index.js";
import { fileFailure } from "../files.js";
import { openWeights } from "../weights/open.js";
import { WeightsError, type TensorSource } from "../weights/source.js";
import { writeSafetensors } from "../weights/write-safetensors.js";
import { TrainingError } from "./error.js";
import type { Position } from "./position.js";

/** Values by the state tensor's name, flat, row-major. */
export type StateValues = ReadonlyMap<string, Float32Array>;

/** What training was asked for; a checkpoint goes on only with what it began with. */
export interface Identity {
  /** As on the command line: `CifarResNet(depth: 20)`. */
  readonly target: string;
  readonly recipe: string;
  readonly data: string;
  readonly seed: number;
  /** Everything that the course of training depends on, as JSON. */
  readonly settings: string;
}

export interface Checkpoint {
  readonly file: string;
  readonly position: Position;
  readonly identity: Identity;
  /** How operations are written that were measured on the machine where the training began: sums round by it. */
  readonly methods?: MethodChoices;
  readonly state: StateValues;
}

const KEY = "resnetc.checkpoint";
const KEPT = 2;
const BEST = "best.safetensors";

export function checkpointFile(folder: string, step: number): string {
  return path.join(folder, `step-${step}.safetensors`);
}

/**
 * Writes one and removes those before the one before it.
 *
 * @param best it is also the best so far
 * @throws {FileError} one line: a full disk, say; what was there before stays
 */
export async function saveCheckpoint(
  folder: string,
  checkpoint: Omit<Checkpoint, "file">,
  tensors: readonly StateTensor[],
  best: boolean,
): Promise<string> {
  const { position, identity, methods, state } = checkpoint;
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw fileFailure(folder, cause);
  });
  const file = checkpointFile(folder, position.step);
  const text = JSON.stringify({ version: 1, position, identity, methods });
  await writeSafetensors(
    file,
    tensors.map(({ name, shape }) => ({ name, dtype: "float32", shape, data: () => state.get(name)! })),
    { [KEY]: text, [`${KEY}.crc32`]: checksum(text) },
  );
  if (best) await copyWhole(file, path.join(folder, BEST));
  for (const old of (await listCheckpoints(folder)).slice(KEPT)) {
    if (old !== file) await rm(old, { force: true });
  }
  return file;
}

async function copyWhole(from: string, to: string): Promise<void> {
  const temporary = `${to}.tmp`;
  try {
    await copyFile(from, temporary, constants.COPYFILE_FICLONE);
    await rename(temporary, to);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw fileFailure(to, cause);
  }
}

/** Removes what a process that was killed had begun to write. */
export async function discardLeftovers(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const leftovers = names.filter((name) => /^\..*\.tmp$|^best\.safetensors\.tmp$/.test(name));
  await Promise.all(leftovers.map((name) => rm(path.join(folder, name), { force: true })));
}

/** Newest first. */
export async function listCheckpoints(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  const steps = names.flatMap((name) => /^step-(\d+)\.safetensors$/.exec(name)?.[1] ?? []).map(Number);
  return steps.sort((a, b) => b - a).map((step) => checkpointFile(folder, step));
}

export interface Found {
  readonly checkpoint: Checkpoint;
  /** One line for each newer checkpoint that could not be used. */
  readonly warnings: readonly string[];
}

/**
 * The newest checkpoint that can be used; undefined where there is none at all.
 *
 * @throws {TrainingError} where there are some and all are damaged
 */
export async function newestCheckpoint(folder: string, tensors: readonly StateTensor[]): Promise<Found | undefined> {
  const warnings: string[] = [];
  for (const file of await listCheckpoints(folder)) {
    try {
      const checkpoint = await readCheckpoint(file, tensors);
      return {
        checkpoint,
        warnings: warnings.map((line) => `${line}; going on from ${path.basename(file)}, which is older`),
      };
    } catch (error) {
      if (!(error instanceof WeightsError)) throw error;
      warnings.push(error.message);
    }
  }
  if (warnings.length === 0) return undefined;
  const more = warnings.length > 1 ? `; nor can the ${warnings.length > 2 ? "ones" : "one"} before it be used` : "";
  throw new TrainingError(`${warnings[0]!}${more}: start again without --resume`);
}

/** @throws {WeightsError} one line that names the file */
export async function readCheckpoint(file: string, tensors: readonly StateTensor[]): Promise<Checkpoint> {
  const source = await openWeights(file);
  try {
    return { file, ...readText(source), state: readState(source, tensors) };
  } finally {
    source.close();
  }
}

type Description = Pick<Checkpoint, "position" | "identity" | "methods">;

function readText({ file, metadata }: TensorSource): Description {
  const text = metadata[KEY];
  if (text === undefined) throw new WeightsError(`${file}: is no checkpoint`);
  if (checksum(text) !== metadata[`${KEY}.crc32`]) {
    throw new WeightsError(`${file}: is damaged: the checksum of its description is wrong`);
  }
  // What the checksum vouches for, we wrote.
  const { version, ...rest } = JSON.parse(text) as { version: number } & Description;
  if (version !== 1) throw new WeightsError(`${file}: was written by a later version (layout ${version})`);
  return rest;
}

function readState(source: TensorSource, tensors: readonly StateTensor[]): StateValues {
  const state = new Map<string, Float32Array>();
  for (const { name, shape } of tensors) {
    const found = source.tensors.get(name);
    if (found === undefined) throw new WeightsError(`${source.file}: has no ${name}: it is of another network`);
    if (found.shape.join() !== shape.join()) {
      const shapes = `[${found.shape.join(", ")}], not [${shape.join(", ")}]`;
      throw new WeightsError(`${source.file}: ${name} is ${shapes}: it is of another network`);
    }
    state.set(name, source.read(name));
  }
  return state;
}

function checksum(text: string): string {
  return zlib.crc32(text).toString(16).padStart(8, "0");
}
