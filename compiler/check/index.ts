/** Everything that can be said of files without compiling them. */
import { elaborateNetwork } from "../elaborate/index.js";
import { readDialect } from "../elaborate/dialect.js";
import { isComplete, stageNames } from "../elaborate/declarations.js";
import { readRecipe } from "../elaborate/recipe.js";
import { readPreprocess } from "../elaborate/preprocess.js";
import { readWeightMap } from "../elaborate/weight-map.js";
import { isRecord, type DeclarationValue } from "../elaborate/values.js";
import type { Model } from "../model.js";
import type { Module, Program } from "../program.js";
import { labelsOf } from "./elsewhere.js";
import { checkNames } from "./names.js";

/**
 * Reports what is wrong in a file: its names, then every network that can be built as it stands, with its shapes.
 * Gives the networks, for hovers and summaries.
 */
export function checkModule(module: Module, program: Program): Model[] {
  checkNames(module.file, program.reporter, (name) => membersOf(name, module, program));
  const models: Model[] = [];
  for (const { name, keyword } of module.file.declarations) {
    const value = module.environment.own(name.text)?.get();
    if (keyword === "let" || value === undefined || !isRecord(value, "declaration")) continue;
    // The first of two of one name is checked; the second was reported.
    if (value.declaration.name !== name || !isComplete(value)) continue;
    const model = checkDeclaration(value, program);
    if (model) models.push(model);
  }
  return models;
}

/** What can be asked of what a block or network gives, by name. */
function membersOf(name: string, { environment }: Module, { reporter }: Program): readonly string[] {
  const value = environment.lookup(name)?.get();
  if (value === undefined || !isRecord(value, "declaration")) return [];
  const stages = stageNames(value, { reporter, environment, chain: [] }) ?? [];
  return [...stages, ...labelsOf(value.declaration)];
}

function checkDeclaration(value: DeclarationValue, program: Program): Model | undefined {
  const { reporter } = program;
  const site = { reporter, environment: value.environment, chain: [], at: value.declaration.name.span };
  switch (value.declaration.keyword) {
    case "network":
    case "detector":
      return elaborateNetwork(value, reporter, () => program.sources);
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
