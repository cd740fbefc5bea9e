/** Formatting of a file, a selection, and of what has just been typed. */
import { formatRange } from "../../grammar/format-range.js";
import { LAYOUT, type Layout } from "../../grammar/printer/file.js";
import { format } from "../syntax.js";
import { VOCABULARY } from "../vocabulary.js";
import type { Editor } from "./editor.js";
import type { Edit } from "./references.js";

/** Undefined: the text has syntax errors, and stays as it is. */
export function formatFile(editor: Editor, path: string, layout: Layout = LAYOUT): Edit[] | undefined {
  const text = editor.source(path);
  if (text === undefined) return [];
  const result = format(text, path, layout);
  return "text" in result ? difference(path, text, result.text) : undefined;
}

/** Edits that format the lines of a selection. */
export function formatSelection(
  editor: Editor,
  path: string,
  range: { readonly start: number; readonly end: number },
  layout: Layout = LAYOUT,
): Edit[] | undefined {
  const text = editor.source(path);
  if (text === undefined) return [];
  const result = formatRange(text, range, VOCABULARY, path, layout);
  return "errors" in result ? undefined : difference(path, text, result.text);
}

/** After these the text may be formatted as it is typed. */
export const TYPED = ["}", "\n"] as const;

/**
 * After a `}`: what it closes, with what stands before it. After a line's end: a doc comment goes on in the next line, as far as the
 * editor has not seen to that itself; its last line goes where it was left empty, so that a second Enter ends the comment.
 */
export function formatTyped(editor: Editor, path: string, offset: number, layout: Layout = LAYOUT): Edit[] | undefined {
  const text = editor.source(path) ?? "";
  if (text[offset - 1] === "}") return formatSelection(editor, path, { start: offset - 1, end: offset }, layout);
  const before = text.slice(0, offset);
  const edit = (start: number, length: number, text: string): Edit[] => [
    { span: { file: path, start, end: start + length }, text },
  ];
  const empty = /(?<=\/\/\/[^\n]*\n)[ \t]*\/\/\/[ \t]*\r?\n(?=[ \t]*$)/.exec(before);
  if (empty) return edit(empty.index, empty[0].length, "");
  const open = /(?:^|\n)([ \t]*)\/\/\/[^\n]*[^\s/][^\n]*\n([ \t]*)$/.exec(before);
  if (!open || text.startsWith("///", offset)) return [];
  const [, indent, there] = open;
  return edit(offset - there!.length, there!.length, `${indent}/// `);
}

/** Edits of single lines, so that cursors, marks and folds stay where they are: all that differs between equal lines. */
export function difference(path: string, before: string, after: string): Edit[] {
  if (before === after) return [];
  const [old, now] = [before.split(/(?<=\n)/), after.split(/(?<=\n)/)];
  // Where as many lines remain, each is its own; otherwise the part between what is equal is replaced.
  let [top, bottom] = [0, 0];
  while (top < old.length && top < now.length && old[top] === now[top]) top++;
  while (bottom < old.length - top && bottom < now.length - top && old.at(-1 - bottom) === now.at(-1 - bottom))
    bottom++;
  const starts = [0];
  for (const line of old) starts.push(starts.at(-1)! + line.length);
  const place = (from: number, to: number): Edit["span"] => ({ file: path, start: starts[from]!, end: starts[to]! });
  if (old.length !== now.length) {
    return [{ span: place(top, old.length - bottom), text: now.slice(top, now.length - bottom).join("") }];
  }
  const edits: Edit[] = [];
  for (let line = top; line < old.length - bottom; line++) {
    if (old[line] !== now[line]) edits.push({ span: place(line, line + 1), text: now[line]! });
  }
  return edits;
}
