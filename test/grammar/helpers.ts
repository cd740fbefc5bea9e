import type { SourceFile } from "../../grammar/ast.js";
import { parse } from "../../compiler/syntax.js";

/** A tree without places and without what only the printer needs, for comparing. */
export const shape = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, part: unknown) => (/^(span|docSpan)$/.test(key) ? undefined : part)));

/** Parses text that must be without errors. */
export function parsed(text: string): SourceFile {
  const { file, errors } = parse(text, "test.resnet");
  if (errors.length > 0) throw new Error(`${errors.map(({ message }) => message).join("; ")} in\n${text}`);
  return file;
}

/** The statements of a block with the given body. */
export const statements = (body: string) => parsed(`block b { ${body} }`).declarations[0]?.body?.statements ?? [];

/** The value of `let a = ...`. */
export function expression(text: string) {
  const value = parsed(`let a = ${text}`).declarations[0]?.value;
  if (value === undefined) throw new Error("no value");
  return value;
}

/** An expression with every operation in parentheses: shows how it was understood. */
export function grouped(text: string): string {
  return group(expression(text));
}

type Expression = ReturnType<typeof expression>;

function group(e: Expression): string {
  switch (e.kind) {
    case "number":
    case "string":
    case "dimensions":
    case "name":
      return e.text;
    case "boolean":
      return String(e.value);
    case "list":
      return `[${e.elements.map(group).join(", ")}]`;
    case "member":
      return `${group(e.object)}.${e.member.text}`;
    case "index":
      return `${group(e.object)}[${group(e.index)}]`;
    case "call":
      return `${group(e.callee)}(${e.arguments.map((a) => (a.name ? `${a.name.text}: ` : "") + group(a.value)).join(", ")})`;
    case "unary":
      return `(${e.operator} ${group(e.operand)})`;
    case "binary":
      return `(${group(e.left)} ${e.operator} ${group(e.right)})`;
    case "range":
      return `(${group(e.from)} .. ${group(e.to)})`;
    case "conditional":
      return `(if ${group(e.condition)} then ${group(e.then)} else ${group(e.else)})`;
    case "missing":
      return "?";
  }
}
