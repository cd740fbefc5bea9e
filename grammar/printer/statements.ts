import { builders, type Doc } from "./doc.js";
import type { Body, Comment, If, Statement, Use } from "../ast.js";
import type { Context } from "./context.js";
import { argumentItems, callDoc, expressionDoc, pathText, valueDoc } from "./expressions.js";
import { flatText } from "./flat.js";
import { isKept, keptDoc } from "./ignore.js";
import { joinLines, rowText, type Line, type Row } from "./rows.js";
import { atLineEnd, onOwnLines, separated } from "./sequence.js";

const { group, hardline, indent, line } = builders;

const CELL_GAP = "   ";

/** Something that is printed in one line or in several. */
export interface Printed {
  readonly doc: Doc;
  /** Its text in one line, where it may stand in one. */
  readonly flat?: string;
}

interface PrintedStatement extends Printed {
  readonly statement: Statement;
  /** Of a stage: its name, its stride or nothing, and its braces. Rows of stages are aligned at these. */
  readonly columns?: readonly string[];
}

const flatOf = (doc: Doc, context: Context): { flat?: string } => {
  const flat = flatText(doc, context.width);
  return flat === undefined ? {} : { flat };
};

/** @param column where the statement begins. */
function printStatement(statement: Statement, column: number, context: Context): PrintedStatement {
  const { start, end } = statement.span;
  const printed = printParts(statement, column, context);
  const inside = context.comments.take(start, end);
  if (inside.length > 0) return { statement, doc: [onOwnLines(inside), printed.doc] };
  return { statement, ...printed };
}

function printParts(statement: Statement, column: number, context: Context): Omit<PrintedStatement, "statement"> {
  const expression = (part: Parameters<typeof expressionDoc>[0]): Doc => expressionDoc(part, context);
  switch (statement.kind) {
    case "let":
      return simple(valueDoc(`let ${statement.name.text}`, statement.value, column, context), context);
    case "assert": {
      const { condition, message } = statement;
      return simple(
        ["assert ", expression(condition), message === undefined ? "" : [",", indent([line, expression(message)])]],
        context,
      );
    }
    case "input":
      return simple([`input ${statement.name.text} `, expression(statement.shape)], context);
    case "if":
      return printIf(statement, column, context);
    case "for": {
      const { label, variable, over, body } = statement;
      const head = `${label === undefined ? "" : `${label.text} = `}for ${variable.text} in `;
      return withBodies([head, expression(over)], over.span.end, [body], "", column, context);
    }
    case "stage": {
      const { name, stride, body } = statement;
      const word = name.text === "head" ? "head" : `stage ${name.text}`;
      const by = stride === undefined ? "" : ["/", expression(stride)];
      const end = (stride ?? name).span.end;
      const printed = withBodies(stride === undefined ? word : [word, " ", by], end, [body], "", column, context);
      const flatStride = flatText(by, context.width);
      if (printed.flat === undefined || flatStride === undefined) return printed;
      const braces = printed.flat.slice(rowText({ kind: "", cells: [word, flatStride, ""], gap: " " }).length + 1);
      return { ...printed, columns: [word, flatStride, braces] };
    }
    case "use":
      return printUse(statement, column, context);
  }
}

function simple(doc: Doc, context: Context): Printed {
  return { doc: group(doc), ...flatOf(doc, context) };
}

function printUse(use: Use, column: number, context: Context): Printed {
  const { label, target, through, bodies, on, repeat } = use;
  const path = (label === undefined ? "" : `${label.text} = `) + pathText(target);
  const cut = through === undefined ? "" : ` .. ${pathText(through)}`;
  const list = argumentsDoc(use, context);
  const head: Doc = [path, cut, list.doc, on === undefined ? "" : [" on ", expressionDoc(on, context)]];
  const tail: Doc = repeat === undefined ? "" : [" x ", expressionDoc(repeat, context)];
  if (bodies.length === 0) return simple([head, tail], context);
  return withBodies(head, on?.span.end ?? list.end, bodies, tail, column, context);
}

function argumentsDoc(use: Use, context: Context): { doc: Doc; end: number } {
  const pathEnd = (use.through ?? use.target).at(-1)?.span.end ?? use.span.start;
  const end = use.arguments.at(-1)?.span.end ?? pathEnd;
  if (use.style === "none") return { doc: "", end };
  const items = argumentItems(use.arguments, context);
  if (use.style === "bare") {
    return { doc: [" ", indent(separated(items, { layout: "filled" }, context).contents)], end };
  }
  const close = closingParenthesis(end, context.text);
  return { doc: callDoc(use.arguments, pathEnd, close, context), end: close + 1 };
}

/** Where the next closing parenthesis stands that is not in a comment. */
export function closingParenthesis(from: number, text: string): number {
  const pattern = /\/\/[^\n]*|\)/g;
  pattern.lastIndex = from;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    if (match[0] === ")") return match.index;
  }
  return text.length;
}

/**
 * What stands before the braces, the bodies, and what stands after them. A body that was written in one line stays in
 * one while it fits.
 *
 * @param headEnd where the text of the head ends; comments from there belong to the first body.
 */
export function withBodies(
  head: Doc,
  headEnd: number,
  bodies: readonly Body[],
  tail: Doc,
  column: number,
  context: Context,
): Printed {
  const { width } = context;
  const printed = bodies.map((body, index) => printBody(body, bodies[index - 1]?.span.end ?? headEnd, column, context));
  const flatHead = flatText(head, width);
  const flatTail = flatText(tail, width);

  let at = flatHead === undefined ? Infinity : column + flatHead.length;
  // Braces stay in the line of the head, which needs room for the opening one.
  if (at + 2 > width) at = Infinity;
  const parts: Doc[] = [group(head)];
  printed.forEach(({ flat, doc }, index) => {
    const isLast = index === printed.length - 1;
    const room = isLast ? (flatTail?.length ?? Infinity) : 2;
    if (flat !== undefined && (at + 1 + flat.length + room <= width || flat === "{}")) {
      parts.push(" ", flat);
      at += 1 + flat.length;
    } else {
      parts.push(" ", doc);
      at = column + 1;
    }
  });
  parts.push(tail);

  const flats = printed.flatMap(({ flat }) => flat ?? []);
  const isFlat = flatHead !== undefined && flatTail !== undefined && flats.length === bodies.length;
  const flat = isFlat ? [flatHead, ...flats].join(" ") + flatTail : undefined;
  return { doc: parts, ...(flat === undefined || flat.length > width ? {} : { flat }) };
}

function printIf(statement: If, column: number, context: Context): Printed {
  const parts: { head: Doc; body: Printed }[] = [];
  let word = "if ";
  let end: number | undefined;
  for (let next: If | Body | undefined = statement; next !== undefined;) {
    const [condition, body]: [If["condition"] | undefined, Body] =
      next.kind === "if" ? [next.condition, next.then] : [undefined, next];
    const head = condition === undefined ? "else" : group([word, expressionDoc(condition, context)]);
    parts.push({ head, body: printBody(body, end ?? condition?.span.end ?? body.span.start, column, context) });
    end = body.span.end;
    word = "else if ";
    next = next.kind === "if" ? next.else : undefined;
  }
  const doc = parts.map(({ head, body }, index): Doc => [index === 0 ? "" : " ", head, " ", body.doc]);
  const flats = parts.flatMap(({ head, body }) => {
    const flatHead = flatText(head, context.width);
    return flatHead === undefined || body.flat === undefined ? [] : `${flatHead} ${body.flat}`;
  });
  const flat = flats.length === parts.length ? flats.join(" ") : undefined;
  return { doc, ...(flat === undefined || flat.length > context.width ? {} : { flat }) };
}

// Bodies

/** @param from where what stands before the body ends; comments between there and the brace are moved behind it. */
function printBody(body: Body, from: number, column: number, context: Context): Printed {
  const { comments, text, width } = context;
  const { start, end } = body.span;
  const hasComments = comments.any(from, end);
  if (body.statements.length === 0 && !hasComments) return { doc: "{}", flat: "{}" };

  const inner = column + context.indent;
  const { opening, lines, flats } = bodyLines(body, from, inner, context);
  const doc: Doc = [
    "{",
    opening === undefined ? "" : atLineEnd(opening),
    lines.length === 0 ? "" : indent([hardline, joinLines(lines, inner, context)]),
    hardline,
    "}",
  ];
  const newline = text.indexOf("\n", start);
  const isOneLine = !hasComments && (newline < 0 || newline >= end) && flats !== undefined;
  const flat = isOneLine ? `{ ${flats.join(CELL_GAP)} }` : undefined;
  return { doc, ...(flat === undefined || flat.length > width ? {} : { flat }) };
}

interface BodyLines {
  /** A comment in the line of the opening brace. */
  readonly opening?: Comment;
  readonly lines: readonly Line[];
  /** The texts of the statements, if each may stand in one line. */
  readonly flats?: readonly string[];
}

function bodyLines({ statements, span }: Body, from: number, column: number, context: Context): BodyLines {
  const { comments, text } = context;
  let opening: Comment | undefined;
  const lines: Line[] = [];
  let row: PrintedStatement[] = [];
  const flats: string[] = [];

  /** Gives those on lines of their own. */
  const takeComments = (start: number, end: number): readonly Comment[] => {
    const { trailing, own } = comments.takeGap(start, end);
    const last = lines.pop();
    if (last !== undefined) lines.push(trailing === undefined ? last : { ...last, trailing });
    else opening = trailing;
    for (const comment of own) lines.push({ ...comment.span, doc: comment.text });
    return own;
  };
  const endRow = (): void => {
    lines.push(...rowLines(row, column, context));
    row = [];
  };

  let end = from;
  /** Whether what stands in this line is kept as it is. */
  let isKeptLine = false;
  for (const statement of statements) {
    const { start } = statement.span;
    const isSameLine = !text.slice(end, start).includes("\n");
    if (isKeptLine && isSameLine) {
      const first = lines.pop()!.start;
      end = statement.span.end;
      lines.push({ start: first, end, doc: keptDoc(first, end, context) });
      continue;
    }
    const continues = row.length > 0 && isSameLine && row.at(-1)?.flat !== undefined;
    if (!continues) {
      endRow();
      isKeptLine = isKept(takeComments(end, start));
      if (isKeptLine) {
        end = statement.span.end;
        lines.push({ start, end, doc: keptDoc(start, end, context) });
        continue;
      }
    }
    const printed = printStatement(statement, column, context);
    if (continues && printed.flat === undefined) endRow();
    row.push(printed);
    if (printed.flat !== undefined) flats.push(printed.flat);
    end = statement.span.end;
  }
  endRow();
  takeComments(end, span.end);
  return {
    ...(opening === undefined ? {} : { opening }),
    lines,
    ...(flats.length === statements.length ? { flats } : {}),
  };
}

/** The statements of a row in one line if they fit in it, else in a line each. */
function rowLines(row: readonly PrintedStatement[], column: number, { width }: Context): Line[] {
  const [first] = row;
  const last = row.at(-1);
  if (first === undefined || last === undefined) return [];
  const whole = rowOf(row);
  if (whole !== undefined && column + rowText(whole).length <= width) {
    return [{ start: first.statement.span.start, end: last.statement.span.end, doc: rowText(whole), row: whole }];
  }
  return row.map((printed): Line => {
    const { start, end } = printed.statement.span;
    const alone = rowOf([printed]);
    const fits = alone !== undefined && column + rowText(alone).length <= width;
    return fits ? { start, end, doc: rowText(alone), row: alone } : { start, end, doc: printed.doc };
  });
}

function rowOf(row: readonly PrintedStatement[]): Row | undefined {
  const [first, ...others] = row;
  const cells = row.flatMap(({ flat }) => flat ?? []);
  if (first?.flat === undefined || cells.length < row.length) return undefined;
  const { statement, columns } = first;
  if (columns !== undefined && others.length === 0) return { kind: "stage", cells: columns, gap: " " };
  return { kind: statement.kind === "use" ? pathText(statement.target) : statement.kind, cells, gap: CELL_GAP };
}
