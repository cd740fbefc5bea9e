/** Declarations as values: giving them arguments, binding their parameters, following `network A = B(...)`. */
import type { Argument, Body, Declaration, Expression, Parameter, Span } from "../../grammar/ast.js";
import { stagesIn } from "../../grammar/bodies.js";
import { didYouMean } from "../diagnostics/suggest.js";
import { LIMITS } from "../limits.js";
import { Environment } from "./environment.js";
import { enumerate, evaluate } from "./evaluate.js";
import { fail, type Site } from "./site.js";
import {
  describeKind,
  formatValue,
  isRecord,
  UNKNOWN,
  type DeclarationValue,
  type EvalValue,
  type Moved,
} from "./values.js";

/**
 * The declaration with these arguments added to those it was given. Positional ones fill the parameters that are
 * still free, in order. Undefined after an error.
 */
export function applyArguments(
  callee: DeclarationValue,
  args: readonly Argument[],
  site: Site,
): DeclarationValue | undefined {
  if (args.length === 0) return callee;
  const target = callee.declaration.parameters ? callee : followAlias(callee, site);
  if (!target) return undefined;
  const parameters = target.declaration.parameters ?? [];
  const name = callee.declaration.name.text;
  const given = new Map(target.given);
  const here = new Set<string>();
  const { budget } = site.reporter;
  // Parameters that an earlier partial application gave are passed over by positional arguments.
  const free = parameters.filter((parameter) => !target.given.has(parameter.name.text));
  const moved: Moved[] = [];
  let ok = true;
  let position = 0;
  for (const argument of args) {
    const value = evaluate(argument.value, site);
    budget.spend(1 + parameters.length / 16, argument.span, site.chain);
    const parameter = parameterFor(argument, parameters, () => free[position++]);
    if (!parameter) {
      ok = false;
      reportNoParameter(argument, name, parameters, target.given, site);
      continue;
    }
    if (here.has(parameter.name.text)) {
      ok = false;
      fail(site, "duplicate-argument", argument.span, `\`${parameter.name.text}\` is given twice`);
    }
    here.add(parameter.name.text);
    given.set(parameter.name.text, value);
    const before = namesOf(parameters.slice(0, parameters.indexOf(parameter))).filter((each) => target.given.has(each));
    const byPlace = !argument.name && !argument.strideShorthand;
    if (byPlace && before.length > 0) moved.push({ parameter: parameter.name.text, value, before });
  }
  return ok ? { ...target, given, moved, alias: callee.alias ?? callee.declaration.name.text } : undefined;
}

const namesOf = (parameters: readonly Parameter[]): string[] => parameters.map(({ name }) => name.text);

/** "64 is the `stride` of `basic`: `width` was given before"; undefined where every argument is what it looks like. */
export function explainMoved(value: DeclarationValue, parameter?: string): string | undefined {
  const { moved = [], alias = value.declaration.name.text } = value;
  const shown = moved.filter((each) => parameter === undefined || each.parameter === parameter);
  const all = shown.map((each) => {
    const before = each.before.map((name) => `\`${name}\``).join(" and ");
    return `${formatValue(each.value)} is the \`${each.parameter}\` of \`${alias}\`: ${before} was given before`;
  });
  return all.length === 0 ? undefined : all.join("; ");
}

function parameterFor(
  argument: Argument,
  parameters: readonly Parameter[],
  next: () => Parameter | undefined,
): Parameter | undefined {
  const name = argument.strideShorthand ? "stride" : argument.name?.text;
  if (name === undefined) return next();
  return parameters.find((parameter) => parameter.name.text === name);
}

function reportNoParameter(
  argument: Argument,
  callee: string,
  parameters: readonly Parameter[],
  given: ReadonlyMap<string, EvalValue>,
  site: Site,
): void {
  const names = namesOf(parameters);
  const takes = names.length === 0 ? "it takes none" : `it takes ${enumerate(names)}`;
  if (argument.strideShorthand) {
    fail(site, "unknown-argument", argument.span, `\`${callee}\` has no \`stride\``, { help: takes });
  } else if (argument.name) {
    const { text, span } = argument.name;
    fail(site, "unknown-argument", span, `\`${callee}\` has no \`${text}\``, {
      help: () => didYouMean(text, names) ?? takes,
    });
  } else {
    const before = names.filter((name) => given.has(name)).map((name) => `\`${name}\``);
    const help = before.length === 0 ? takes : `${takes}; ${before.join(" and ")} was given before`;
    fail(site, "too-many-arguments", argument.span, `too many arguments for \`${callee}\``, { help });
  }
}

/** How many times each alias is being followed right now: `network A = A(classes: 10)` never ends otherwise. */
const following = new Map<Declaration, number>();

/** One step from `network A = B(...)` to `B(...)`; the value itself where it has a body. */
function followAlias(value: DeclarationValue, site: Site): DeclarationValue | undefined {
  const { declaration } = value;
  if (!declaration.value || declaration.keyword === "let") return value;
  const depth = following.get(declaration) ?? 0;
  if (depth >= LIMITS.nesting) {
    fail(site, "endless-definition", declaration.name.span, `\`${declaration.name.text}\` is defined by itself`);
    return undefined;
  }
  following.set(declaration, depth + 1);
  try {
    return aliasTarget(value, declaration.value, site);
  } finally {
    if (depth === 0) following.delete(declaration);
    else following.set(declaration, depth);
  }
}

function aliasTarget(value: DeclarationValue, definition: Expression, site: Site): DeclarationValue | undefined {
  const { declaration } = value;
  const environment = bindParameters(value, site);
  if (!environment) return undefined;
  const target = evaluate(definition, { ...site, environment });
  if (target === UNKNOWN) return undefined;
  if (!isRecord(target, "declaration") || target.declaration.keyword !== declaration.keyword) {
    const message = `\`${declaration.name.text}\` must be a ${declaration.keyword}, not ${describeKind(target)}`;
    fail(site, "wrong-declaration", definition.span, message);
    return undefined;
  }
  return { ...target, alias: value.alias ?? declaration.name.text };
}

/** What a function, `let double(n) = 2 * n`, gives for its arguments. Undefined after an error. */
export function callFunction(value: DeclarationValue, span: Span, site: Site): EvalValue | undefined {
  const { declaration } = value;
  const chain = [...site.chain, { label: `function ${declaration.name.text}`, span }];
  const environment = bindParameters(value, { ...site, chain, at: span });
  return environment && declaration.value && evaluate(declaration.value, { ...site, chain, environment });
}

/** A declaration that has a body, with the environment in which that body stands. */
export interface Opened {
  readonly declaration: Declaration;
  readonly body: Body;
  readonly environment: Environment;
  readonly values: ReadonlyMap<string, EvalValue>;
}

/** Follows aliases to a body and binds its parameters. Undefined after an error. */
export function open(value: DeclarationValue, site: Site): Opened | undefined {
  let current = value;
  for (let depth = 0; !current.declaration.body; depth++) {
    if (depth > LIMITS.nesting) {
      const { name } = value.declaration;
      fail(site, "endless-definition", name.span, `\`${name.text}\` is defined by itself`);
      return undefined;
    }
    const next = followAlias(current, site);
    // A declaration with neither body nor value is a syntax error that was reported.
    if (!next || next === current) return undefined;
    current = next;
  }
  const environment = bindParameters(current, site);
  if (!environment) return undefined;
  return { declaration: current.declaration, body: current.declaration.body, environment, values: current.given };
}

/** The parameters' environment: what was given, else the default, which may use the parameters before it. */
function bindParameters(value: DeclarationValue, site: Site): Environment | undefined {
  const environment = new Environment(value.environment);
  const missing: string[] = [];
  const parameters = value.declaration.parameters ?? [];
  site.reporter.budget.spend(1 + parameters.length / 8, site.at ?? value.declaration.name.span, site.chain);
  for (const parameter of parameters) {
    const { text, span } = parameter.name;
    const given = value.given.get(text);
    if (given !== undefined) environment.set(text, given, span);
    else if (parameter.default) environment.set(text, evaluate(parameter.default, { ...site, environment }), span);
    else missing.push(text);
  }
  if (missing.length === 0) return environment;
  const name = value.alias ?? value.declaration.name.text;
  const list = missing.length > 3 ? enumerate(missing) : missing.map((text) => `\`${text}\``).join(" and ");
  const at = site.chain.at(-1)?.span ?? value.declaration.name.span;
  fail(site, "missing-argument", site.at ?? at, `\`${name}\` needs ${list}`, {
    notes: [{ message: "declared here", span: value.declaration.name.span }],
  });
  return undefined;
}

/** Whether it can be instantiated as it is: every parameter given or with a default. */
export function isComplete(value: DeclarationValue): boolean {
  return (value.declaration.parameters ?? []).every(
    (parameter) => parameter.default !== undefined || value.given.has(parameter.name.text),
  );
}

/** Whether the declaration, followed through aliases, has a parameter of this name. */
export function hasParameter(value: DeclarationValue, name: string, site: Site): boolean {
  let current: DeclarationValue | undefined = value;
  for (let depth = 0; current && depth <= LIMITS.nesting; depth++) {
    if (current.declaration.parameters) {
      return current.declaration.parameters.some((parameter) => parameter.name.text === name);
    }
    const next: DeclarationValue | undefined = followAlias(current, site);
    current = next === current ? undefined : next;
  }
  return false;
}

/** Names of a network's stages in source order. */
export function stageNames(value: DeclarationValue, site: Site): readonly string[] | undefined {
  if (value.declaration.keyword !== "network") return [];
  let current: DeclarationValue | undefined = value;
  for (let depth = 0; current && !current.declaration.body && depth <= LIMITS.nesting; depth++) {
    current = current.declaration.value ? followAlias(current, site) : undefined;
  }
  return current?.declaration.body && stagesOf(current.declaration.body);
}

const stagesOfBodies = new WeakMap<Body, readonly string[]>();

function stagesOf(body: Body): readonly string[] {
  const before = stagesOfBodies.get(body);
  if (before) return before;
  const names = [...stagesIn(body)].map(({ name }) => name.text);
  stagesOfBodies.set(body, names);
  return names;
}
