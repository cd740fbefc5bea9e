/** From the concrete tree of files, declarations and statements to the syntax tree. */
import type { CstNode, CstNodeLocation, IToken } from "chevrotain";
import type {
  Argument,
  Assert,
  Body,
  Declaration,
  DeclarationKeyword,
  Expression,
  For,
  Identifier,
  If,
  Import,
  ImportName,
  Input,
  Let,
  Parameter,
  Stage,
  Statement,
  Use,
} from "./ast.js";
import { ExpressionBuilder } from "./build-expressions.js";
import { endOfElement, inOrder, node, nodes, placeOf, token, tokens, asNode, type Parts } from "./cst.js";
import type { Gaps } from "./gaps.js";
import { endOf, startOf } from "./lexer.js";
import { quote } from "./errors.js";
import { stringLiteral } from "./literals.js";
import { nearest } from "./nearest.js";
import { DECLARATION_WORDS, RESERVED_WORDS } from "./tokens.js";
import { takesBareArguments, WORDS } from "./words.js";

type Location = CstNodeLocation | undefined;

export interface FileParts {
  readonly imports: Import[];
  readonly declarations: Declaration[];
}

const isDeclarationWord = (word: string): word is DeclarationKeyword =>
  (DECLARATION_WORDS as readonly string[]).includes(word);

const BARE_WORDS = WORDS.filter(({ bare }) => bare).map(({ word }) => word);

const spelling = (word: string, candidates: readonly string[]): { help?: string; fix?: string } => {
  const candidate = nearest(word, candidates);
  return candidate === undefined ? {} : { help: `did you mean \`${candidate}\`?`, fix: candidate };
};

/** What other languages call it. */
const HABITS: Readonly<Record<string, string>> = {
  const: "let",
  var: "let",
  class: "block",
  def: "block",
  function: "block",
  layer: "block",
  module: "block",
  model: "network",
};

const declarationSpelling = (word: string): { help: string; fix?: string } => {
  const habit = HABITS[word];
  const guess = habit === undefined ? spelling(word, DECLARATION_WORDS) : { help: `write \`${habit}\``, fix: habit };
  return { help: "declarations begin with `network`, `block`, `shortcut`, `preprocess`, `weights` or `let`", ...guess };
};

/** Where a part ends, or failing that a token, or failing that a place. */
const endOfFirst = (...candidates: (CstNode | IToken | undefined | number)[]): number => {
  for (const candidate of candidates) {
    if (typeof candidate === "number") return candidate;
    if (candidate !== undefined) return endOfElement(candidate);
  }
  return 0;
};

export class TreeBuilder extends ExpressionBuilder {
  protected override readonly gaps: Gaps;

  constructor(gaps: Gaps) {
    super();
    this.gaps = gaps;
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
      this.gaps.missing(`${needed} after ${parameters ? "the parameters of " : ""}\`${name.image}\``, end);
    } else if (keyword === "let" && (body !== undefined || parameters !== undefined)) {
      const at = bodyPart ?? parameterList;
      const place = placeOf(at?.location);
      this.gaps.errors.add("syntax-error", place.start, place.start + 1, "a `let` is written `let name = value`");
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

  // Statements

  body(parts: Parts, location: Location): Body {
    const { start, end } = placeOf(location);
    const statements: Statement[] = [];
    const kinds = ["letStatement", "assertStatement", "ifStatement", "forStatement", "stageStatement"];
    for (const { key, element } of inOrder(
      parts,
      ...kinds,
      "inputStatement",
      "useStatement",
      "orphan",
      "strayInBody",
    )) {
      const built = this.build<Statement | undefined>(asNode(element));
      if (key === "orphan") {
        const at = placeOf(asNode(element).location).start;
        this.gaps.errors.add("syntax-error", at, at + 1, "expected a layer or block before this `{`");
      } else if (built !== undefined) {
        statements.push(built);
      }
    }
    return { kind: "body", statements, span: this.span(start, end) };
  }

  strayInBody(parts: Parts): undefined {
    const first = token(parts, "Anything");
    if (first === undefined) return;
    const { image } = first;
    const [start, end] = [startOf(first), endOf(first)];
    const [message, help] =
      image === "else"
        ? ["`else` without an `if { ... }` right before it", undefined]
        : image === ")" || image === "]"
          ? [`this \`${image}\` closes nothing`, undefined]
          : RESERVED_WORDS.has(image)
            ? [`a statement can't begin with \`${image}\``, `\`${image}\` is a reserved word and can't be a name`]
            : [`expected a statement, found ${quote(image)}`, undefined];
    this.gaps.errors.add("syntax-error", start, end, message, help === undefined ? {} : { help });
  }

  letStatement(parts: Parts, location: Location): Let | undefined {
    const { start, end } = placeOf(location);
    const [word, name, equals] = [token(parts, "Let"), token(parts, "Name"), token(parts, "Equals")];
    const reserved = token(parts, "Reserved");
    this.gaps.reserved(reserved);
    if (name === undefined && reserved === undefined) this.gaps.missing("a name after `let`", endOfFirst(word, start));
    if (name !== undefined && equals === undefined) this.gaps.missing(`\`=\` after \`${name.image}\``, endOf(name));
    const after = endOfFirst(equals, name, word, start);
    const value =
      equals === undefined && node(parts, "expression") === undefined
        ? ({ kind: "missing", span: this.span(end, end) } as const)
        : this.required(node(parts, "expression"), "an expression after `=`", after);
    return name && { kind: "let", name: this.identifier(name), value, span: this.span(start, end) };
  }

  assertStatement(parts: Parts, location: Location): Assert {
    const { start, end } = placeOf(location);
    const condition = this.required(node(parts, "condition"), "a condition after `assert`", start + "assert".length);
    const comma = token(parts, "Comma");
    const message = comma && this.required(node(parts, "message"), "a message after `,`", endOf(comma));
    return { kind: "assert", condition, ...(message === undefined ? {} : { message }), span: this.span(start, end) };
  }

  ifStatement(parts: Parts, location: Location): If {
    const { start, end } = placeOf(location);
    const [conditionPart, thenPart] = [node(parts, "expression"), node(parts, "then")];
    const condition = this.required(conditionPart, "a condition after `if`", start + 2);
    const then = this.requiredBody(thenPart, "the condition", endOfFirst(conditionPart, start + 2), conditionPart);
    const word = token(parts, "Else");
    const next = node(parts, "ifStatement") ?? node(parts, "otherwise");
    if (word !== undefined && next === undefined) this.gaps.missing("`{` or `if` after `else`", endOf(word));
    return {
      kind: "if",
      condition,
      then,
      ...(next === undefined ? {} : { else: this.build<Body | If>(next) }),
      span: this.span(start, end),
    };
  }

  forStatement(parts: Parts, location: Location): For | undefined {
    const { start } = placeOf(location);
    const [word, name, inWord] = [token(parts, "keyword"), token(parts, "name"), token(parts, "In")];
    this.misspelt(word, "for");
    const header = endOfFirst(word, start);
    if (name === undefined) this.gaps.missing("a name after `for`", header);
    else if (inWord === undefined) this.gaps.missing(`\`in\` after \`${name.image}\``, endOf(name));
    const overPart = node(parts, "expression");
    const over =
      overPart === undefined && inWord === undefined
        ? ({ kind: "missing", span: this.span(header, header) } as const)
        : this.required(overPart, "a range or list after `in`", endOfFirst(inWord, name, header));
    const after = endOfFirst(overPart, inWord, name, header);
    const body = this.requiredBody(node(parts, "body"), "the head of the loop", after, overPart);
    return name && { kind: "for", variable: this.identifier(name), over, body, span: this.span(start, body.span.end) };
  }

  stageStatement(parts: Parts, location: Location): Stage | undefined {
    const { start, end } = placeOf(location);
    const [word, name, slash] = [token(parts, "keyword"), token(parts, "name"), token(parts, "Slash")];
    const stridePart = node(parts, "expression");
    const isHead = word?.image === "head" && name === undefined;
    if (!isHead) this.misspelt(word, "stage");
    if (name === undefined && !isHead) this.gaps.missing("a name after `stage`", endOfFirst(word, start));
    const stride = slash && this.required(stridePart, "a stride after `/`", endOf(slash));
    const after = endOfFirst(stridePart, slash, name, word, start);
    const body = this.requiredBody(
      node(parts, "body"),
      `stage \`${name?.image ?? "head"}\``,
      after,
      stridePart ?? word,
    );
    const called = isHead ? word : name;
    return (
      called && {
        kind: "stage",
        name: this.identifier(called),
        ...(stride === undefined ? {} : { stride }),
        body,
        span: this.span(start, end),
      }
    );
  }

  inputStatement(parts: Parts, location: Location): Input | undefined {
    const { start, end } = placeOf(location);
    const name = token(parts, "name");
    this.misspelt(token(parts, "keyword"), "input");
    if (name === undefined) return;
    const shape = this.required(node(parts, "expression"), "a size such as `3x224x224`", endOf(name));
    return { kind: "input", name: this.identifier(name), shape, span: this.span(start, end) };
  }

  private misspelt(word: IToken | undefined, meant: string): void {
    if (word === undefined || word.image === meant) return;
    this.gaps.errors.add("syntax-error", startOf(word), endOf(word), `unknown statement \`${word.image}\``, {
      help: `did you mean \`${meant}\`?`,
      fix: meant,
    });
  }

  /** @param before what must be there for the missing body to be worth an error of its own. */
  private requiredBody(part: CstNode | undefined, of: string, after: number, before: unknown): Body {
    if (part !== undefined) return this.build(part);
    if (before !== undefined) this.gaps.missing(`\`{\` after ${of}`, after);
    return { kind: "body", statements: [], span: this.span(after, after) };
  }

  useStatement(parts: Parts, location: Location): Use | undefined {
    const { start, end } = placeOf(location);
    const [label, equals] = [token(parts, "Name"), token(parts, "Equals")];
    const pathPart = node(parts, "path");
    const [range, throughPart] = [token(parts, "Range"), node(parts, "through")];
    const target = pathPart && this.build<Identifier[]>(pathPart);
    if (range !== undefined && throughPart === undefined) this.gaps.missing("a stage after `..`", endOf(range));
    const through = throughPart && this.build<Identifier[]>(throughPart);
    const [bare, call] = [node(parts, "bareArguments"), node(parts, "callArguments")];
    const argumentList = bare ?? call;
    const given = argumentList === undefined ? [] : this.build<Argument[]>(argumentList);
    if (target !== undefined && pathPart !== undefined) {
      this.checkStyle(target, pathPart, bare, call, through !== undefined);
    }
    const on = this.afterWord(parts, "On", "on", "a tensor after `on`");
    const repeat = this.afterWord(parts, "X", "repeat", "a number of repetitions after `x`");
    const bodies = nodes(parts, "body").map((part) => this.build<Body>(part));
    if (target === undefined) {
      if (label !== undefined && equals !== undefined) {
        this.gaps.missing(`a layer or block after \`${label.image} =\``, endOf(equals), {
          help: `a value is named by \`let ${label.image} = ...\``,
        });
      }
      return;
    }
    return {
      kind: "use",
      ...(label === undefined ? {} : { label: this.identifier(label) }),
      target,
      ...(through === undefined ? {} : { through }),
      arguments: given,
      style: bare !== undefined ? "bare" : call !== undefined ? "call" : "none",
      ...(on === undefined ? {} : { on }),
      bodies,
      ...(repeat === undefined ? {} : { repeat }),
      span: this.span(start, end),
    };
  }

  private afterWord(parts: Parts, word: string, key: string, what: string): Expression | undefined {
    const at = token(parts, word);
    return at && this.required(node(parts, key), what, endOf(at));
  }

  /** Bare arguments where the word takes none, none where it needs some. */
  private checkStyle(
    target: readonly Identifier[],
    path: CstNode,
    bare: CstNode | undefined,
    call: CstNode | undefined,
    cut: boolean,
  ): void {
    const word = target.map(({ text }) => text).join(".");
    const takesBare = target.length === 1 && !cut && takesBareArguments(word);
    const { start, end } = placeOf(path.location);
    if (takesBare && bare === undefined && call === undefined) {
      this.gaps.missing(`an argument after \`${word}\``, end);
    } else if (!takesBare && bare !== undefined) {
      const place = placeOf(bare.location);
      const candidate = nearest(word, BARE_WORDS);
      const [at, details] =
        candidate === undefined
          ? [place, { help: `write \`${word}(${this.gaps.textOf(place.start, place.end)})\`` }]
          : [
              { start, end },
              { help: `did you mean \`${candidate}\`?`, fix: candidate },
            ];
      const message = `\`${word}\` takes no arguments without parentheses`;
      this.gaps.errors.add("syntax-error", at.start, at.end, message, details);
    }
  }

  path(parts: Parts): Identifier[] {
    const names = tokens(parts, "Name");
    const lastDot = tokens(parts, "Dot").at(-1);
    const last = names.at(-1);
    if (lastDot !== undefined && last !== undefined && startOf(last) < startOf(lastDot)) {
      this.gaps.missing("a name after `.`", endOf(lastDot));
    }
    return names.map((name) => this.identifier(name));
  }
}
