/** Where a name is that a statement can't see: further down, in braces that ended, in a block or network that was run. */
import type { Body, Declaration, Identifier, Span, Statement, Use } from "../../grammar/ast.js";
import { bodiesOf } from "../../grammar/bodies.js";

/** What a block or network that is called so labels, and its stages; empty for all else. */
export type MembersOf = (name: string) => readonly string[];

interface Found {
  readonly name: Identifier;
  /** The statement that has the name. */
  readonly statement: Statement;
  /** Those around it, outermost first. */
  readonly around: readonly Statement[];
  readonly body: Body;
}

/** What to do to reach the name; undefined where nothing in the declaration's body is called so. */
export function nameElsewhere(text: string, at: Span, { body }: Declaration, membersOf: MembersOf): string | undefined {
  if (!body) return undefined;
  for (const found of namesIn(body)) {
    if (found.name.text === text) return reach(found, text, at);
  }
  for (const use of usesIn(body)) {
    if (use.span.end <= at.start && membersOf(use.target[0]?.text ?? "").includes(text)) return memberOf(use, text);
  }
  return undefined;
}

function reach({ statement, around, body }: Found, text: string, at: Span): string {
  if (body.span.start <= at.start && at.end <= body.span.end) {
    const isOwn = statement.span.start <= at.start && at.end <= statement.span.end;
    return isOwn
      ? `\`${text}\` is known after the statement that it names`
      : `\`${text}\` comes further down, and has to come before it is used`;
  }
  const loop = around.findLast((each) => each.kind === "for");
  if (statement.kind === "let") return `\`${text}\` is known only in its braces: declare it before them`;
  if (!loop) return `\`${text}\` is known only in its braces: a label before them names what they give`;
  const label = loop.label?.text ?? "all";
  const name = loop.label ? "" : `label the loop, \`${label} = for ${loop.variable.text} in ...\`; `;
  return `${name}\`${label}[0].${text}\` is the first turn's, \`${label}\` the list of what the turns gave`;
}

function memberOf(use: Use, text: string): string {
  const target = use.target.map((each) => each.text).join(".");
  const through = use.through ? ` .. ${use.through.map((each) => each.text).join(".")}` : "";
  const call = `${target}${use.arguments.length > 0 || use.style === "call" ? "(...)" : ""}${through}`;
  return use.label
    ? `it is a member: \`${use.label.text}.${text}\``
    : `it is in what \`${call}\` gave: label that, \`part = ${call}\`, and write \`part.${text}\``;
}

function* namesIn(body: Body, around: readonly Statement[] = []): Generator<Found> {
  for (const statement of body.statements) {
    const name = "label" in statement ? statement.label : "name" in statement ? statement.name : undefined;
    if (name) yield { name, statement, around, body };
    for (const inside of bodiesOf(statement)) yield* namesIn(inside, [...around, statement]);
  }
}

function* usesIn(body: Body): Generator<Use> {
  for (const statement of body.statements) {
    if (statement.kind === "use") yield statement;
    for (const inside of bodiesOf(statement)) yield* usesIn(inside);
  }
}

/** The names that a body gives to what stands in it itself. */
export function labelsOf({ body }: Declaration): string[] {
  return body ? [...namesIn(body)].filter((found) => found.body === body).map(({ name }) => name.text) : [];
}
