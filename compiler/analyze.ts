/** What can be said of sources without compiling them: models, recipes, problems. `resnetc check` loads no more. */
import { isStackOverflow } from "../grammar/depth.js";
import { Exhausted, type Cancellation } from "./budget.js";
import { checkModule } from "./check/index.js";
import { checkRenames } from "./check/renames.js";
import type { Diagnostic } from "./diagnostics/diagnostic.js";
import { Reporter } from "./diagnostics/reporter.js";
import { elaborateNetwork } from "./elaborate/index.js";
import { parseOverrides } from "./elaborate/recipe-overrides.js";
import { readRecipe } from "./elaborate/recipe.js";
import { memoryHost, type Host } from "./host.js";
import type { Model } from "./model.js";
import { Program } from "./program.js";
import type { Recipe } from "./recipe.js";
import { resolveTarget, standardNetworks, type Target } from "./target.js";

/** What was found, and the text of every file that took part, for code frames. */
export interface Findings {
  /** Of very many the first (docs/language.md, limits). */
  readonly diagnostics: readonly Diagnostic[];
  /** How many were found, those that are not among them included. */
  readonly errorCount: number;
  readonly warningCount: number;
  readonly sources: ReadonlyMap<string, string>;
}

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
    return network && elaborateNetwork(network, reporter, () => program.sources, options.input);
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

/** A file that need not exist: the text of an editor. */
export interface SourceText {
  readonly path: string;
  readonly text: string;
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
  const reporter = new Reporter(cancellation);
  const program = new Program(host, reporter);
  const paths = files.map((file) => (typeof file === "string" ? file : file.path));
  const edited = new Map(files.flatMap((file) => (typeof file === "string" ? [] : [[file.path, file.text] as const])));
  for (const [path, text] of edited) {
    reporter.budget.renew();
    guarded(reporter, path, () => program.add(path, text));
  }
  const models: Model[] = [];
  for (const path of paths) {
    reporter.budget.renew();
    guarded(reporter, path, () => {
      const module = program.load(path);
      if (module) models.push(...checkModule(module, program));
      else {
        const place = { file: path, start: 0, end: 0 };
        reporter.report("unknown-target", place, `the file ${path} ${program.problemOf(path)}`);
      }
    });
  }
  reporter.budget.renew();
  // A network that is not there may be the one that a name map is for.
  if (!reporter.hasErrors) guarded(reporter, paths[0] ?? "", () => checkRenames(models, new Set(paths), reporter));
  const rank = new Map(paths.map((path, index) => [path, index]));
  const rankOf = ({ span }: Diagnostic): number => rank.get(span.file) ?? paths.length;
  const { diagnostics, ...others } = findingsOf(reporter, program);
  const ordered = [...diagnostics].sort((a, b) => rankOf(a) - rankOf(b) || a.span.start - b.span.start);
  return { ...others, diagnostics: ordered };
}

function findingsOf(reporter: Reporter, program: Program): Findings {
  const { diagnostics, errorCount, warningCount } = reporter;
  return { diagnostics, errorCount, warningCount, sources: program.sources };
}

/** Undefined where the budget is used up, or the stack of a machine that has little; both are reported. */
function guarded<T>(reporter: Reporter, file: string, work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof Exhausted) return undefined;
    if (!isStackOverflow(error)) throw error;
    const message = "this is nested more deeply than the stack of this machine allows";
    reporter.report("nesting-too-deep", { file, start: 0, end: 0 }, message, { always: true });
    return undefined;
  }
}

/** The standard library's networks that need no arguments: `ResNet18`, ..., `VGG19`. */
export function standardTargets(): readonly string[] {
  const program = new Program(memoryHost({}), new Reporter());
  return standardNetworks(program).map((network) => network.alias ?? network.declaration.name.text);
}
