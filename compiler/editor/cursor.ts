/**
 * What could stand at a place. A name that nothing is called is put there, and the parser, which takes half-written texts,
 * says where in the tree it is: as a statement, as an argument of something, behind a dot.
 */
import type { Argument, Body, Declaration, Expression, Identifier, Statement } from "../../grammar/ast.js";
import { bodiesOf } from "../../grammar/bodies.js";
import { parse } from "../syntax.js";

/** Nobody calls anything so. */
const MARK = "cursor__here";

/** Who takes the argument: a path of names, written bare or called. */
export interface Callee {
  readonly names: readonly Identifier[];
  readonly arguments: readonly Argument[];
  /** Of the argument that is written. */
  readonly index: number;
  /** Its name, where it is given by name. */
  readonly name: string | undefined;
  /** It stands among statements: `conv 3x3`. */
  readonly isStatement: boolean;
}

export interface Cursor {
  /** What of a word stands before the place. */
  readonly prefix: string;
  /** The word around the place, to be replaced. */
  readonly start: number;
  readonly end: number;
  readonly kind: "file" | "declaration" | "statement" | "expression" | "member" | "import" | "path" | "name" | "none";
  readonly declaration?: Declaration;
  /** Words whose braces are around, innermost last: `train`, `residual`. */
  readonly around: readonly string[];
  /** Around an expression, innermost last. */
  readonly callees: readonly Callee[];
  /** Before the dot. */
  readonly object?: Expression | readonly Identifier[];
  /** Of an import: the path behind `from`. */
  readonly from?: string;
}

export function cursorAt(text: string, offset: number): Cursor {
  let [start, end] = [offset, offset];
  while (/\w/.test(text[start - 1] ?? "")) start--;
  while (/\w/.test(text[end] ?? "")) end++;
  const base = { prefix: text.slice(start, offset), start, end, around: [], callees: [] } as const;
  const line = text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
  const quotes = line.split('"').length - 1;
  if (/\/\//.test(line.replace(/"[^"]*"/g, ""))) return { ...base, kind: "none" };
  if (quotes % 2 === 1) {
    const [, path] = /\bfrom\s*"([^"]*)$/.exec(line) ?? [];
    return path === undefined
      ? { ...base, kind: "none" }
      : { ...base, prefix: path, start: offset - path.length, kind: "path" };
  }
  // A number is no name.
  if (/^\d/.test(text.slice(start, end)) && offset > start) return { ...base, kind: "none" };
  const marked = `${text.slice(0, start)}${MARK}${text.slice(end)}`;
  const { file } = parse(marked, "cursor");
  for (const item of file.imports) {
    if (item.names.some(({ name, alias }) => name.text === MARK && !alias))
      return { ...base, kind: "import", from: item.from.value };
  }
  const finder = new Finder(base);
  for (const declaration of file.declarations) {
    const found = finder.declaration(declaration);
    if (found) return found;
  }
  // Right behind a keyword comes a name.
  if (
    /\b(?:block|shortcut|network|detector|dialect|recipe|preprocess|weights|let|stage|for|import|as)\s+$/.test(
      text.slice(0, start),
    )
  ) {
    return { ...base, kind: "name" };
  }
  const around = file.declarations.find(({ span }) => span.start <= start && start < span.end);
  return { ...base, kind: around ? "none" : "file" };
}

type Base = Pick<Cursor, "prefix" | "start" | "end">;

class Finder {
  readonly #base: Base;
  #declaration: Declaration | undefined;
  readonly #around: string[] = [];
  readonly #callees: Callee[] = [];

  constructor(base: Base) {
    this.#base = base;
  }

  #found(kind: Cursor["kind"], more: Partial<Cursor> = {}): Cursor {
    return {
      ...this.#base,
      kind,
      around: [...this.#around],
      callees: [...this.#callees],
      ...(this.#declaration && { declaration: this.#declaration }),
      ...more,
    };
  }

  declaration(declaration: Declaration): Cursor | undefined {
    this.#declaration = declaration;
    if (declaration.name.text === MARK) return this.#found("name");
    for (const { name, default: value } of declaration.parameters ?? []) {
      if (name.text === MARK) return this.#found("name");
      const found = value && this.#expression(value);
      if (found) return found;
    }
    return (
      (declaration.value && this.#expression(declaration.value)) ?? (declaration.body && this.#body(declaration.body))
    );
  }

  #body({ statements }: Body): Cursor | undefined {
    for (const statement of statements) {
      const found = this.#statement(statement);
      if (found) return found;
    }
    return undefined;
  }

  #statement(statement: Statement): Cursor | undefined {
    const first = (...expressions: readonly (Expression | undefined)[]): Cursor | undefined => {
      for (const each of expressions) {
        const found = each && this.#expression(each);
        if (found) return found;
      }
      return undefined;
    };
    let found: Cursor | undefined;
    switch (statement.kind) {
      case "let":
        found = statement.name.text === MARK ? this.#found("name") : first(statement.value);
        break;
      case "assert":
        found = first(statement.condition, statement.message);
        break;
      case "if":
        found = first(statement.condition);
        if (!found && statement.else?.kind === "if") found = this.#statement(statement.else);
        break;
      case "for":
        found =
          statement.variable.text === MARK || statement.label?.text === MARK
            ? this.#found("name")
            : first(statement.over);
        break;
      case "stage":
        found = statement.name.text === MARK ? this.#found("name") : first(statement.stride);
        break;
      case "input":
        found = statement.name.text === MARK ? this.#found("name") : first(statement.shape);
        break;
      case "use": {
        const { target, through, label } = statement;
        const path = [target, through].find((names) => names?.some(({ text }) => text === MARK));
        const at = path?.findIndex(({ text }) => text === MARK) ?? -1;
        if (label?.text === MARK) found = this.#found("name");
        else if (path && at === 0) found = this.#found("statement");
        else if (path) found = this.#found("member", { object: path.slice(0, at) });
        else {
          found = this.#arguments(statement.arguments, target, true) ?? first(statement.on, statement.repeat);
        }
      }
    }
    if (found) return found;
    const word = statement.kind === "use" ? statement.target[0]?.text : undefined;
    if (word !== undefined) this.#around.push(word);
    for (const body of bodiesOf(statement)) {
      const inside = this.#body(body);
      if (inside) return inside;
    }
    if (word !== undefined) this.#around.pop();
    return undefined;
  }

  #arguments(args: readonly Argument[], names: readonly Identifier[], isStatement: boolean): Cursor | undefined {
    for (const [index, { name, value }] of args.entries()) {
      this.#callees.push({ names, arguments: args, index, name: name?.text, isStatement });
      if (name?.text === MARK) return this.#found("expression");
      const found = this.#expression(value);
      if (found) return found;
      this.#callees.pop();
    }
    return undefined;
  }

  #expression(expression: Expression): Cursor | undefined {
    switch (expression.kind) {
      case "name":
        return expression.text === MARK ? this.#found("expression") : undefined;
      case "member":
        return expression.member.text === MARK
          ? this.#found("member", { object: expression.object })
          : this.#expression(expression.object);
      case "call": {
        const { callee } = expression;
        const names: readonly Identifier[] = callee.kind === "name" ? [{ ...callee, kind: "identifier" }] : [];
        return this.#expression(callee) ?? this.#arguments(expression.arguments, names, false);
      }
      case "index":
        return this.#expression(expression.object) ?? this.#expression(expression.index);
      case "list":
        return this.#any(expression.elements);
      case "unary":
        return this.#expression(expression.operand);
      case "binary":
        return this.#any([expression.left, expression.right]);
      case "conditional":
        return this.#any([expression.condition, expression.then, expression.else]);
      case "range":
        return this.#any([expression.from, expression.to]);
      default:
        return undefined;
    }
  }

  #any(expressions: readonly Expression[]): Cursor | undefined {
    for (const each of expressions) {
      const found = this.#expression(each);
      if (found) return found;
    }
    return undefined;
  }
}
