/**
 * The grammar, as Chevrotain rules.
 *
 * Nearly every part of every rule is optional: the parser accepts any sequence of tokens, and what is missing or
 * superfluous is said by build.ts, which sees what stands around the gap and can say it well. Tokens that fit nowhere
 * end up under `stray`. Where the grammar is not decided by the next token alone, a gate looks further.
 */
import { CstParser, tokenMatcher, type CstNode, type IToken, type TokenType } from "chevrotain";
import { nearest } from "./nearest.js";
import * as t from "./tokens.js";
import { contextOf, takesBareArguments, type Context, type Vocabulary } from "./vocabulary.js";

/** Tokens that begin an argument and can't begin a statement. */
const ONLY_ARGUMENTS: readonly TokenType[] = [
  t.NumberToken,
  t.Dimensions,
  t.StringToken,
  t.True,
  t.False,
  t.Not,
  t.LeftBracket,
];

export class ResnetParser extends CstParser {
  #vocabulary: Vocabulary | undefined;
  /** The words of the body that is being parsed. */
  #context: Context = new Map();

  constructor(skipValidations = true) {
    super(t.TOKENS, { maxLookahead: 1, nodeLocationTracking: "onlyOffset", recoveryEnabled: true, skipValidations });
    this.performSelfAnalysis();
  }

  /** The tree of all tokens. */
  parse(tokens: IToken[], vocabulary: Vocabulary): CstNode {
    this.input = tokens;
    this.#vocabulary = vocabulary;
    return this.file();
  }

  // What stands ahead

  #is(ahead: number, ...types: readonly TokenType[]): boolean {
    const token = this.LA(ahead);
    return types.some((type) => tokenMatcher(token, type));
  }

  /** Whether a token is the first of its line, or the line before ended in another file. */
  #onNewLine(ahead: number): boolean {
    return (this.LA(ahead).startLine ?? 0) > (this.LA(ahead - 1).endLine ?? 0);
  }

  #adjacent(): boolean {
    return this.LA(1).startOffset === (this.LA(0).endOffset ?? 0) + 1;
  }

  #startsDeclarationForSure(): boolean {
    if (this.#is(1, t.Import)) return this.#is(2, t.LeftBrace);
    return (
      this.#is(1, t.DeclarationWord, t.Let) && this.#is(2, t.Name) && this.#is(3, t.LeftParen, t.LeftBrace, t.Equals)
    );
  }

  /** `netwrok ResNet(`: any name where a declaration could begin, if a name and its beginning follow. */
  #startsDeclaration(): boolean {
    if (this.#is(1, t.DeclarationWord, t.Let)) return true;
    if (!this.#is(1, t.Name) || !this.#is(2, t.Name)) return false;
    return (
      this.#is(3, t.LeftParen, t.LeftBrace, t.Equals) || nearest(this.LA(1).image, t.DECLARATION_WORDS) !== undefined
    );
  }

  #startsFor(): boolean {
    const labelled = this.#is(1, t.Name) && this.#is(2, t.Equals) && this.#is(3, t.For);
    return labelled || this.#is(1, t.For) || this.#isMisspelt("for", t.In);
  }

  #startsStage(): boolean {
    if (this.#is(1, t.Head)) return this.#is(2, t.LeftBrace, t.Slash);
    if (this.#is(1, t.Stage)) return this.#is(2, t.Name, t.LeftBrace, t.Slash) && !this.#is(3, t.Equals);
    return this.#isMisspelt("stage", t.LeftBrace, t.Slash);
  }

  #startsInput(): boolean {
    if (this.#is(1, t.Input)) return this.#is(2, t.Name) && !this.#is(3, t.Equals);
    return this.#isMisspelt("input", t.Dimensions);
  }

  /** `stag conv3 /2 {`: nearly the word, then a name, then what follows in such a statement and in no other. */
  #isMisspelt(word: string, ...third: readonly TokenType[]): boolean {
    return (
      this.#is(1, t.Name) &&
      this.#is(2, t.Name) &&
      this.#is(3, ...third) &&
      !this.#context.has(this.LA(1).image) &&
      !this.#context.has(this.LA(2).image) &&
      nearest(this.LA(1).image, [word]) !== undefined
    );
  }

  #startsStatement(): boolean {
    return this.#is(1, t.Name, t.Let, t.Assert, t.If, t.For);
  }

  /** A name, or a reserved word where a name is meant: `let x = 3`. */
  #startsDefinedName(): boolean {
    return this.#is(1, t.Name) || this.#is(2, t.Equals);
  }

  #startsNamedArgument(): boolean {
    return this.#is(1, t.Name) && this.#is(2, t.Colon, t.Equals);
  }

  /** In brackets, a name at the start of a line without a comma before it is rather the next statement. */
  #continuesList(): boolean {
    return !this.#onNewLine(1) || !this.#startsStatement() || this.#is(0, t.Comma, t.LeftParen, t.LeftBracket);
  }

  // Files and declarations

  readonly file = this.RULE("file", () => {
    this.MANY(() =>
      this.OR({
        IGNORE_AMBIGUITIES: true,
        DEF: [
          { GATE: () => this.#is(1, t.Import), ALT: () => this.SUBRULE(this.importation) },
          { GATE: () => this.#startsDeclaration(), ALT: () => this.SUBRULE(this.declaration) },
          { ALT: () => this.SUBRULE(this.strayInFile) },
        ],
      }),
    );
  });

  readonly strayInFile = this.RULE("strayInFile", () => {
    this.CONSUME(t.Anything);
    this.MANY({ GATE: () => !this.#startsDeclarationForSure(), DEF: () => this.CONSUME2(t.Anything) });
  });

  readonly importation = this.RULE("importation", () => {
    this.CONSUME(t.Import);
    this.OPTION(() => this.CONSUME(t.LeftBrace));
    this.MANY({
      GATE: () => !(this.#is(1, t.From) && this.#is(2, t.StringToken)),
      DEF: () => this.OR([{ ALT: () => this.CONSUME(t.Comma) }, { ALT: () => this.SUBRULE(this.importName) }]),
    });
    this.OPTION2(() => this.CONSUME(t.RightBrace));
    this.OPTION3(() => this.CONSUME(t.From));
    this.OPTION4(() => this.CONSUME(t.StringToken));
  });

  readonly importName = this.RULE("importName", () => {
    this.CONSUME(t.Name, { LABEL: "name" });
    this.OPTION(() => {
      this.CONSUME(t.As);
      this.OPTION2(() => this.CONSUME2(t.Name, { LABEL: "alias" }));
    });
  });

  readonly declaration = this.RULE("declaration", () => {
    if (this.#vocabulary) this.#context = contextOf(this.#vocabulary, this.LA(1).image);
    this.OR([
      { ALT: () => this.CONSUME(t.Name, { LABEL: "keyword" }) },
      { ALT: () => this.CONSUME(t.Let, { LABEL: "keyword" }) },
    ]);
    this.OPTION({
      GATE: () => this.#startsDefinedName(),
      DEF: () =>
        this.OR2([{ ALT: () => this.CONSUME2(t.Name, { LABEL: "name" }) }, { ALT: () => this.CONSUME(t.Reserved) }]),
    });
    this.OPTION2(() => this.SUBRULE(this.parameters));
    this.OPTION3(() =>
      this.OR3([
        { ALT: () => this.SUBRULE(this.body) },
        {
          ALT: () => {
            this.CONSUME(t.Equals);
            this.OPTION4(() => this.SUBRULE(this.expression));
          },
        },
      ]),
    );
  });

  readonly parameters = this.RULE("parameters", () => {
    this.CONSUME(t.LeftParen);
    this.MANY(() =>
      this.OR([
        { ALT: () => this.CONSUME(t.Comma) },
        { ALT: () => this.SUBRULE(this.parameter) },
        { ALT: () => this.CONSUME(t.Reserved, { LABEL: "stray" }) },
        { ALT: () => this.CONSUME(t.NumberToken, { LABEL: "stray" }) },
        { ALT: () => this.CONSUME(t.StringToken, { LABEL: "stray" }) },
        { ALT: () => this.CONSUME(t.Dimensions, { LABEL: "stray" }) },
      ]),
    );
    this.OPTION(() => this.CONSUME(t.RightParen));
  });

  readonly parameter = this.RULE("parameter", () => {
    this.CONSUME(t.Name);
    this.OPTION(() => {
      this.OR([{ ALT: () => this.CONSUME(t.Equals) }, { ALT: () => this.CONSUME(t.Colon) }]);
      this.OPTION2(() => this.SUBRULE(this.expression));
    });
  });

  // Statements

  readonly body = this.RULE("body", () => {
    this.CONSUME(t.LeftBrace);
    this.MANY({
      GATE: () => !this.#is(1, t.RightBrace),
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
            { GATE: () => this.#is(1, t.Name), ALT: () => this.SUBRULE(this.useStatement) },
            { ALT: () => this.SUBRULE(this.body, { LABEL: "orphan" }) },
            { ALT: () => this.SUBRULE(this.strayInBody) },
          ],
        }),
    });
    this.OPTION(() => this.CONSUME(t.RightBrace));
  });

  readonly strayInBody = this.RULE("strayInBody", () => {
    this.CONSUME(t.Anything);
    this.MANY({
      GATE: () => !this.#startsStatement() && !this.#is(1, t.LeftBrace, t.RightBrace),
      DEF: () => this.CONSUME2(t.Anything),
    });
  });

  readonly letStatement = this.RULE("letStatement", () => {
    this.CONSUME(t.Let);
    this.OPTION({
      GATE: () => this.#startsDefinedName(),
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
      GATE: () => this.#is(2, t.Equals),
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
      GATE: () => !(this.#onNewLine(1) && this.#startsStatement()),
      DEF: () => this.SUBRULE(this.expression),
    });
  });

  readonly useStatement = this.RULE("useStatement", () => {
    let labelled = false;
    let word: string | undefined;
    this.OPTION({
      GATE: () => this.#is(2, t.Equals),
      DEF: () => {
        this.CONSUME(t.Name);
        this.CONSUME(t.Equals);
        labelled = true;
      },
    });
    this.OPTION2({
      // `c4 =` at the end of a line, where what it should label is missing.
      GATE: () => !(labelled && this.#is(2, t.Equals)),
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
    const around = this.#context;
    this.#context = (word === undefined ? undefined : around.get(word)?.inside) ?? around;
    this.MANY(() => this.SUBRULE(this.body));
    this.#context = around;
    this.OPTION8(() => {
      this.CONSUME(t.X);
      this.OPTION9(() => this.SUBRULE2(this.expression, { LABEL: "repeat" }));
    });
  });

  /** `conv(3x3, 64)` is a call, `pad (k - 1) / 2` is not: the space decides, for words with bare arguments alone. */
  #startsCall(target: IToken, simple: boolean): boolean {
    if (!this.#is(1, t.LeftParen)) return false;
    return this.#adjacent() || !simple || !takesBareArguments(this.#context, target.image);
  }

  /** Also where the word takes none but something follows that can only be an argument: `block 64`. */
  #startsBareArguments(target: IToken, simple: boolean): boolean {
    if (simple && takesBareArguments(this.#context, target.image)) {
      // A forgotten argument, and a layer in the next line.
      return !(this.#onNewLine(1) && this.#context.has(this.LA(1).image) && !this.#is(2, t.Comma, t.Colon));
    }
    return (
      this.#is(1, ...ONLY_ARGUMENTS) ||
      (!this.#onNewLine(1) && (this.#is(1, t.Slash) || (this.#is(1, t.Name) && this.#is(2, t.Colon))))
    );
  }

  readonly path = this.RULE("path", () => {
    this.CONSUME(t.Name);
    this.MANY(() => {
      this.CONSUME(t.Dot);
      this.OPTION(() => this.CONSUME2(t.Name));
    });
  });

  // Arguments

  readonly callArguments = this.RULE("callArguments", () => {
    this.CONSUME(t.LeftParen);
    this.MANY({
      GATE: () => this.#continuesList(),
      DEF: () =>
        this.OR({
          IGNORE_AMBIGUITIES: true,
          DEF: [
            { ALT: () => this.CONSUME(t.Comma) },
            { ALT: () => this.SUBRULE(this.argument) },
            { ALT: () => this.CONSUME(t.InfixOperator, { LABEL: "stray" }) },
            { ALT: () => this.CONSUME(t.Equals, { LABEL: "stray" }) },
            { ALT: () => this.CONSUME(t.Colon, { LABEL: "stray" }) },
            { ALT: () => this.CONSUME(t.Dot, { LABEL: "stray" }) },
          ],
        }),
    });
    this.OPTION(() => this.CONSUME(t.RightParen));
  });

  readonly bareArguments = this.RULE("bareArguments", () => {
    this.SUBRULE(this.argument);
    this.MANY({
      GATE: () => this.#is(1, t.Comma, ...ONLY_ARGUMENTS),
      DEF: () =>
        this.OR([
          {
            ALT: () => {
              this.CONSUME(t.Comma);
              this.OPTION({
                // A comma too many at the end of a line, before `c4 = ...`.
                GATE: () => !(this.#onNewLine(1) && this.#is(1, t.Name) && this.#is(2, t.Equals)),
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
        (!this.#is(1, t.LeftBracket) || this.#adjacent()) &&
        (!this.#is(1, t.LeftParen) || this.#is(0, t.Name, t.RightParen, t.RightBracket)),
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
    this.MANY({
      GATE: () => this.#continuesList(),
      DEF: () =>
        this.OR({
          IGNORE_AMBIGUITIES: true,
          DEF: [
            { ALT: () => this.CONSUME(t.Comma) },
            { ALT: () => this.SUBRULE(this.expression) },
            { ALT: () => this.CONSUME(t.InfixOperator, { LABEL: "stray" }) },
            { ALT: () => this.CONSUME(t.Equals, { LABEL: "stray" }) },
            { ALT: () => this.CONSUME(t.Colon, { LABEL: "stray" }) },
            { ALT: () => this.CONSUME(t.Dot, { LABEL: "stray" }) },
          ],
        }),
    });
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
