/** How tightly operators bind: read by the parser to build trees, and by the printer to know where parentheses are needed. */
import type { BinaryOperator, Expression } from "./ast.js";

/** Loosest first. All are left-associative but comparisons and `..`, which do not chain. */
export const PRECEDENCE = {
  conditional: 0,
  or: 1,
  and: 2,
  not: 3,
  comparison: 4,
  range: 5,
  sum: 6,
  product: 7,
  negation: 8,
  postfix: 9,
} as const;

export type Precedence = (typeof PRECEDENCE)[keyof typeof PRECEDENCE];

const INFIX: Readonly<Record<BinaryOperator | "..", Precedence>> = {
  or: PRECEDENCE.or,
  and: PRECEDENCE.and,
  "==": PRECEDENCE.comparison,
  "!=": PRECEDENCE.comparison,
  "<": PRECEDENCE.comparison,
  "<=": PRECEDENCE.comparison,
  ">": PRECEDENCE.comparison,
  ">=": PRECEDENCE.comparison,
  "..": PRECEDENCE.range,
  "+": PRECEDENCE.sum,
  "-": PRECEDENCE.sum,
  "*": PRECEDENCE.product,
  "/": PRECEDENCE.product,
  "%": PRECEDENCE.product,
};

export type InfixSymbol = keyof typeof INFIX;

export const precedenceOfInfix = (symbol: InfixSymbol): Precedence => INFIX[symbol];

/** Whether `a op b op c` is an error. */
export const chains = (precedence: Precedence): boolean =>
  precedence !== PRECEDENCE.comparison && precedence !== PRECEDENCE.range;

export function precedenceOf(expression: Expression): Precedence {
  switch (expression.kind) {
    case "conditional":
      return PRECEDENCE.conditional;
    case "binary":
      return INFIX[expression.operator];
    case "range":
      return PRECEDENCE.range;
    case "unary":
      return expression.operator === "not" ? PRECEDENCE.not : PRECEDENCE.negation;
    default:
      return PRECEDENCE.postfix;
  }
}
