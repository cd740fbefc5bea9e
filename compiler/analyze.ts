/** What can be said of sources without compiling them: models, recipes, problems. `resnetc check` loads no more. */
import type { Cancellation } from "./budget.js";
import { Reporter } from "./diagnostics/reporter.js";
import { elaborateNetwork } from "./elaborate/index.js";
import { parseOverrides } from "./elaborate/recipe-overrides.js";
import { readRecipe } from "./elaborate/recipe.js";
import { memoryHost, type Host } from "./host.js";
import type { Model } from "./model.js";
import { Program } from "./program.js";
import type { Recipe } from "./recipe.js";
import { resolveTarget, standardNetworks, type Target } from "./target.js";
import type { Findings, SourceText } from "./workspace/findings.js";
import { guarded, Workspace } from "./workspace/workspace.js";

export type { Findings, SourceText };

/** How a network is elaborated. */
export interface ElaborateOptions extends Cancellation {
  /** Where files other than the standard library's come from. */
  readonly host?: Host;
  /** Replaces the declared input: `[3, 320, 320]`, `[3, "H", "W"]`. */
  readonly input?: readonly (number | string)[];
}

/** How a recipe is read. */
export interface RecipeOptions extends Pick<ElaborateOptions, "host">, Cancellation {
  /** Values in place of the recipe's: `learning_rate=0.01`, `optimizer.momentum=0.8`, `stop.epochs=3`, `ema=none`. */
  readonly set?: readonly string[];
}

/**
 * The network that a target names, with shapes; no model where there are errors.
 *
 * @throws CancelledError where the options say that it is to stop
 */
export function elaborate(target: Target, options: ElaborateOptions = {}): Findings & { readonly model?: Model } {
  const reporter = new Reporter(options);
  const program = new Program(options.host ?? memoryHost({}), reporter);
  const model = guarded(reporter, target.file ?? "target", () => {
    const network = resolveTarget(program, target);
    return network && elaborateNetwork(network, reporter, () => program.sources, { input: options.input });
  });
  const findings = findingsOf(reporter, program);
  return model && !reporter.hasErrors ? { ...findings, model } : findings;
}

/** The recipe that a target names (`cifar10`, `train.resnet#quick(epochs: 3)`); none where there are errors. */
export function elaborateRecipe(target: Target, options: RecipeOptions = {}): Findings & { readonly recipe?: Recipe } {
  const reporter = new Reporter(options);
  const program = new Program(options.host ?? memoryHost({}), reporter);
  const recipe = guarded(reporter, target.file ?? "target", () => {
    const value = resolveTarget(program, target, "recipe");
    const site = value && { reporter, environment: value.environment, chain: [], at: value.declaration.name.span };
    const changes = parseOverrides(program, options.set ?? []);
    return value && site && changes && readRecipe(value, site, changes);
  });
  const findings = findingsOf(reporter, program);
  return recipe && !reporter.hasErrors ? { ...findings, recipe } : findings;
}

/**
 * Every problem of these files, in the order of their places.
 *
 * @throws CancelledError where the options say that it is to stop
 */
export function check(
  files: readonly (string | SourceText)[],
  host: Host = memoryHost({}),
  cancellation: Cancellation = {},
): Findings {
  return new Workspace(host).check(files, cancellation).findings;
}

function findingsOf(reporter: Reporter, program: Program): Findings {
  const { diagnostics, errorCount, warningCount } = reporter;
  return { diagnostics, errorCount, warningCount, sources: program.sources };
}

/** The standard library's networks that need no arguments: `ResNet18`, ..., `VGG19`. */
export function standardTargets(): readonly string[] {
  const program = new Program(memoryHost({}), new Reporter());
  return standardNetworks(program).map((network) => network.alias ?? network.declaration.name.text);
}
