/** What can be said of sources without compiling them: models, recipes, problems. `resnetc check` loads no more. */
import { checkModule } from "./check/index.js";
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
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: ReadonlyMap<string, string>;
}

export interface ElaborateOptions {
  /** Where files other than the standard library's come from. */
  readonly host?: Host;
  /** Replaces the declared input: `[3, 320, 320]`, `[3, "H", "W"]`. */
  readonly input?: readonly (number | string)[];
}

export interface RecipeOptions extends Pick<ElaborateOptions, "host"> {
  /** Values in place of the recipe's: `learning_rate=0.01`, `optimizer.momentum=0.8`, `stop.epochs=3`, `ema=none`. */
  readonly set?: readonly string[];
}

/** The network that a target names, with shapes; no model where there are errors. */
export function elaborate(target: Target, options: ElaborateOptions = {}): Findings & { readonly model?: Model } {
  const reporter = new Reporter();
  const program = new Program(options.host ?? memoryHost({}), reporter);
  const network = resolveTarget(program, target);
  const model = network && elaborateNetwork(network, reporter, () => program.sources, options.input);
  const findings = { diagnostics: reporter.diagnostics, sources: program.sources };
  return model && !reporter.hasErrors ? { ...findings, model } : findings;
}

/** The recipe that a target names (`cifar10`, `train.resnet#quick(epochs: 3)`); none where there are errors. */
export function elaborateRecipe(target: Target, options: RecipeOptions = {}): Findings & { readonly recipe?: Recipe } {
  const reporter = new Reporter();
  const program = new Program(options.host ?? memoryHost({}), reporter);
  const value = resolveTarget(program, target, "recipe");
  const site = value && { reporter, environment: value.environment, chain: [], at: value.declaration.name.span };
  const changes = parseOverrides(program, options.set ?? []);
  const recipe = value && site && changes && readRecipe(value, site, changes);
  const findings = { diagnostics: reporter.diagnostics, sources: program.sources };
  return recipe && !reporter.hasErrors ? { ...findings, recipe } : findings;
}

/** A file that need not exist: the text of an editor. */
export interface SourceText {
  readonly path: string;
  readonly text: string;
}

/** Every problem of these files, in the order of their places. */
export function check(files: readonly (string | SourceText)[], host: Host = memoryHost({})): Findings {
  const reporter = new Reporter();
  const program = new Program(host, reporter);
  const edited = new Map(files.flatMap((file) => (typeof file === "string" ? [] : [[file.path, file.text] as const])));
  for (const [path, text] of edited) program.add(path, text);
  for (const file of files) {
    const path = typeof file === "string" ? file : file.path;
    const module = program.load(path);
    if (module) checkModule(module, program);
    else reporter.report("unknown-target", { file: path, start: 0, end: 0 }, `the file ${path} does not exist`);
  }
  const order = files.map((file) => (typeof file === "string" ? file : file.path));
  const rank = (diagnostic: Diagnostic): number => {
    const at = order.indexOf(diagnostic.span.file);
    return at < 0 ? order.length : at;
  };
  const diagnostics = [...reporter.diagnostics].sort((a, b) => rank(a) - rank(b) || a.span.start - b.span.start);
  return { diagnostics, sources: program.sources };
}

/** The standard library's networks that need no arguments: `ResNet18`, ..., `VGG19`. */
export function standardTargets(): readonly string[] {
  const program = new Program(memoryHost({}), new Reporter());
  return standardNetworks(program).map((network) => network.alias ?? network.declaration.name.text);
}
