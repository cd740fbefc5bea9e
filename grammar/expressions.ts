/** From operands and operators in a row to a tree, by precedence climbing. */
import type { Expression, Span, UnaryExpression } from "./ast.js";
import { chains, PRECEDENCE, precedenceOfInfix, type InfixSymbol } from "./operators.js";

export interface Prefix {
  readonly operator: UnaryExpression["operator"];
  readonly start: number;
}

export interface Operand {
  /** In the order in which they are written. */
  readonly prefixes: readonly Prefix[];
  readonly value: Expression;
}

export interface Infix {
  readonly symbol: InfixSymbol;
  readonly start: number;
  readonly end: number;
}

/** `operands[i]`, `operators[i]`, `operands[i + 1]`, ...: always one operand more than operators. */
export interface Row {
  readonly operands: readonly Operand[];
  readonly operators: readonly Infix[];
}

/** @param onChain is told of every `a < b < c` and `a .. b .. c`, with its second operator. */
export function climb(row: Row, onChain: (operator: Infix) => void): Expression {
  let next = 0;

  const spanning = (first: Span, last: Span): Span => ({ file: first.file, start: first.start, end: last.end });

  function operand(): Expression {
    const item = row.operands[next];
    if (item === undefined) throw new Error("a row has one operand more than operators");
    const negated = (value: Expression, { operator, start }: Prefix): Expression => ({
      kind: "unary",
      operator,
      operand: value,
      span: { file: value.span.file, start, end: value.span.end },
    });
    // `not` reaches further to the right than `-`: not a == -b is not (a == (-b)).
    const lastNot = item.prefixes.findLastIndex(({ operator }) => operator === "not");
    const tight = item.prefixes.slice(lastNot + 1).reduceRight(negated, item.value);
    return lastNot < 0
      ? tight
      : item.prefixes.slice(0, lastNot + 1).reduceRight(negated, binary(tight, PRECEDENCE.comparison));
  }

  /** Extends `left` by the operators ahead that bind at least as tightly as `least`. */
  function binary(left: Expression, least: number): Expression {
    let previous: number | undefined;
    for (;;) {
      const operator = row.operators[next];
      if (operator === undefined) return left;
      const precedence = precedenceOfInfix(operator.symbol);
      if (precedence < least) return left;
      if (precedence === previous && !chains(precedence)) onChain(operator);
      previous = precedence;
      next++;
      const right = binary(operand(), precedence + 1);
      const span = spanning(left.span, right.span);
      left =
        operator.symbol === ".."
          ? { kind: "range", from: left, to: right, span }
          : { kind: "binary", operator: operator.symbol, left, right, span };
    }
  }

  return binary(operand(), PRECEDENCE.conditional);
}
