/**
 * What a recipe may not say, or says without effect: numbers at which nothing is learned, settings that contradict each
 * other. Each rule looks at a whole recipe, so that a program's is held to the same as one that was written in the
 * language. What only the text can show (two arguments of which one is taken) stands in elaborate/recipe.ts.
 */
import { transformWord } from "./words/transforms.js";
import { MIXINGS, phasesOf, type Recipe, type TransformSettings, type WarmUp } from "./recipe.js";
import type { RecipeProblem } from "./recipe-problem.js";
import { optimizerProblems, weightDecayOf } from "./training/optimizers/index.js";

type Rule = (recipe: Recipe) => readonly (RecipeProblem | false)[];

/** Every problem of a recipe; `no-effect` are warnings, the others errors. */
export function recipeProblems(recipe: Recipe): readonly RecipeProblem[] {
  const all = [...phasesOf(recipe).flatMap(settingProblems), ...phaseProblems(recipe)];
  // What phases have in common is told once.
  return all.filter(({ message }, index) => all.findIndex((each) => each.message === message) === index);
}

/** Of the settings of a recipe without phases, or of a phase, by themselves. */
export function settingProblems(recipe: Recipe): readonly RecipeProblem[] {
  return RULES.flatMap((rule) => rule(recipe).filter((problem) => problem !== false));
}

/** Of what phases say of one another. */
export function phaseProblems(recipe: Recipe): readonly RecipeProblem[] {
  const { phases } = recipe;
  const names = (phases ?? []).map(({ name }) => name);
  return phasesOf(recipe).flatMap(({ name, proposals, beginsAnew = false }, index) =>
    [
      conflict(
        proposals !== undefined && !names.slice(0, index).includes(proposals),
        "proposals",
        phases
          ? `no phase ${proposals} is over when ${name} begins`
          : "proposals are those of a phase, and there is none",
        "write `proposals` in a phase behind the one that learns to propose",
      ),
      conflict(
        beginsAnew && phases === undefined,
        "weights",
        "`weights initial` is for phases: a recipe without any begins so",
        "leave it out",
      ),
      noEffect(
        beginsAnew && phases !== undefined && index === 0,
        "weights",
        `the first phase, ${name}, begins with the initial weights anyway`,
        "leave `weights initial` out there",
      ),
    ]
      .filter((problem) => problem !== false)
      .map((problem) => ({ ...problem, ...(phases && { phase: name }) })),
  );
}

const outOfRange = (wrong: boolean, word: string, message: string): RecipeProblem | false =>
  wrong && { code: "out-of-range", word, message };
const conflict = (wrong: boolean, word: string, message: string, help: string): RecipeProblem | false =>
  wrong && { code: "conflicting-settings", word, message, help };
const noEffect = (wrong: boolean, word: string, message: string, help: string): RecipeProblem | false =>
  wrong && { code: "no-effect", word, message, help };

const isPositive = (value: number): boolean => Number.isFinite(value) && value > 0;
const isBelowOne = (value: number): boolean => value >= 0 && value < 1;

const RULES: readonly Rule[] = [
  ({ learned }) => [outOfRange(learned?.length === 0, "learn", "`learn` needs a loss: without one nothing is learned")],
  ({ learningRate, batch, accumulate }) => [
    outOfRange(
      !isPositive(learningRate),
      "learning_rate",
      `the learning rate must be above 0, not ${learningRate}: at 0 nothing is learned`,
    ),
    outOfRange(batch % accumulate !== 0, "batch", `a batch of ${batch} can't be computed in ${accumulate} equal parts`),
  ],
  ({ labelSmoothing, clipNorm, emaDecay }) => [
    outOfRange(
      !isBelowOne(labelSmoothing),
      "label_smoothing",
      `\`label_smoothing\` must be at least 0 and below 1, not ${labelSmoothing}: at 1 no class is righter than another`,
    ),
    outOfRange(
      clipNorm !== undefined && !isPositive(clipNorm),
      "clip_norm",
      `\`clip_norm\` must be above 0, not ${clipNorm}: gradients of that length change nothing`,
    ),
    outOfRange(
      emaDecay !== undefined && !(isPositive(emaDecay) && emaDecay < 1),
      "ema",
      `\`ema\` must be between 0 and 1, not ${emaDecay}: at 1 the average stays at the initial weights, at 0 it is none`,
    ),
  ],
  (recipe) =>
    MIXINGS.flatMap((name) => {
      const { alpha = 1, probability = 1 } = recipe[name] ?? {};
      return [
        outOfRange(!isPositive(alpha), name, `\`alpha\` of \`${name}\` must be above 0, not ${alpha}`),
        outOfRange(
          !(probability >= 0 && probability <= 1),
          name,
          `\`probability\` of \`${name}\` must be from 0 to 1, not ${probability}`,
        ),
        noEffect(probability === 0, name, `\`${name}\` is done to no batch`, "leave it out, or raise `probability`"),
        noEffect(
          recipe[name] !== undefined && recipe.batch === 1,
          name,
          `\`${name}\` mixes the images of a batch with one another, and there is one`,
          "leave it out, or write a larger `batch`",
        ),
      ];
    }),
  ({ optimizer }) => optimizerProblems(optimizer).map((problem) => ({ ...problem, word: "optimizer" })),
  ({ schedule, learningRate, stop }) => {
    switch (schedule.kind) {
      case "constant":
        return [];
      case "divide": {
        const { by, at, unit } = schedule;
        const end = unit === "step" && "steps" in stop ? stop.steps : "epochs" in stop ? stop.epochs : undefined;
        const isKnown = (unit === "step") === "steps" in stop;
        const late = isKnown && end !== undefined ? at.filter((each) => each >= end) : [];
        return [
          divisor(by),
          outOfRange(
            at.length === 0 || !at.every(isPositive),
            "learning_rate",
            "`divide` needs the updates (`at`) or `epochs` at which it divides, all above 0",
          ),
          noEffect(
            late.length > 0,
            "learning_rate",
            `the rate is never divided at ${late.join(", ")}: training ends at ${end}`,
            "divide before the end, or `stop` later",
          ),
        ];
      }
      case "plateau":
        return [divisor(schedule.by)];
      case "one_cycle":
        return [
          outOfRange(
            !(schedule.pctStart >= 0 && schedule.pctStart <= 1),
            "learning_rate",
            `\`pct_start\` must be between 0 and 1, not ${schedule.pctStart}`,
          ),
          noEffect(
            schedule.divFactor === 1 && schedule.finalDivFactor === 1,
            "learning_rate",
            "`one_cycle` with factors of 1 keeps the rate as it is",
            "write `constant()`, or other factors",
          ),
        ];
      case "cosine_restarts":
      case "cosine":
      case "linear":
        return [
          outOfRange(
            !(Number.isFinite(schedule.to) && schedule.to >= 0),
            "learning_rate",
            `\`to\` must be at least 0, not ${schedule.to}`,
          ),
          noEffect(
            schedule.to >= learningRate,
            "learning_rate",
            `\`${schedule.kind}\` goes from ${learningRate} to ${schedule.to}: the rate does not fall`,
            "write the rate at the beginning first, and a lower one as `to`",
          ),
        ];
      default:
        return [];
    }
  },
  ({ warmUp, learningRate, stop }) => {
    if (warmUp === undefined) return [];
    const { kind, rate } = warmUp;
    const isHigh = noEffect(
      rate >= learningRate,
      "warm_up",
      `a warm-up at ${rate} is none: the learning rate is ${learningRate}`,
      "begin lower",
    );
    if (kind === "until_error") {
      return [
        isHigh,
        outOfRange(!isPositive(rate), "warm_up", `the rate of a warm-up until an error must be above 0, not ${rate}`),
        outOfRange(
          !isPositive(warmUp.error),
          "warm_up",
          `\`until_error\` must be above 0, not ${warmUp.error}: no error is below 0, so the warm-up would never end`,
        ),
      ];
    }
    return [
      isHigh,
      noEffect(
        isWithin(warmUp, stop),
        "warm_up",
        "training ends before its warm-up does",
        "warm up for less, or `stop` later",
      ),
    ];
  },
  ({ thaws = [], stop }) =>
    thaws.map(({ stages, after, unit }) => {
      const end = "steps" in stop ? stop.steps : stop.epochs;
      return noEffect(
        (unit === "step") === "steps" in stop && after >= end,
        "freeze",
        `${stages.join(", ")} would be thawed after ${after} ${unit}s, when training has ended`,
        "thaw before, or leave the number out",
      );
    }),
  ({ stageRates = [], frozenStages }) =>
    stageRates.map(({ stage }) =>
      noEffect(
        frozenStages.some((frozen) => stage === frozen || stage.startsWith(`${frozen}.`)),
        "stage_rate",
        `${stage} is frozen: its rate has no effect`,
        "leave one of the two out",
      ),
    ),
  ({ parameterRates = [], optimizer }) => {
    const { decay, scope } = weightDecayOf(optimizer);
    return parameterRates.flatMap(({ kind, times = 1, decayTimes = 1 }, index) => [
      conflict(
        parameterRates.findIndex((each) => each.kind === kind) < index,
        "parameter_rate",
        `\`parameter_rate ${kind}\` stands there twice`,
        `write \`parameter_rate ${kind}, times: ${times}, decay_times: ${decayTimes}\` once`,
      ),
      conflict(
        decayTimes !== 1 && kind !== "weights" && scope === "weights" && decay > 0,
        "parameter_rate",
        `${kind} have no weight decay to be multiplied: the optimizer's is of weights alone`,
        "leave `decay_scope` out, and let `parameter_rate` say what decays",
      ),
      noEffect(
        decayTimes !== 1 && decay === 0,
        "parameter_rate",
        "`decay_times` has no effect without a `weight_decay`",
        "give the optimizer one, or leave `decay_times` out",
      ),
    ]);
  },
  ({ emaDecay, emaWarmUp, validateRaw }) => [
    conflict(
      emaDecay === undefined && (emaWarmUp === true || validateRaw === true),
      "ema",
      "averaged weights are asked for, but the recipe has no `ema`",
      "write `ema 0.999`",
    ),
  ],
  ({ frozenBatchNorm, preciseStatistics }) => [
    noEffect(
      frozenBatchNorm && preciseStatistics > 0,
      "precise_statistics",
      "`precise_statistics` has no effect where `freeze` keeps all batch norms as they are",
      "leave one of the two out",
    ),
  ],
  ({ train, evaluate }) =>
    [
      ...train.map((transform) => [transform, "train"] as const),
      ...evaluate.map((transform) => [transform, "evaluate"] as const),
    ].map(([transform, word]) => idle(transform, word)),
  ({ evaluate }) =>
    evaluate
      .filter(({ kind }) => transformWord(kind)?.random)
      .map(({ kind }) =>
        conflict(
          true,
          "evaluate",
          `\`${kind}\` leaves an evaluation to chance`,
          "an evaluation looks at each image in one way: leave it to `train`",
        ),
      ),
];

function isWithin(warmUp: WarmUp, stop: Recipe["stop"]): boolean {
  if (warmUp.kind === "steps") return "steps" in stop && warmUp.steps >= stop.steps;
  return warmUp.kind === "epochs" && "epochs" in stop && warmUp.epochs >= stop.epochs;
}

function divisor(by: number): RecipeProblem | false {
  return outOfRange(!(Number.isFinite(by) && by > 1), "learning_rate", `\`by\` must be above 1, not ${by}`);
}

function idle(transform: TransformSettings, statement: string): RecipeProblem | false {
  const word = transformWord(transform.kind);
  const isIdle =
    word?.idle !== undefined &&
    Object.entries(word.idle).every(([name, value]) => (transform[name] ?? word.arguments[name]?.default) === value);
  return noEffect(
    isIdle,
    statement,
    `\`${transform.kind}\` with these settings leaves every image as it is`,
    "leave it out, or give it something to do",
  );
}
