/** `--weights FILE` and what belongs to it, the same for every command that takes a target. */
import { basename } from "node:path";
import { InvalidArgumentError, Option } from "commander";
import type { WeightsOrigin } from "../compiler/metadata.js";
import type { Model } from "../compiler/model.js";
import type { LoadedWeights, LoadWeightsOptions } from "../runtime/weights/index.js";
import { namedPreprocess } from "./named-preprocess.js";
import { colours, log, logWarning } from "./terminal.js";

/** How a weight file is matched with a network. */
export interface WeightsChoice {
  readonly lenient?: boolean;
  readonly newHead?: boolean;
  readonly stateDict?: string;
  readonly adaptInput?: boolean;
  readonly epsilon?: number;
}

export const WEIGHTS_CHOICES: readonly (keyof WeightsChoice)[] = [
  "lenient",
  "newHead",
  "stateDict",
  "adaptInput",
  "epsilon",
];

/** `--new-head` of `newHead` */
export function optionOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The options of a {@link WeightsChoice}, for commands to add. */
export const WEIGHTS: Readonly<Record<keyof WeightsChoice, Option>> = {
  lenient: new Option("--lenient", "accept weights that do not fit in every tensor"),
  newHead: new Option("--new-head", "with --weights: the last layer begins anew, of any size; all others must fit"),
  stateDict: new Option("--state-dict <name>", "with --weights: which state dict of the file is taken, of several"),
  adaptInput: new Option("--adapt-input", "with --weights for 3 channels: make them the network's 1, 2 or 4"),
  epsilon: new Option("--epsilon <value>", "with --weights: what its batch norms add to the variance").argParser(
    epsilon,
  ),
};

function epsilon(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value < 1)) throw new InvalidArgumentError("it is a number from 0 to 1");
  return value;
}

/** Where a model's weights came from, for reports; warns where its scores mean nothing since some are random. */
export async function readOrigin(model: string | Uint8Array): Promise<WeightsOrigin | null> {
  const { readModelMetadata } = await import("../runtime/onnx/model-metadata.js");
  const name = typeof model === "string" ? basename(model) : "the model";
  return warnOfRandom(name, readModelMetadata(model, name).weights) ?? null;
}

/** @param what the numbers that mean nothing by random weights */
export function warnOfRandom<T extends WeightsOrigin | undefined>(name: string, origin: T, what = "scores"): T {
  if (origin?.from === "random") {
    logWarning(`${name}: its weights are random, so its ${what} mean nothing: compile it with --weights, or train it`);
  } else if (origin?.random !== undefined) {
    const layers = origin.random.slice(0, 3).join(", ") + (origin.random.length > 3 ? ", ..." : "");
    logWarning(`${name}: its weights are random in ${layers}, so its ${what} mean nothing: train it`);
  }
  return origin;
}

/** Opens and matches a weight file, and logs what was found; throws a WeightsError where it can't be used. */
export async function loadWeights(
  model: Model,
  file: string,
  { preprocess, ...choice }: WeightsChoice & { readonly preprocess?: string },
): Promise<LoadedWeights> {
  const weights = await import("../runtime/weights/index.js");
  const named = preprocess === undefined ? undefined : await namedPreprocess(preprocess);
  const options: LoadWeightsOptions = {
    ...Object.fromEntries(WEIGHTS_CHOICES.flatMap((key) => (choice[key] === undefined ? [] : [[key, choice[key]]]))),
    ...(named && { preprocess: named }),
  };
  const loaded = await weights.loadWeights(model, file, options);
  loaded.warnings.forEach(logWarning);
  for (const note of loaded.notes) log(colours.error.dim(note));
  return loaded;
}
