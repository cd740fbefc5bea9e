import { builders, type Doc } from "./doc.js";
import type { Comment, Declaration, Import, Parameter, SourceFile } from "../ast.js";
import { Comments } from "./comments.js";
import type { Context } from "./context.js";
import { expressionDoc, valueDoc } from "./expressions.js";
import { flatText } from "./flat.js";
import { isKept, keptDoc } from "./ignore.js";
import { joinLines, type Line } from "./rows.js";
import { bracketed, onOwnLines, separated, type Item } from "./sequence.js";
import { closingParenthesis, withBodies } from "./statements.js";

const { group, hardline, indent, line } = builders;

/** Measures of formatted text. */
export interface Layout {
  /** Columns of a line. */
  readonly width: number;
  /** Columns of one level of indentation. */
  readonly indent: number;
  /** Levels of tabs in place of spaces. Default false. */
  readonly tabs?: boolean;
}

export const LAYOUT: Layout = { width: 100, indent: 2 };

/** A whole file as a document for Prettier's printer. The file must be without syntax errors. */
export function fileDoc(file: SourceFile, text: string, layout: Layout = LAYOUT): Doc {
  const context: Context = { ...layout, text, comments: new Comments(file, text) };
  const parts = [...file.imports, ...file.declarations].sort((a, b) => a.span.start - b.span.start);
  const lines: TopLine[] = [];
  let end = 0;
  for (const part of parts) {
    const before = addComments(lines, end, part.span.start, context);
    const printed = isKept(before) ? keepTop(part, context) : printTop(part, context);
    lines.push({ ...part.span, ...printed, part });
    end = part.span.end;
  }
  addComments(lines, end, text.length, context);
  return lines.length === 0 ? "" : [joinLines(lines, 0, context, needsBlank), hardline];
}

interface TopLine extends Line {
  /** Absent for a comment. */
  readonly part?: Import | Declaration;
  /** Whether it is printed in one line. */
  readonly isOneLine?: boolean;
}

/** Gives those on lines of their own. */
function addComments(lines: TopLine[], start: number, end: number, { comments }: Context): readonly Comment[] {
  const { trailing, own } = comments.takeGap(start, end);
  const last = lines.pop();
  if (last !== undefined) lines.push(trailing === undefined ? last : { ...last, trailing });
  const all: Comment[] = last === undefined && trailing !== undefined ? [trailing, ...own] : [...own];
  for (const comment of all) lines.push({ ...comment.span, doc: comment.text });
  return all;
}

/** A blank line stands between declarations, but for one-line values that were written together. */
function needsBlank({ part, isOneLine }: TopLine, next: TopLine): boolean {
  if (part === undefined || (part.kind === "import" && next.part?.kind !== "declaration")) return false;
  return !(isOneLine === true && next.isOneLine === true && part.kind === "declaration");
}

function keepTop({ span: { start, end } }: Import | Declaration, context: Context): { doc: Doc; isOneLine: boolean } {
  const written = context.text.slice(start, end);
  return { doc: keptDoc(start, end, context), isOneLine: !written.includes("\n") && !written.endsWith("}") };
}

function printTop(part: Import | Declaration, context: Context): { doc: Doc; isOneLine: boolean } {
  const printed = part.kind === "import" ? importDoc(part, context) : declarationDoc(part, context);
  // A doc comment in a place where it documents nothing must not become one here.
  const inside = context.comments
    .take(part.span.start, part.span.end)
    .map((comment): Comment => ({ ...comment, text: comment.text.replace(/^\/{3,}/, "//") }));
  const flat = flatText(printed, context.width);
  const isOneLine = inside.length === 0 && flat !== undefined && !flat.endsWith("}");
  return { doc: [onOwnLines(inside), printed], isOneLine };
}

function importDoc({ names, from, span }: Import, context: Context): Doc {
  const items = names.map(({ name, alias, span: place }): Item => ({
    span: place,
    print: () => (alias === undefined ? name.text : `${name.text} as ${alias.text}`),
  }));
  const open = context.text.indexOf("{", span.start);
  const path = [" from ", from.text];
  if (names.length === 0 && !context.comments.any(open, from.span.start)) return ["import {}", path];
  const { opening, contents } = separated(items, { open, close: from.span.start, layout: "filled" }, context);
  return group(["import {", opening, indent([line, contents]), line, "}", path]);
}

function declarationDoc(declaration: Declaration, context: Context): Doc {
  const { keyword, name, parameters, body, value } = declaration;
  const head: Doc[] = [`${keyword} ${name.text}`];
  let end = name.span.end;
  if (parameters !== undefined) {
    const close = closingParenthesis(parameters.at(-1)?.span.end ?? end, context.text);
    head.push(bracketed("(", parameterItems(parameters, context), ")", { open: end, close }, "listed", context));
    end = close + 1;
  }
  if (value !== undefined) return valueDoc(head, value, 0, context);
  if (body === undefined) return head;
  const { doc, flat } = withBodies(head, end, [body], "", 0, context);
  return flat ?? doc;
}

const parameterItems = (parameters: readonly Parameter[], context: Context): Item[] =>
  parameters.map(({ name, default: value, span }) => ({
    span,
    print: () => (value === undefined ? name.text : [`${name.text} = `, expressionDoc(value, context)]),
  }));
