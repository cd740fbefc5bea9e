/** The words of `recipe` declarations and what they take. */
import type { Spec } from "./bind.js";

const spec = (name: string, type: Spec["type"], more: Partial<Spec> = {}): Spec => ({ name, type, ...more });

/** The optimisers, by the words that `optimizer` takes. */
const OPTIMIZERS: Readonly<Record<string, readonly Spec[]>> = {
  sgd: [
    spec("momentum", "number", { min: 0, max: 1, default: 0 }),
    spec("weight_decay", "number", { min: 0, default: 0 }),
    spec("nesterov", "boolean", { default: false }),
    spec("decay_scope", "word", { words: ["all", "weights"], default: "all" }),
    spec("rule", "word", { words: ["pytorch", "caffe"], default: "pytorch" }),
  ],
  adamw: [
    spec("beta1", "number", { min: 0, max: 1, default: 0.9 }),
    spec("beta2", "number", { min: 0, max: 1, default: 0.999 }),
    spec("eps", "number", { min: 0, default: 1e-8 }),
    spec("weight_decay", "number", { min: 0, default: 0.01 }),
    spec("decay_scope", "word", { words: ["all", "weights"], default: "all" }),
  ],
};

/** What the learning rate does. */
const SCHEDULES: Readonly<Record<string, readonly Spec[]>> = {
  constant: [],
  divide: [
    spec("by", "number", { min: 1 }),
    spec("at", "numbers", { min: 0, optional: true }),
    spec("epochs", "numbers", { min: 0, optional: true }),
  ],
  plateau: [
    spec("by", "number", { min: 1, default: 10 }),
    spec("patience", "int", { min: 1, default: 5 }),
    spec("times", "int", { min: 1, default: 3 }),
  ],
  cosine: [spec("to", "number", { min: 0, default: 0 })],
  linear: [spec("to", "number", { min: 0, default: 0 })],
  one_cycle: [
    spec("pct_start", "number", { min: 0, max: 1, default: 0.3 }),
    spec("div_factor", "number", { min: 1, default: 25 }),
    spec("final_div_factor", "number", { min: 1, default: 10_000 }),
    spec("anneal", "word", { words: ["cosine", "linear"], default: "cosine" }),
  ],
  cosine_restarts: [
    spec("steps", "int", { min: 1, optional: true }),
    spec("epochs", "int", { min: 1, optional: true }),
    spec("multiply", "number", { min: 1, default: 1 }),
    spec("to", "number", { min: 0, default: 0 }),
  ],
};

/** Numbers that are counted: beyond, not every one is a number of its own. */
const COUNT = { min: 1, max: Number.MAX_SAFE_INTEGER } as const;

export const RECIPE_SETTINGS: Readonly<Record<string, readonly Spec[]>> = {
  optimizer: [spec("kind", "form", { forms: OPTIMIZERS })],
  batch: [
    spec("images", "int", { min: 1, max: 65_536 }),
    spec("accumulate", "int", { min: 1, max: 65_536, default: 1 }),
  ],
  learning_rate: [spec("rate", "number", { min: 0 }), spec("schedule", "form", { forms: SCHEDULES, optional: true })],
  warm_up: [
    spec("rate", "number", { min: 0 }),
    spec("until_error", "number", { min: 0, max: 1, optional: true }),
    spec("steps", "int", { ...COUNT, optional: true }),
    spec("epochs", "int", { ...COUNT, optional: true }),
  ],
  stop: [
    spec("steps", "int", { ...COUNT, optional: true }),
    spec("epochs", "int", { ...COUNT, optional: true }),
    spec("patience", "int", { ...COUNT, optional: true }),
    spec("min_delta", "number", { min: 0, max: 1, optional: true }),
  ],
  label_smoothing: [spec("share", "number", { min: 0, max: 1 })],
  class_weights: [spec("weights", "numbers", { words: ["balanced"], min: 1e-6, max: 1e6 })],
  sampling: [spec("kind", "word", { words: ["shuffled", "balanced"] })],
  clip_norm: [spec("norm", "number", { min: 0 })],
  gradient_norm: [spec("measured", "boolean", { default: true })],
  ema: [spec("decay", "number", { min: 0, max: 1 }), spec("warm_up", "boolean", { default: false })],
  precision: [spec("kind", "word", { words: ["fp32", "mixed"] })],
  freeze: [
    spec("stages", "stages", { optional: true, many: true }),
    spec("batch_norm", "boolean", { default: false }),
    spec("epochs", "int", { ...COUNT, optional: true }),
    spec("steps", "int", { ...COUNT, optional: true }),
  ],
  stage_rate: [spec("stages", "stages", { many: true }), spec("times", "number", { min: 1e-6, max: 1e6 })],
  zero_init_residual: [spec("on", "boolean", { default: true })],
  recompute: [spec("stages", "stages", { optional: true, many: true }), spec("all", "boolean", { default: false })],
  seed: [spec("number", "int", { ...COUNT, min: 0 })],
  validate: [spec("every", "int", { ...COUNT, optional: true }), spec("raw", "boolean", { default: false })],
  checkpoint: [spec("every", "int", COUNT)],
  precise_statistics: [spec("images", "int", COUNT)],
  test_scales: [spec("sides", "numbers", { min: 1, max: 16384 })],
};

/** Words that may stand several times, each adding to the ones before it. Of all others the last one counts. */
export const REPEATED_WORDS: ReadonlySet<string> = new Set(["freeze", "stage_rate"]);

/** Arguments of a setting, or of one of its forms, of which one alone can be given. */
export const ALTERNATIVES: Readonly<Record<string, readonly string[]>> = {
  stop: ["steps", "epochs"],
  warm_up: ["until_error", "steps", "epochs"],
  freeze: ["epochs", "steps"],
  divide: ["at", "epochs"],
  cosine_restarts: ["steps", "epochs"],
  recompute: ["stages", "all"],
};

/** Arguments of a setting, or of one of its forms, of which at least one must be given. */
export const ONE_NEEDED: Readonly<Record<string, readonly string[]>> = {
  stop: ["steps", "epochs"],
  warm_up: ["until_error", "steps", "epochs"],
  divide: ["at", "epochs"],
  freeze: ["stages", "batch_norm", "epochs", "steps"],
  recompute: ["stages", "all"],
};

/** Before `{ ... }` with transforms in it. */
export const RECIPE_BODIES = ["train", "evaluate"] as const;

const SIDE = { min: 1, max: 16384 } as const;
const interpolation = spec("interpolation", "word", { words: ["bilinear", "bicubic", "nearest"], optional: true });

/** The transforms of runtime/images/transforms as they are written; a test holds the two against each other. */
export const TRANSFORM_SETTINGS: Readonly<Record<string, readonly Spec[]>> = {
  pad: [spec("margin", "int", { min: 0, max: 4096 })],
  random_crop: [spec("size", "size2", SIDE)],
  flip_horizontal: [spec("probability", "number", { min: 0, max: 1, optional: true })],
  center_crop: [spec("size", "size2", SIDE)],
  ten_crop: [spec("size", "size2", SIDE)],
  resize: [spec("size", "size2", SIDE), interpolation],
  resize_shorter: [spec("length", "int", SIDE), interpolation],
  random_resize_shorter: [spec("length", "interval", SIDE), interpolation],
  random_resized_crop: [
    spec("size", "size2", SIDE),
    spec("scale", "interval", { min: 0.001, max: 1, optional: true }),
    spec("ratio", "interval", { min: 0.05, max: 20, optional: true }),
    interpolation,
  ],
  color_pca: [spec("std", "number", { min: 0, max: 10, optional: true })],
  color_jitter: [
    spec("brightness", "number", { min: 0, max: 1, optional: true }),
    spec("contrast", "number", { min: 0, max: 1, optional: true }),
    spec("saturation", "number", { min: 0, max: 1, optional: true }),
    spec("hue", "number", { min: 0, max: 0.5, optional: true }),
  ],
  subtract_mean: [
    spec("per", "word", { words: ["pixel", "channel"], optional: true }),
    spec("divide", "word", { words: ["none", "std"], optional: true }),
    spec("range", "number", { min: 1, max: 255, optional: true }),
  ],
  normalize: [
    spec("mean", "channels", { min: -1000, max: 1000, optional: true }),
    spec("std", "channels", { min: 1e-6, max: 1000, optional: true }),
    spec("range", "number", { min: 1, max: 255, optional: true }),
    spec("color", "word", { words: ["rgb", "bgr", "grey"], optional: true }),
  ],
};
