/** Recipes as the paper's sections 3.4 and 4.2 have them, and what is said of mistakes in them. */
import { describe, expect, it } from "vitest";
import { check, elaborateRecipe, parseTarget } from "../../../compiler/index.js";
import { memoryHost } from "../../../compiler/host.js";

describe("the paper's recipes", () => {
  it("CIFAR-10, section 4.2", () => {
    const { recipe, diagnostics } = elaborateRecipe(parseTarget("cifar10"));
    expect(diagnostics).toEqual([]);
    expect(recipe).toMatchObject({
      optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 1e-4, decayScope: "all", nesterov: false },
      batch: 128,
      learningRate: 0.1,
      schedule: { kind: "divide", by: 10, at: [32_000, 48_000], unit: "step" },
      stop: { steps: 64_000 },
      train: [
        { kind: "subtract_mean" },
        { kind: "pad", margin: 4 },
        { kind: "random_crop", size: [32, 32] },
        { kind: "flip_horizontal" },
      ],
    });
    expect(recipe?.warmUp).toBeUndefined();
  });

  it("ResNet-110 warms up at 0.01 until the training error is below 80 %", () => {
    const { recipe } = elaborateRecipe(parseTarget("cifar10_deep"));
    expect(recipe?.warmUp).toEqual({ kind: "until_error", rate: 0.01, error: 0.8 });
  });

  it("ImageNet, section 3.4", () => {
    const { recipe } = elaborateRecipe(parseTarget("imagenet"));
    expect(recipe).toMatchObject({ batch: 256, schedule: { kind: "plateau", by: 10 }, stop: { steps: 600_000 } });
    expect(recipe?.train[0]).toEqual({ kind: "random_resize_shorter", length: [256, 480] });
    expect(recipe?.evaluate[1]).toEqual({ kind: "ten_crop", size: [224, 224] });
  });
});

const NEEDED = "optimizer sgd(momentum: 0.9)   batch 8   learning_rate 0.1, cosine(to: 0.01)   stop 10";

function recipeOf(body: string, set: readonly string[] = []) {
  const host = memoryHost({ "r.resnet": `recipe r(part = "conv3") {\n${NEEDED}\n${body}\n}` });
  return elaborateRecipe(parseTarget("r.resnet"), { host, set });
}

describe("stages", () => {
  it.each([
    ["freeze conv1, head.fc", ["conv1", "head.fc"]],
    ["freeze [conv1, conv2]", ["conv1", "conv2"]],
    ['freeze ["conv1", "conv4.2"]', ["conv1", "conv4.2"]],
    ['freeze "conv1", "conv2"', ["conv1", "conv2"]],
    ["freeze part, conv1", ["conv3", "conv1"]],
    ["freeze []", []],
    ["freeze []   freeze conv1", ["conv1"]],
    ["freeze conv1   freeze conv2", ["conv1", "conv2"]],
    ["freeze batch_norm: true   freeze conv1", ["conv1"]],
  ])("%s", (body, stages) => {
    const { recipe, diagnostics } = recipeOf(body);
    expect(diagnostics).toEqual([]);
    expect(recipe?.frozenStages).toEqual(stages);
    expect(recipe?.frozenBatchNorm).toBe(body.includes("batch_norm"));
    const { diagnostics: checked } = check([
      { path: "r.resnet", text: `recipe r(part = "conv3") {\n${NEEDED}\n${body}\nrecompute part }` },
    ]);
    expect(checked).toEqual([]);
  });

  it("thaw, recompute, and have rates of their own", () => {
    const { recipe } = recipeOf(
      "freeze conv1   freeze conv2, conv3, epochs: 5   stage_rate conv1, conv2, times: 0.1   stage_rate head, times: 10   recompute conv2, conv3",
    );
    expect(recipe).toMatchObject({
      frozenStages: ["conv1"],
      thaws: [{ stages: ["conv2", "conv3"], after: 5, unit: "epoch" }],
      stageRates: [
        { stage: "conv1", times: 0.1 },
        { stage: "conv2", times: 0.1 },
        { stage: "head", times: 10 },
      ],
      recompute: ["conv2", "conv3"],
    });
    expect(recipeOf("recompute all: true").recipe?.recompute).toBe(true);
  });
});

describe("settings of a training", () => {
  it.each([
    ["class_weights [1, 2.5]", { classWeights: [1, 2.5] }],
    ["class_weights balanced", { classWeights: "balanced" }],
    ["sampling balanced", { sampling: "balanced" }],
    [
      "ema 0.999, warm_up: true   validate 50, raw: true",
      { emaDecay: 0.999, emaWarmUp: true, validateRaw: true, validateEvery: 50 },
    ],
    ["warm_up 0.01, epochs: 5", { warmUp: { kind: "epochs", rate: 0.01, epochs: 5 } }],
    ["mixup 0.2", { mixup: { alpha: 0.2, probability: 1 } }],
    ["mixup 0.2   cutmix 1.0", { mixup: { alpha: 0.2, probability: 1 }, cutmix: { alpha: 1, probability: 1 } }],
    ["mixup 0.2, probability: 0.5", { mixup: { alpha: 0.2, probability: 0.5 } }],
    [
      "optimizer sgd(momentum: 0.9, weight_decay: 0.1)   parameter_rate biases, times: 2, decay_times: 0   parameter_rate norms, times: 0.1",
      {
        parameterRates: [
          { kind: "biases", times: 2, decayTimes: 0 },
          { kind: "norms", times: 0.1 },
        ],
      },
    ],
    ["gradient_norm   zero_init_residual", { gradientNorm: true, zeroInitResidual: true }],
    [
      "stop epochs: 90, patience: 10, min_delta: 0.001",
      { stop: { epochs: 90 }, earlyStop: { patience: 10, minDelta: 0.001 } },
    ],
    [
      "learning_rate 0.1, one_cycle()",
      { schedule: { kind: "one_cycle", pctStart: 0.3, divFactor: 25, finalDivFactor: 1e4, anneal: "cosine" } },
    ],
    [
      "learning_rate 0.1, cosine_restarts(epochs: 10, multiply: 2)",
      { schedule: { kind: "cosine_restarts", every: 10, unit: "epoch", multiply: 2, to: 0 } },
    ],
  ])("%s", (body, expected) => {
    const { recipe, diagnostics } = recipeOf(body);
    expect(diagnostics).toEqual([]);
    expect(recipe).toMatchObject(expected);
  });

  it("are not there where they are not written: a training that was begun before them goes on", () => {
    expect(Object.keys(recipeOf("").recipe!).sort()).toEqual(
      [
        "accumulate",
        "batch",
        "evaluate",
        "frozenBatchNorm",
        "frozenStages",
        "labelSmoothing",
        "learningRate",
        "name",
      ].concat(["optimizer", "preciseStatistics", "precision", "recompute", "schedule", "seed", "stop", "train"]),
    );
  });

  it.each([
    ["stop 10, epochs: 3", "`steps` of `stop` does not go with `epochs`"],
    ["stop 10, min_delta: 0.1", "`min_delta` of `stop` needs `patience`"],
    ["warm_up 0.1, steps: 3, epochs: 2", "`steps` of `warm_up` does not go with `epochs`"],
    ["learning_rate 0.1, one_cycle()   warm_up 0.1, steps: 3", "`warm_up` does not go with `one_cycle`"],
    ["learning_rate 0.1, cosine_restarts()", "`cosine_restarts` needs `steps` or `epochs`"],
    [
      "learning_rate 0.1, cosine_restarts(steps: 3, epochs: 2)",
      "`steps` of `cosine_restarts` does not go with `epochs`",
    ],
    ["freeze conv1, epochs: 2, steps: 3", "`epochs` of `freeze` does not go with `steps`"],
    ["freeze epochs: 2", "`freeze` needs the stages that are to be thawed"],
    ["freeze conv1, batch_norm: true, epochs: 2", "`batch_norm` of `freeze` can't be thawed"],
    ["freeze conv1, epochs: 2   freeze conv2, steps: 9", "count both in the same"],
    ["sampling balanced   class_weights balanced", "rare classes would count twice over"],
    ["validate raw: true", "`raw` of `validate` needs `ema`"],
    ["class_weights [1, 0]", "`weights` of `class_weights` must be at least"],
    ["class_weights balancd", "must be balanced, not `balancd`"],
    ["mixup 0", "`alpha` of `mixup` must be above 0, not 0"],
    ["cutmix 0", "`alpha` of `cutmix` must be above 0, not 0"],
    ["mixup 0.2, probability: 2", "`probability` of `mixup` must be at most 1, not 2"],
    ["mixup 0.2, probability: 0", "`mixup` is done to no batch"],
    ["batch 1   mixup 0.2", "`mixup` mixes the images of a batch with one another, and there is one"],
    ["stage_rate head, times: 0", "`times` of `stage_rate` must be at least"],
    ["parameter_rate biases", "`parameter_rate` needs `times` or `decay_times`"],
    ["parameter_rate bias, times: 2", "must be weights or biases or norms, not `bias`"],
    ["parameter_rate norms, decay_times: -1", "`decay_times` of `parameter_rate` must be at least 0, not -1"],
    ["parameter_rate biases, times: 2   parameter_rate biases, times: 3", "`parameter_rate biases` stands there twice"],
    [
      "optimizer sgd(momentum: 0.9, weight_decay: 1e-4, decay_scope: weights)   parameter_rate norms, decay_times: 2",
      "norms have no weight decay to be multiplied",
    ],
    ["freeze 3", "`stages` of `freeze` must be the names of stages, as `conv1` or `head.fc`, not 3"],
  ])("%s is refused", (body, message) => {
    const text = `recipe r {\n${NEEDED}\n${body}\n}`;
    const { diagnostics } = check([{ path: "r.resnet", text }]);
    expect(diagnostics.map((each) => each.message).join("\n")).toContain(message);
    expect(diagnostics).toHaveLength(1);
    expect(text.slice(diagnostics[0]!.span.start, diagnostics[0]!.span.end)).not.toBe("r");
  });
});

describe("values given beside a recipe", () => {
  it("take the place of its own, and leave the rest", () => {
    const { recipe, diagnostics } = recipeOf("ema 0.9   freeze conv1   warm_up 0.001, steps: 9", [
      "learning_rate=0.01",
      "optimizer.momentum=0.8",
      "learning_rate.to=0.001",
      "stop.epochs=3",
      "ema=none",
      "freeze=conv1, head.fc",
      "warm_up.epochs=2",
      "batch = 2 * 8",
      "clip_norm=1",
    ]);
    expect(diagnostics).toEqual([]);
    expect(recipe).toMatchObject({
      learningRate: 0.01,
      optimizer: { kind: "sgd", momentum: 0.8 },
      schedule: { kind: "cosine", to: 0.001 },
      stop: { epochs: 3 },
      frozenStages: ["conv1", "head.fc"],
      warmUp: { kind: "epochs", rate: 0.001, epochs: 2 },
      batch: 16,
      clipNorm: 1,
    });
    expect(recipe).not.toHaveProperty("emaDecay");
  });

  it("change whole forms, and what is needed and not there", () => {
    const { recipe } = recipeOf("", [
      "optimizer=adamw(weight_decay: 0.05)",
      "learning_rate.schedule=one_cycle()",
      "optimizer.beta1=0.8",
    ]);
    expect(recipe).toMatchObject({
      optimizer: { kind: "adamw", beta1: 0.8, weightDecay: 0.05 },
      schedule: { kind: "one_cycle" },
    });
    const host = memoryHost({ "r.resnet": "recipe r { optimizer sgd()   batch 8   learning_rate 0.1 }" });
    expect(elaborateRecipe(parseTarget("r.resnet"), { host, set: ["stop=5"] }).recipe?.stop).toEqual({ steps: 5 });
    // The last one counts, and a parameter is a name that values may use.
    expect(recipeOf("", ["seed=1", "seed=2"]).recipe?.seed).toBe(2);
    expect(recipeOf("", ["freeze=part"]).recipe?.frozenStages).toEqual(["conv3"]);
  });

  it.each([
    ["learning_rat=0.01", "a recipe has no `learning_rat`", "learning_rat", "did you mean `learning_rate`?"],
    ["optimizer.momentun=0.9", "`sgd` of `optimizer` has no `momentun`", "momentun", "did you mean `momentum`?"],
    ["optimizer.beta1=0.9", "`sgd` of `optimizer` has no `beta1`", "beta1", undefined],
    ["batch=0", "`images` of `batch` must be at least 1, not 0", "0", undefined],
    ["warm_up.epochs=5", "`warm_up` needs `rate`", undefined, undefined],
    ["learning_rate=", "a setting and its value are needed here", "learning_rate=", undefined],
    ["learning_rate", "a setting and its value are needed here", "learning_rate", undefined],
    ["batch=8) stop(5", "a setting and its value are needed here", undefined, undefined],
    ["learning_rate=0.1 }", "expected a `)` here", undefined, undefined],
    ["train=3", "the transforms of `train` can't be set", "train", "give the recipe a parameter for it"],
    ["constructor=3", "a recipe has no `constructor`", "constructor", undefined],
    ["optimizer.__proto__=3", "`sgd` of `optimizer` has no `__proto__`", "__proto__", undefined],
    ["stop.epochs.more=3", "`stop` has no `epochs.more`", "more", undefined],
    ["ema=0.9, warm_up: maybe", "nothing here is called `maybe`", "maybe", undefined],
  ])("%s: the place in what was typed", (text, message, place, help) => {
    const { recipe, diagnostics, sources } = recipeOf("", ["seed=1", text]);
    expect(recipe).toBeUndefined();
    const [first] = diagnostics;
    expect(first?.message).toContain(message);
    expect(first?.span.file).toBe("--set, number 2");
    expect(sources.get("--set, number 2")).toBe(text);
    if (place !== undefined) expect(text.slice(first!.span.start, first!.span.end)).toBe(place);
    if (help !== undefined) expect(first?.help).toBe(help);
  });
});

describe("mistakes", () => {
  const codes = (body: string): [string, string | undefined][] => {
    const needed = "optimizer sgd(momentum: 0.9)   batch 8   learning_rate 0.1   stop 10";
    const { diagnostics } = check([{ path: "r.resnet", text: `recipe r {\n${needed}\n${body}\n}` }]);
    return diagnostics.map(({ code, help }) => [code, help]);
  };

  it.each([
    ["train { random_crp 32x32 }", "did you mean `random_crop`?"],
    ["lable_smoothing(0.1)", "did you mean `label_smoothing`?"],
  ])("%s", (body, help) => {
    expect(codes(body).map(([, suggestion]) => suggestion)).toContain(help);
  });

  it("a range, an optimiser and a size that do not exist", () => {
    expect(codes("label_smoothing 2")[0]?.[0]).toBe("out-of-range");
    expect(codes("train { random_resize_shorter [480, 256] }")[0]?.[0]).toBe("wrong-type");
    const text = "recipe r { optimizer sdg(momentum: 0.9)   batch 8   learning_rate 0.1   stop 10 }";
    expect(check([{ path: "r.resnet", text }]).diagnostics[0]?.help).toBe("did you mean `sgd`?");
  });

  it("scales of no whole pixels, and a mean of one size", () => {
    expect(codes("test_scales [224.5]")[0]?.[0]).toBe("out-of-range");
    expect(codes("test_scales [224, 256]   evaluate { subtract_mean }")[0]?.[0]).toBe("conflicting-settings");
    expect(codes("test_scales [224, 256]   evaluate { subtract_mean(per: channel) }")).toEqual([]);
  });

  it("what is needed and missing", () => {
    const host = memoryHost({ "r.resnet": "recipe r { batch 8 }" });
    const { recipe, diagnostics } = elaborateRecipe(parseTarget("r.resnet"), { host });
    expect(recipe).toBeUndefined();
    expect(diagnostics.map(({ help }) => help)).toContain("write `optimizer sgd(momentum: 0.9)`");
  });
});

describe("what means nothing is told when it is checked", () => {
  const found = (text: string): string[] =>
    check([{ path: "r.resnet", text }]).diagnostics.map(({ code, message }) => `${code}: ${message}`);
  const recipe = (body: string, changes: Readonly<Record<string, string>> = {}): string => {
    const given = { optimizer: "sgd(momentum: 0.9)", batch: "8", learning_rate: "0.1", stop: "10", ...changes };
    const statements = Object.entries(given).map(([word, value]) => `${word} ${value}`);
    return `recipe r {\n${statements.join("\n")}\n${body}\n}`;
  };

  it.each<[code: string, body: string, changes?: Readonly<Record<string, string>>]>([
    ["out-of-range", "label_smoothing 1"],
    ["out-of-range", "clip_norm 0"],
    ["out-of-range", "ema 1"],
    ["out-of-range", "ema 0"],
    ["out-of-range", "", { learning_rate: "0" }],
    ["out-of-range", "", { batch: "16, accumulate: 5" }],
    ["out-of-range", "", { batch: "1e9" }],
    ["out-of-range", "", { optimizer: "sgd(momentum: 1)" }],
    ["out-of-range", "", { optimizer: "adamw(beta1: 1)" }],
    ["out-of-range", "", { optimizer: "adamw(beta2: 1)" }],
    ["out-of-range", "", { optimizer: "adamw(eps: 0)" }],
    ["out-of-range", "", { learning_rate: "0.1, divide(by: 1, at: [5])" }],
    ["out-of-range", "", { learning_rate: "0.1, divide(by: 10, at: [0])" }],
    ["out-of-range", "", { learning_rate: "0.1, plateau(by: 1)" }],
    ["out-of-range", "warm_up 0, until_error: 0.8"],
    ["out-of-range", "warm_up 0.01, until_error: 0"],
    ["out-of-range", "seed 1e20"],
    ["out-of-range", "", { stop: "1e300" }],
    ["missing-argument", "warm_up 0.01"],
    ["missing-argument", "freeze batch_norm: false"],
    ["missing-argument", "recompute all: false"],
    ["missing-argument", "", { learning_rate: "0.1, divide(by: 10)" }],
    ["out-of-range", "", { learning_rate: "0.1, divide(by: 10, at: [])" }],
    ["conflicting-settings", "", { learning_rate: "0.1, divide(by: 10, at: [1], epochs: [1])" }],
    ["conflicting-settings", "warm_up 0.01, steps: 3, until_error: 0.01"],
    ["conflicting-settings", "recompute conv1, all: true"],
    ["conflicting-settings", "", { optimizer: "sgd(nesterov: true)" }],
    ["conflicting-settings", "evaluate { random_crop 32x32 }"],
    ["no-effect", "", { optimizer: "sgd(momentum: 0.9, decay_scope: weights)" }],
    ["no-effect", "", { optimizer: "sgd(rule: caffe)" }],
    ["no-effect", "", { learning_rate: "0.1, divide(by: 10, at: [5, 10])" }],
    ["no-effect", "", { learning_rate: "0.1, cosine(to: 0.1)" }],
    ["no-effect", "", { learning_rate: "0.1, linear(to: 1)" }],
    ["no-effect", "warm_up 0.1, steps: 3"],
    ["no-effect", "warm_up 0.01, steps: 10"],
    ["no-effect", "freeze batch_norm: true   precise_statistics 100"],
    ["no-effect", "freeze conv1, steps: 10"],
    ["no-effect", "freeze conv1   stage_rate conv1, times: 0.1"],
    ["no-effect", "parameter_rate biases, decay_times: 0"],
    ["no-effect", "train { pad 0 }"],
    ["no-effect", "train { flip_horizontal(probability: 0) }"],
    ["no-effect", "train { color_jitter(brightness: 0, contrast: 0, saturation: 0) }"],
  ])("%s: %s %o", (code, body, changes) => {
    expect(found(recipe(body, changes))).toEqual([expect.stringMatching(new RegExp(`^${code}: \\S`))]);
  });

  it("but not what means something", () => {
    const bodies = [
      "label_smoothing 0.1   clip_norm 1   ema 0.999   seed 9007199254740991",
      "warm_up 0, steps: 3",
      "warm_up 0.01, until_error: 0.8",
      "freeze conv1, batch_norm: true",
      "freeze batch_norm: true",
      "recompute all: true",
      "train { color_jitter   flip_horizontal   pad 4   random_crop 32x32 }   evaluate { center_crop 32x32 }",
    ];
    for (const body of bodies) expect(found(recipe(body)), body).toEqual([]);
    expect(found(recipe("", { optimizer: "adamw()", learning_rate: "0.1, divide(by: 2, epochs: [5, 20])" }))).toEqual(
      [],
    );
    expect(found(recipe("", { optimizer: "sgd(momentum: 0.9, nesterov: true)" }))).toEqual([]);
  });
});
