/**
 * Checkpoints: safetensors files with all state, so that training goes on as if it had never stopped.
 *
 * `checkpoints/step-391.safetensors` after 391 updates; the newest two are kept, and `best.safetensors`. Every file is
 * written whole or not at all, and an old one goes only after a new one is there.
 */
import { copyFile, link, mkdir, readdir, rename, rm } from "node:fs/promises";
import { constants, existsSync } from "node:fs";
import path from "node:path";
import zlib from "node:zlib";
import type { StateTensor } from "../../compiler/training/contract.js";
import type { AlgorithmChoices } from "../../compiler/tuning/choices.js";
import { fileFailure } from "../files.js";
import { temporaryName } from "../temporary-files.js";
import { openWeights } from "../weights/open.js";
import { WeightsError, type TensorSource } from "../weights/source.js";
import { MEAN_IMAGE, readTrained, trainedMetadata, type Trained } from "../weights/trained.js";
import { writeSafetensors, type WrittenTensor } from "../weights/write-safetensors.js";
import { TrainingError } from "./error.js";
import type { Identity } from "./identity.js";
import type { Position } from "./position.js";
import type { TrainingLength } from "./schedule.js";

/** Values by the state tensor's name, flat, row-major. */
export type StateValues = ReadonlyMap<string, Float32Array>;

export interface Checkpoint {
  readonly file: string;
  readonly position: Position;
  readonly identity: Identity;
  /** How long it was to be; absent in checkpoints of earlier versions. */
  readonly length?: TrainingLength;
  /** How operations are written that were measured on the machine where the training began: sums round by it. */
  readonly algorithms?: AlgorithmChoices;
  readonly state: StateValues;
  /** What a model can be made of, together with the state; absent in checkpoints of earlier versions. */
  readonly trained?: Trained;
}

const KEY = "resnetc.checkpoint";
/** 1 had no content in the identity, and nothing of how the network was validated. */
const VERSION = 2;
const KEPT = 2;
const BEST = "best.safetensors";

export function checkpointFile(folder: string, step: number): string {
  return path.join(folder, `step-${step}.safetensors`);
}

/**
 * Writes one and removes those before the one before it.
 *
 * The best gets its second name as soon as the file is there and before any other goes: a process that is killed between
 * the two leaves what {@link repairBest} needs.
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
  const { position, identity, length, algorithms, state, trained } = checkpoint;
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw fileFailure(folder, cause);
  });
  const file = checkpointFile(folder, position.step);
  const text = JSON.stringify({ version: VERSION, position, identity, length, methods: algorithms });
  const written: WrittenTensor[] = tensors.map(({ name, shape }) => ({
    name,
    dtype: "float32",
    shape,
    data: () => state.get(name)!,
  }));
  const mean = trained?.meanImage;
  if (mean) written.push({ name: MEAN_IMAGE, dtype: "float32", shape: mean.shape, data: () => mean.data });
  await writeSafetensors(file, written, {
    [KEY]: text,
    [`${KEY}.crc32`]: checksum(text),
    ...(trained && trainedMetadata(trained, "tensor")),
  });
  if (best) await nameBest(folder, file);
  for (const old of (await listCheckpoints(folder)).slice(KEPT)) {
    if (old !== file) await rm(old, { force: true });
  }
  return file;
}

export function bestFile(folder: string): string {
  return path.join(folder, BEST);
}

/** Gives a checkpoint the name of the best, too: a second name takes no room. Where a file has but one, it is copied. */
async function nameBest(folder: string, file: string): Promise<void> {
  const best = bestFile(folder);
  const temporary = temporaryName(best);
  try {
    await link(file, temporary).catch(() =>
      copyFile(file, temporary, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL),
    );
    await rename(temporary, best);
  } catch (cause) {
    throw fileFailure(best, cause);
  } finally {
    // A name that was given to the file already is not taken by a second renaming: both names stay.
    await rm(temporary, { force: true });
  }
}

/** The best that is there, and one line where it is not the one that was remembered. */
export interface RepairedBest {
  readonly best: Position["best"];
  readonly warning?: string;
}

/**
 * Makes what a checkpoint remembers of the best, and the file, agree. A process that was killed, or a full disk, may have
 * left a best without its file.
 *
 * @throws {FileError}
 */
export async function repairBest(
  folder: string,
  { position: { best, step } }: Checkpoint,
  tensors: readonly StateTensor[],
): Promise<RepairedBest> {
  const file = bestFile(folder);
  const there = existsSync(file) ? await readCheckpoint(file, tensors).catch(unusable) : undefined;
  if (there && there.position.step === best?.step) return { best };
  const original = best && checkpointFile(folder, best.step);
  if (original !== undefined && existsSync(original) && (await readCheckpoint(original, tensors).catch(unusable))) {
    await nameBest(folder, original);
    return { best };
  }
  // Of an update that comes after this checkpoint, whose own was damaged, or the one before the best.
  const kept = there?.position.best;
  const known = kept && kept.step === there.position.step ? kept : undefined;
  if (best === undefined) return { best: known && known.step > step ? known : undefined };
  const lost = `${file}: the best checkpoint, after ${best.step} updates, is not there any more`;
  return known === undefined
    ? { best: undefined, warning: `${lost}: the next validation begins anew` }
    : { best: known, warning: `${lost}: the one that is there, after ${known.step}, counts as the best` };
}

/**
 * The best checkpoint, to make a model of.
 *
 * @throws {TrainingError} where it is not there or can't be used
 */
export async function readBest(folder: string, tensors: readonly StateTensor[]): Promise<Checkpoint> {
  const file = bestFile(folder);
  if (!existsSync(file)) throw new TrainingError(`${file}: is not there: no validation has been the best yet`);
  try {
    return await readCheckpoint(file, tensors);
  } catch (error) {
    if (error instanceof WeightsError) throw new TrainingError(error.message, { cause: error });
    throw error;
  }
}

/** @throws what is not about the file */
function unusable(error: unknown): undefined {
  if (error instanceof WeightsError) return undefined;
  throw error;
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

/** Updates after which the newest was written, by its name; 0 where there is none. */
export async function newestStep(folder: string): Promise<number> {
  const [newest] = await listCheckpoints(folder);
  return newest === undefined ? 0 : Number(/step-(\d+)/.exec(path.basename(newest))?.[1]);
}

/** The phase that the newest checkpoint is of that can be read at all, from 0; 0 where there is none. */
export async function newestPhase(folder: string): Promise<number> {
  for (const file of await listCheckpoints(folder)) {
    const source = await openWeights(file).catch(unusable);
    if (source === undefined) continue;
    try {
      return readText(source).position.phase?.index ?? 0;
    } catch (error) {
      unusable(error);
    } finally {
      source.close();
    }
  }
  return 0;
}

export interface Found {
  readonly checkpoint: Checkpoint;
  /** One line for each newer checkpoint that could not be used. */
  readonly warnings: readonly string[];
}

/**
 * The newest checkpoint that can be used; undefined where there is none at all.
 *
 * @param compare told what the training began with, before its state is looked at: what it throws is thrown
 * @throws {TrainingError} where there are some and all are damaged
 */
export async function newestCheckpoint(
  folder: string,
  tensors: readonly StateTensor[],
  compare: (begun: Identity) => void = () => undefined,
): Promise<Found | undefined> {
  const warnings: string[] = [];
  for (const file of await listCheckpoints(folder)) {
    try {
      const checkpoint = await readCheckpoint(file, tensors, compare);
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
  throw new TrainingError(`${warnings[0]!}${more}: begin again in another folder, or remove ${folder}`);
}

/** @throws {WeightsError} one line that names the file */
export async function readCheckpoint(
  file: string,
  tensors: readonly StateTensor[],
  compare: (begun: Identity) => void = () => undefined,
): Promise<Checkpoint> {
  const source = await openWeights(file);
  try {
    const trained = readTrained(source);
    const description = readText(source);
    compare(description.identity);
    return { file, ...description, state: readState(source, tensors), ...(trained && { trained }) };
  } finally {
    source.close();
  }
}

type Description = Pick<Checkpoint, "position" | "identity" | "length" | "algorithms">;

/** As it is written. */
type Written = Omit<Description, "algorithms"> & { readonly version: number; readonly methods?: AlgorithmChoices };

function readText({ file, metadata }: TensorSource): Description {
  const text = metadata[KEY];
  if (text === undefined) throw new WeightsError(`${file}: is no checkpoint`);
  if (checksum(text) !== metadata[`${KEY}.crc32`]) {
    throw new WeightsError(`${file}: is damaged: the checksum of its description is wrong`);
  }
  // What the checksum vouches for, we wrote.
  const { version, methods: algorithms, ...rest } = JSON.parse(text) as Written;
  if (version > VERSION) throw new WeightsError(`${file}: was written by a later version (layout ${version})`);
  return { ...rest, ...(algorithms && { algorithms }) };
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
