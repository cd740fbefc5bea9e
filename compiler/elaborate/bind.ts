/** The arguments of layers and settings, which are described by tables rather than declared in the language. */
import type { Argument, Expression, Span } from "../../grammar/ast.js";
import { didYouMean } from "../diagnostics/suggest.js";
import { describeNumber, evaluate, fail, type Site } from "./evaluate.js";
import { isUnknown, sizeOf } from "./lists.js";
import { describeKind, isList, isRecord, type DeclarationValue, type EvalValue, type TensorValue } from "./values.js";

/** What a table says of an argument; operators' ArgumentSpec is one of these. */
export interface Spec {
  readonly name: string;
  readonly type:
    | "size2"
    | "int"
    | "number"
    | "boolean"
    | "word"
    | "string"
    | "numbers"
    | "channels"
    | "interval"
    | "strings"
    | "stages"
    | "shortcut"
    | "preprocess"
    | "weights"
    | "dialect"
    | "tensor"
    | "value"
    | "values"
    | "lists"
    | "form";
  /** Of a `form`: its words, each with what it takes in parentheses: `sgd(momentum: 0.9)`. */
  readonly forms?: Readonly<Record<string, readonly Spec[]>>;
  /** Of a `word`; of another type, what may stand in its place. */
  readonly words?: readonly string[];
  readonly default?: unknown;
  readonly optional?: true;
  readonly min?: number;
  readonly max?: number;
  /** Takes every argument without a name, from its place on. */
  readonly many?: true;
}

/** `sgd(momentum: 0.9)`: the word, and its arguments with defaults filled in. */
export interface Form {
  readonly kind: "form";
  readonly name: string;
  readonly values: Readonly<Record<string, Bound>>;
}

export type Bound =
  | Form
  | number
  | boolean
  | string
  | readonly number[]
  | readonly string[]
  | DeclarationValue
  | readonly DeclarationValue[]
  | readonly BoundTensor[]
  | TensorValue
  | readonly TensorValue[]
  | readonly (readonly number[])[];

export interface BoundTensor {
  readonly kind: "tensor";
  readonly label: string;
  readonly value: Extract<EvalValue, { kind: "tensor" }>["value"];
}

/**
 * The arguments by name, each checked against its spec; those not given are left out. Undefined after an error, or
 * where a value is unknown because of one that was reported.
 */
export function bind(
  callee: string,
  specs: readonly Spec[],
  args: readonly Argument[],
  span: Span,
  site: Site,
  { partial = false }: { /** Nothing is missing. */ readonly partial?: boolean } = {},
): Readonly<Record<string, Bound>> | undefined {
  const bound: Record<string, Bound> = {};
  const many = specs.findIndex((spec) => spec.many);
  const last = many < 0 ? specs.length - 1 : many;
  const taken = new Set<string>();
  let ok = true;
  let position = 0;
  for (const argument of args) {
    const name = argument.strideShorthand ? "stride" : argument.name?.text;
    let spec = name === undefined ? specs[Math.min(position, last)] : specs.find((s) => s.name === name);
    if (name === undefined) {
      if (position > last && !spec?.many) spec = undefined;
      position++;
    }
    if (!spec) {
      ok = false;
      reportUnknown(callee, argument, specs, site);
      continue;
    }
    if (taken.has(spec.name) && !spec.many) {
      ok = false;
      fail(site, "duplicate-argument", argument.span, `\`${spec.name}\` of ${callee} is given twice`);
      continue;
    }
    taken.add(spec.name);
    const value = convert(callee, spec, argument.value, site);
    if (value === undefined) ok = false;
    else if (spec.many) {
      // Appended, not copied: there may be many.
      const all = (bound[spec.name] ??= []) as never[];
      for (const one of value as never[]) all.push(one);
    } else bound[spec.name] = value;
  }
  if (!partial && !hasAll(callee, specs, taken, span, site)) ok = false;
  return ok ? bound : undefined;
}

/** Whether every argument that is needed is among those given; what is missing is reported. */
export function hasAll(
  callee: string,
  specs: readonly Spec[],
  given: { has(name: string): boolean },
  span: Span,
  site: Site,
): boolean {
  const missing = specs.filter((spec) => !given.has(spec.name) && !spec.optional && spec.default === undefined);
  for (const { name } of missing) fail(site, "missing-argument", span, `${callee} needs \`${name}\``);
  return missing.length === 0;
}

function reportUnknown(callee: string, argument: Argument, specs: readonly Spec[], site: Site): void {
  const names = specs.map((spec) => spec.name);
  const takes = names.length === 0 ? "it takes none" : `it takes ${names.join(", ")}`;
  if (argument.strideShorthand) {
    fail(site, "unknown-argument", argument.span, `${callee} has no \`stride\``, { help: takes });
  } else if (argument.name) {
    const { text, span } = argument.name;
    fail(site, "unknown-argument", span, `${callee} has no \`${text}\``, {
      help: () => didYouMean(text, names) ?? takes,
    });
  } else {
    fail(site, "too-many-arguments", argument.span, `too many arguments for ${callee}`, { help: takes });
  }
}

function convert(callee: string, spec: Spec, expression: Expression, site: Site): Bound | undefined {
  if (spec.type === "word") return word(callee, spec, expression, site);
  if (spec.type === "form") return form(callee, spec, expression, site);
  if (spec.type === "stages") return stages(callee, spec, expression, site);
  if (spec.words && expression.kind === "name" && !site.environment.lookup(expression.text)) {
    return spec.words.includes(expression.text) ? expression.text : word(callee, spec, expression, site);
  }
  const value = evaluate(expression, site);
  site.reporter.budget.spend(1 + sizeOf(value) / 8, expression.span, site.chain);
  if (isUnknown(value)) return undefined;
  if (spec.type === "tensor") return tensor(expression, value, site);
  const [wanted, read] = CONVERSIONS[spec.type];
  const converted = read(value);
  if (converted === undefined) {
    const message = `\`${spec.name}\` of ${callee} must be ${wanted}, not ${describeNumber(value)}`;
    fail(site, isDeclarationType(spec.type) ? "wrong-declaration" : "wrong-type", expression.span, message);
    return undefined;
  }
  // Beyond that whole numbers are rounded to others.
  const largest = spec.type === "int" || spec.type === "size2" ? Number.MAX_SAFE_INTEGER : Infinity;
  for (const number of numbersOf(converted)) {
    const limit =
      number < (spec.min ?? -Infinity)
        ? `at least ${spec.min}`
        : number > (spec.max ?? largest)
          ? `at most ${spec.max ?? largest}`
          : undefined;
    if (limit === undefined) continue;
    fail(site, "out-of-range", expression.span, `\`${spec.name}\` of ${callee} must be ${limit}, not ${number}`);
    return undefined;
  }
  return converted;
}

function word(callee: string, spec: Spec, expression: Expression, site: Site): string | undefined {
  const words = spec.words ?? [];
  const written = expression.kind === "name" ? expression.text : undefined;
  if (written !== undefined && words.includes(written)) return written;
  // A parameter may carry the word: `upsample 2, mode`.
  const value = written !== undefined && !site.environment.lookup(written) ? written : evaluate(expression, site);
  if (typeof value === "string" && words.includes(value)) return value;
  if (isUnknown(value)) return undefined;
  const found = typeof value === "string" ? `\`${value}\`` : describeKind(value);
  fail(
    site,
    "out-of-range",
    expression.span,
    `\`${spec.name}\` of ${callee} must be ${words.join(" or ")}, not ${found}`,
    {
      help: () => (typeof value === "string" ? didYouMean(value, words) : undefined),
    },
  );
  return undefined;
}

function form(callee: string, spec: Spec, expression: Expression, site: Site): Form | undefined {
  const forms = spec.forms ?? {};
  const called = expression.kind === "call" ? expression.callee : expression;
  const name = called.kind === "name" ? called.text : "";
  const specs = Object.hasOwn(forms, name) ? forms[name] : undefined;
  if (!specs) {
    if (called.kind === "missing") return undefined;
    const message = `\`${spec.name}\` of ${callee} must be ${Object.keys(forms).join(" or ")}`;
    fail(site, "out-of-range", called.span, message, { help: () => didYouMean(name, Object.keys(forms)) });
    return undefined;
  }
  const args = expression.kind === "call" ? expression.arguments : [];
  const values = bind(`\`${name}\``, specs, args, expression.span, site);
  if (!values) return undefined;
  const defaults = specs.flatMap((one) =>
    one.default === undefined ? [] : [[one.name, one.default as Bound] as const],
  );
  return { kind: "form", name, values: { ...Object.fromEntries(defaults), ...values } };
}

/** Paths of stages, blocks and layers, as they are called everywhere: `conv1`, `head.fc`, also as strings and in lists. */
function stages(callee: string, spec: Spec, expression: Expression, site: Site): readonly string[] | undefined {
  if (expression.kind === "list") {
    const found = expression.elements.map((element) => stages(callee, spec, element, site));
    return found.every((each) => each !== undefined) ? found.flat() : undefined;
  }
  const path = pathOf(expression, site);
  if (path !== undefined) return [path];
  const value = evaluate(expression, site);
  if (isUnknown(value)) return undefined;
  const paths = typeof value === "string" ? [value] : listOf(value, (item) => typeof item === "string");
  if (paths) return paths;
  const message = `\`${spec.name}\` of ${callee} must be the names of stages, as \`conv1\` or \`head.fc\`, not ${describeNumber(value)}`;
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
  return value === undefined || isRecord(value, "declaration") ? expression.text : undefined;
}

/** A label by its name: the graph's output is called as the label is. */
function tensor(expression: Expression, value: EvalValue, site: Site): readonly BoundTensor[] | undefined {
  if (isRecord(value, "tensor") && expression.kind === "name") {
    return [{ kind: "tensor", label: expression.text, value: value.value }];
  }
  fail(site, "wrong-type", expression.span, `the label of a tensor is needed here, not ${describeKind(value)}`);
  return undefined;
}

type Conversion = readonly [wanted: string, read: (value: EvalValue) => Bound | undefined];
type DeclarationType = "shortcut" | "preprocess" | "weights" | "dialect";

const isWhole = (value: EvalValue): value is number => typeof value === "number" && Number.isInteger(value);
const listOf = <T extends EvalValue>(value: EvalValue, is: (item: EvalValue) => item is T): readonly T[] | undefined =>
  isList(value) && value.every(is) ? value : undefined;
const isDeclarationType = (type: Spec["type"]): type is DeclarationType =>
  type === "shortcut" || type === "preprocess" || type === "weights" || type === "dialect";
const declared =
  (keyword: DeclarationType) =>
  (value: EvalValue): DeclarationValue | undefined =>
    isRecord(value, "declaration") && value.declaration.keyword === keyword ? value : undefined;

const CONVERSIONS: Readonly<Record<Exclude<Spec["type"], "word" | "tensor" | "form" | "stages">, Conversion>> = {
  size2: [
    "a whole number or a size such as `3x3`",
    (value) => {
      if (isWhole(value)) return [value, value];
      const sizes = listOf(value, isWhole);
      return sizes?.length === 2 ? sizes : undefined;
    },
  ],
  int: ["a whole number", (value) => (isWhole(value) ? value : undefined)],
  number: ["a number", (value) => (typeof value === "number" ? value : undefined)],
  boolean: ["true or false", (value) => (typeof value === "boolean" ? value : undefined)],
  string: ["a string", (value) => (typeof value === "string" ? value : undefined)],
  numbers: [
    "a list of numbers",
    (value) => (typeof value === "number" ? [value] : listOf(value, (item) => typeof item === "number")),
  ],
  channels: [
    "a number, or a list of three (of grey, of one)",
    (value) => {
      if (typeof value === "number") return [value, value, value];
      const numbers = listOf(value, (item) => typeof item === "number");
      return numbers?.length === 3 || numbers?.length === 1 ? numbers : undefined;
    },
  ],
  interval: [
    "a list of two numbers, the smaller first",
    (value) => {
      const [low, high, ...others] = listOf(value, (item) => typeof item === "number") ?? [];
      return low !== undefined && high !== undefined && low <= high && others.length === 0 ? [low, high] : undefined;
    },
  ],
  strings: [
    "a string or a list of strings",
    (value) => (typeof value === "string" ? [value] : listOf(value, (item) => typeof item === "string")),
  ],
  value: ["a tensor", (value) => (isRecord(value, "tensor") ? value : undefined)],
  values: [
    "a tensor or a list of tensors",
    (value) => {
      const tensors = isRecord(value, "tensor") ? [value] : listOf(value, (item) => isRecord(item, "tensor"));
      return tensors?.length === 0 ? undefined : tensors;
    },
  ],
  lists: [
    "a list of numbers, or one for each map",
    (value) => {
      const flat = listOf(value, (item) => typeof item === "number");
      if (flat) return [flat];
      const lists = listOf(value, isList)?.map((item) => listOf(item, (one) => typeof one === "number"));
      return lists?.every((list) => list !== undefined) ? lists : undefined;
    },
  ],
  shortcut: ["a shortcut", declared("shortcut")],
  preprocess: ["a preprocess declaration", declared("preprocess")],
  dialect: ["a dialect", declared("dialect")],
  weights: [
    "a weights declaration",
    (value) => {
      const one = declared("weights")(value);
      if (one) return [one];
      return listOf(value, (item): item is DeclarationValue => declared("weights")(item) !== undefined);
    },
  ],
};

function numbersOf(value: Bound): readonly number[] {
  if (typeof value === "number") return [value];
  return Array.isArray(value) ? value.filter((item): item is number => typeof item === "number") : [];
}
