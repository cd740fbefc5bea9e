/** What an expression stands for, as far as the text tells: the block behind a parameter's default, behind an alias. */
import type {
  Argument,
  Body,
  Declaration,
  Expression,
  NameExpression,
  Parameter,
  Statement,
  Use,
} from "../../grammar/ast.js";
import { bodiesOf, stagesIn } from "../../grammar/bodies.js";
import type { Parsed } from "../workspace/parses.js";
import type { Editor } from "./editor.js";
import { namesOf, type Definition } from "./occurrences.js";

/** A declaration, or what it gave: what can be asked of it differs. */
export interface Static {
  /** The file in which the declaration stands. */
  readonly parsed: Parsed;
  readonly declaration: Declaration;
  readonly isResult: boolean;
}

/** How far names are followed: defaults that lead to defaults, aliases of aliases. */
const MOST_STEPS = 16;

/** The declaration behind an expression. */
export function followed(
  editor: Editor,
  parsed: Parsed,
  expression: Expression,
  steps = MOST_STEPS,
): Static | undefined {
  if (steps === 0) return undefined;
  const on = (next: Expression, file = parsed): Static | undefined => followed(editor, file, next, steps - 1);
  switch (expression.kind) {
    case "name":
      return ofName(editor, parsed, expression, steps);
    case "call":
      return on(expression.callee);
    case "index":
      return on(expression.object);
    case "member": {
      const object = on(expression.object);
      return (
        object && membersOf(editor, object).find(({ definition }) => definition.name === expression.member.text)?.value
      );
    }
    case "conditional":
      return on(expression.then) ?? on(expression.else);
    default:
      return undefined;
  }
}

function ofName(editor: Editor, parsed: Parsed, { span }: NameExpression, steps: number): Static | undefined {
  const { names, declared } = namesOf(parsed);
  const name = names.get(span.start);
  const own = name && declared.get(name);
  if (!name || !own) return undefined;
  if (name.what === "declaration") return ofDeclaration(editor, parsed, own.text, steps);
  if (name.what === "import") {
    const item = parsed.file.imports.find((each) => each.names.some(({ name: of, alias }) => (alias ?? of) === own));
    const imported = item?.names.find(({ name: of, alias }) => (alias ?? of) === own);
    const from = item && editor.importedBy(parsed, item);
    return from && imported && ofDeclaration(editor, from, imported.name.text, steps);
  }
  const place = placeOf(parsed, own.span.start);
  if (place?.kind === "parameter" && place.default) return followed(editor, parsed, place.default, steps - 1);
  if (place?.kind === "let") return followed(editor, parsed, place.value, steps - 1);
  if (place?.kind === "use") return resultOf(editor, parsed, place, steps);
  return undefined;
}

/** What a labelled statement gave. */
function resultOf(editor: Editor, parsed: Parsed, use: Use, steps: number): Static | undefined {
  const [first, ...members] = use.target;
  if (!first) return undefined;
  let value = ofName(editor, parsed, { kind: "name", text: first.text, span: first.span }, steps - 1);
  for (const member of members) {
    value = value && membersOf(editor, value).find(({ definition }) => definition.name === member.text)?.value;
  }
  return value && { ...value, isResult: true };
}

function ofDeclaration(editor: Editor, parsed: Parsed, name: string, steps: number): Static | undefined {
  const declaration = parsed.declared.get(name)?.declaration;
  if (!declaration) return undefined;
  // A constant stands for its value.
  if (declaration.keyword === "let" && !declaration.parameters) {
    return declaration.value && followed(editor, parsed, declaration.value, steps - 1);
  }
  return { parsed, declaration, isResult: false };
}

/** The declaration that has a body, or a list of parameters, behind aliases, and the arguments that these give it. */
function behindAliases(
  editor: Editor,
  value: Static,
  isEnd: (declaration: Declaration) => boolean,
  given: (readonly Argument[])[] = [],
): Static {
  let current = value;
  for (let steps = 0; steps < MOST_STEPS && !isEnd(current.declaration) && current.declaration.value; steps++) {
    const next = followed(editor, current.parsed, current.declaration.value);
    if (!next) break;
    if (current.declaration.value.kind === "call") given.push(current.declaration.value.arguments);
    current = { ...next, isResult: value.isResult };
  }
  return current;
}

/** What a declaration takes. */
export interface Parameters {
  /** The declaration that lists them: an alias without a list of its own takes its target's. */
  readonly of: Static;
  readonly list: readonly Parameter[];
  /** Those that no alias has given. */
  readonly free: readonly Parameter[];
}

export function parametersOf(editor: Editor, value: Static): Parameters | undefined {
  const given: (readonly Argument[])[] = [];
  const of = behindAliases(editor, value, ({ parameters }) => parameters !== undefined, given);
  const list = of.declaration.parameters;
  if (!list) return undefined;
  let free = list;
  // What is nearest to the list was given first.
  for (const args of given.reverse()) {
    const named = new Set(
      args.flatMap(({ name, strideShorthand }) => (strideShorthand ? "stride" : (name?.text ?? []))),
    );
    const places = args.filter(({ name, strideShorthand }) => !name && !strideShorthand).length;
    free = free.filter(({ name }, place) => place >= places && !named.has(name.text));
  }
  return { of, list, free };
}

interface Member {
  readonly definition: Definition;
  readonly value: Static | undefined;
}

/** What can be asked of a network, its stages; and of what a block or network gave, its labels. */
export function membersOf(editor: Editor, value: Static): Member[] {
  const of = behindAliases(editor, value, ({ body }) => body !== undefined);
  const { body, keyword } = of.declaration;
  if (!body) return [];
  const stages =
    keyword === "network" || keyword === "detector"
      ? [...stagesIn(body)].map(({ name }): Labelled => ({ identifier: name, what: "stage" }))
      : [];
  const labels = value.isResult ? body.statements.flatMap((statement) => labelOf(statement) ?? []) : [];
  return [...stages, ...labels].map(({ identifier: { text, span }, what, use }) => ({
    definition: { span, name: text, what },
    value: use && resultOf(editor, of.parsed, use, MOST_STEPS - 1),
  }));
}

interface Labelled {
  readonly identifier: { readonly text: string; readonly span: Definition["span"] };
  readonly what: "stage" | "label";
  readonly use?: Use;
}

function labelOf(statement: Statement): Labelled | undefined {
  if (statement.kind === "use" && statement.label)
    return { identifier: statement.label, what: "label", use: statement };
  if (statement.kind === "for" && statement.label) return { identifier: statement.label, what: "label" };
  if (statement.kind === "input") return { identifier: statement.name, what: "label" };
  return undefined;
}

type Place = ({ readonly kind: "parameter" } & Parameter) | Statement;

const places = new WeakMap<Parsed, ReadonlyMap<number, Place>>();

/** What gives a name its own, by the place where the name stands. */
function placeOf(parsed: Parsed, start: number): Place | undefined {
  let found = places.get(parsed);
  if (!found) {
    const made = new Map<number, Place>();
    const inside = (body: Body): void => {
      for (const statement of body.statements) {
        if (statement.kind === "let") made.set(statement.name.span.start, statement);
        else if ((statement.kind === "use" || statement.kind === "for") && statement.label) {
          made.set(statement.label.span.start, statement);
        }
        bodiesOf(statement).forEach(inside);
      }
    };
    for (const { parameters = [], body } of parsed.file.declarations) {
      for (const parameter of parameters) made.set(parameter.name.span.start, { kind: "parameter", ...parameter });
      if (body) inside(body);
    }
    found = made;
    places.set(parsed, found);
  }
  return found.get(start);
}
