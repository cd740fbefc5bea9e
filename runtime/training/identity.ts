/** What makes a training itself. A checkpoint holds it, and goes on only with the same. */
import type { ParameterValues } from "../../compiler/emit/parameters.js";
import type { Model } from "../../compiler/model.js";
import type { Recipe } from "../../compiler/recipe.js";
import { withLosses } from "../../compiler/training/with-losses.js";
import type { DataSet } from "../data/index.js";
import { TrainingError } from "./error.js";
import { networkDigest, splitDigests, weightsDigest, type NetworkDigest, type SplitDigest } from "./fingerprint.js";

export interface Identity {
  /** As the user named them, for messages: `CifarResNet(depth: 20)`. */
  readonly target: string;
  readonly recipe: string;
  readonly data: string;
  readonly seed: number;
  /** Everything of the recipe that the course of training depends on, as JSON. */
  readonly settings: string;
  /** Version of resnetc that the training began with. */
  readonly resnetc?: string;
  /** By content; absent in checkpoints of earlier versions. */
  readonly content?: Content;
}

export interface Content {
  readonly network: NetworkDigest;
  readonly classes: readonly string[];
  readonly train: SplitDigest;
  readonly validation: SplitDigest;
  /** `random`, or the digest of the weights that it began with. */
  readonly weights: string;
  /** Of a detector: what it says of its data besides, as JSON by the words of its source. */
  readonly detector?: Readonly<Record<string, string>>;
}

export interface Ingredients {
  readonly model: Model;
  readonly recipe: Recipe;
  readonly data: DataSet;
  readonly names: Pick<Identity, "target" | "recipe" | "data">;
  readonly weights: ParameterValues | undefined;
  readonly version: string | undefined;
}

const RANDOM = "random";

export function identityOf({ model, recipe, data, names, weights, version }: Ingredients): Identity {
  return {
    target: names.target,
    recipe: names.recipe,
    data: names.data,
    seed: recipe.seed,
    settings: JSON.stringify(settled(recipe)),
    ...(version !== undefined && { resnetc: version }),
    content: {
      network: networkDigest(withLosses(model)),
      classes: data.classes,
      ...splitDigests(data),
      weights: weights === undefined ? RANDOM : weightsDigest(model.graph.parameters, weights),
      ...(model.detection && { detector: saidOfData(model) }),
    },
  };
}

/** Which objects are learned, as which classes, in images that are put through what. */
function saidOfData({ detection, labels = [], preprocess }: Model): Readonly<Record<string, string>> {
  const said = { objects: detection?.objects ?? {}, labels, preprocess: preprocess?.transforms ?? [] };
  return Object.fromEntries(Object.entries(said).map(([word, value]) => [word, JSON.stringify(value)]));
}

/** The part of a recipe that the course of training depends on: it may be made longer, and saved more often. */
function settled(recipe: Recipe): Readonly<Record<string, unknown>> {
  const { stop: _stop, earlyStop: _early, checkpointEvery: _checkpoint, name: _name, seed: _seed, ...rest } = recipe;
  const { phases, ...one } = rest;
  if (phases === undefined) return one;
  return {
    phases: phases.map(({ name }) => name),
    ...Object.fromEntries(phases.map((each) => [each.name, settled(each)])),
  };
}

/**
 * Whether a training may go on. Gives one line for each thing that could not be compared.
 *
 * @param now weights `random`: none were named, and the checkpoint's are gone on with, whatever they began as
 * @throws {TrainingError} naming the first thing that differs
 */
export function checkSame(before: Identity, now: Identity, folder: string): readonly string[] {
  const found = difference(before, now);
  if (found !== undefined) {
    throw new TrainingError(`${folder}: was begun with ${found}; go on with that, or train into another folder`);
  }
  if (before.content !== undefined) return [];
  return [
    `${folder}: its checkpoint is of an earlier version, which kept neither network, classes nor data by content: ` +
      `whether they are the same was not compared`,
  ];
}

function difference(before: Identity, now: Identity): string | undefined {
  if (before.seed !== now.seed) return `seed ${before.seed}, not ${now.seed}`;
  const setting = differentSetting(parse(before.settings), parse(now.settings));
  if (setting !== undefined) return `other settings of the recipe ${before.recipe}: ${setting}`;
  if (before.content === undefined || now.content === undefined) return undefined;
  const { content: was } = before;
  const { content: is } = now;
  if (was.network.digest !== is.network.digest) {
    const versions = before.resnetc === now.resnetc ? "" : ` (by resnetc ${before.resnetc}, this is ${now.resnetc})`;
    return `another network: ${differentLayer(was.network, is.network)}${versions}`;
  }
  return (
    differentRule(was.detector, is.detector) ??
    differentClass(was.classes, is.classes) ??
    differentSplit("training", was.train, is.train) ??
    differentSplit("validation", was.validation, is.validation) ??
    differentWeights(was.weights, is.weights)
  );
}

function differentRule(was: Content["detector"] = {}, is: Content["detector"] = {}): string | undefined {
  const word = Object.keys(is).find((each) => was[each] !== undefined && was[each] !== is[each]);
  return word && `another \`${word}\` of the detector: it was ${shown(was[word])}, it is ${shown(is[word])} now`;
}

function differentWeights(was: string, is: string): string | undefined {
  if (is === RANDOM || is === was) return undefined;
  return was === RANDOM ? "random weights, not with a file's" : "other weights than the file has now";
}

function differentSplit(kind: string, was: SplitDigest, is: SplitDigest): string | undefined {
  if (was.size !== is.size) return `${many(was.size)} ${kind} images, not ${many(is.size)}`;
  return was.digest === is.digest ? undefined : `other ${kind} images: as many, but of other names or classes`;
}

function many(count: number): string {
  return count.toLocaleString("en-US");
}

function differentClass(was: readonly string[], is: readonly string[]): string | undefined {
  if (was.length !== is.length) return `${was.length} classes, not ${is.length}`;
  const at = was.findIndex((name, index) => name !== is[index]);
  return at < 0 ? undefined : `other classes: number ${at + 1} was ${quoted(was[at])}, it is ${quoted(is[at])} now`;
}

function quoted(name: string | undefined): string {
  return JSON.stringify(name ?? "");
}

function differentLayer({ layers: was }: NetworkDigest, { layers: is }: NetworkDigest): string {
  for (const [at, digest] of Object.entries(is)) {
    if (!Object.hasOwn(was, at)) return `it had no ${at}`;
    if (was[at] !== digest) return `${at} is not what it was`;
  }
  const lost = Object.keys(was).find((at) => !Object.hasOwn(is, at));
  return lost === undefined ? "its layers are in another order" : `it had ${lost}`;
}

type Settings = Readonly<Record<string, unknown>>;

function parse(settings: string): Settings {
  const { seed: _seed, ...rest } = JSON.parse(settings) as Record<string, unknown>;
  return rest;
}

function differentSetting(was: Settings, is: Settings): string | undefined {
  for (const key of new Set([...Object.keys(was), ...Object.keys(is)])) {
    const [before, now] = [JSON.stringify(was[key]), JSON.stringify(is[key])] as (string | undefined)[];
    if (before === now) continue;
    if (isPhase(was, key)) return `phase ${key}: ${differentSetting(was[key] as Settings, is[key] as Settings)!}`;
    return `\`${WORDS[key] ?? snake(key)}\` was ${shown(before)}, it is ${shown(now)} now`;
  }
  return undefined;
}

/** Whether a key stands for the settings of a phase. */
function isPhase({ phases }: Settings, key: string): boolean {
  return Array.isArray(phases) && phases.includes(key);
}

function shown(json: string | undefined): string {
  if (json === undefined) return "not given";
  return json.length > 120 ? `${json.slice(0, 117)}...` : json;
}

/** Settings that are called otherwise in a recipe than in its record. */
const WORDS: Readonly<Record<string, string>> = {
  emaDecay: "ema",
  frozenStages: "freeze",
  frozenBatchNorm: "freeze batch_norm",
  schedule: "learning_rate",
  validateEvery: "validate",
};

function snake(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
