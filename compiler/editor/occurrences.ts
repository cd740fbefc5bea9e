/** What every name of a file means: where it is declared, in this file or another, or which word of the language it is. */
import type { Argument, Body, Declaration, Expression, Identifier, Span, Statement, Use } from "../../grammar/ast.js";
import { bodiesOf } from "../../grammar/bodies.js";
import { checkNames, type NameObserver } from "../check/names.js";
import type { Name } from "../check/scope.js";
import { Reporter } from "../diagnostics/reporter.js";
import type { Parsed } from "../workspace/parses.js";
import type { Word } from "../words/schema.js";
import type { Editor } from "./editor.js";
import { followed, membersOf, parametersOf, type Static } from "./static.js";

/** Something that has a name, by the place where it gets it. */
export interface Definition {
  readonly span: Span;
  readonly name: string;
  /** `given`: a name that a body knows without declaring it, such as `input`. */
  readonly what: Name["what"] | "member";
  /** The declaration of that name. */
  readonly declaration?: Declaration;
}

export type Meaning =
  /** `called`: what has this very name, to rename it; `target`: what it stands for, behind imports. */
  | { readonly kind: "name"; readonly called: Definition; readonly target: Definition }
  | { readonly kind: "word"; readonly word: Word }
  | { readonly kind: "argument" | "choice"; readonly word: Word; readonly argument: string };

/** A name where it stands. */
export interface Occurrence {
  readonly span: Span;
  readonly meaning: Meaning;
  /** The place where it gets the name. */
  readonly isDefinition: boolean;
}

/** What a file alone says of its names. */
export interface FileNames {
  /** By the place where a name begins. */
  readonly names: ReadonlyMap<number, Name>;
  readonly words: readonly Occurrence[];
  /** Where names get theirs. */
  readonly declared: ReadonlyMap<Name, Identifier>;
  /** Braces and declarations, outer ones first, with the names that are known in them. */
  readonly scopes: readonly { readonly span: Span; readonly names: Iterable<readonly [string, Name]> }[];
}

const known = new WeakMap<Parsed, FileNames>();

export function namesOf(parsed: Parsed): FileNames {
  const before = known.get(parsed);
  if (before) return before;
  const names = new Map<number, Name>();
  const declared = new Map<Name, Identifier>();
  const words: Occurrence[] = [];
  const scopes: { span: Span; names: Iterable<readonly [string, Name]> }[] = [];
  const word = (span: Span, meaning: Meaning): void => void words.push({ span, meaning, isDefinition: false });
  const observer: NameObserver = {
    declares(name, as) {
      if (!declared.has(as)) declared.set(as, name);
      names.set(name.span.start, as);
    },
    refers: (at, to) => void names.set(at.start, to),
    says: (at, of) => word(at, { kind: "word", word: of }),
    gives: (at, argument, of) => word(at.span, { kind: "argument", argument, word: of }),
    chooses: (at, argument, of) => word(at, { kind: "choice", argument, word: of }),
    opens: (span, { own }) => void scopes.push({ span, names: own }),
  };
  checkNames(parsed.file, new Reporter(), () => [], observer);
  const found = { names, words, declared, scopes };
  known.set(parsed, found);
  return found;
}

/** Every name of a file and what it means, in the order of the text. */
export function occurrencesIn(editor: Editor, parsed: Parsed): Occurrence[] {
  const { names, words, declared } = namesOf(parsed);
  const found: Occurrence[] = [...words];
  for (const [start, name] of names) {
    const meaning = meaningOf(editor, parsed, name);
    const own = declared.get(name);
    const span = { file: parsed.path, start, end: start + (own?.text.length ?? 0) };
    if (meaning && own) found.push({ span, meaning, isDefinition: isPlaceOf(meaning, span) });
    else if (meaning) found.push({ span: wordAt(parsed, start), meaning, isDefinition: false });
  }
  const add = (at: Identifier, target: Definition | undefined): void => {
    if (target && at.text !== "") {
      found.push({ span: at.span, meaning: { kind: "name", called: target, target }, isDefinition: false });
    }
  };
  for (const item of parsed.file.imports) {
    const from = editor.importedBy(parsed, item);
    for (const { name, alias } of item.names) if (alias) add(name, from && declarationIn(from, name.text));
  }
  new Qualified(editor, parsed, add).walk();
  return found.sort((a, b) => a.span.start - b.span.start || a.span.end - b.span.end);
}

function isPlaceOf(meaning: Meaning, { file, start }: Span): boolean {
  return meaning.kind === "name" && meaning.called.span.file === file && meaning.called.span.start === start;
}

/** The name at a place: the one that it is in, or right behind. */
export function occurrenceAt(editor: Editor, parsed: Parsed, offset: number): Occurrence | undefined {
  const around = occurrencesIn(editor, parsed).filter(({ span }) => span.start <= offset && offset <= span.end);
  return around.find(({ span }) => offset < span.end) ?? around[0];
}

function wordAt(parsed: Parsed, start: number): Span {
  const [text = ""] = /^\w+/.exec(parsed.text.slice(start)) ?? [];
  return { file: parsed.path, start, end: start + text.length };
}

function meaningOf(editor: Editor, parsed: Parsed, name: Name): Meaning | undefined {
  const own = namesOf(parsed).declared.get(name);
  if (!own) {
    const text = wordAt(parsed, name.span.start).start;
    const given: Definition = { span: { ...name.span, start: text }, name: "", what: "given" };
    return { kind: "name", called: given, target: given };
  }
  const declaration = name.what === "declaration" ? parsed.declared.get(own.text)?.declaration : undefined;
  const called: Definition = { span: own.span, name: own.text, what: name.what, ...(declaration && { declaration }) };
  if (name.what !== "import") return { kind: "name", called, target: called };
  const item = parsed.file.imports.find(({ names }) => names.some((each) => (each.alias ?? each.name) === own));
  const imported = item?.names.find((each) => (each.alias ?? each.name) === own);
  const from = item && editor.importedBy(parsed, item);
  const target = from && imported && declarationIn(from, imported.name.text);
  // What is imported by its own name is called what it is called there.
  return { kind: "name", called: target && !imported?.alias ? target : called, target: target ?? called };
}

/** What a file declares by a name. */
export function declarationIn(parsed: Parsed, name: string): Definition | undefined {
  const found = parsed.declared.get(name)?.declaration;
  return found && { span: found.name.span, name, what: "declaration", declaration: found };
}

type Found = (at: Identifier, target: Definition | undefined) => void;

/** Names that mean something by what stands before them: members, and the names of arguments of blocks. */
class Qualified {
  readonly #editor: Editor;
  readonly #parsed: Parsed;
  readonly #add: Found;

  constructor(editor: Editor, parsed: Parsed, add: Found) {
    this.#editor = editor;
    this.#parsed = parsed;
    this.#add = add;
  }

  walk(): void {
    for (const { parameters = [], value, body } of this.#parsed.file.declarations) {
      for (const parameter of parameters) if (parameter.default) this.#expression(parameter.default);
      if (value) this.#expression(value);
      if (body) this.#body(body);
    }
  }

  #body({ statements }: Body): void {
    for (const statement of statements) this.#statement(statement);
  }

  #statement(statement: Statement): void {
    switch (statement.kind) {
      case "let":
        this.#expression(statement.value);
        break;
      case "assert":
        this.#expression(statement.condition);
        break;
      case "if":
        this.#expression(statement.condition);
        if (statement.else?.kind === "if") this.#expression(statement.else.condition);
        break;
      case "for":
        this.#expression(statement.over);
        break;
      case "stage":
        if (statement.stride) this.#expression(statement.stride);
        break;
      case "input":
        this.#expression(statement.shape);
        break;
      case "use":
        this.#use(statement);
    }
    for (const body of bodiesOf(statement)) this.#body(body);
  }

  #use(use: Use): void {
    const target = this.#path(use.target);
    if (use.through) this.#path(use.through);
    this.#arguments(use.arguments, target);
    if (use.on) this.#expression(use.on);
    if (use.repeat) this.#expression(use.repeat);
  }

  #path([first, ...members]: readonly Identifier[]): Static | undefined {
    let value = first && followed(this.#editor, this.#parsed, { kind: "name", text: first.text, span: first.span });
    for (const member of members) value = this.#member(value, member);
    return value;
  }

  #member(object: Static | undefined, name: Identifier): Static | undefined {
    const found = object && membersOf(this.#editor, object).find((each) => each.definition.name === name.text);
    this.#add(name, found?.definition);
    return found?.value;
  }

  #arguments(args: readonly Argument[], callee: Static | undefined): void {
    const parameters = callee && args.some(({ name }) => name) ? parametersOf(this.#editor, callee) : undefined;
    for (const { name, value } of args) {
      const parameter = name && parameters?.list.find((each) => each.name.text === name.text);
      if (name && parameter) this.#add(name, { span: parameter.name.span, name: name.text, what: "parameter" });
      this.#expression(value);
    }
  }

  /** Gives what it stands for, as far as the text tells. */
  #expression(expression: Expression): Static | undefined {
    switch (expression.kind) {
      case "name":
        return followed(this.#editor, this.#parsed, expression);
      case "member":
        return this.#member(this.#expression(expression.object), expression.member);
      case "call": {
        const callee = this.#expression(expression.callee);
        this.#arguments(expression.arguments, callee);
        return callee;
      }
      case "index": {
        const object = this.#expression(expression.object);
        this.#expression(expression.index);
        return object;
      }
      case "list":
        expression.elements.forEach((element) => this.#expression(element));
        return undefined;
      case "unary":
        this.#expression(expression.operand);
        return undefined;
      case "binary":
        this.#expression(expression.left);
        this.#expression(expression.right);
        return undefined;
      case "conditional": {
        this.#expression(expression.condition);
        const [then, otherwise] = [this.#expression(expression.then), this.#expression(expression.else)];
        return then ?? otherwise;
      }
      case "range":
        this.#expression(expression.from);
        this.#expression(expression.to);
        return undefined;
      default:
        return undefined;
    }
  }
}
