/** Expressions and arguments, as Chevrotain rules; precedence is settled in expressions.ts. */
import { CstParser, tokenMatcher, type TokenType } from "chevrotain";
import * as t from "./tokens.js";

/** Tokens that begin an argument and can't begin a statement. */
export const ONLY_ARGUMENTS: readonly TokenType[] = [
  t.NumberToken,
  t.Dimensions,
  t.StringToken,
  t.True,
  t.False,
  t.Not,
  t.LeftBracket,
];

export abstract class ExpressionParser extends CstParser {
  constructor(skipValidations: boolean) {
    super(t.TOKENS, { maxLookahead: 1, nodeLocationTracking: "onlyOffset", recoveryEnabled: true, skipValidations });
  }

  // What stands ahead

  protected is(ahead: number, ...types: readonly TokenType[]): boolean {
    const token = this.LA(ahead);
    return types.some((type) => tokenMatcher(token, type));
  }

  /** Whether a token is the first of its line, or the line before ended in another file. */
  protected onNewLine(ahead: number): boolean {
    return (this.LA(ahead).startLine ?? 0) > (this.LA(ahead - 1).endLine ?? 0);
  }

  protected adjacent(): boolean {
    return this.LA(1).startOffset === (this.LA(0).endOffset ?? 0) + 1;
  }

  protected startsStatement(): boolean {
    return this.is(1, t.Name, t.Let, t.Assert, t.If, t.For);
  }

  #startsNamedArgument(): boolean {
    return this.is(1, t.Name) && this.is(2, t.Colon, t.Equals);
  }

  /** In brackets, a name at the start of a line without a comma before it is rather the next statement. */
  #continuesList(): boolean {
    return !this.onNewLine(1) || !this.startsStatement() || this.is(0, t.Comma, t.LeftParen, t.LeftBracket);
  }

  /** What stands between brackets, and operators that nothing there needs. */
  #elements(element: () => void): void {
    this.MANY({
      GATE: () => this.#continuesList(),
      DEF: () =>
        this.OR({
          IGNORE_AMBIGUITIES: true,
          DEF: [
            { ALT: () => this.CONSUME(t.Comma) },
            { ALT: element },
            { ALT: () => this.CONSUME(t.InfixOperator, { LABEL: "stray" }) },
            { ALT: () => this.CONSUME(t.Equals, { LABEL: "stray" }) },
            { ALT: () => this.CONSUME(t.Colon, { LABEL: "stray" }) },
            { ALT: () => this.CONSUME(t.Dot, { LABEL: "stray" }) },
          ],
        }),
    });
  }

  // Arguments

  readonly callArguments = this.RULE("callArguments", () => {
    this.CONSUME(t.LeftParen);
    this.#elements(() => this.SUBRULE(this.argument));
    this.OPTION(() => this.CONSUME(t.RightParen));
  });

  readonly bareArguments = this.RULE("bareArguments", () => {
    this.SUBRULE(this.argument);
    this.MANY({
      GATE: () => this.is(1, t.Comma, ...ONLY_ARGUMENTS),
      DEF: () =>
        this.OR([
          {
            ALT: () => {
              this.CONSUME(t.Comma);
              this.OPTION({
                // A comma too many at the end of a line, before `c4 = ...`.
                GATE: () => !(this.onNewLine(1) && this.is(1, t.Name) && this.is(2, t.Equals)),
                DEF: () => this.SUBRULE2(this.argument),
              });
            },
          },
          { ALT: () => this.SUBRULE3(this.argument) },
        ]),
    });
  });

  readonly argument = this.RULE("argument", () => {
    this.OR({
      IGNORE_AMBIGUITIES: true,
      DEF: [
        {
          ALT: () => {
            this.CONSUME(t.Slash);
            this.OPTION(() => this.SUBRULE(this.expression, { LABEL: "stride" }));
          },
        },
        {
          GATE: () => this.#startsNamedArgument(),
          ALT: () => {
            this.CONSUME(t.Name);
            this.OR2([{ ALT: () => this.CONSUME(t.Colon) }, { ALT: () => this.CONSUME(t.Equals) }]);
            this.OPTION2(() => this.SUBRULE2(this.expression, { LABEL: "value" }));
          },
        },
        { ALT: () => this.SUBRULE3(this.expression, { LABEL: "value" }) },
      ],
    });
  });

  // Expressions; precedence is settled in expressions.ts

  readonly expression = this.RULE("expression", () => {
    this.SUBRULE(this.operand);
    this.MANY(() => {
      this.CONSUME(t.InfixOperator);
      this.OPTION(() => this.SUBRULE2(this.operand));
    });
  });

  readonly operand = this.RULE("operand", () => {
    this.OR([
      {
        ALT: () => {
          this.AT_LEAST_ONE(() =>
            this.OR2([
              { ALT: () => this.CONSUME(t.Minus, { LABEL: "prefix" }) },
              { ALT: () => this.CONSUME(t.Not, { LABEL: "prefix" }) },
            ]),
          );
          this.OPTION(() => this.SUBRULE(this.postfix));
        },
      },
      { ALT: () => this.SUBRULE2(this.postfix) },
    ]);
  });

  readonly postfix = this.RULE("postfix", () => {
    this.OR([
      { ALT: () => this.CONSUME(t.NumberToken) },
      { ALT: () => this.CONSUME(t.Dimensions) },
      { ALT: () => this.CONSUME(t.StringToken) },
      { ALT: () => this.CONSUME(t.True) },
      { ALT: () => this.CONSUME(t.False) },
      { ALT: () => this.CONSUME(t.Name) },
      { ALT: () => this.SUBRULE(this.parenthesised) },
      { ALT: () => this.SUBRULE(this.list) },
      { ALT: () => this.SUBRULE(this.conditional) },
    ]);
    this.MANY({
      // `[a [1]]` lacks a comma, and so does `[3 (4)]`.
      GATE: () =>
        (!this.is(1, t.LeftBracket) || this.adjacent()) &&
        (!this.is(1, t.LeftParen) || this.is(0, t.Name, t.RightParen, t.RightBracket)),
      DEF: () => this.SUBRULE(this.suffix),
    });
  });

  readonly suffix = this.RULE("suffix", () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.Dot);
          this.OPTION(() => this.CONSUME(t.Name));
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.LeftBracket);
          this.OPTION2(() => this.SUBRULE(this.expression));
          this.OPTION3(() => this.CONSUME(t.RightBracket));
        },
      },
      { ALT: () => this.SUBRULE(this.callArguments) },
    ]);
  });

  readonly parenthesised = this.RULE("parenthesised", () => {
    this.CONSUME(t.LeftParen);
    this.OPTION(() => this.SUBRULE(this.expression));
    // `(7, 7)`, other languages' way to write a size or a list.
    this.MANY(() => {
      this.CONSUME(t.Comma);
      this.OPTION2(() => this.SUBRULE2(this.expression));
    });
    this.OPTION3(() => this.CONSUME(t.RightParen));
  });

  readonly list = this.RULE("list", () => {
    this.CONSUME(t.LeftBracket);
    this.#elements(() => this.SUBRULE(this.expression));
    this.OPTION(() => this.CONSUME(t.RightBracket));
  });

  readonly conditional = this.RULE("conditional", () => {
    this.CONSUME(t.If);
    this.OPTION(() => this.SUBRULE(this.expression, { LABEL: "condition" }));
    this.OPTION2(() => {
      this.CONSUME(t.Then);
      this.OPTION3(() => this.SUBRULE2(this.expression, { LABEL: "then" }));
    });
    this.OPTION4(() => {
      this.CONSUME(t.Else);
      this.OPTION5(() => this.SUBRULE3(this.expression, { LABEL: "otherwise" }));
    });
  });
}
