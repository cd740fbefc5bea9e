/** Statements, as Chevrotain rules. */
import type { IToken, TokenType } from "chevrotain";
import { nearest } from "./nearest.js";
import { ExpressionParser, ONLY_ARGUMENTS } from "./parser-expressions.js";
import * as t from "./tokens.js";
import { takesBareArguments, type Context } from "./vocabulary.js";

export abstract class StatementParser extends ExpressionParser {
  /** The words of the body that is being parsed. */
  protected context: Context = new Map();

  // What stands ahead

  #startsFor(): boolean {
    const labelled = this.is(1, t.Name) && this.is(2, t.Equals) && this.is(3, t.For);
    return labelled || this.is(1, t.For) || this.#isMisspelt("for", t.In);
  }

  #startsStage(): boolean {
    if (this.is(1, t.Head)) return this.is(2, t.LeftBrace, t.Slash);
    if (this.is(1, t.Stage)) return this.is(2, t.Name, t.LeftBrace, t.Slash) && !this.is(3, t.Equals);
    return this.#isMisspelt("stage", t.LeftBrace, t.Slash);
  }

  #startsInput(): boolean {
    if (this.is(1, t.Input)) return this.is(2, t.Name) && !this.is(3, t.Equals);
    return this.#isMisspelt("input", t.Dimensions);
  }

  /** `stag conv3 /2 {`: nearly the word, then a name, then what follows in such a statement and in no other. */
  #isMisspelt(word: string, ...third: readonly TokenType[]): boolean {
    return (
      this.is(1, t.Name) &&
      this.is(2, t.Name) &&
      this.is(3, ...third) &&
      !this.context.has(this.LA(1).image) &&
      !this.context.has(this.LA(2).image) &&
      nearest(this.LA(1).image, [word]) !== undefined
    );
  }

  /** A name, or a reserved word where a name is meant: `let x = 3`. */
  protected startsDefinedName(): boolean {
    return this.is(1, t.Name) || this.is(2, t.Equals);
  }

  // Statements

  readonly body = this.RULE("body", () => {
    this.CONSUME(t.LeftBrace);
    this.MANY({
      GATE: () => !this.is(1, t.RightBrace),
      DEF: () =>
        this.OR({
          IGNORE_AMBIGUITIES: true,
          DEF: [
            { ALT: () => this.SUBRULE(this.letStatement) },
            { ALT: () => this.SUBRULE(this.assertStatement) },
            { ALT: () => this.SUBRULE(this.ifStatement) },
            { GATE: () => this.#startsFor(), ALT: () => this.SUBRULE(this.forStatement) },
            { GATE: () => this.#startsStage(), ALT: () => this.SUBRULE(this.stageStatement) },
            { GATE: () => this.#startsInput(), ALT: () => this.SUBRULE(this.inputStatement) },
            { GATE: () => this.is(1, t.Name), ALT: () => this.SUBRULE(this.useStatement) },
            { ALT: () => this.SUBRULE(this.body, { LABEL: "orphan" }) },
            { ALT: () => this.SUBRULE(this.strayInBody) },
          ],
        }),
    });
    this.OPTION(() => this.CONSUME(t.RightBrace));
  });

  readonly strayInBody = this.RULE("strayInBody", () => {
    const first = this.CONSUME(t.Anything);
    // What a comma separates are arguments, to the end of the line.
    const isComma = first.image === ",";
    this.MANY({
      GATE: () => (isComma ? !this.onNewLine(1) : !this.startsStatement()) && !this.is(1, t.LeftBrace, t.RightBrace),
      DEF: () => this.CONSUME2(t.Anything),
    });
  });

  readonly letStatement = this.RULE("letStatement", () => {
    this.CONSUME(t.Let);
    this.OPTION({
      GATE: () => this.startsDefinedName(),
      DEF: () => this.OR([{ ALT: () => this.CONSUME(t.Name) }, { ALT: () => this.CONSUME(t.Reserved) }]),
    });
    this.OPTION2(() => this.CONSUME(t.Equals));
    this.OPTION3(() => this.SUBRULE(this.expression));
  });

  readonly assertStatement = this.RULE("assertStatement", () => {
    this.CONSUME(t.Assert);
    this.OPTION(() => this.SUBRULE(this.expression, { LABEL: "condition" }));
    this.OPTION2(() => {
      this.CONSUME(t.Comma);
      this.OPTION3(() => this.SUBRULE2(this.expression, { LABEL: "message" }));
    });
  });

  readonly ifStatement = this.RULE("ifStatement", () => {
    this.CONSUME(t.If);
    this.OPTION(() => this.SUBRULE(this.expression));
    this.OPTION2(() => this.SUBRULE(this.body, { LABEL: "then" }));
    this.OPTION3(() => {
      this.CONSUME(t.Else);
      this.OPTION4(() =>
        this.OR([
          { ALT: () => this.SUBRULE(this.ifStatement) },
          { ALT: () => this.SUBRULE2(this.body, { LABEL: "otherwise" }) },
        ]),
      );
    });
  });

  readonly forStatement = this.RULE("forStatement", () => {
    this.OPTION5({
      GATE: () => this.is(2, t.Equals),
      DEF: () => {
        this.CONSUME3(t.Name, { LABEL: "label" });
        this.CONSUME(t.Equals);
      },
    });
    this.OR([
      { ALT: () => this.CONSUME(t.For, { LABEL: "keyword" }) },
      { ALT: () => this.CONSUME(t.Name, { LABEL: "keyword" }) },
    ]);
    this.OPTION(() => this.CONSUME2(t.Name, { LABEL: "name" }));
    // `for (i = 0; i < 3; i++) {` and `for i, width in list {` are no loops here: up to the brace there is nothing to read.
    this.MANY({
      GATE: () => !this.is(0, t.In) && !this.is(1, t.In, t.LeftBrace, t.RightBrace) && !this.onNewLine(1),
      DEF: () => this.CONSUME(t.Anything, { LABEL: "stray" }),
    });
    this.OPTION2(() => this.CONSUME(t.In));
    this.OPTION3(() => this.SUBRULE(this.expression));
    this.OPTION4(() => this.SUBRULE(this.body));
  });

  readonly stageStatement = this.RULE("stageStatement", () => {
    this.CONSUME(t.Name, { LABEL: "keyword" });
    this.OPTION(() => this.CONSUME2(t.Name, { LABEL: "name" }));
    this.OPTION2(() => {
      this.CONSUME(t.Slash);
      this.OPTION3(() => this.SUBRULE(this.expression));
    });
    this.OPTION4(() => this.SUBRULE(this.body));
  });

  readonly inputStatement = this.RULE("inputStatement", () => {
    this.CONSUME(t.Name, { LABEL: "keyword" });
    this.CONSUME2(t.Name, { LABEL: "name" });
    this.OPTION({
      GATE: () => !(this.onNewLine(1) && this.startsStatement()),
      DEF: () => this.SUBRULE(this.expression),
    });
  });

  readonly useStatement = this.RULE("useStatement", () => {
    let labelled = false;
    let word: string | undefined;
    this.OPTION({
      GATE: () => this.is(2, t.Equals),
      DEF: () => {
        this.CONSUME(t.Name);
        this.CONSUME(t.Equals);
        labelled = true;
      },
    });
    this.OPTION2({
      // `c4 =` at the end of a line, where what it should label is missing.
      GATE: () => !(labelled && this.is(2, t.Equals)),
      DEF: () => {
        const first = this.LA(1);
        const path = this.SUBRULE(this.path);
        let simple = path?.location?.endOffset === first.endOffset;
        if (simple) word = first.image;
        this.OPTION3(() => {
          this.CONSUME(t.Range);
          this.OPTION4(() => this.SUBRULE2(this.path, { LABEL: "through" }));
          simple = false;
        });
        this.OPTION5({
          GATE: () => this.#startsCall(first, simple) || this.#startsBareArguments(first, simple),
          DEF: () =>
            this.OR({
              IGNORE_AMBIGUITIES: true,
              DEF: [
                { GATE: () => this.#startsCall(first, simple), ALT: () => this.SUBRULE(this.callArguments) },
                { ALT: () => this.SUBRULE(this.bareArguments) },
              ],
            }),
        });
      },
    });
    this.OPTION6(() => {
      this.CONSUME(t.On);
      this.OPTION7(() => this.SUBRULE(this.expression, { LABEL: "on" }));
    });
    const around = this.context;
    this.context = (word === undefined ? undefined : around.get(word)?.inside) ?? around;
    this.MANY(() => this.SUBRULE(this.body));
    this.context = around;
    this.OPTION8({
      // `x = relu`: a name that can't be one.
      GATE: () => !this.is(2, t.Equals),
      DEF: () => {
        this.CONSUME(t.X);
        this.OPTION9(() => this.SUBRULE2(this.expression, { LABEL: "repeat" }));
      },
    });
  });

  /** `conv(3x3, 64)` is a call, `pad (k - 1) / 2` is not: the space decides, for words with bare arguments alone. */
  #startsCall(target: IToken, simple: boolean): boolean {
    if (!this.is(1, t.LeftParen)) return false;
    return this.adjacent() || !simple || !takesBareArguments(this.context, target.image);
  }

  /** Also where the word takes none but something follows that can only be an argument: `block 64`. */
  #startsBareArguments(target: IToken, simple: boolean): boolean {
    if (simple && takesBareArguments(this.context, target.image)) {
      // A forgotten argument, and a layer in the next line.
      return !(this.onNewLine(1) && this.context.has(this.LA(1).image) && !this.is(2, t.Comma, t.Colon));
    }
    return (
      this.is(1, ...ONLY_ARGUMENTS) ||
      (!this.onNewLine(1) && (this.is(1, t.Slash) || (this.is(1, t.Name) && this.is(2, t.Colon))))
    );
  }

  readonly path = this.RULE("path", () => {
    this.CONSUME(t.Name);
    this.MANY(() => {
      this.CONSUME(t.Dot);
      this.OPTION(() => this.CONSUME2(t.Name));
    });
  });
}
