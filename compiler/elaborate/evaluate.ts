/** Expressions to values. Errors are reported where they stand and give {@link UNKNOWN}. */
import type {
  Argument,
  Assert,
  BinaryExpression,
  BinaryOperator,
  Expression,
  Identifier,
  Span,
} from "../../grammar/ast.js";
import { didYouMean } from "../diagnostics/suggest.js";
import { own } from "../../grammar/own.js";
import { equalDims } from "../ir/dim.js";
import { applyArguments, callFunction, stageNames } from "./declarations.js";
import { FUNCTIONS } from "./functions.js";
import { isUnknown, joinText, listOf, makeList, sizeOf } from "./lists.js";
import { fail, unknownName, type Site } from "./site.js";
import {
  describeKind,
  formatValue,
  isList,
  isRecord,
  UNKNOWN,
  type DeclarationValue,
  type EvalValue,
  type TensorValue,
} from "./values.js";

export function evaluate(expression: Expression, site: Site): EvalValue {
  const { budget } = site.reporter;
  budget.spend(1, expression.span, site.chain);
  budget.enter(expression.span, site.chain);
  const value = evaluateKind(expression, site);
  budget.leave();
  return value;
}

function evaluateKind(expression: Expression, site: Site): EvalValue {
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
      return makeList(
        expression.elements.length,
        () => expression.elements.map((element) => evaluate(element, site)),
        expression.span,
        site,
      );
    case "name": {
      const binding = site.environment.lookup(expression.text);
      if (binding) return binding.get();
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

export const MAKES_WHOLE = "`floor(...)`, `ceil(...)` and `round(...)` make a whole number";

/** A whole number of at least `min`. */
export function evaluateWhole(expression: Expression, site: Site, what: string, min: number): number | undefined {
  const value = evaluate(expression, site);
  if (isUnknown(value)) return undefined;
  if (typeof value !== "number" || !Number.isInteger(value)) {
    fail(site, "wrong-type", expression.span, `${what} must be a whole number, not ${describeNumber(value)}`, {
      help: typeof value === "number" ? MAKES_WHOLE : undefined,
    });
    return undefined;
  }
  if (value < min) {
    fail(site, "out-of-range", expression.span, `${what} must be at least ${min}, not ${value}`);
    return undefined;
  }
  if (value > Number.MAX_SAFE_INTEGER) {
    fail(site, "out-of-range", expression.span, `${what} must be at most ${Number.MAX_SAFE_INTEGER}, not ${value}`);
    return undefined;
  }
  return value;
}

/** A whole number that is exactly what was meant: beyond 2^53 others are rounded to it. */
export function isWhole(value: EvalValue): value is number {
  return typeof value === "number" && Number.isSafeInteger(value);
}

/** `a, b, c`: of many the first. */
export function enumerate(names: readonly string[]): string {
  const most = 20;
  const more = names.length > most ? `, and ${names.length - most} more` : "";
  return names.slice(0, most).join(", ") + more;
}

/** "3.5" says more than "a number". */
export function describeNumber(value: EvalValue): string {
  return typeof value === "number" ? String(value) : describeKind(value);
}

export function wrongType(wanted: string, value: EvalValue, span: Span, site: Site): typeof UNKNOWN {
  if (isUnknown(value)) return UNKNOWN;
  return fail(site, "wrong-type", span, `${wanted} is needed here, not ${describeNumber(value)}`);
}

/** What can be asked of any tensor. */
export const TENSOR_MEMBERS: Readonly<Record<string, (tensor: TensorValue) => EvalValue>> = {
  channels: (tensor) => size(tensor, 1),
  height: (tensor) => size(tensor, 2),
  width: (tensor) => size(tensor, 3),
  residuals: (tensor) => tensor.residuals ?? 0,
  stride: (tensor) => (tensor.scale[0] === tensor.scale[1] ? tensor.scale[0] : tensor.scale),
  shape: (tensor) => tensor.value.type.shape.map((dim) => (typeof dim === "number" ? dim : { kind: "size", dim })),
};

function size(tensor: TensorValue, axis: number): EvalValue {
  const dim = tensor.value.type.shape[axis];
  if (dim === undefined) return 1;
  return typeof dim === "number" ? dim : { kind: "size", dim };
}

export function member(object: EvalValue, name: Identifier, site: Site): EvalValue {
  if (isUnknown(object)) return UNKNOWN;
  if (isRecord(object, "tensor")) {
    const labelled = object.members?.get(name.text);
    if (labelled !== undefined) return labelled;
    const read = own(TENSOR_MEMBERS, name.text);
    if (read) return read(object);
    return unknownMember("a tensor", name, [...(object.members?.keys() ?? []), ...Object.keys(TENSOR_MEMBERS)], site);
  }
  // Of the results of a part that was applied to several tensors: the member of each.
  if (isList(object) && object.length > 0 && object.every((item) => isRecord(item, "tensor"))) {
    return makeList(object.length, () => object.map((item) => member(item, name, site)), name.span, site);
  }
  if (isRecord(object, "declaration")) {
    const stages = stageNames(object, site);
    if (stages === undefined) return UNKNOWN;
    site.reporter.budget.spend(stages.length / 32, name.span, site.chain);
    if (stages.includes(name.text)) return { kind: "part", network: object, from: name.text, to: name.text };
    return unknownMember(describeKind(object), name, stages, site);
  }
  if (isRecord(object, "record")) {
    const found = object.members.get(name.text);
    return found ?? unknownMember(object.of, name, [...object.members.keys()], site);
  }
  return unknownMember(describeKind(object), name, [], site);
}

function unknownMember(owner: string, name: Identifier, known: readonly string[], site: Site): typeof UNKNOWN {
  const help = (): string | undefined =>
    didYouMean(name.text, known) ?? (known.length > 0 ? `it has ${enumerate(known)}` : undefined);
  return fail(site, "unknown-member", name.span, `${owner} has no \`${name.text}\``, { help });
}

function index(object: EvalValue, objectExpression: Expression, at: Expression, site: Site): EvalValue {
  const position = evaluateWhole(at, site, "an index", 0);
  if (object === UNKNOWN || position === undefined) return UNKNOWN;
  const list = listOf(object);
  if (!list) return wrongType("a list", object, objectExpression.span, site);
  const element = list[position];
  if (element !== undefined) return element;
  return fail(site, "out-of-range", at.span, `index ${position} is outside a list of ${list.length}`, {
    help: `indexes begin at 0${list.length > 0 ? `; the last here is ${list.length - 1}` : ""}`,
  });
}

function call(expression: Extract<Expression, { kind: "call" }>, site: Site): EvalValue {
  const callee = evaluate(expression.callee, site);
  if (isUnknown(callee)) {
    for (const argument of expression.arguments) evaluate(argument.value, site);
    return UNKNOWN;
  }
  if (isRecord(callee, "declaration")) return applied(callee, expression.arguments, expression.span, site);
  if (isRecord(callee, "layer")) return callee.with(expression.arguments, site);
  if (!isRecord(callee, "function")) {
    return fail(site, "wrong-type", expression.callee.span, `${describeKind(callee)} can't be called`);
  }
  const definition = own(FUNCTIONS, callee.name);
  if (!definition) return UNKNOWN;
  const values: number[] = [];
  let broken = false;
  for (const argument of expression.arguments) {
    if (argument.name) {
      fail(site, "unknown-argument", argument.name.span, `\`${callee.name}\` takes no named arguments`);
      broken = true;
    }
    const value = evaluate(argument.value, site);
    site.reporter.budget.spend(sizeOf(value) / 8, argument.span, site.chain);
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

/** A declaration with more arguments; of a function what it gives. */
export function applied(callee: DeclarationValue, args: readonly Argument[], span: Span, site: Site): EvalValue {
  const found = applyArguments(callee, args, site);
  if (found?.declaration.keyword !== "let") return found ?? UNKNOWN;
  return callFunction(found, span, site) ?? UNKNOWN;
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
  if (operator === "==" || operator === "!=") return sameValue(left, right, span, site) === (operator === "==");
  if (operator === "+" && typeof left === "string" && typeof right === "string") {
    return joinText(left, right, span, site);
  }
  if (operator === "+" && isList(left) && isList(right)) {
    return makeList(left.length + right.length, () => [...left, ...right], span, site);
  }
  if (operator === "+" && [left, right].some(isText) && [left, right].some((each) => typeof each === "number")) {
    const number = typeof left === "number" ? expression.left : expression.right;
    return fail(site, "wrong-type", number.span, "a string is needed here, not a number", {
      help: "`text(...)` makes a string of a number",
    });
  }
  if (typeof left !== "number") return wrongType("a number", left, expression.left.span, site);
  if (typeof right !== "number") return wrongType("a number", right, expression.right.span, site);
  if ((operator === "/" || operator === "%") && right === 0) {
    return fail(site, "division-by-zero", span, `${left} ${operator} 0 has no value`);
  }
  const result = ARITHMETIC[operator]?.(left, right);
  if (result === undefined) return UNKNOWN;
  return typeof result === "boolean" ? result : finite(result, span, site);
}

const isText = (value: EvalValue): boolean => typeof value === "string";

function finite(value: number | string, span: Span, site: Site): EvalValue {
  return typeof value === "string" || Number.isFinite(value)
    ? value
    : fail(site, "out-of-range", span, "the result is not a finite number");
}

/** Goes through both with a stack of its own, and pays for what it looks at. */
export function sameValue(a: EvalValue, b: EvalValue, span: Span, site: Site): boolean {
  const pairs: [EvalValue, EvalValue][] = [[a, b]];
  for (let pair = pairs.pop(); pair; pair = pairs.pop()) {
    const [left, right] = pair;
    site.reporter.budget.spend(0.25, span, site.chain);
    if (left === right) continue;
    if (isList(left) && isList(right)) {
      if (left.length !== right.length) return false;
      left.forEach((item, i) => pairs.push([item, right[i] ?? UNKNOWN]));
    } else if (isList(left) || isList(right) || typeof left !== "object" || typeof right !== "object") return false;
    else if (left.kind === "declaration" && right.kind === "declaration") {
      if (left.declaration !== right.declaration || left.given.size !== right.given.size) return false;
      for (const [name, value] of left.given) pairs.push([value, right.given.get(name) ?? UNKNOWN]);
    } else if (left.kind === "layer" && right.kind === "layer") {
      if (left.word !== right.word || Object.keys(left.given).length !== Object.keys(right.given).length) return false;
      // Bound arguments of layers are numbers, words, tensors and lists of them.
      for (const [name, value] of Object.entries(left.given as Readonly<Record<string, EvalValue>>)) {
        pairs.push([value, (right.given[name] as EvalValue | undefined) ?? UNKNOWN]);
      }
    } else if (left.kind === "part" && right.kind === "part") {
      if (left.from !== right.from || left.to !== right.to) return false;
      pairs.push([left.network, right.network]);
    } else if (left.kind === "size" && right.kind === "size") {
      if (!equalDims(left.dim, right.dim)) return false;
    } else if (left.kind === "symbol" && right.kind === "symbol") {
      if (left.name !== right.name) return false;
    } else return false;
  }
  return true;
}

function range(fromExpression: Expression, toExpression: Expression, span: Span, site: Site): EvalValue {
  const from = evaluate(fromExpression, site);
  const to = evaluate(toExpression, site);
  if (isUnknown(from) || isUnknown(to)) return UNKNOWN;
  if (isRecord(from, "part") && isRecord(to, "part")) {
    if (from.network.declaration === to.network.declaration) return { ...from, to: to.to };
    return fail(site, "wrong-type", span, "both ends must be stages of one network");
  }
  if (!isWhole(from)) return wrongType("a whole number", from, fromExpression.span, site);
  if (!isWhole(to)) return wrongType("a whole number", to, toExpression.span, site);
  const length = Math.max(0, to - from + 1);
  return makeList(length, () => Array.from({ length }, (_, i) => from + i), span, site);
}

/** False after a failed assertion, which is reported with its message; lines after the first are its help. */
export function checkAssertion(statement: Assert, site: Site): boolean {
  if (evaluateBoolean(statement.condition, site) !== false) return true;
  const message = statement.message ? evaluate(statement.message, site) : undefined;
  const text =
    typeof message === "string" ? interpolate(message, statement.condition.span, site) : "the assertion is false";
  const [first = "", ...help] = text.split("\n");
  fail(site, "assertion-failed", statement.condition.span, first, help.length > 0 ? { help: help.join(" ") } : {});
  return false;
}

/** Characters of a message of an assertion. */
const LONGEST_MESSAGE = 2000;

/** `{name}` and `{input.channels}` in a message, by their values. */
function interpolate(text: string, span: Span, site: Site): string {
  const { budget } = site.reporter;
  const hole = /\{\s*([A-Za-z_]\w*)(?:\.([A-Za-z_]\w*))?\s*\}/g;
  let [result, end] = ["", 0];
  budget.spend(text.length / 32, span, site.chain);
  for (const match of text.matchAll(hole)) {
    result += text.slice(end, match.index) + valueOf(match, site);
    end = match.index + match[0].length;
    budget.spend(4, span, site.chain);
    if (result.length > LONGEST_MESSAGE) return `${result.slice(0, LONGEST_MESSAGE)}...`;
  }
  return result + text.slice(end);
}

function valueOf([written, name = "", field]: RegExpExecArray, site: Site): string {
  const value = site.environment.lookup(name)?.get();
  if (value === undefined) return written;
  if (field === undefined) return formatValue(value);
  const read = isRecord(value, "tensor") ? own(TENSOR_MEMBERS, field) : undefined;
  return read && isRecord(value, "tensor") ? formatValue(read(value)) : written;
}
