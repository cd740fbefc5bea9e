/** From written arguments to the values that a word's schema promises. */
import type { Argument as Written, Expression, Span } from "../../grammar/ast.js";
import { own } from "../../grammar/own.js";
import { didYouMean } from "../diagnostics/suggest.js";
import type * as ir from "../ir/types.js";
import {
  completed,
  type Argument,
  type Form,
  type Given,
  type Schema,
  type ArgumentType,
  type Word,
} from "../words/schema.js";
import { wanted } from "../words/describe.js";
import { isOf, outside, wordsOf } from "../words/values.js";
import { describeNumber, evaluate, MAKES_WHOLE } from "./evaluate.js";
import { isUnknown, sizeOf } from "./lists.js";
import { fail, type Site } from "./site.js";
import { describeKind, isList, isRecord, NONE, type EvalValue, type LayerArguments, type None } from "./values.js";

/**
 * The arguments by name, each checked against its schema; those not given are left out. Undefined after an error, or
 * where a value is unknown because of one that was reported.
 *
 * @param callee for messages: the word in backticks
 * @param before arguments that are given already; those written by place begin with the first that is not
 */
export function bind<S extends Schema>(
  callee: string,
  schema: S,
  args: readonly Written[],
  span: Span,
  site: Site,
  before: LayerArguments = {},
): Given<S> | undefined {
  const { bound, taken } = take(callee, schema, args, site, before);
  return hasAll(callee, schema, taken, span, site, placesTaken(schema, args, before)) && bound
    ? (bound as Given<S>)
    : undefined;
}

/** The same for some of the arguments: nothing is missing. */
export function bindSome<S extends Schema>(
  callee: string,
  schema: S,
  args: readonly Written[],
  site: Site,
  before: LayerArguments = {},
): Partial<Given<S>> | undefined {
  return take(callee, schema, args, site, before).bound as Partial<Given<S>> | undefined;
}

interface Taken {
  /** Undefined after an error. */
  readonly bound: Readonly<Record<string, unknown>> | undefined;
  /** Names of the arguments that are given, right or wrong. */
  readonly taken: ReadonlySet<string>;
}

function take(callee: string, schema: Schema, args: readonly Written[], site: Site, before: LayerArguments): Taken {
  const bound: Record<string, unknown> = {};
  const names = Object.keys(schema);
  const free = names.filter((name) => !Object.hasOwn(before, name));
  const many = free.findIndex((name) => schema[name]!.many);
  const last = many < 0 ? free.length - 1 : many;
  const taken = new Set<string>();
  let ok = true;
  let position = 0;
  for (const written of args) {
    let name = written.strideShorthand ? "stride" : written.name?.text;
    if (name === undefined) {
      if (position <= last || many >= 0) name = free[Math.min(position, last)];
      position++;
    }
    const argument = name === undefined ? undefined : own(schema, name);
    if (name === undefined || !argument) {
      ok = false;
      reportUnknown(callee, written, names, site);
      continue;
    }
    if (taken.has(name) && !argument.many) {
      ok = false;
      fail(site, "duplicate-argument", written.span, `\`${name}\` of ${callee} is given twice`);
      continue;
    }
    const order = written.name || written.strideShorthand || free.length < 2 ? undefined : free;
    const value = convert(`\`${name}\` of ${callee}`, argument, written.value, site, order);
    if (value === NONE) continue;
    taken.add(name);
    if (value === undefined) ok = false;
    else if (argument.many) {
      // Appended, not copied: there may be many.
      const all = (bound[name] ??= []) as unknown[];
      for (const one of value as readonly unknown[]) all.push(one);
    } else bound[name] = value;
  }
  for (const name of Object.keys(before)) taken.add(name);
  return { bound: ok ? { ...before, ...bound } : undefined, taken };
}

/** Whether every argument that is needed is among those given; what is missing is reported. */
export function hasAll(
  callee: string,
  schema: Schema,
  given: { has(name: string): boolean },
  span: Span,
  site: Site,
  help?: string,
): boolean {
  const missing = Object.keys(schema).filter((name) => schema[name]!.presence === "required" && !given.has(name));
  for (const name of missing) fail(site, "missing-argument", span, `${callee} needs \`${name}\``, { help });
  return missing.length === 0;
}

/** Which arguments those without a name are, for who left one out before them. */
function placesTaken(schema: Schema, args: readonly Written[], before: LayerArguments): string | undefined {
  const names = Object.keys(schema).filter((name) => !Object.hasOwn(before, name));
  const count = args.filter(({ name, strideShorthand }) => !name && !strideShorthand).length;
  if (count === 0 || names.length < 2) return undefined;
  const taken = names.slice(0, count).map((name) => `\`${name}\``);
  return `what is given is its ${taken.join(", ")}; the order is ${names.join(", ")}`;
}

/**
 * Whether arguments of a word, and of the forms in them, go together: no two alternatives, one at least of those that are
 * needed. What is wrong is reported.
 */
export function goTogether(word: Word, values: Readonly<Record<string, unknown>>, span: Span, site: Site): boolean {
  const { name, alternatives = [], needs = [] } = word;
  const said = (names: readonly string[]): readonly string[] => names.filter((each) => saysSomething(values[each]));
  const [first, second] = said(alternatives);
  if (second !== undefined) {
    fail(site, "conflicting-settings", span, `\`${first!}\` of \`${name}\` does not go with \`${second}\``);
  }
  // An empty list is an answer: a recipe whose parameter has what is frozen may be told that nothing is.
  const lacks = needs.length > 0 && !needs.some((each) => Array.isArray(values[each]) || saysSomething(values[each]));
  if (lacks) {
    const help = `\`${name}\` needs ${needs.map((each) => `\`${each}\``).join(" or ")}`;
    fail(site, "missing-argument", span, help);
  }
  const inside = Object.entries(word.arguments).map(([argument, { type }]) => {
    const value = values[argument] as Form | undefined;
    if (type.kind !== "form" || value === undefined) return true;
    return goTogether(type.forms[value.form]!, value.values, span, site);
  });
  return second === undefined && !lacks && inside.every((each) => each);
}

function saysSomething(value: unknown): boolean {
  return value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
}

function reportUnknown(callee: string, written: Written, names: readonly string[], site: Site): void {
  const takes = names.length === 0 ? "it takes none" : `it takes ${names.join(", ")}`;
  if (written.strideShorthand) {
    fail(site, "unknown-argument", written.span, `${callee} has no \`stride\``, { help: takes });
  } else if (written.name) {
    const { text, span } = written.name;
    fail(site, "unknown-argument", span, `${callee} has no \`${text}\``, {
      help: () => didYouMean(text, names) ?? takes,
    });
  } else {
    fail(site, "too-many-arguments", written.span, `too many arguments for ${callee}`, { help: takes });
  }
}

/**
 * `NONE` where the argument is as good as left out.
 *
 * @param what the argument, for messages: "`kernel` of `conv`"
 * @param order all arguments, where this one is taken by its place
 */
function convert(
  what: string,
  { type, ofList }: Argument,
  expression: Expression,
  site: Site,
  order?: readonly string[],
): unknown {
  if (type.kind === "form") return form(what, type.forms, expression, site);
  if (type.kind === "paths") return paths(what, expression, site);
  const words = wordsOf(type);
  if (type.kind === "choice") return word(what, words, expression, site);
  if (words.length > 0 && expression.kind === "name" && !site.environment.lookup(expression.text)) {
    return word(what, words, expression, site);
  }
  const value = evaluate(expression, site);
  site.reporter.budget.spend(1 + sizeOf(value) / 8, expression.span, site.chain);
  if (isUnknown(value)) return undefined;
  if (value === NONE) return value;
  if (type.kind === "label") return label(expression, value, site);
  const read = readAs(type, value);
  if (read === undefined) {
    const code = "keyword" in type ? "wrong-declaration" : "wrong-type";
    const isBroken = type.kind === "integer" && typeof value === "number";
    fail(site, code, expression.span, `${what} must be ${wanted(type)}, not ${describeNumber(value)}`, {
      help: isBroken
        ? MAKES_WHOLE
        : ((isList(value) ? ofList : undefined) ?? (order && `the order is ${order.join(", ")}`)),
    });
    return undefined;
  }
  const beyond = outside(type, read);
  if (!beyond) {
    if (type.kind === "size") warnOfProduct(what, expression, read as readonly number[], site);
    return read;
  }
  fail(site, "out-of-range", expression.span, `${what} must be ${beyond.limit}, not ${beyond.found}`);
  return undefined;
}

/** `3*3` where `3x3` is meant. */
function warnOfProduct(what: string, expression: Expression, [rows, columns]: readonly number[], site: Site): void {
  if (expression.kind !== "binary" || expression.operator !== "*") return;
  const { left, right, span } = expression;
  if (left.kind !== "number" || right.kind !== "number") return;
  fail(site, "probable-slip", span, `${what} is read as a product, ${rows}x${columns}`, {
    help: `a size is written \`${left.value}x${right.value}\`; write \`${rows}\` for this one`,
  });
}

function word(what: string, words: readonly string[], expression: Expression, site: Site): string | None | undefined {
  const written = expression.kind === "name" ? expression.text : undefined;
  if (written !== undefined && words.includes(written)) return written;
  // A parameter may carry the word: `upsample 2, mode`.
  const bound = written !== undefined && site.environment.lookup(written) ? evaluate(expression, site) : undefined;
  // What is called like a function or a layer is a word that is none of these.
  const isName = bound === undefined || isRecord(bound, "function") || isRecord(bound, "layer");
  const value = isName ? (written ?? evaluate(expression, site)) : bound;
  if (typeof value === "string" && words.includes(value)) return value;
  if (value === NONE) return words.includes("none") ? "none" : NONE;
  if (isUnknown(value)) return undefined;
  const found = typeof value === "string" ? `\`${value}\`` : describeKind(value);
  fail(site, "out-of-range", expression.span, `${what} must be ${words.join(" or ")}, not ${found}`, {
    help: () => (typeof value === "string" ? didYouMean(value, words) : undefined),
  });
  return undefined;
}

function form(
  what: string,
  forms: Readonly<Record<string, Word>>,
  expression: Expression,
  site: Site,
): Form | undefined {
  const called = expression.kind === "call" ? expression.callee : expression;
  const name = called.kind === "name" ? called.text : "";
  const found = own(forms, name);
  if (!found) {
    if (called.kind === "missing") return undefined;
    const message = `${what} must be ${Object.keys(forms).join(" or ")}`;
    fail(site, "out-of-range", called.span, message, { help: () => didYouMean(name, Object.keys(forms)) });
    return undefined;
  }
  const args = expression.kind === "call" ? expression.arguments : [];
  const values = bind(`\`${name}\``, found.arguments, args, expression.span, site);
  return values && { form: name, values: completed(found.arguments, values) };
}

/** Paths of stages, blocks and layers, as they are called everywhere: `conv1`, `head.fc`, also as strings and in lists. */
function paths(what: string, expression: Expression, site: Site): readonly string[] | None | undefined {
  if (expression.kind === "list") {
    const found = expression.elements.map((element) => paths(what, element, site));
    return found.every((each) => each !== undefined)
      ? found.flatMap((each) => (each === NONE ? [] : (each as readonly string[])))
      : undefined;
  }
  const path = pathOf(expression, site);
  if (path !== undefined) return [path];
  const value = evaluate(expression, site);
  if (isUnknown(value)) return undefined;
  if (isRecord(value, "none")) return NONE;
  const all = typeof value === "string" ? [value] : listOf(value, (item) => typeof item === "string");
  if (all) return all;
  const message = `${what} must be the names of stages, as \`conv1\` or \`head.fc\`, not ${describeNumber(value)}`;
  fail(site, "wrong-type", expression.span, message);
  return undefined;
}

/** Undefined for what is no path, and where the name stands for a value: a parameter may carry the stages. */
function pathOf(expression: Expression, site: Site): string | undefined {
  if (expression.kind === "member") {
    const object = pathOf(expression.object, site);
    return object === undefined ? undefined : `${object}.${expression.member.text}`;
  }
  if (expression.kind !== "name") return undefined;
  const value = site.environment.lookup(expression.text)?.get();
  const isPath = value === undefined || isRecord(value, "declaration") || isRecord(value, "layer");
  return isPath ? expression.text : undefined;
}

/** The graph's output is called as the label or member is; of a list each by its number too, `maps.0`. */
function label(expression: Expression, value: EvalValue, site: Site): readonly ir.NamedValue[] | undefined {
  const name = labelOf(expression);
  const found = name === undefined ? undefined : namedTensors(name, value);
  if (found) return found;
  const given = name === undefined ? "an expression" : describeKind(value);
  fail(site, "wrong-type", expression.span, `the label of a tensor is needed here, not ${given}`);
  return undefined;
}

function labelOf(expression: Expression): string | undefined {
  if (expression.kind === "name") return expression.text;
  return expression.kind === "member" ? expression.member.text : undefined;
}

function namedTensors(name: string, value: EvalValue): readonly ir.NamedValue[] | undefined {
  if (isRecord(value, "tensor")) return [{ name, value: value.value }];
  if (!isList(value) || value.length === 0) return undefined;
  const parts = value.map((part, index) => namedTensors(`${name}.${index}`, part));
  return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
}

/** The value as the type has it, bounds aside; undefined where it is of another type. */
function readAs(type: ArgumentType, value: EvalValue): unknown {
  switch (type.kind) {
    case "tensor":
      return isRecord(value, "tensor") ? value : undefined;
    case "tensors": {
      const tensors = isRecord(value, "tensor") ? [value] : listOf(value, (item) => isRecord(item, "tensor"));
      return tensors?.length === 0 ? undefined : tensors;
    }
    case "declaration":
      return isDeclared(type.keyword, value) ? value : undefined;
    case "declarations": {
      const { keyword } = type;
      return isDeclared(keyword, value) ? [value] : listOf(value, (item) => isDeclared(keyword, item));
    }
    default: {
      const whole = widened(type, value);
      return isOf(type, whole) ? whole : undefined;
    }
  }
}

/** One value where several are meant: `conv 3, 64`, `subtract 0.5`, `sizes: [32, 64]` of every map. */
function widened(type: ArgumentType, value: EvalValue): unknown {
  const isSingle = typeof value === "number" || typeof value === "string";
  switch (type.kind) {
    case "size":
      return isSingle ? [value, value] : value;
    case "channels":
      return isSingle ? [value, value, value] : value;
    case "numbers":
      return isSingle && !wordsOf(type).includes(value as string) ? [value] : value;
    case "texts":
      return isSingle ? [value] : value;
    case "lists":
      return isList(value) && value.every((item) => typeof item === "number") ? [value] : value;
    default:
      return value;
  }
}

function isDeclared(keyword: string, value: EvalValue): boolean {
  return isRecord(value, "declaration") && value.declaration.keyword === keyword;
}

function listOf<T extends EvalValue>(value: EvalValue, is: (item: EvalValue) => item is T): readonly T[] | undefined;
function listOf(value: EvalValue, is: (item: EvalValue) => boolean): readonly EvalValue[] | undefined;
function listOf(value: EvalValue, is: (item: EvalValue) => boolean): readonly EvalValue[] | undefined {
  return isList(value) && value.every(is) ? value : undefined;
}
