/** `recipe` declarations to records. */
import type { Use } from "../../grammar/ast.js";
import { recipeProblems } from "../recipe-rules.js";
import type { Recipe, Schedule, StageRate, Thaw, WarmUp } from "../recipe.js";
import type { Optimizer } from "../training/contract.js";
import type { Bound, Form } from "./bind.js";
import { open } from "./declarations.js";
import { fail, type Site } from "./evaluate.js";
import { checkRecipe } from "./recipe-checks.js";
import { readDraft, type Given } from "./recipe-draft.js";
import { applyOverrides } from "./recipe-overrides.js";
import type { DeclarationValue } from "./values.js";

/**
 * Undefined after an error, which is reported.
 *
 * @param changes statements that are given beside the recipe ({@link parseOverrides}) and come after its own
 */
export function readRecipe(value: DeclarationValue, site: Site, changes: readonly Use[] = []): Recipe | undefined {
  const opened = open(value, site);
  if (!opened) return undefined;
  const draft = readDraft(opened, site);
  applyOverrides(draft, changes, { ...site, environment: opened.environment });
  const { settings, transforms } = draft;
  const get = <T extends Bound>(word: string, name: string): T | undefined =>
    settings.get(word)?.at(-1)?.values[name] as T | undefined;
  const { name } = opened.declaration;
  const required = {
    optimizer: "optimizer sgd(momentum: 0.9)",
    batch: "batch 128",
    learning_rate: "learning_rate 0.1",
    stop: "stop 64k",
  };
  for (const [word, example] of Object.entries(required)) {
    if (settings.has(word) || !draft.ok) continue;
    draft.ok = false;
    fail(site, "missing-argument", name.span, `recipe ${name.text} needs \`${word}\``, {
      help: `write \`${example}\``,
    });
  }
  if (draft.ok && !checkRecipe(draft, name.span, site)) return undefined;
  if (!draft.ok) return undefined;
  const scales = get<readonly number[]>("test_scales", "sides");
  const warmUp = readWarmUp(settings.get("warm_up")?.at(-1)?.values);
  const optional = <K extends string, T>(key: K, found: T | undefined) =>
    found === undefined ? {} : ({ [key]: found } as Record<K, T>);
  const isOn = (word: string, argument: string): true | undefined =>
    settings.has(word) && get<boolean>(word, argument) !== false ? true : undefined;
  const some = <T>(list: readonly T[]): readonly T[] | undefined => (list.length > 0 ? list : undefined);
  const freezes = (settings.get("freeze") ?? []).map(readFreeze);
  const epochs = get<number>("stop", "epochs");
  const patience = get<number>("stop", "patience");
  const minDelta = get<number>("stop", "min_delta") ?? 0;
  const recipe: Recipe = {
    name: value.alias ?? value.declaration.name.text,
    optimizer: readOptimizer(get<Form>("optimizer", "kind")),
    batch: get<number>("batch", "images") ?? 1,
    accumulate: get<number>("batch", "accumulate") ?? 1,
    learningRate: get<number>("learning_rate", "rate") ?? 0,
    schedule: readSchedule(get<Form>("learning_rate", "schedule")),
    ...optional("warmUp", warmUp),
    stop: epochs === undefined ? { steps: get<number>("stop", "steps") ?? 1 } : { epochs },
    ...optional("earlyStop", patience === undefined ? undefined : { patience, minDelta }),
    labelSmoothing: get<number>("label_smoothing", "share") ?? 0,
    ...optional("classWeights", get<string | readonly number[]>("class_weights", "weights") as Recipe["classWeights"]),
    ...optional("sampling", get<string>("sampling", "kind") === "balanced" ? ("balanced" as const) : undefined),
    ...optional("clipNorm", get<number>("clip_norm", "norm")),
    ...optional("gradientNorm", isOn("gradient_norm", "measured")),
    ...optional("emaDecay", get<number>("ema", "decay")),
    ...optional("emaWarmUp", get<boolean>("ema", "warm_up") ? true : undefined),
    ...optional("validateRaw", get<boolean>("validate", "raw") ? true : undefined),
    precision: get<"fp32" | "mixed">("precision", "kind") ?? "fp32",
    frozenStages: freezes.flatMap(({ stages, thaws }) => (thaws ? [] : stages)),
    ...optional("thaws", some(freezes.flatMap(({ stages, thaws }) => (thaws ? [{ stages, ...thaws }] : [])))),
    ...optional("stageRates", some((settings.get("stage_rate") ?? []).flatMap(readStageRate))),
    ...optional("zeroInitResidual", isOn("zero_init_residual", "on")),
    frozenBatchNorm: (settings.get("freeze") ?? []).some(({ values }) => values["batch_norm"] === true),
    recompute: get<boolean>("recompute", "all") ? true : (get<readonly string[]>("recompute", "stages") ?? []),
    seed: get<number>("seed", "number") ?? 0,
    ...optional("validateEvery", get<number>("validate", "every")),
    ...optional("checkpointEvery", get<number>("checkpoint", "every")),
    preciseStatistics: get<number>("precise_statistics", "images") ?? 0,
    ...optional("testScales", scales),
    train: transforms.get("train") ?? [],
    evaluate: transforms.get("evaluate") ?? [],
  };
  for (const { code, word, message, help } of recipeProblems(recipe)) {
    fail(site, code, settings.get(word)?.at(-1)?.span ?? name.span, message, { help });
  }
  return recipe;
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
    case "one_cycle":
      return {
        kind: "one_cycle",
        pctStart: given["pct_start"] ?? 0.3,
        divFactor: given["div_factor"] ?? 25,
        finalDivFactor: given["final_div_factor"] ?? 10_000,
        anneal: form.values["anneal"] as "cosine" | "linear",
      };
    case "cosine_restarts": {
      const { epochs, steps = 1, multiply = 1, to = 0 } = given;
      return { kind: "cosine_restarts", every: epochs ?? steps, unit: epochs ? "epoch" : "step", multiply, to };
    }
    case "cosine":
    case "linear":
      return { kind: form.name, to: given["to"] ?? 0 };
    default:
      return { kind: "constant" };
  }
}

function readWarmUp(given: Readonly<Record<string, Bound>> | undefined): WarmUp | undefined {
  if (!given) return undefined;
  const { rate, until_error: error, steps, epochs } = given as Record<string, number>;
  if (error !== undefined) return { kind: "until_error", rate: rate ?? 0, error };
  if (epochs !== undefined) return { kind: "epochs", rate: rate ?? 0, epochs };
  return { kind: "steps", rate: rate ?? 0, steps: steps ?? 1 };
}

/** `freeze conv1, conv2, epochs: 5` */
function readFreeze({ values }: Given): { readonly stages: readonly string[]; readonly thaws?: Omit<Thaw, "stages"> } {
  const stages = (values["stages"] ?? []) as readonly string[];
  const { epochs, steps } = values as Record<string, number | undefined>;
  const after = epochs ?? steps;
  return after === undefined ? { stages } : { stages, thaws: { after, unit: epochs === undefined ? "step" : "epoch" } };
}

/** `stage_rate conv1, conv2, times: 0.1` */
function readStageRate({ values }: Given): readonly StageRate[] {
  return (values["stages"] as readonly string[]).map((stage) => ({ stage, times: values["times"] as number }));
}
