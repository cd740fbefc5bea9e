/** From the concrete tree of statements to the syntax tree. */
import type { CstNode, CstNodeLocation, IToken } from "chevrotain";
import type {
  Argument,
  Assert,
  Body,
  Expression,
  For,
  Identifier,
  If,
  Input,
  Let,
  Stage,
  Statement,
  Use,
} from "./ast.js";
import { ExpressionBuilder } from "./build-expressions.js";
import { asNode, endOfElement, inOrder, node, nodes, placeOf, token, tokens, type Parts } from "./cst.js";
import { quote } from "./errors.js";
import { endOf, startOf } from "./lexer.js";
import { reservedWord } from "./gaps.js";
import { nearest } from "./nearest.js";
import { own } from "./own.js";
import { RESERVED_WORDS } from "./tokens.js";
import { takesBareArguments, type Context } from "./vocabulary.js";

type Location = CstNodeLocation | undefined;

const STATEMENT_RULES = [
  "letStatement",
  "assertStatement",
  "ifStatement",
  "forStatement",
  "stageStatement",
  "inputStatement",
  "useStatement",
];

/** Statements whose name comes before everything else: what is missing, and what to write. */
const NAMED_FIRST: Readonly<Record<string, readonly [what: string, help: string]>> = {
  input: ["a name after `input`", "write `input image 3x224x224`"],
  stage: ["a name after `stage`", "its name has no quotes: `stage conv1 { ... }`"],
};

/** Said where a body is missing. */
export const BRACES = "what belongs to it stands in braces: `{ ... }`";

/** What is meant by a token between statements, by what stands before it in its line. */
const HABITS: readonly (readonly [token: string, before: RegExp, help: string])[] = [
  [",", /\binput\s+\w+\s+\d+$/, "a size is written `3x224x224`"],
  [",", /\d\s+x\s+\d+$/, "a size has no spaces: `3x3`"],
  [",", /\b(?:add|concat|multiply|maximum|average)\b/, "branches stand in braces: `add { identity } { ... }`"],
  [",", /./, "arguments of a block stand in parentheses: `name(a, b)`"],
  ["*", /./, "`x 3` repeats what stands before it"],
];

function habitAt(token: string, before: string): string | undefined {
  return HABITS.find(([each, pattern]) => each === token && pattern.test(before.trimEnd()))?.[2];
}

/** What is meant by a reserved word that begins a statement. */
function strayWordHelp(word: string): string {
  if (word !== "on") return reservedWord(word);
  return "`on` stands behind the arguments and before braces: `conv 3x3, 64 on a`, `concat on a { ... } { ... }`";
}

/** `maps[0]` takes up an element of a list. */
function bareHelp(word: string, written: string): string {
  return written.startsWith("[")
    ? `write \`identity on ${word}${written}\` to go on there, \`${word}(${written})\` to hand it a list`
    : `write \`${word}(${written})\``;
}

/** Whether the first argument is given by its name. */
function isNamed(bare: CstNode): boolean {
  const [first] = nodes(bare.children, "argument");
  return first !== undefined && token(first.children, "Colon") !== undefined;
}

export const spelling = (word: string, candidates: readonly string[]): { help?: string; fix?: string } => {
  const candidate = nearest(word, candidates);
  return candidate === undefined ? {} : { help: `did you mean \`${candidate}\`?`, fix: candidate };
};

/** Where a part ends, or failing that a token, or failing that a place. */
export const endOfFirst = (...candidates: (CstNode | IToken | undefined | number)[]): number => {
  for (const candidate of candidates) {
    if (typeof candidate === "number") return candidate;
    if (candidate !== undefined) return endOfElement(candidate);
  }
  return 0;
};

export abstract class StatementBuilder extends ExpressionBuilder {
  /** The words of the body that is being built. */
  protected abstract context: Context;

  body(parts: Parts, location: Location): Body {
    const { start, end } = placeOf(location);
    const statements: Statement[] = [];
    for (const { key, element } of inOrder(parts, ...STATEMENT_RULES, "orphan", "strayInBody")) {
      const built = this.build<Statement | undefined>(asNode(element));
      if (key === "orphan") {
        const at = placeOf(asNode(element).location).start;
        this.gaps.errors.add("syntax-error", at, at + 1, "expected a layer or block before this `{`", {
          help: "`for i in 1 .. 3 { ... }` repeats statements, a `block` names them",
        });
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
            ? [`a statement can't begin with \`${image}\``, strayWordHelp(image)]
            : [`expected a statement, found ${quote(image)}`, habitAt(image, this.gaps.lineBefore(start))];
    this.gaps.errors.add("syntax-error", start, end, message, help === undefined ? {} : { help });
  }

  letStatement(parts: Parts, location: Location): Let | undefined {
    const { start, end } = placeOf(location);
    const [word, name, equals] = [token(parts, "Let"), token(parts, "Name"), token(parts, "Equals")];
    const reserved = token(parts, "Reserved");
    this.gaps.reserved(reserved);
    if (name === undefined && reserved === undefined) this.gaps.missing("a name after `let`", endOfFirst(word, start));
    if (name !== undefined && equals === undefined) {
      const isFunction = this.gaps.nextToken(endOf(name))?.image === "(";
      const details = isFunction ? { help: "a function stands at the top of a file, outside of all braces" } : {};
      this.gaps.missing(`\`=\` after \`${name.image}\``, endOf(name), details);
    }
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
    const loop = { help: "write `for i in 0 .. n - 1 { ... }` or `for width in widths { ... }`" };
    if (name === undefined) this.gaps.missing("a name after `for`", header, loop);
    else if (inWord === undefined || token(parts, "stray")) {
      this.gaps.missing(`\`in\` after \`${name.image}\``, endOf(name), loop);
    }
    const overPart = node(parts, "expression");
    const over =
      overPart === undefined && inWord === undefined
        ? ({ kind: "missing", span: this.span(header, header) } as const)
        : this.required(overPart, "a range or list after `in`", endOfFirst(inWord, name, header));
    const after = endOfFirst(overPart, inWord, name, header);
    const body = this.requiredBody(node(parts, "body"), "the head of the loop", after, overPart);
    const label = token(parts, "label");
    return (
      name && {
        kind: "for",
        ...(label === undefined ? {} : { label: this.identifier(label) }),
        variable: this.identifier(name),
        over,
        body,
        span: this.span(start, body.span.end),
      }
    );
  }

  stageStatement(parts: Parts, location: Location): Stage | undefined {
    const { start, end } = placeOf(location);
    const [word, name, slash] = [token(parts, "keyword"), token(parts, "name"), token(parts, "Slash")];
    const stridePart = node(parts, "expression");
    const isHead = word?.image === "head" && name === undefined;
    if (!isHead) this.misspelt(word, "stage");
    if (name === undefined && !isHead)
      this.gaps.missing("a name after `stage`", endOfFirst(word, start), { help: "write `stage conv1 { ... }`" });
    const stride = slash && this.required(stridePart, "a stride after `/`", endOf(slash));
    const after = endOfFirst(stridePart, slash, name, word, start);
    const body = this.requiredBody(
      node(parts, "body"),
      `stage \`${name?.image ?? "head"}\``,
      after,
      stridePart ?? word,
      `write \`stage ${name?.image ?? "conv1"} { ... }\`, with a stride \`stage ${name?.image ?? "conv1"} /2 { ... }\``,
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
  private requiredBody(part: CstNode | undefined, of: string, after: number, before: unknown, help = BRACES): Body {
    if (part !== undefined) return this.build(part);
    if (before !== undefined) this.gaps.missing(`\`{\` after ${of}`, after, { help });
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
    const around = this.context;
    const [word, ...members] = target ?? [];
    this.context = (word && members.length === 0 ? around.get(word.text)?.inside : undefined) ?? around;
    const bodies = nodes(parts, "body").map((part) => this.build<Body>(part));
    this.context = around;
    if (target === undefined) {
      if (label !== undefined && equals !== undefined) {
        this.gaps.missing(`a layer or block after \`${label.image} =\``, endOf(equals), {
          help:
            this.gaps.nextToken(endOf(equals))?.image === "{"
              ? "a label stands before one layer or block: put it before the last one in the braces, without these"
              : `a value is named by \`let ${label.image} = ...\``,
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
    const isWord = target.length === 1 && !cut;
    const takesBare = isWord && takesBareArguments(this.context, word);
    const { start, end } = placeOf(path.location);
    if (takesBare && bare === undefined && call === undefined) {
      this.gaps.missing(`an argument after \`${word}\``, end);
    } else if (!takesBare && bare !== undefined) {
      const place = placeOf(bare.location);
      const named = isWord ? own(NAMED_FIRST, word) : undefined;
      if (named !== undefined) {
        const [what, help] = named;
        this.gaps.missing(what, end, { help });
        return;
      }
      // `bn eps: 1e-3`: what can only be an argument needs no parentheses, after words that are none of a file's own.
      if (isWord && this.context.has(word) && isNamed(bare)) return;
      const bareWords = [...this.context].filter(([, form]) => form.bare).map(([name]) => name);
      const candidate = nearest(word, bareWords);
      const [at, details] =
        candidate === undefined
          ? [place, { help: bareHelp(word, this.gaps.textOf(place.start, place.end)) }]
          : [
              { start, end },
              { help: `did you mean \`${candidate}\`?`, fix: candidate },
            ];
      const message = `\`${word}\` takes no arguments without parentheses`;
      const about = isWord ? { word: target[0]! } : {};
      this.gaps.errors.add("syntax-error", at.start, at.end, message, { ...details, ...about });
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
