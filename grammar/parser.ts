/**
 * The grammar, as Chevrotain rules.
 *
 * Nearly every part of every rule is optional: the parser accepts any sequence of tokens, and what is missing or
 * superfluous is said by build.ts, which sees what stands around the gap and can say it well. Tokens that fit nowhere
 * end up under `stray`. Where the grammar is not decided by the next token alone, a gate looks further.
 */
import type { CstNode, IToken } from "chevrotain";
import { nearest } from "./nearest.js";
import { StatementParser } from "./parser-statements.js";
import * as t from "./tokens.js";
import { contextOf, type Vocabulary } from "./vocabulary.js";

export class ResnetParser extends StatementParser {
  #vocabulary: Vocabulary | undefined;

  constructor(skipValidations = true) {
    super(skipValidations);
    this.performSelfAnalysis();
  }

  /** The tree of all tokens. */
  parse(tokens: IToken[], vocabulary: Vocabulary): CstNode {
    this.input = tokens;
    this.#vocabulary = vocabulary;
    return this.file();
  }

  // What stands ahead

  #startsDeclarationForSure(): boolean {
    if (this.is(1, t.Import)) return this.is(2, t.LeftBrace);
    return this.is(1, t.DeclarationWord, t.Let) && this.is(2, t.Name) && this.is(3, t.LeftParen, t.LeftBrace, t.Equals);
  }

  /** `netwrok ResNet(`: any name where a declaration could begin, if a name and its beginning follow. */
  #startsDeclaration(): boolean {
    if (this.is(1, t.DeclarationWord, t.Let)) return true;
    if (!this.is(1, t.Name) || !this.is(2, t.Name)) return false;
    return (
      this.is(3, t.LeftParen, t.LeftBrace, t.Equals) || nearest(this.LA(1).image, t.DECLARATION_WORDS) !== undefined
    );
  }

  // Files and declarations

  readonly file = this.RULE("file", () => {
    this.MANY(() =>
      this.OR({
        IGNORE_AMBIGUITIES: true,
        DEF: [
          { GATE: () => this.is(1, t.Import), ALT: () => this.SUBRULE(this.importation) },
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
      GATE: () => !(this.is(1, t.From) && this.is(2, t.StringToken)),
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
    if (this.#vocabulary) this.context = contextOf(this.#vocabulary, this.LA(1).image);
    this.OR([
      { ALT: () => this.CONSUME(t.Name, { LABEL: "keyword" }) },
      { ALT: () => this.CONSUME(t.Let, { LABEL: "keyword" }) },
    ]);
    this.OPTION({
      GATE: () => this.startsDefinedName(),
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
}
