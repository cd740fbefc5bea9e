/** The folder of a training: what is where in it. */
import { mkdir, readFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import path from "node:path";
import type { Recipe } from "../../compiler/recipe.js";
import { fileFailure, writeWhole } from "../files.js";
import { TrainingError } from "./error.js";

export interface RunFolder {
  readonly folder: string;
  readonly config: string;
  readonly metrics: string;
  readonly checkpoints: string;
  readonly statistics: string;
  readonly weights: string;
  readonly model: string;
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
  /** Updates in all, and in an epoch. */
  readonly steps: number;
  readonly stepsPerEpoch: number;
  /** Version of resnetc, for reports. */
  readonly version?: string;
}

export function isRunFolder(folder: string): boolean {
  return existsSync(runFolder(folder).config);
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
    throw fileFailure(folder, cause);
  }
}
