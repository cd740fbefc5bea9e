import { builders, type Doc } from "./doc.js";
import type { Argument, Expression, Identifier } from "../ast.js";
import { chains, PRECEDENCE, precedenceOf, type Precedence } from "../operators.js";
import type { Context } from "./context.js";
import { flatText } from "./flat.js";
import { bracketed, type Item } from "./sequence.js";

const { group, hardline, indent, line } = builders;

/** An expression, in parentheses where it binds more loosely than its place allows. */
export function expressionDoc(expression: Expression, context: Context, atLeast: number = PRECEDENCE.conditional): Doc {
  const printed = bare(expression, context);
  return precedenceOf(expression) < atLeast ? ["(", printed, ")"] : printed;
}

function bare(expression: Expression, context: Context): Doc {
  const inner = (part: Expression, atLeast?: number): Doc => expressionDoc(part, context, atLeast);
  switch (expression.kind) {
    case "number":
    case "string":
    case "dimensions":
    case "name":
      return expression.text;
    case "boolean":
      return String(expression.value);
    case "missing":
      return "";
    case "list":
      return listDoc(expression, context);
    case "member":
      return [inner(expression.object, PRECEDENCE.postfix), ".", expression.member.text];
    case "index":
      return [inner(expression.object, PRECEDENCE.postfix), "[", inner(expression.index), "]"];
    case "call": {
      const callee = inner(expression.callee, PRECEDENCE.postfix);
      const parts = isLiteral(expression.callee) ? ["(", callee, ")"] : callee;
      return [parts, callDoc(expression.arguments, expression.callee.span.end, expression.span.end, context)];
    }
    case "unary":
      return expression.operator === "not"
        ? ["not ", inner(expression.operand, PRECEDENCE.not)]
        : ["-", inner(expression.operand, PRECEDENCE.negation)];
    case "binary": {
      const own = precedenceOf(expression);
      const { left, operator, right } = expression;
      return infixDoc(inner(left, leftOf(own)), operator, inner(right, own + 1));
    }
    case "range":
      return infixDoc(inner(expression.from, PRECEDENCE.range + 1), "..", inner(expression.to, PRECEDENCE.range + 1));
    case "conditional":
      return isChain(expression)
        ? group(links(expression, inner))
        : group([
            ["if ", inner(expression.condition, PRECEDENCE.or)],
            indent([line, "then ", inner(expression.then, PRECEDENCE.or)]),
            indent([line, "else ", inner(expression.else)]),
          ]);
  }
}

/** `if a then b else if c then d else e` */
function isChain(expression: Expression): boolean {
  return expression.kind === "conditional" && expression.else.kind === "conditional";
}

/** A condition with its value a line, one below the other. */
function links(expression: Expression, inner: (part: Expression, atLeast?: number) => Doc): Doc {
  if (expression.kind !== "conditional") return inner(expression);
  const { condition, then, else: other } = expression;
  const own = ["if ", inner(condition, PRECEDENCE.or), " then ", inner(then, PRECEDENCE.or)];
  return [own, line, "else ", links(other, inner)];
}

/**
 * `let a = ...`: a value that does not fit in the line stands in the next one if it fits there, but for a list, which
 * is broken inside its brackets.
 */
export function valueDoc(head: Doc, value: Expression, column: number, context: Context): Doc {
  const printed = expressionDoc(value, context);
  const flat = flatText(printed, context.width);
  const flatHead = flatText(head, context.width);
  const isLong = flat === undefined || column + (flatHead?.length ?? 0) + " = ".length + flat.length > context.width;
  if (isLong && isChain(value)) return [head, " =", indent([hardline, printed])];
  if (flat !== undefined && flatHead !== undefined && value.kind !== "list") {
    const together = column + flatHead.length + " = ".length + flat.length;
    const below = column + context.indent + flat.length;
    if (together > context.width && below <= context.width) return [head, " =", indent([hardline, printed])];
  }
  return group([head, " = ", printed]);
}

const leftOf = (own: Precedence): number => (chains(own) ? own : own + 1);

const infixDoc = (left: Doc, operator: string, right: Doc): Doc => group([left, ` ${operator}`, indent([line, right])]);

/** Only a name, a call or a list can be called without parentheses around it. */
const isLiteral = ({ kind }: Expression): boolean =>
  kind === "number" || kind === "string" || kind === "dimensions" || kind === "boolean";

const isShort = (element: Expression): boolean =>
  isLiteral(element) || element.kind === "name" || (element.kind === "unary" && isLiteral(element.operand));

function listDoc({ elements, span }: Expression & { kind: "list" }, context: Context): Doc {
  const items = elements.map((element): Item => ({ span: element.span, print: () => expressionDoc(element, context) }));
  const place = { open: span.start + 1, close: span.end - 1 };
  return bracketed("[", items, "]", place, elements.every(isShort) ? "filled" : "listed", context);
}

/** `(64, stride: 2)`; the parentheses stand somewhere between the two places. */
export function callDoc(list: readonly Argument[], start: number, end: number, context: Context): Doc {
  // Comments before the parenthesis are taken with those after it.
  return bracketed("(", argumentItems(list, context), ")", { open: start, close: end }, "listed", context);
}

export const argumentItems = (list: readonly Argument[], context: Context): Item[] =>
  list.map((argument) => ({ span: argument.span, print: () => argumentDoc(argument, context) }));

function argumentDoc({ name, value, strideShorthand }: Argument, context: Context): Doc {
  const printed = expressionDoc(value, context);
  if (strideShorthand === true) return ["/", printed];
  return name === undefined ? printed : [name.text, ": ", printed];
}

export const pathText = (path: readonly Identifier[]): string => path.map(({ text }) => text).join(".");
