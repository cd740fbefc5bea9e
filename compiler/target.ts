/** What a command is asked to work on: `net.resnet`, `net.resnet#Small(classes: 10)`, `ResNet50`, `std/resnet#ResNet(...)`. */
import { Environment } from "./elaborate/environment.js";
import { evaluate } from "./elaborate/evaluate.js";
import { isComplete } from "./elaborate/declarations.js";
import { isRecord, type DeclarationValue } from "./elaborate/values.js";
import { exists, type Host } from "./host.js";
import type { Program } from "./program.js";
import { standardEnvironment } from "./program.js";

/** A target, taken apart: a file, an expression, or both. */
export interface Target {
  /** Undefined for a standard name alone. */
  readonly file?: string;
  /** `ResNet50` or `ResNet(block: basic, counts: [2, 2, 2, 2])`. Undefined: the file's only network. */
  readonly expression?: string;
}

/** What diagnostics about a target call the place where it was typed. */
const TYPED = "target";

/**
 * Takes a target apart; whether it exists is found out by whoever elaborates it. A `#` may also stand in the name of a file or
 * folder: where the host has files of such names, the longest that is there wins.
 */
export function parseTarget(text: string, host?: Host): Target {
  const there = host && fileInTarget(text, host);
  if (there) return there;
  const hash = text.indexOf("#");
  if (hash >= 0) return { file: withExtension(text.slice(0, hash)), expression: text.slice(hash + 1) };
  if (/\.resnet$/.test(text)) return { file: text };
  if (/^std\/\w+$/.test(text)) return { file: `${text}.resnet` };
  return { expression: text };
}

/** Undefined where the text has no `#`, or no file before one. */
function fileInTarget(text: string, host: Host): Target | undefined {
  if (!text.includes("#")) return undefined;
  if (text.endsWith(".resnet") && exists(host, text)) return { file: text };
  for (let hash = text.lastIndexOf("#"); hash > 0; hash = text.lastIndexOf("#", hash - 1)) {
    const file = withExtension(text.slice(0, hash));
    if (exists(host, file)) return { file, expression: text.slice(hash + 1) };
  }
  return undefined;
}

function withExtension(file: string): string {
  return file.endsWith(".resnet") ? file : `${file}.resnet`;
}

/** What a target can be asked to be: anything that has a graph, or a recipe. */
type TargetKind = "network" | "recipe";

const KEYWORDS: Readonly<Record<TargetKind, readonly string[]>> = {
  network: ["network", "detector"],
  recipe: ["recipe"],
};

/** The network or detector (or recipe) that a target names, its arguments given. Undefined after an error, which is reported. */
export function resolveTarget(
  program: Program,
  target: Target,
  kind: TargetKind = "network",
): DeclarationValue | undefined {
  const module = target.file === undefined ? undefined : program.load(target.file);
  const text = [target.file, target.expression].filter((part) => part !== undefined).join("#");
  const whole = { file: TYPED, start: 0, end: text.length };
  if (target.file !== undefined && !module) {
    program.addText(TYPED, text);
    program.reporter.report("unknown-target", whole, `the file ${target.file} ${program.problemOf(target.file)}`);
    return undefined;
  }
  const misspelt = target.file === undefined && nameOfFile(target.expression ?? "");
  if (misspelt) {
    program.addText(TYPED, text);
    program.reporter.report("unknown-target", whole, `there is no source file ${misspelt}`, {
      help: "a source is a file that ends in .resnet; without an ending a target is a name of the standard library",
    });
    return undefined;
  }
  if (target.expression === undefined) return module && onlyOne(program, module.path, module.environment, kind);

  const standard = standardEnvironment(program, KEYWORDS[kind]);
  const names = module ? withFallback(module.environment, standard) : standard;
  const prefix = `${kind} target = `;
  // A network without parameters of its own: names are looked up in the file, then in the standard library.
  const snippet = program.add(TYPED, prefix + target.expression, names);
  program.addText(TYPED, target.expression);
  program.reporter.shift(TYPED, -prefix.length);
  const [declaration] = snippet.file.declarations;
  if (program.reporter.hasErrors || !declaration?.value) return undefined;
  const value = evaluate(declaration.value, { reporter: program.reporter, environment: names, chain: [] });
  if (isRecord(value, "declaration") && KEYWORDS[kind].includes(value.declaration.keyword)) return value;
  if (!program.reporter.hasErrors) {
    const { span } = declaration.value;
    program.reporter.report("unknown-target", span, `\`${target.expression}\` is not a ${kind}`);
  }
  return undefined;
}

/** A target that is no expression of the language and can only be meant as a file: `net.resnt`, `nets/small`. */
function nameOfFile(text: string): string | undefined {
  const isPath = /^[^()[\]{},:"]*[\\/][^()[\]{},:"]*$/.test(text);
  // A standard network has no members that are networks, so a name and an ending are no expression that is meant.
  const hasEnding = /^[\w-]+(?:\.[\w-]+)+$/.test(text);
  return isPath || hasEnding ? text : undefined;
}

/** Of a file with one network, that; of several, they are named. */
function onlyOne(
  program: Program,
  path: string,
  environment: Environment,
  kind: TargetKind,
): DeclarationValue | undefined {
  const file = program.load(path)?.file;
  const declared = (file?.declarations ?? []).filter((declaration) => KEYWORDS[kind].includes(declaration.keyword));
  const [first, ...others] = declared;
  const span = first?.name.span ?? { file: path, start: 0, end: 0 };
  if (!first) {
    if (!program.reporter.hasErrors) program.reporter.report("unknown-target", span, `${path} declares no ${kind}`);
    return undefined;
  }
  if (others.length > 0) {
    const names = declared.map(({ name }) => `${path}#${name.text}`);
    program.reporter.report("unknown-target", span, `${path} declares ${declared.length} ${kind}s`, {
      help: `name one: ${names.join(", ")}`,
    });
    return undefined;
  }
  const value = environment.own(first.name.text)?.get();
  return value !== undefined && isRecord(value, "declaration") ? value : undefined;
}

/** Names of the first environment, and where it has none those of the second. */
function withFallback(first: Environment, second: Environment): Environment {
  const merged = new Environment(second);
  for (const [name, binding] of first.bindings()) merged.define(name, binding);
  return merged;
}

/** Networks and detectors of the standard library that can be used as they are, for lists and suggestions. */
export function standardNetworks(program: Program): DeclarationValue[] {
  const environment = standardEnvironment(program, KEYWORDS.network);
  return [...environment.entries()].flatMap(([name, value]) => {
    if (!isRecord(value, "declaration")) return [];
    // A `let` may stand for a network too; its name is no target's.
    const isOwn = value.declaration.name.text === name;
    return isOwn && KEYWORDS.network.includes(value.declaration.keyword) && isComplete(value) ? [value] : [];
  });
}
