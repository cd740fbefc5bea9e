/** The words of `recipe` declarations: what each takes, and what it makes of the recipe. */
import { PARAMETER_KINDS, type ParameterRate, type Recipe, type StageRate, type Thaw } from "../recipe.js";
import {
  boolean,
  choice,
  form,
  integer,
  number,
  numbers,
  numbersOr,
  paths,
  type Schema,
  type Values,
  type Word,
} from "../words/schema.js";
import { TRANSFORM_WORDS } from "../words/transforms.js";
import { OPTIMIZERS, optimizerOf } from "../training/optimizers/index.js";
import { SCHEDULES, scheduleOf } from "./schedules.js";

/** A setting of a recipe. */
export interface RecipeWord<N extends string = string, S extends Schema = Schema> extends Word<N, S> {
  /** A recipe has to have it: what to write, for a message. */
  readonly example?: string;
  /** It may stand several times, each adding to the ones before it. Of all others the last one counts. */
  readonly repeats?: true;
  /** What a recipe without it has. */
  readonly absent?: Partial<Recipe>;
  /** What a recipe with it has: of the last statement, or of all where it {@link repeats}. */
  gives(...statements: readonly Values<S>[]): Partial<Recipe>;
}

/** Keeps the types of name and arguments. */
function setting<const N extends string, const S extends Schema>(word: RecipeWord<N, S>): RecipeWord<N, S> {
  return word;
}

/** Numbers that are counted. */
const COUNT = { min: 1 } as const;

/** Of settings that mix images. */
const mixing = {
  alpha: number("Both parameters of the beta distribution that an image's share is drawn from.", { min: 0, max: 1000 }),
  probability: number("Share of the batches that it is done to.", { min: 0, max: 1, default: 1 }),
};

const ALL = [
  setting({
    name: "optimizer",
    doc: "How weights follow from gradients.",
    example: "optimizer sgd(momentum: 0.9)",
    arguments: { kind: form("Which one.", OPTIMIZERS) },
    gives: ({ kind }) => ({ optimizer: optimizerOf(kind) }),
  }),
  setting({
    name: "batch",
    doc: "Images of an update.",
    example: "batch 128",
    arguments: {
      images: integer("How many.", { min: 1, max: 65_536 }),
      accumulate: integer("Parts that they are computed in, one after the other; their gradients are averaged.", {
        min: 1,
        max: 65_536,
        default: 1,
      }),
    },
    gives: ({ images, accumulate }) => ({ batch: images, accumulate }),
  }),
  setting({
    name: "learning_rate",
    doc: "The base rate, and what it does.",
    example: "learning_rate 0.1",
    arguments: {
      rate: number("The base rate.", { min: 0 }),
      schedule: form("What it does after the warm-up; without one it stays.", SCHEDULES, { optional: true }),
    },
    gives: ({ rate, schedule }) => ({ learningRate: rate, schedule: scheduleOf(schedule) }),
  }),
  setting({
    name: "warm_up",
    doc: "A lower rate at first: until an error, or a straight line to the base rate.",
    arguments: {
      rate: number("The rate at first.", { min: 0 }),
      until_error: number("It stays until the training error is below this share (section 4.2).", {
        min: 0,
        max: 1,
        optional: true,
      }),
      steps: integer("Updates that the line takes.", { ...COUNT, optional: true }),
      epochs: integer("Epochs that the line takes.", { ...COUNT, optional: true }),
    },
    alternatives: ["until_error", "steps", "epochs"],
    needs: ["until_error", "steps", "epochs"],
    gives({ rate, until_error: error, steps, epochs }) {
      if (error !== undefined) return { warmUp: { kind: "until_error", rate, error } };
      if (epochs !== undefined) return { warmUp: { kind: "epochs", rate, epochs } };
      return { warmUp: { kind: "steps", rate, steps: steps ?? 1 } };
    },
  }),
  setting({
    name: "stop",
    doc: "The end.",
    example: "stop 64k",
    arguments: {
      steps: integer("After so many updates.", { ...COUNT, optional: true }),
      epochs: integer("After so many epochs.", { ...COUNT, optional: true }),
      patience: integer("Earlier, after so many validations without an improvement.", { ...COUNT, optional: true }),
      min_delta: number("What counts as an improvement: the error falls by more than this share.", {
        min: 0,
        max: 1,
        optional: true,
      }),
    },
    alternatives: ["steps", "epochs"],
    needs: ["steps", "epochs"],
    gives: ({ steps, epochs, patience, min_delta }) => ({
      stop: epochs === undefined ? { steps: steps ?? 1 } : { epochs },
      ...(patience !== undefined && { earlyStop: { patience, minDelta: min_delta ?? 0 } }),
    }),
  }),
  setting({
    name: "label_smoothing",
    doc: "The share of the probability that is spread over all classes.",
    source: "arXiv:1512.00567",
    arguments: { share: number("From 0 to below 1.", { min: 0, max: 1 }) },
    absent: { labelSmoothing: 0 },
    gives: ({ share }) => ({ labelSmoothing: share }),
  }),
  setting({
    name: "mixup",
    doc: "Blends each image of a batch with another, and their labels with them.",
    source: "arXiv:1710.09412",
    arguments: mixing,
    gives: (mixup) => ({ mixup }),
  }),
  setting({
    name: "cutmix",
    doc: "Puts a part of another image of the batch into each, and of its label.",
    source: "arXiv:1905.04899",
    arguments: mixing,
    gives: (cutmix) => ({ cutmix }),
  }),
  setting({
    name: "class_weights",
    doc: "Weight of each class in the loss.",
    arguments: {
      weights: numbersOr("A number a class; `balanced`: in inverse proportion to its number of images.", ["balanced"], {
        min: 1e-6,
        max: 1e6,
      }),
    },
    gives: ({ weights }) => ({ classWeights: weights }),
  }),
  setting({
    name: "sampling",
    doc: "Which images an epoch draws.",
    arguments: { kind: choice("Each once, or each class equally often.", ["shuffled", "balanced"]) },
    gives: ({ kind }) => (kind === "balanced" ? { sampling: kind } : {}),
  }),
  setting({
    name: "clip_norm",
    doc: "Scales the gradients down where their norm is larger.",
    arguments: { norm: number("The largest norm that all together may have.", { min: 0 }) },
    gives: ({ norm }) => ({ clipNorm: norm }),
  }),
  setting({
    name: "gradient_norm",
    doc: "The norm of all gradients is measured.",
    arguments: { measured: boolean("`false` takes it away again.", { default: true }) },
    gives: ({ measured }) => (measured ? { gradientNorm: true } : {}),
  }),
  setting({
    name: "ema",
    doc: "A moving average of the weights, which is what is validated and kept.",
    arguments: {
      decay: number("Share of the average that stays in each update.", { min: 0, max: 1 }),
      warm_up: boolean("Lower at first: at most (1 + n) / (10 + n) in update n.", { default: false }),
    },
    gives: ({ decay, warm_up }) => ({ emaDecay: decay, ...(warm_up && { emaWarmUp: true }) }),
  }),
  setting({
    name: "precision",
    doc: "Of activations and gradients.",
    arguments: { kind: choice("`mixed`: half precision where it is enough.", ["fp32", "mixed"]) },
    absent: { precision: "fp32" },
    gives: ({ kind }) => ({ precision: kind }),
  }),
  setting({
    name: "freeze",
    doc: "Parts that stay as they are. Several add up.",
    arguments: {
      stages: paths("Stages, blocks or layers.", { optional: true, many: true }),
      batch_norm: boolean("All batch norms are constants.", { default: false }),
      epochs: integer("They thaw after so many epochs.", { ...COUNT, optional: true }),
      steps: integer("They thaw after so many updates.", { ...COUNT, optional: true }),
    },
    alternatives: ["epochs", "steps"],
    needs: ["stages", "batch_norm", "epochs", "steps"],
    repeats: true,
    absent: { frozenStages: [], frozenBatchNorm: false },
    gives(...statements) {
      const thaws = statements.flatMap(({ stages = [], epochs, steps }): Thaw[] => {
        const after = epochs ?? steps;
        return after === undefined ? [] : [{ stages, after, unit: epochs === undefined ? "step" : "epoch" }];
      });
      const always = statements.filter(({ epochs, steps }) => epochs === undefined && steps === undefined);
      return {
        frozenStages: always.flatMap(({ stages = [] }) => stages),
        frozenBatchNorm: statements.some(({ batch_norm }) => batch_norm),
        ...(thaws.length > 0 && { thaws }),
      };
    },
  }),
  setting({
    name: "stage_rate",
    doc: "Parts that learn faster or slower. Several add up.",
    arguments: {
      stages: paths("Stages, blocks or layers.", { many: true }),
      times: number("How many times the others' learning rate theirs is.", { min: 1e-6, max: 1e6 }),
    },
    repeats: true,
    gives: (...statements) => ({
      stageRates: statements.flatMap(({ stages, times }) =>
        (stages ?? []).map((stage): StageRate => ({ stage, times })),
      ),
    }),
  }),
  setting({
    name: "parameter_rate",
    doc: "Parameters of a kind that learn or decay otherwise: Caffe's `lr_mult` and `decay_mult`. Several add up.",
    arguments: {
      kind: choice("Weights of layers, biases, or the scales and offsets of norms.", PARAMETER_KINDS),
      times: number("How many times the others' learning rate theirs is.", { min: 1e-6, max: 1e6, optional: true }),
      decay_times: number("How many times the optimizer's weight decay theirs is; 0: none.", {
        min: 0,
        max: 1e6,
        optional: true,
      }),
    },
    needs: ["times", "decay_times"],
    repeats: true,
    gives: (...statements) => ({
      parameterRates: statements.map(({ kind, times, decay_times }): ParameterRate => ({
        kind,
        ...(times !== undefined && { times }),
        ...(decay_times !== undefined && { decayTimes: decay_times }),
      })),
    }),
  }),
  setting({
    name: "zero_init_residual",
    doc: "Every residual block begins as an identity.",
    source: "arXiv:1706.02677",
    arguments: { on: boolean("`false` takes it away again.", { default: true }) },
    gives: ({ on }) => (on ? { zeroInitResidual: true } : {}),
  }),
  setting({
    name: "recompute",
    doc: "Values that are computed again on the way back instead of being kept, to save memory.",
    source: "arXiv:1604.06174",
    arguments: {
      stages: paths("Of these stages or blocks.", { optional: true, many: true }),
      all: boolean("Of all stages.", { default: false }),
    },
    alternatives: ["stages", "all"],
    needs: ["stages", "all"],
    absent: { recompute: [] },
    gives: ({ stages, all }) => ({ recompute: all ? true : (stages ?? []) }),
  }),
  setting({
    name: "learn",
    doc: "Of a network that states several losses, those that it is trained by.",
    arguments: { losses: paths("By their names, or those of what they stand in; otherwise all.", { many: true }) },
    gives: ({ losses }) => ({ learned: losses }),
  }),
  setting({
    name: "proposals",
    doc: "The regions that a detector learns from are kept ones, in place of those that it proposes itself.",
    arguments: { of: paths("The phase at whose end they were proposed.") },
    gives: ({ of: [phase] }) => (phase === undefined ? {} : { proposals: phase }),
  }),
  setting({
    name: "weights",
    doc: "What a phase begins with.",
    arguments: {
      from: choice("What the phase before ended with, or what the training began with.", ["previous", "initial"]),
    },
    gives: ({ from }) => (from === "initial" ? { beginsAnew: true } : {}),
  }),
  setting({
    name: "seed",
    doc: "What all that is random is made from.",
    arguments: { number: integer("Any.", { min: 0 }) },
    absent: { seed: 0 },
    gives: ({ number }) => ({ seed: number }),
  }),
  setting({
    name: "validate",
    doc: "When the validation images are tried.",
    arguments: {
      every: integer("Updates between; otherwise once an epoch.", { ...COUNT, optional: true }),
      raw: boolean("Of the weights as they are too, beside their average.", { default: false }),
    },
    gives: ({ every, raw }) => ({
      ...(every !== undefined && { validateEvery: every }),
      ...(raw && { validateRaw: true }),
    }),
  }),
  setting({
    name: "checkpoint",
    doc: "When the state of the training is saved.",
    arguments: { every: integer("Updates between; otherwise once an epoch.", COUNT) },
    gives: ({ every }) => ({ checkpointEvery: every }),
  }),
  setting({
    name: "precise_statistics",
    doc: "Batch norms' statistics are averaged after training.",
    arguments: { images: integer("Over so many images.", COUNT) },
    absent: { preciseStatistics: 0 },
    gives: ({ images }) => ({ preciseStatistics: images }),
  }),
  setting({
    name: "test_scales",
    doc: "The trained network is tested at several scales, whole images, averaged (section 3.4).",
    arguments: { sides: numbers("Shorter sides in pixels.", { min: 1, max: 16384 }) },
    gives: ({ sides }) => ({ testScales: sides }),
  }),
] as const;

type WordOf<N extends string> = Extract<(typeof ALL)[number], { readonly name: N }>;

export type RecipeWordName = (typeof ALL)[number]["name"];

/** By name. */
export const RECIPE_WORDS = Object.fromEntries(ALL.map((word) => [word.name, word])) as {
  readonly [N in RecipeWordName]: WordOf<N>;
};

/** A word, whichever: its statements are those that were bound by its own schema. */
export function recipeWord(name: string): RecipeWord | undefined {
  return Object.hasOwn(RECIPE_WORDS, name) ? (RECIPE_WORDS as Readonly<Record<string, RecipeWord>>)[name] : undefined;
}

/** Before `{ ... }` with transforms in it. */
export const RECIPE_BODIES = {
  train: {
    name: "train",
    doc: "Transforms of the training images, in braces.",
    arguments: {},
    braces: TRANSFORM_WORDS,
  },
  evaluate: {
    name: "evaluate",
    doc: "Transforms of the validation images, in braces; without them, those of `train` with nothing left to chance.",
    arguments: {},
    braces: TRANSFORM_WORDS,
  },
  phase: {
    name: "phase",
    doc: "A part of the training, in braces: the recipe with the settings of the phase behind its own. Several follow one another.",
    arguments: { name: paths("What it is called.") },
    braces: "settings",
  },
} as const;
