/**
 * Matches braces before the parser runs, so that one missing or superfluous brace is one error and not a hundred.
 *
 * Where the braces of a file match, nothing is done and indentation means nothing. Where they don't, indentation is the
 * best witness of what was meant: a missing `}` is put in where the indentation falls back, a superfluous `}` is taken
 * out. The parser only ever sees braces that match.
 */
import { createTokenInstance, tokenMatcher, type IToken } from "chevrotain";
import type { ErrorList } from "./errors.js";
import { endOf, startOf } from "./lexer.js";
import {
  DeclarationWord,
  Equals,
  From,
  Import,
  LeftBrace,
  LeftParen,
  Let,
  Name,
  RightBrace,
  StringToken,
} from "./tokens.js";

interface Open {
  readonly brace: IToken;
  readonly ofImport: boolean;
  /** Indentation of the line that opened it. */
  readonly indent: number;
  /** Index into the output where the indentation first fell back to that line's, if it did. */
  fallback?: number;
}

export function matchBraces(tokens: IToken[], errors: ErrorList): IToken[] {
  const surplus = braceSurplus(tokens);
  return surplus === undefined ? tokens : repair(tokens, surplus, errors);
}

/** How many more `}` than `{` there are; undefined where they match. */
function braceSurplus(tokens: readonly IToken[]): number | undefined {
  let depth = 0;
  let matched = true;
  for (const token of tokens) {
    if (token.tokenType === LeftBrace) depth++;
    else if (token.tokenType === RightBrace) depth--;
    if (depth < 0) matched = false;
  }
  return matched && depth === 0 ? undefined : -depth;
}

function repair(tokens: readonly IToken[], surplus: number, errors: ErrorList): IToken[] {
  const output: IToken[] = [];
  const insertions: { at: number; depth: number; brace: IToken }[] = [];
  const open: Open[] = [];
  let superfluous = surplus;
  let lineIndent = 0;

  const closeTop = (): void => {
    const top = open.pop();
    if (top === undefined) return;
    const at = top.fallback ?? output.length;
    const previous = output[at - 1] ?? top.brace;
    const offset = endOf(previous);
    errors.add("syntax-error", offset, offset, "expected a `}` here", {
      fix: " }",
      related: [{ message: "to close this `{`", span: errors.span(startOf(top.brace), endOf(top.brace)) }],
    });
    insertions.push({ at, depth: open.length, brace: virtualBrace(previous) });
  };

  tokens.forEach((token, index) => {
    const startsLine = index === 0 || (token.startLine ?? 0) > (tokens[index - 1]?.endLine ?? 0);
    const column = (token.startColumn ?? 1) - 1;
    if (startsLine) lineIndent = column;

    if (open.length > 0 && startsLine && column === 0 && startsDeclaration(tokens, index)) {
      while (open.length > 0) closeTop();
    }
    if (open.at(-1)?.ofImport === true && endsImportNames(tokens, index)) closeTop();
    if (startsLine && token.tokenType !== RightBrace) {
      for (let i = open.length - 1; i >= 0; i--) {
        const entry = open[i];
        if (entry === undefined || entry.indent < column) break;
        entry.fallback ??= output.length;
      }
    }

    if (token.tokenType === LeftBrace) {
      open.push({ brace: token, indent: lineIndent, ofImport: tokens[index - 1]?.tokenType === Import });
    } else if (token.tokenType === RightBrace) {
      // A brace further left than the line that opened the innermost one closes one further out.
      while (startsLine && open.length > 1 && column < (open.at(-1)?.indent ?? 0)) closeTop();
      const top = open.at(-1);
      const tooDeep = superfluous > 0 && startsLine && top !== undefined && column > top.indent;
      if (top === undefined || tooDeep) {
        superfluous--;
        errors.add("syntax-error", startOf(token), endOf(token), "this `}` closes nothing", { fix: "" });
        return;
      }
      open.pop();
    }
    output.push(token);
  });
  while (open.length > 0) closeTop();
  return insertions.length === 0 ? output : insertAll(output, insertions);
}

function insertAll(output: readonly IToken[], insertions: { at: number; depth: number; brace: IToken }[]): IToken[] {
  insertions.sort((a, b) => a.at - b.at || b.depth - a.depth);
  const merged: IToken[] = [];
  let next = 0;
  for (let i = 0; i <= output.length; i++) {
    for (let insertion = insertions[next]; insertion?.at === i; insertion = insertions[++next]) {
      merged.push(insertion.brace);
    }
    const token = output[i];
    if (token !== undefined) merged.push(token);
  }
  return merged;
}

/** An empty `}` right after a token. */
function virtualBrace(after: IToken): IToken {
  const end = endOf(after);
  const line = after.endLine ?? 1;
  const column = (after.endColumn ?? 0) + 1;
  return createTokenInstance(RightBrace, "", end, end - 1, line, line, column, column - 1);
}

const isName = (token: IToken | undefined): boolean => token !== undefined && tokenMatcher(token, Name);

function startsDeclaration(tokens: readonly IToken[], index: number): boolean {
  const [token, second, third] = tokens.slice(index, index + 3);
  if (token === undefined) return false;
  if (token.tokenType === Import) return second?.tokenType === LeftBrace;
  if (token.tokenType !== Let && !tokenMatcher(token, DeclarationWord)) return false;
  return (
    isName(second) && (third?.tokenType === LeftParen || third?.tokenType === LeftBrace || third?.tokenType === Equals)
  );
}

function endsImportNames(tokens: readonly IToken[], index: number): boolean {
  const next = tokens[index + 1];
  return tokens[index]?.tokenType === From && next !== undefined && tokenMatcher(next, StringToken);
}
