/** `recipe` declarations to records. */
import type { Body, Span, Use } from "../../grammar/ast.js";
import { didYouMean } from "../diagnostics/suggest.js";
import { subtractsImage, type Recipe, type Schedule, type TransformSettings, type WarmUp } from "../recipe.js";
import type { Optimizer } from "../training/contract.js";
import { bind, type Bound, type Form } from "./bind.js";
import { open } from "./declarations.js";
import { fail, type Site } from "./evaluate.js";
import { RECIPE_BODIES, RECIPE_SETTINGS, TRANSFORM_SETTINGS } from "./recipe-words.js";
import { readStatements } from "./settings.js";
import type { DeclarationValue } from "./values.js";

/** Undefined after an error, which is reported. */
export function readRecipe(value: DeclarationValue, site: Site): Recipe | undefined {
  const opened = open(value, site);
  if (!opened) return undefined;
  const settings = new Map<string, Readonly<Record<string, Bound>>>();
  const transforms = new Map<string, readonly TransformSettings[]>();
  let ok = true;
  readStatements(opened, site, (use, here) => {
    const word = use.target.map((part) => part.text).join(".");
    const specs = RECIPE_SETTINGS[word];
    if ((RECIPE_BODIES as readonly string[]).includes(word)) {
      const read = readTransforms(use, opened.environment, here);
      if (read) transforms.set(word, read);
      else ok = false;
    } else if (specs) {
      const bound = bind(`\`${word}\``, specs, use.arguments, use.span, here);
      if (bound) settings.set(word, bound);
      else ok = false;
    } else {
      ok = false;
      const words = [...Object.keys(RECIPE_SETTINGS), ...RECIPE_BODIES];
      const help = didYouMean(word, words) ?? `it has ${words.join(", ")}`;
      fail(here, "misplaced-statement", use.span, `\`${word}\` does not belong in a recipe`, { help });
    }
  });
  const get = <T extends Bound>(word: string, name: string): T | undefined =>
    settings.get(word)?.[name] as T | undefined;
  const required = {
    optimizer: "optimizer sgd(momentum: 0.9)",
    batch: "batch 128",
    learning_rate: "learning_rate 0.1",
    stop: "stop 64k",
  };
  for (const [word, example] of Object.entries(required)) {
    if (settings.has(word) || !ok) continue;
    ok = false;
    const { name } = opened.declaration;
    fail(site, "missing-argument", name.span, `recipe ${name.text} needs \`${word}\``, {
      help: `write \`${example}\``,
    });
  }
  const stop = settings.get("stop");
  if (ok && stop && (stop["steps"] === undefined) === (stop["epochs"] === undefined)) {
    ok = false;
    fail(site, "missing-argument", opened.declaration.name.span, "`stop` needs a number of updates, or of `epochs`");
  }
  const scales = settings.get("test_scales")?.["sides"] as readonly number[] | undefined;
  if (ok && scales && !isScales(scales, [...transforms.values()].flat(), opened.declaration.name.span, site))
    ok = false;
  if (!ok) return undefined;
  const warmUp = readWarmUp(settings.get("warm_up"));
  const optional = <K extends string, T>(key: K, found: T | undefined) =>
    found === undefined ? {} : ({ [key]: found } as Record<K, T>);
  const epochs = get<number>("stop", "epochs");
  return {
    name: value.alias ?? value.declaration.name.text,
    optimizer: readOptimizer(get<Form>("optimizer", "kind")),
    batch: get<number>("batch", "images") ?? 1,
    accumulate: get<number>("batch", "accumulate") ?? 1,
    learningRate: get<number>("learning_rate", "rate") ?? 0,
    schedule: readSchedule(get<Form>("learning_rate", "schedule")),
    ...optional("warmUp", warmUp),
    stop: epochs === undefined ? { steps: get<number>("stop", "steps") ?? 1 } : { epochs },
    labelSmoothing: get<number>("label_smoothing", "share") ?? 0,
    ...optional("clipNorm", get<number>("clip_norm", "norm")),
    ...optional("emaDecay", get<number>("ema", "decay")),
    precision: get<"fp32" | "mixed">("precision", "kind") ?? "fp32",
    frozenStages: get<readonly string[]>("freeze", "stages") ?? [],
    frozenBatchNorm: get<boolean>("freeze", "batch_norm") ?? false,
    recompute: get<boolean>("recompute", "all") ? true : (get<readonly string[]>("recompute", "stages") ?? []),
    seed: get<number>("seed", "number") ?? 0,
    ...optional("validateEvery", get<number>("validate", "every")),
    ...optional("checkpointEvery", get<number>("checkpoint", "every")),
    preciseStatistics: get<number>("precise_statistics", "images") ?? 0,
    ...optional("testScales", scales),
    train: transforms.get("train") ?? [],
    evaluate: transforms.get("evaluate") ?? [],
  };
}

/** Whole numbers, and a mean that fits every size. */
function isScales(
  scales: readonly number[],
  transforms: readonly TransformSettings[],
  span: Span,
  site: Site,
): boolean {
  if (scales.length === 0 || !scales.every(Number.isInteger)) {
    fail(site, "out-of-range", span, "`test_scales` are whole numbers of pixels, one or more");
    return false;
  }
  if (!transforms.some(subtractsImage)) return true;
  fail(site, "misplaced-statement", span, "`test_scales` need a mean that fits every size", {
    help: "write `subtract_mean(per: channel)`, or `normalize`",
  });
  return false;
}

function readOptimizer(form: Form | undefined): Optimizer {
  const given = form?.values ?? {};
  const shared = {
    weightDecay: given["weight_decay"] as number,
    decayScope: given["decay_scope"] as "all" | "weights",
  };
  if (form?.name === "adamw") {
    const { beta1, beta2, eps } = given as Record<string, number>;
    return { kind: "adamw", beta1: beta1 ?? 0.9, beta2: beta2 ?? 0.999, eps: eps ?? 1e-8, ...shared };
  }
  return {
    kind: "sgd",
    momentum: given["momentum"] as number,
    nesterov: given["nesterov"] as boolean,
    rule: given["rule"] as "pytorch" | "caffe",
    ...shared,
  };
}

function readSchedule(form: Form | undefined): Schedule {
  const given = (form?.values ?? {}) as Record<string, number>;
  switch (form?.name) {
    case "divide": {
      const { at, epochs } = form.values as Record<string, readonly number[]>;
      return { kind: "divide", by: given["by"] ?? 10, at: epochs ?? at ?? [], unit: epochs ? "epoch" : "step" };
    }
    case "plateau":
      return { kind: "plateau", by: given["by"] ?? 10, patience: given["patience"] ?? 5, times: given["times"] ?? 3 };
    case "cosine":
    case "linear":
      return { kind: form.name, to: given["to"] ?? 0 };
    default:
      return { kind: "constant" };
  }
}

function readWarmUp(given: Readonly<Record<string, Bound>> | undefined): WarmUp | undefined {
  if (!given) return undefined;
  const { rate, until_error: error, steps } = given as Record<string, number>;
  if (error !== undefined) return { kind: "until_error", rate: rate ?? 0, error };
  return { kind: "steps", rate: rate ?? 0, steps: steps ?? 1 };
}

/** `train { pad 4   random_crop 32x32   flip_horizontal }` */
function readTransforms(use: Use, environment: Site["environment"], site: Site): TransformSettings[] | undefined {
  const [body] = use.bodies;
  if (!body) {
    fail(site, "missing-body", use.span, `\`${use.target[0]?.text ?? ""}\` needs its transforms in braces`);
    return undefined;
  }
  const found: TransformSettings[] = [];
  let ok = true;
  const inside = { declaration: { keyword: "recipe" }, body: body satisfies Body, environment };
  readStatements(inside, site, (transform, here) => {
    const word = transform.target.map((part) => part.text).join(".");
    const specs = TRANSFORM_SETTINGS[word];
    if (!specs) {
      ok = false;
      const help =
        didYouMean(word, Object.keys(TRANSFORM_SETTINGS)) ?? `there are ${Object.keys(TRANSFORM_SETTINGS).join(", ")}`;
      fail(here, "misplaced-statement", transform.span, `\`${word}\` is not a transform`, { help });
      return;
    }
    const bound = bind(`\`${word}\``, specs, transform.arguments, transform.span, here);
    if (bound) found.push({ kind: word, ...(bound as Omit<TransformSettings, "kind">) });
    else ok = false;
  });
  return ok ? found : undefined;
}
