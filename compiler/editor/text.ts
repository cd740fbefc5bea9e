/** What is said of words and declarations, as Markdown. */
import type { Declaration } from "../../grammar/ast.js";
import { isBare, type Argument, type Word } from "../words/schema.js";
import { signature, takes, written } from "../words/describe.js";

export function code(text: string): string {
  return `\`\`\`resnet\n${text}\n\`\`\``;
}

/** A word as it is written, what it does, and where it comes from. */
export function wordText(word: Word): string {
  const { name, doc, source, braces } = word;
  const list = signature(word);
  const call = list === "" ? "" : isBare(word) ? ` ${list}` : `(${list})`;
  const parts = [code(`${name}${call}${braces ? " { ... }" : ""}`), withLinks(doc)];
  if (source !== undefined) parts.push(withLinks(source));
  return parts.join("\n\n");
}

/** An argument of a word: what it takes, and what it means. */
export function argumentText(word: Word, name: string): string {
  const argument = word.arguments[name];
  if (!argument) return "";
  return `\`${name}\` of \`${word.name}\`: ${takes(argument)}${presence(argument)}.\n\n${withLinks(argument.doc)}`;
}

export function presence(argument: Argument): string {
  if (argument.presence === "required") return "; required";
  return argument.presence === "default" ? `; ${written(argument, argument.default)} where it is left out` : "";
}

/** The first line of a declaration, and its doc comment. */
export function declarationText(declaration: Declaration, text: string): string {
  const parts = [code(headOf(declaration, text))];
  if (declaration.doc) parts.push(withLinks(declaration.doc));
  return parts.join("\n\n");
}

/** `block basic(width, stride = 1)`; of an alias with what it stands for. */
export function headOf({ span, body, value }: Declaration, text: string): string {
  const end = body ? body.span.start : span.end;
  const head = text.slice(span.start, end).replace(/\s+/g, " ").trim();
  return value && head.length > 200 ? `${head.slice(0, 200)}...` : head;
}

/** With links to the papers that it names. */
export function withLinks(text: string): string {
  return text.replace(/(?<!\[)\barXiv:(\d{4}\.\d{4,5})\b/g, "[arXiv:$1](https://arxiv.org/abs/$1)");
}
