/** From the concrete tree of expressions and arguments to the syntax tree, reporting what the parser let pass. */
import type { CstNode, CstNodeLocation, IToken } from "chevrotain";
import type { Argument, Expression, Identifier, ListLiteral, MissingExpression, Span } from "./ast.js";
import {
  endOfElement,
  inOrder,
  node,
  nodes,
  placeOf,
  startOfElement,
  token,
  tokens,
  asNode,
  type Parts,
} from "./cst.js";
import { climb, type Infix, type Operand } from "./expressions.js";
import type { Gaps } from "./gaps.js";
import { endOf, startOf } from "./lexer.js";
import { dimensionsLiteral, numberLiteral, stringLiteral } from "./literals.js";
import type { InfixSymbol } from "./operators.js";
import { ResnetParser } from "./parser.js";
import { Slash } from "./tokens.js";

/** More operators than this in one expression are an error: they would be a tree as deep. */
export const MAX_OPERATORS = 200;

export const parser = new ResnetParser();
const BaseVisitor = parser.getBaseCstVisitorConstructor();

type Location = CstNodeLocation | undefined;

export abstract class ExpressionBuilder extends BaseVisitor {
  protected abstract readonly gaps: Gaps;

  protected span(start: number, end: number): Span {
    return this.gaps.errors.span(start, end);
  }

  protected identifier(name: IToken): Identifier {
    return { kind: "identifier", text: name.image, span: this.span(startOf(name), endOf(name)) };
  }

  protected build<T>(part: CstNode): T {
    return this.visit(part, part.location) as T;
  }

  private absent(at: number): MissingExpression {
    return { kind: "missing", span: this.span(at, at) };
  }

  /** An expression that must be there, after the place where the text before it ends. */
  protected required(part: CstNode | undefined, what: string, after: number): Expression {
    if (part !== undefined) return this.build(part);
    this.gaps.missing(what, after);
    return this.absent(after);
  }

  expression(parts: Parts): Expression {
    const only = parts["InfixOperator"] === undefined ? node(parts, "operand") : undefined;
    if (only !== undefined && only.children["prefix"] === undefined) {
      return this.build<Operand>(only).value;
    }
    return this.climbed(inOrder(parts, "operand", "InfixOperator"));
  }

  private climbed(row: ReturnType<typeof inOrder>): Expression {
    const operands: Operand[] = [];
    const operators: Infix[] = [];
    let count = 0;
    for (const { key, element } of row) {
      const [start, end] = [startOfElement(element), endOfElement(element)];
      if (key === "operand") {
        const operand = this.build<Operand>(asNode(element));
        count += operand.prefixes.length;
        operands.push(operand);
      } else {
        const operator = element as IToken;
        if (operands.length === operators.length) operands.push(this.absentOperand(operators.at(-1), start));
        operators.push({ symbol: operator.image as InfixSymbol, start, end });
      }
    }
    if (operands.length === operators.length) operands.push(this.absentOperand(operators.at(-1), 0));
    const first = operands[0];
    if (count + operators.length > MAX_OPERATORS && first !== undefined) {
      const { start } = first.value.span;
      const end = operands.at(-1)?.value.span.end ?? start;
      this.gaps.errors.add("nesting-too-deep", start, end, `an expression of more than ${MAX_OPERATORS} operators`);
      return this.absent(start);
    }
    return climb({ operands, operators }, ({ symbol, start, end }) => {
      const help = symbol === ".." ? undefined : "write `a < b and b < c`";
      this.gaps.errors.add("syntax-error", start, end, `\`${symbol}\` can't follow another comparison or range`, {
        ...(help === undefined ? {} : { help }),
      });
    });
  }

  private absentOperand(after: Infix | undefined, fallback: number): Operand {
    const at = after?.end ?? fallback;
    const isPower = after?.symbol === "*" && this.gaps.nextToken(at)?.image === "*";
    const details = isPower ? { help: "there are no powers: write `a * a`" } : {};
    this.gaps.missing(after === undefined ? "an expression" : `an expression after \`${after.symbol}\``, at, details);
    return { prefixes: [], value: this.absent(at) };
  }

  operand(parts: Parts): Operand {
    const prefixes = tokens(parts, "prefix").map((prefix) => ({
      operator: prefix.image as "-" | "not",
      start: startOf(prefix),
    }));
    const last = tokens(parts, "prefix").at(-1);
    const value = this.required(
      node(parts, "postfix"),
      `an expression after \`${last?.image ?? ""}\``,
      last === undefined ? 0 : endOf(last),
    );
    return { prefixes, value };
  }

  postfix(parts: Parts, location: Location): Expression {
    let value = this.atom(parts, location);
    for (const suffix of nodes(parts, "suffix")) {
      value = this.visit(suffix, { object: value, end: placeOf(suffix.location).end }) as Expression;
    }
    return value;
  }

  private atom(parts: Parts, location: Location): Expression {
    const { errors } = this.gaps;
    const number = token(parts, "Number");
    if (number !== undefined) return numberLiteral(number, errors);
    const dimensions = token(parts, "Dimensions");
    if (dimensions !== undefined) return dimensionsLiteral(dimensions, errors);
    const string = token(parts, "String");
    if (string !== undefined) return stringLiteral(string, errors);
    const boolean = token(parts, "True") ?? token(parts, "False");
    if (boolean !== undefined) {
      return { kind: "boolean", value: boolean.image === "true", span: this.span(startOf(boolean), endOf(boolean)) };
    }
    const name = token(parts, "Name");
    if (name !== undefined) return { ...this.identifier(name), kind: "name" };
    const inner = node(parts, "parenthesised") ?? node(parts, "list") ?? node(parts, "conditional");
    return inner === undefined ? this.absent(placeOf(location).start) : this.build(inner);
  }

  suffix(parts: Parts, { object, end }: { object: Expression; end: number }): Expression {
    const span = this.span(object.span.start, end);
    const dot = token(parts, "Dot");
    if (dot !== undefined) {
      const member = token(parts, "Name");
      if (member !== undefined) return { kind: "member", object, member: this.identifier(member), span };
      this.gaps.missing("a name after `.`", endOf(dot));
      return object;
    }
    const call = node(parts, "callArguments");
    if (call !== undefined) return { kind: "call", callee: object, arguments: this.build(call), span };
    const open = token(parts, "LeftBracket");
    const index = this.required(node(parts, "expression"), "an index", open === undefined ? end : endOf(open));
    this.gaps.closed(parts, "RightBracket", end);
    return { kind: "index", object, index, span };
  }

  parenthesised(parts: Parts, location: Location): Expression {
    const { start, end } = placeOf(location);
    if (token(parts, "Comma") !== undefined) return this.tuple(parts, start, end);
    const value = this.required(node(parts, "expression"), "an expression", start + 1);
    this.gaps.closed(parts, "RightParen", end);
    // The tree has no node for parentheses; they belong to the span, so that every span is a whole expression.
    return { ...value, span: this.span(start, end) };
  }

  /** Parentheses with commas in them are nothing here; a list of the same is gone on with. */
  private tuple(parts: Parts, start: number, end: number): ListLiteral {
    const elements = nodes(parts, "expression").map((element) => this.build<Expression>(element));
    const numbers = elements.flatMap((element) => (element.kind === "number" ? [element.text] : []));
    const isSize = numbers.length === elements.length && numbers.length > 1;
    const message = isSize ? "a size has no parentheses" : "a list is written in brackets";
    const help = isSize ? `write \`${numbers.join("x")}\`` : "write `[a, b]`; a call has no space before its `(`";
    this.gaps.errors.add("syntax-error", start, end, message, { help, ...(isSize && { fix: numbers.join("x") }) });
    return { kind: "list", elements, span: this.span(start, end) };
  }

  list(parts: Parts, location: Location): ListLiteral {
    const { start, end } = placeOf(location);
    const elements = this.gaps
      .separated(parts, "expression", "an element of the list")
      .map((element) => this.build<Expression>(element));
    this.gaps.closed(parts, "RightBracket", end);
    return { kind: "list", elements, span: this.span(start, end) };
  }

  conditional(parts: Parts, location: Location): Expression {
    const { start, end } = placeOf(location);
    const endOfCondition = node(parts, "condition")?.location;
    const condition = this.required(node(parts, "condition"), "a condition after `if`", start + 2);
    const [then, otherwise] = [token(parts, "Then"), token(parts, "Else")];
    if (then === undefined) {
      this.gaps.missing("`then`", endOfCondition === undefined ? start + 2 : placeOf(endOfCondition).end);
    } else if (otherwise === undefined) {
      this.gaps.missing("`else`", end, { help: "a conditional value needs both: `if a then b else c`" });
    }
    const part = (word: IToken | undefined, key: string): Expression =>
      word === undefined
        ? this.absent(end)
        : this.required(node(parts, key), `an expression after \`${word.image}\``, endOf(word));
    return {
      kind: "conditional",
      condition,
      then: part(then, "then"),
      else: part(otherwise, "otherwise"),
      span: this.span(start, end),
    };
  }

  // Arguments

  callArguments(parts: Parts, location: Location): Argument[] {
    const list = this.gaps.separated(parts, "argument", "an argument").flatMap((part) => this.build<Argument[]>(part));
    this.gaps.closed(parts, "RightParen", placeOf(location).end);
    return list;
  }

  bareArguments(parts: Parts, location: Location): Argument[] {
    const list = this.gaps.separated(parts, "argument", "an argument").flatMap((part) => this.build<Argument[]>(part));
    const lastComma = tokens(parts, "Comma").at(-1);
    if (lastComma !== undefined && endOf(lastComma) === placeOf(location).end) {
      this.gaps.missing("an argument after `,`", endOf(lastComma));
    }
    return list;
  }

  /** Two where a comma was forgotten before a stride: `conv 3x3, 64 /2`. */
  argument(parts: Parts, location: Location): Argument[] {
    const { start, end } = placeOf(location);
    const slash = token(parts, "Slash");
    if (slash !== undefined) {
      const value = this.required(node(parts, "stride"), "a stride after `/`", endOf(slash));
      return [{ value, strideShorthand: true, span: this.span(start, end) }];
    }
    const name = token(parts, "Name");
    if (name === undefined) {
      const value = node(parts, "value");
      return value === undefined ? [] : this.strideApart(value);
    }
    const equals = token(parts, "Equals");
    if (equals !== undefined) {
      this.gaps.errors.add("syntax-error", startOf(equals), endOf(equals), "an argument is given with `:`", {
        help: `write \`${name.image}: ...\``,
        fix: ":",
      });
    }
    const mark = token(parts, "Colon") ?? equals;
    const value = this.required(
      node(parts, "value"),
      `a value for \`${name.image}\``,
      mark === undefined ? endOf(name) : endOf(mark),
    );
    return [{ name: this.identifier(name), value, span: this.span(start, end) }];
  }

  /** `64 /2` would quietly be 32: a `/` with a space before it and none after it is meant as a stride. */
  private strideApart(part: CstNode): Argument[] {
    const place = placeOf(part.location);
    const row = inOrder(part.children, "operand", "InfixOperator");
    const at = row.findIndex(({ element }, index) => {
      const [before, after] = [row[index - 1], row[index + 1]];
      if (before === undefined || after === undefined || !("tokenType" in element)) return false;
      return (
        element.tokenType === Slash &&
        endOfElement(before.element) < startOf(element) &&
        startOfElement(after.element) === endOf(element)
      );
    });
    if (at < 0) return [{ value: this.build(part), span: this.span(place.start, place.end) }];
    const left = row.slice(0, at);
    const right = row.slice(at + 1);
    const leftEnd = endOfElement((left.at(-1) ?? { element: part }).element);
    const strideStart = startOfElement((row[at] ?? { element: part }).element);
    this.gaps.missingMark("a `,`", leftEnd, {
      help: `write \`, ${this.gaps.textOf(strideStart, place.end)}\` for a stride, or put a space after \`/\` to divide`,
      fix: ",",
    });
    return [
      { value: this.climbed(left), span: this.span(place.start, leftEnd) },
      {
        value: this.climbed(right),
        strideShorthand: true,
        span: this.span(strideStart, place.end),
      },
    ];
  }
}
