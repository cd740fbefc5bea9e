/** Expressions to values. Errors are reported where they stand and give {@link UNKNOWN}. */
import type { Assert, BinaryExpression, BinaryOperator, Expression, Identifier, Span } from "../../grammar/ast.js";
import type { Code } from "../diagnostics/codes.js";
import type { Frame } from "../diagnostics/diagnostic.js";
import type { Details, Reporter } from "../diagnostics/reporter.js";
import { didYouMean } from "../diagnostics/suggest.js";
import { equalDims } from "../ir/dim.js";
import { applyArguments, stageNames } from "./declarations.js";
import type { Environment } from "./environment.js";
import { FUNCTIONS } from "./functions.js";
import { describeKind, formatValue, isList, isRecord, UNKNOWN, type EvalValue, type TensorValue } from "./values.js";

/** Where an expression is evaluated: what its names mean, and the chain of instantiations to report. */
export interface Site {
  readonly reporter: Reporter;
  readonly environment: Environment;
  readonly chain: readonly Frame[];
  /** The statement or expression to blame for what can't be blamed on a part of it. */
  readonly at?: Span;
}

export function fail(site: Site, code: Code, span: Span, message: string, details: Details = {}): typeof UNKNOWN {
  site.reporter.report(code, span, message, { chain: site.chain, ...details });
  return UNKNOWN;
}

/** Lists made by ranges stop here: no network has more of anything. */
const LONGEST_LIST = 100_000;

export function evaluate(expression: Expression, site: Site): EvalValue {
  switch (expression.kind) {
    case "number":
    case "string":
    case "boolean":
      return expression.value;
    case "missing":
      return UNKNOWN;
    case "dimensions":
      return expression.values.map((size) => (typeof size === "number" ? size : { kind: "symbol", name: size }));
    case "list":
      return expression.elements.map((element) => evaluate(element, site));
    case "name": {
      const binding = site.environment.lookup(expression.text);
      if (binding) return binding.get();
      if (expression.text in FUNCTIONS) return { kind: "function", name: expression.text };
      return unknownName(expression.text, expression.span, site);
    }
    case "member":
      return member(evaluate(expression.object, site), expression.member, site);
    case "index":
      return index(evaluate(expression.object, site), expression.object, expression.index, site);
    case "call":
      return call(expression, site);
    case "unary": {
      const operand = evaluate(expression.operand, site);
      if (isUnknown(operand)) return UNKNOWN;
      if (expression.operator === "not") {
        return typeof operand === "boolean"
          ? !operand
          : wrongType("true or false", operand, expression.operand.span, site);
      }
      return typeof operand === "number" ? -operand : wrongType("a number", operand, expression.operand.span, site);
    }
    case "binary":
      return binary(expression, site);
    case "conditional": {
      const condition = evaluateBoolean(expression.condition, site);
      return condition === undefined ? UNKNOWN : evaluate(condition ? expression.then : expression.else, site);
    }
    case "range":
      return range(expression.from, expression.to, expression.span, site);
  }
}

export function evaluateBoolean(expression: Expression, site: Site): boolean | undefined {
  const value = evaluate(expression, site);
  if (typeof value === "boolean") return value;
  if (!isUnknown(value)) wrongType("true or false", value, expression.span, site);
  return undefined;
}

/** A whole number of at least `min`. */
export function evaluateWhole(expression: Expression, site: Site, what: string, min: number): number | undefined {
  const value = evaluate(expression, site);
  if (isUnknown(value)) return undefined;
  if (typeof value !== "number" || !Number.isInteger(value)) {
    fail(site, "wrong-type", expression.span, `${what} must be a whole number, not ${describeNumber(value)}`);
    return undefined;
  }
  if (value < min) {
    fail(site, "out-of-range", expression.span, `${what} must be at least ${min}, not ${value}`);
    return undefined;
  }
  return value;
}

export function isUnknown(value: EvalValue): value is typeof UNKNOWN {
  return value === UNKNOWN || (isList(value) && value.some(isUnknown));
}

export function unknownName(
  name: string,
  span: Span,
  site: Site,
  names: Iterable<string> = [...site.environment.names(), ...Object.keys(FUNCTIONS)],
): typeof UNKNOWN {
  if (site.reporter.hasReported("unknown-name", span)) return UNKNOWN;
  return fail(site, "unknown-name", span, `nothing here is called \`${name}\``, { help: didYouMean(name, names) });
}

/** "3.5" says more than "a number". */
export function describeNumber(value: EvalValue): string {
  return typeof value === "number" ? String(value) : describeKind(value);
}

export function wrongType(wanted: string, value: EvalValue, span: Span, site: Site): typeof UNKNOWN {
  if (isUnknown(value)) return UNKNOWN;
  return fail(site, "wrong-type", span, `${wanted} is needed here, not ${describeNumber(value)}`);
}

const TENSOR_MEMBERS: Readonly<Record<string, (tensor: TensorValue) => EvalValue>> = {
  channels: (tensor) => size(tensor, 1),
  height: (tensor) => size(tensor, 2),
  width: (tensor) => size(tensor, 3),
  stride: (tensor) => (tensor.scale[0] === tensor.scale[1] ? tensor.scale[0] : tensor.scale),
};

function size(tensor: TensorValue, axis: number): EvalValue {
  const dim = tensor.value.type.shape[axis];
  if (dim === undefined) return 1;
  return typeof dim === "number" ? dim : { kind: "size", dim };
}

export function member(object: EvalValue, name: Identifier, site: Site): EvalValue {
  if (isUnknown(object)) return UNKNOWN;
  if (isRecord(object, "tensor")) {
    const own = object.members?.get(name.text);
    if (own !== undefined) return own;
    const read = TENSOR_MEMBERS[name.text];
    if (read) return read(object);
    return unknownMember("a tensor", name, [...(object.members?.keys() ?? []), ...Object.keys(TENSOR_MEMBERS)], site);
  }
  // Of the results of a part that was applied to several tensors: the member of each.
  if (isList(object) && object.length > 0 && object.every((item) => isRecord(item, "tensor"))) {
    return object.map((item) => member(item, name, site));
  }
  if (isRecord(object, "declaration")) {
    const stages = stageNames(object, site);
    if (stages === undefined) return UNKNOWN;
    if (stages.includes(name.text)) return { kind: "part", network: object, from: name.text, to: name.text };
    return unknownMember(describeKind(object), name, stages, site);
  }
  return unknownMember(describeKind(object), name, [], site);
}

function unknownMember(owner: string, name: Identifier, known: readonly string[], site: Site): typeof UNKNOWN {
  const help = didYouMean(name.text, known) ?? (known.length > 0 ? `it has ${known.join(", ")}` : undefined);
  return fail(site, "unknown-member", name.span, `${owner} has no \`${name.text}\``, { help });
}

function index(object: EvalValue, objectExpression: Expression, at: Expression, site: Site): EvalValue {
  const position = evaluateWhole(at, site, "an index", 0);
  if (object === UNKNOWN || position === undefined) return UNKNOWN;
  if (!isList(object)) return wrongType("a list", object, objectExpression.span, site);
  const element = object[position];
  if (element !== undefined) return element;
  return fail(site, "out-of-range", at.span, `index ${position} is outside a list of ${object.length}`, {
    help: `indexes begin at 0${object.length > 0 ? `; the last here is ${object.length - 1}` : ""}`,
  });
}

function call(expression: Extract<Expression, { kind: "call" }>, site: Site): EvalValue {
  const callee = evaluate(expression.callee, site);
  if (isUnknown(callee)) {
    for (const argument of expression.arguments) evaluate(argument.value, site);
    return UNKNOWN;
  }
  if (isRecord(callee, "declaration")) return applyArguments(callee, expression.arguments, site) ?? UNKNOWN;
  if (!isRecord(callee, "function")) {
    return fail(site, "wrong-type", expression.callee.span, `${describeKind(callee)} can't be called`);
  }
  const definition = FUNCTIONS[callee.name];
  if (!definition) return UNKNOWN;
  const values: number[] = [];
  let broken = false;
  for (const argument of expression.arguments) {
    if (argument.name) {
      fail(site, "unknown-argument", argument.name.span, `\`${callee.name}\` takes no named arguments`);
      broken = true;
    }
    const value = evaluate(argument.value, site);
    for (const item of isList(value) ? value : [value]) {
      if (typeof item === "number") values.push(item);
      else {
        if (callee.name === "len" && !isUnknown(item)) values.push(0);
        else broken = wrongType("a number", item, argument.span, site) === UNKNOWN;
      }
    }
  }
  if (broken) return UNKNOWN;
  const [fewest, most] = definition.arity;
  if (values.length < fewest) {
    return fail(site, "missing-argument", expression.span, `\`${callee.name}\` needs a number`);
  }
  if (values.length > most) {
    return fail(site, "too-many-arguments", expression.span, `\`${callee.name}\` takes ${most}, not ${values.length}`);
  }
  return finite(definition.apply(...values), expression.span, site);
}

const ARITHMETIC: Partial<Record<BinaryOperator, (a: number, b: number) => number | boolean>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "%": (a, b) => ((a % b) + b) % b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
};

function binary(expression: BinaryExpression, site: Site): EvalValue {
  const { operator, span } = expression;
  if (operator === "and" || operator === "or") {
    const left = evaluateBoolean(expression.left, site);
    if (left === undefined || left === (operator === "or")) return left ?? UNKNOWN;
    return evaluateBoolean(expression.right, site) ?? UNKNOWN;
  }
  const left = evaluate(expression.left, site);
  const right = evaluate(expression.right, site);
  if (isUnknown(left) || isUnknown(right)) return UNKNOWN;
  if (operator === "==" || operator === "!=") return sameValue(left, right) === (operator === "==");
  if (operator === "+" && typeof left === "string" && typeof right === "string") return left + right;
  if (operator === "+" && isList(left) && isList(right)) return [...left, ...right];
  if (typeof left !== "number") return wrongType("a number", left, expression.left.span, site);
  if (typeof right !== "number") return wrongType("a number", right, expression.right.span, site);
  if ((operator === "/" || operator === "%") && right === 0) {
    return fail(site, "division-by-zero", span, `${left} ${operator} 0 has no value`);
  }
  const result = ARITHMETIC[operator]?.(left, right);
  if (result === undefined) return UNKNOWN;
  return typeof result === "boolean" ? result : finite(result, span, site);
}

function finite(value: number, span: Span, site: Site): EvalValue {
  return Number.isFinite(value) ? value : fail(site, "out-of-range", span, "the result is not a finite number");
}

function sameValue(a: EvalValue, b: EvalValue): boolean {
  if (isList(a) && isList(b)) return a.length === b.length && a.every((item, i) => sameValue(item, b[i] ?? UNKNOWN));
  if (isList(a) || isList(b) || typeof a !== "object" || typeof b !== "object") return a === b;
  if (a.kind === "declaration" && b.kind === "declaration") {
    return a.declaration === b.declaration && formatGiven(a.given) === formatGiven(b.given);
  }
  if (a.kind === "size" && b.kind === "size") return equalDims(a.dim, b.dim);
  return a.kind === "symbol" && b.kind === "symbol" ? a.name === b.name : a === b;
}

function formatGiven(given: ReadonlyMap<string, EvalValue>): string {
  return [...given]
    .map(([name, value]) => `${name}: ${formatValue(value)}`)
    .sort()
    .join(", ");
}

function range(fromExpression: Expression, toExpression: Expression, span: Span, site: Site): EvalValue {
  const from = evaluate(fromExpression, site);
  const to = evaluate(toExpression, site);
  if (isUnknown(from) || isUnknown(to)) return UNKNOWN;
  if (isRecord(from, "part") && isRecord(to, "part")) {
    if (from.network.declaration === to.network.declaration) return { ...from, to: to.to };
    return fail(site, "wrong-type", span, "both ends must be stages of one network");
  }
  if (typeof from !== "number" || !Number.isInteger(from))
    return wrongType("a whole number", from, fromExpression.span, site);
  if (typeof to !== "number" || !Number.isInteger(to)) return wrongType("a whole number", to, toExpression.span, site);
  if (to - from >= LONGEST_LIST)
    return fail(site, "too-large", span, `a range of ${to - from + 1} numbers is beyond reason`);
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
}

/** False after a failed assertion, which is reported with its message. */
export function checkAssertion(statement: Assert, site: Site): boolean {
  if (evaluateBoolean(statement.condition, site) !== false) return true;
  const message = statement.message ? evaluate(statement.message, site) : undefined;
  const text = typeof message === "string" ? interpolate(message, site) : "the assertion is false";
  fail(site, "assertion-failed", statement.condition.span, text);
  return false;
}

/** `{name}` and `{input.channels}` in a message, by their values. */
function interpolate(text: string, site: Site): string {
  return text.replace(/\{\s*([A-Za-z_]\w*)(?:\.([A-Za-z_]\w*))?\s*\}/g, (written, name: string, field?: string) => {
    const value = site.environment.lookup(name)?.get();
    if (value === undefined) return written;
    if (field === undefined) return formatValue(value);
    const read = isRecord(value, "tensor") ? TENSOR_MEMBERS[field] : undefined;
    return read && isRecord(value, "tensor") ? formatValue(read(value)) : written;
  });
}
