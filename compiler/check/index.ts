/** Everything that can be said of files without compiling them. */
import { elaborateNetwork } from "../elaborate/index.js";
import { readDialect } from "../elaborate/dialect.js";
import { isComplete, stageNames } from "../elaborate/declarations.js";
import { readRecipe } from "../elaborate/recipe.js";
import { readPreprocess } from "../elaborate/preprocess.js";
import { readWeightMap } from "../elaborate/weight-map.js";
import { isRecord, type DeclarationValue } from "../elaborate/values.js";
import type { Trace } from "../elaborate/trace.js";
import type { Model } from "../model.js";
import type { Module, Program } from "../program.js";
import { labelsOf } from "./elsewhere.js";
import { checkNames, type NameObserver } from "./names.js";

/** Reports names that nothing declares, that are declared twice, that nothing uses. */
export function checkNamesOf(module: Module, program: Program, observer?: NameObserver): void {
  checkNames(module.file, program.reporter, (name) => membersOf(name, module, program), observer);
}

/** The declarations of a file that can be made into what they declare: all of their parameters have values. */
export function buildable({ file, environment }: Module): DeclarationValue[] {
  return file.declarations.flatMap(({ name, keyword }) => {
    const value = environment.own(name.text)?.get();
    if (keyword === "let" || value === undefined || !isRecord(value, "declaration")) return [];
    // The first of two of one name is checked; the second was reported.
    return value.declaration.name === name && isComplete(value) ? [value] : [];
  });
}

/** What can be asked of what a block or network gives, by name. */
function membersOf(name: string, { environment }: Module, { reporter }: Program): readonly string[] {
  const value = environment.lookup(name)?.get();
  if (value === undefined || !isRecord(value, "declaration")) return [];
  const stages = stageNames(value, { reporter, environment, chain: [] }) ?? [];
  return [...stages, ...labelsOf(value.declaration)];
}

/** Reports what is wrong in one of these, and gives its network. */
export function checkDeclaration(value: DeclarationValue, program: Program, trace?: Trace): Model | undefined {
  const { reporter } = program;
  const site = { reporter, environment: value.environment, chain: [], at: value.declaration.name.span };
  switch (value.declaration.keyword) {
    case "network":
    case "detector":
      return elaborateNetwork(value, reporter, () => program.sources, { trace });
    case "preprocess":
      readPreprocess(value, site);
      return undefined;
    case "weights":
      readWeightMap(value, site);
      return undefined;
    case "recipe":
      readRecipe(value, site);
      return undefined;
    case "dialect":
      readDialect(value, site);
      return undefined;
    default:
      return undefined;
  }
}
