/** Limits on nesting, so that nothing that walks a tree runs out of stack. */
import { tokenMatcher, type IToken } from "chevrotain";
import type { SourceFile } from "./ast.js";
import * as t from "./tokens.js";

/** Brackets, braces and conditionals inside one another. */
export const MAX_NESTING = 64;
/** Nodes of the syntax tree inside one another. */
const MAX_TREE_DEPTH = 320;

/** The first token that is nested too deeply. */
export function tooDeeplyNested(tokens: readonly IToken[]): IToken | undefined {
  const open: { brace: boolean; conditionals: number }[] = [{ brace: true, conditionals: 0 }];
  let conditionals = 0;
  let previous: IToken | undefined;
  const pop = (): void => {
    conditionals -= open.pop()?.conditionals ?? 0;
  };
  for (const token of tokens) {
    const type = token.tokenType;
    if (type === t.LeftBrace || type === t.RightBrace) {
      // A brace ends what brackets were left open.
      while (open.length > 1 && open.at(-1)?.brace === false) pop();
      if (type === t.LeftBrace) open.push({ brace: true, conditionals: 0 });
      else if (open.length > 1) pop();
    } else if (type === t.LeftParen || type === t.LeftBracket) {
      open.push({ brace: false, conditionals: 0 });
    } else if (type === t.RightParen || type === t.RightBracket) {
      if (open.at(-1)?.brace === false) pop();
    } else if (type === t.If) {
      const level = open.at(-1);
      if (level !== undefined) {
        const nested =
          previous !== undefined &&
          [t.If, t.Then, t.Else, t.Not, t.InfixOperator].some((p) => tokenMatcher(previous as IToken, p));
        conditionals += nested ? 1 : 1 - level.conditionals;
        level.conditionals = nested ? level.conditionals + 1 : 1;
      }
    }
    if (open.length - 1 + conditionals > MAX_NESTING) return token;
    previous = token;
  }
  return undefined;
}

/** What JavaScript throws where it has no more stack, in every engine; a last resort, for stacks smaller than usual. */
export function isStackOverflow(error: unknown): boolean {
  return error instanceof Error && /call stack|too much recursion|stack overflow/i.test(error.message);
}

/** Whether long chains of operators, members or calls make the tree too deep. */
export function isTooDeep(file: SourceFile): boolean {
  const values: object[] = [file];
  const depths: number[] = [0];
  for (let value = values.pop(); value !== undefined; value = values.pop()) {
    const depth = depths.pop() ?? 0;
    if (depth > MAX_TREE_DEPTH) return true;
    for (const part of Object.values(value) as unknown[]) {
      if (typeof part !== "object" || part === null) continue;
      values.push(part);
      // Arrays are no level of their own.
      depths.push(Array.isArray(part) ? depth : depth + 1);
    }
  }
  return false;
}
