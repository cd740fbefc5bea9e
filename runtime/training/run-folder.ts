/** The folder of a training: what is where in it. */
import { mkdir, readdir, readFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import path from "node:path";
import type { Recipe } from "../../compiler/recipe.js";
import { parseTarget } from "../../compiler/target.js";
import type { HeldOutChoice } from "../data/index.js";
import { fileFailure, writeWhole } from "../files.js";
import { TrainingError } from "./error.js";

/** Paths of what a training writes, all of them in its folder. */
export interface RunFolder {
  readonly folder: string;
  readonly config: string;
  readonly metrics: string;
  readonly checkpoints: string;
  readonly statistics: string;
  readonly weights: string;
  readonly model: string;
  /** Which process is training in it. */
  readonly lock: string;
  readonly log: string;
  /** The weights that it began with, where a later phase begins with them again. */
  readonly initial: string;
  /** What a detector proposed when the phase of this name was over. */
  readonly proposals: (phase: string) => string;
}

export function runFolder(folder: string): RunFolder {
  const at = (name: string): string => path.join(folder, name);
  return {
    folder,
    config: at("config.json"),
    metrics: at("metrics.jsonl"),
    checkpoints: at("checkpoints"),
    statistics: at("statistics.safetensors"),
    weights: at("model.safetensors"),
    model: at("model.onnx"),
    lock: at("training.lock"),
    log: at("training.log"),
    initial: at("initial.safetensors"),
    proposals: (phase) => at(`proposals-${phase}.safetensors`),
  };
}

/** What was asked for, for people and for the commands that read a run. */
export interface RunConfig {
  readonly target: string;
  readonly recipe: string;
  readonly data: string;
  readonly seed: number;
  readonly network: string;
  /** The recipe, with what the command line changed. */
  readonly settings: Recipe;
  /** Updates in all, and in an epoch; where the recipe is made of phases, to the end of the one that is trained. */
  readonly steps: number;
  readonly stepsPerEpoch: number;
  /** How the validation images were set aside, where the data came without. */
  readonly heldOut?: HeldOutChoice;
  /** Version of resnetc, for reports. */
  readonly version?: string;
  /** Where the names count from; absent in runs of earlier versions. */
  readonly directory?: { readonly absolute: string; readonly fromRun: string };
}

/** The working directory, as it is and as the run sees it: a project may be moved, or a run. */
export function directoryOf({ folder }: RunFolder): NonNullable<RunConfig["directory"]> {
  const absolute = process.cwd();
  return { absolute, fromRun: path.relative(path.resolve(folder), absolute) || "." };
}

/** The target of a training as it is named from the working directory of now: `../net.resnet#Small`. */
export function targetOf({ target, directory }: Pick<RunConfig, "target" | "directory">, folder: string): string {
  const { file, expression } = parseTarget(target);
  if (file === undefined || directory === undefined || path.isAbsolute(file) || file.startsWith("std/")) return target;
  const places = [path.resolve(folder, directory.fromRun), directory.absolute].map((from) => path.join(from, file));
  const found = places.find((place) => existsSync(place)) ?? places[0]!;
  const named = path.relative(process.cwd(), found).split(path.sep).join("/");
  return expression === undefined ? named : `${named}#${expression}`;
}

export function isRunFolder(folder: string): boolean {
  return existsSync(runFolder(folder).config);
}

/**
 * That a new training would take nothing away from an earlier one.
 *
 * @throws {TrainingError}
 */
export async function checkUnused(run: RunFolder): Promise<void> {
  const checkpoints = await readdir(run.checkpoints).catch(() => []);
  if (checkpoints.some((name) => name.endsWith(".safetensors"))) {
    throw new TrainingError(`${run.folder}: holds a training; --resume goes on with it, or choose another folder`);
  }
  const model = [run.model, run.weights].find((file) => existsSync(file));
  if (model !== undefined) throw new TrainingError(`${model}: would be overwritten: choose another folder`);
}

export async function writeConfig(run: RunFolder, config: RunConfig): Promise<void> {
  await writeWhole(run.config, [Buffer.from(`${JSON.stringify(config, undefined, 2)}\n`)]);
}

/** @throws {TrainingError} */
export async function readConfig(folder: string): Promise<RunConfig> {
  const { config } = runFolder(folder);
  try {
    return JSON.parse(await readFile(config, "utf8")) as RunConfig;
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw new TrainingError(missing ? `${folder}: no training is there` : `${config}: is damaged`, { cause });
  }
}

export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST" || code === "ENOTDIR") {
      throw new TrainingError(`${folder}: is a file, or below one; a training needs a folder: choose another name`);
    }
    throw fileFailure(folder, cause);
  }
}
