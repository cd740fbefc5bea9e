/** `// prettier-ignore`: what follows is kept as it is written. */
import { builders, type Doc } from "./doc.js";
import type { Comment } from "../ast.js";
import type { Context } from "./context.js";

/** Whether the comments before something, those on lines of their own, end in the one that keeps it; doc lines aside. */
export function isKept(comments: readonly Comment[]): boolean {
  const last = comments.findLast(({ text }) => !text.startsWith("///"));
  return last !== undefined && /^\/\/\s*prettier-ignore\s*$/.test(last.text);
}

/** The text between two places as it is, the comments in it taken. */
export function keptDoc(start: number, end: number, { text, comments }: Context): Doc {
  comments.take(start, end);
  const lines = text.slice(start, end).split(/\r?\n/);
  return builders.join(builders.literalline, lines);
}
