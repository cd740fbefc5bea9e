/** From the concrete tree of files and declarations to the syntax tree. */
import type { CstNodeLocation, IToken } from "chevrotain";
import type { Body, Declaration, DeclarationKeyword, Identifier, Import, ImportName, Parameter } from "./ast.js";
import { BRACES, endOfFirst, spelling, StatementBuilder } from "./build-statements.js";
import { asNode, inOrder, node, nodes, placeOf, token, type Parts } from "./cst.js";
import { quote } from "./errors.js";
import type { Gaps } from "./gaps.js";
import { endOf, startOf } from "./lexer.js";
import { stringLiteral } from "./literals.js";
import { nearest } from "./nearest.js";
import { own } from "./own.js";
import { DECLARATION_WORDS } from "./tokens.js";
import { contextOf, type Context, type Vocabulary } from "./vocabulary.js";

type Location = CstNodeLocation | undefined;

export interface FileParts {
  readonly imports: Import[];
  readonly declarations: Declaration[];
}

const isDeclarationWord = (word: string): word is DeclarationKeyword =>
  (DECLARATION_WORDS as readonly string[]).includes(word);

/** What other languages call it. */
const HABITS: Readonly<Record<string, string>> = {
  const: "let",
  var: "let",
  class: "block",
  module: "block",
  model: "network",
};

/** What other languages declare and this one has in another form. */
const OTHER_FORMS: Readonly<Record<string, string>> = {
  def: "a flow of layers is a `block`; a formula is a `let`: `let f(n) = 2 * n`",
  function: "a flow of layers is a `block`; a formula is a `let`: `let f(n) = 2 * n`",
  layer: "layers stand in a network: `network Net { input image 3x224x224   conv 7x7, 64, /2 }`",
  name: "a network is named where it is declared: `network Net { ... }`",
};

const declarationSpelling = (word: string): { help: string; fix?: string } => {
  const habit = own(HABITS, word);
  const form = own(OTHER_FORMS, word);
  if (form !== undefined) return { help: form };
  const guess = habit === undefined ? spelling(word, DECLARATION_WORDS) : { help: `write \`${habit}\``, fix: habit };
  const words = [...DECLARATION_WORDS, "let"].map((each) => `\`${each}\``);
  return { help: `declarations begin with ${words.slice(0, -1).join(", ")} or ${words.at(-1)}`, ...guess };
};

export class TreeBuilder extends StatementBuilder {
  protected override readonly gaps: Gaps;
  protected override context: Context;
  readonly #vocabulary: Vocabulary;

  constructor(gaps: Gaps, vocabulary: Vocabulary) {
    super();
    this.gaps = gaps;
    this.#vocabulary = vocabulary;
    this.context = vocabulary.block;
  }

  // Files and declarations

  file(parts: Parts): FileParts {
    const imports: Import[] = [];
    const declarations: Declaration[] = [];
    for (const { key, element } of inOrder(parts, "importation", "declaration", "strayInFile")) {
      const built = this.build<Import | Declaration | undefined>(asNode(element));
      if (key === "importation") imports.push(built as Import);
      else if (built !== undefined) declarations.push(built as Declaration);
    }
    return { imports, declarations };
  }

  strayInFile(parts: Parts): undefined {
    const first = token(parts, "Anything");
    if (first === undefined) return;
    const [start, end] = [startOf(first), endOf(first)];
    const message = `expected a declaration or an import, found ${quote(first.image)}`;
    const isImport = this.gaps.nextToken(end)?.image === "{" && nearest(first.image, ["import"]) !== undefined;
    const details = isImport ? spelling(first.image, ["import"]) : declarationSpelling(first.image);
    this.gaps.errors.add("syntax-error", start, end, message, details);
  }

  importation(parts: Parts, location: Location): Import {
    const { start, end } = placeOf(location);
    const word = token(parts, "Import");
    const open = token(parts, "LeftBrace");
    if (open === undefined) this.gaps.missing("`{` after `import`", endOfFirst(word, start));
    const names = this.gaps.separated(parts, "importName", "a name").map((part) => this.build<ImportName>(part));
    this.gaps.closed(parts, "RightBrace", endOfFirst(nodes(parts, "importName").at(-1), open, end));
    const close = endOfFirst(token(parts, "RightBrace"), nodes(parts, "importName").at(-1), open, end);
    const from = token(parts, "From");
    const path = token(parts, "String");
    if (from === undefined) this.gaps.missing('`from "..."`', close);
    else if (path === undefined) this.gaps.missing("a path in quotes after `from`", endOf(from));
    return {
      kind: "import",
      names,
      from:
        path === undefined
          ? { kind: "string", value: "", text: '""', span: this.span(end, end) }
          : stringLiteral(path, this.gaps.errors),
      span: this.span(start, end),
    };
  }

  importName(parts: Parts, location: Location): ImportName {
    const { start, end } = placeOf(location);
    const [name, as, alias] = [token(parts, "name"), token(parts, "As"), token(parts, "alias")];
    if (as !== undefined && alias === undefined) this.gaps.missing("a name after `as`", endOf(as));
    return {
      name: this.nameOr(name, start),
      ...(alias === undefined ? {} : { alias: this.identifier(alias) }),
      span: this.span(start, end),
    };
  }

  declaration(parts: Parts, location: Location): Declaration | undefined {
    const { start, end } = placeOf(location);
    const word = token(parts, "keyword");
    const name = token(parts, "name");
    if (word === undefined) return;
    const keyword = this.declarationKeyword(word);
    this.context = contextOf(this.#vocabulary, keyword);
    this.gaps.reserved(token(parts, "Reserved"));
    if (name === undefined && token(parts, "Reserved") === undefined) {
      this.gaps.missing(`a name after \`${word.image}\``, endOf(word));
    }
    const parameterList = node(parts, "parameters");
    const bodyPart = node(parts, "body");
    const equals = token(parts, "Equals");
    const parameters = parameterList && this.build<Parameter[]>(parameterList);
    const body = bodyPart && this.build<Body>(bodyPart);
    const value = equals && this.required(node(parts, "expression"), "an expression after `=`", endOfFirst(equals));
    if (body === undefined && value === undefined && name !== undefined) {
      const needed = keyword === "let" ? "`=` and a value" : "`{` or `=`";
      const details = keyword === "let" ? {} : { help: BRACES };
      this.gaps.missing(`${needed} after ${parameters ? "the parameters of " : ""}\`${name.image}\``, end, details);
    } else if (keyword === "let" && body !== undefined) {
      const place = placeOf(bodyPart?.location);
      this.gaps.errors.add("syntax-error", place.start, place.start + 1, "a `let` is written `let name = value`", {
        help: "what has layers in braces is a `block`",
      });
    }
    if (name === undefined) return;
    return {
      kind: "declaration",
      keyword,
      name: this.identifier(name),
      ...(parameters === undefined ? {} : { parameters }),
      ...(body === undefined ? {} : { body }),
      ...(value === undefined ? {} : { value }),
      span: this.span(start, end),
    };
  }

  private declarationKeyword(word: IToken): DeclarationKeyword | "let" {
    const { image } = word;
    if (image === "let" || isDeclarationWord(image)) return image;
    const guess = nearest(image, DECLARATION_WORDS);
    const message = `${quote(image)} declares nothing`;
    this.gaps.errors.add("syntax-error", startOf(word), endOf(word), message, declarationSpelling(image));
    return guess !== undefined && isDeclarationWord(guess) ? guess : "block";
  }

  parameters(parts: Parts, location: Location): Parameter[] {
    const list = this.gaps.separated(parts, "parameter", "a parameter").map((part) => this.build<Parameter>(part));
    this.gaps.closed(parts, "RightParen", placeOf(location).end);
    return list;
  }

  parameter(parts: Parts, location: Location): Parameter {
    const { start, end } = placeOf(location);
    const name = token(parts, "Name");
    const colon = token(parts, "Colon");
    const mark = token(parts, "Equals") ?? colon;
    if (colon !== undefined) {
      this.gaps.errors.add("syntax-error", startOf(colon), endOf(colon), "a default is given with `=`", {
        help: `write \`${name?.image ?? "name"} = ...\``,
        fix: " =",
      });
    }
    const value = mark && this.required(node(parts, "expression"), "a default after `=`", endOf(mark));
    return {
      name: this.nameOr(name, start),
      ...(value === undefined ? {} : { default: value }),
      span: this.span(start, end),
    };
  }

  private nameOr(name: IToken | undefined, at: number): Identifier {
    return name === undefined ? { kind: "identifier", text: "", span: this.span(at, at) } : this.identifier(name);
  }
}
