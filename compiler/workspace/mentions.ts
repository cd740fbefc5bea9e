/** The names that stand in a declaration: what it may depend on. */
import type { Declaration } from "../../grammar/ast.js";

/**
 * Every word that may be a name of the file: those of expressions and statements, and those in the braces of strings
 * (`"not {depth}"`). Which of them are its own parameters and labels is not looked at: one too many costs nothing but a
 * check that is made again.
 */
export function mentionsOf(declaration: Declaration): ReadonlySet<string> {
  const found = new Set<string>();
  const open: unknown[] = [declaration];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== "object" || next === null) continue;
    if (Array.isArray(next)) {
      for (const each of next as unknown[]) open.push(each);
      continue;
    }
    const node = next as { readonly kind?: string; readonly text?: string; readonly value?: unknown };
    if (node.kind === "name" || node.kind === "identifier") found.add(node.text!);
    else if (node.kind === "string") {
      for (const [inside] of String(node.value).matchAll(/\{[^{}]*\}/g)) {
        for (const [word] of inside.matchAll(/[A-Za-z_]\w*/g)) found.add(word);
      }
    } else for (const each of Object.values(node)) if (typeof each === "object") open.push(each);
  }
  return found;
}
