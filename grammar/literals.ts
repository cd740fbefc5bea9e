/** The values of number, size and string tokens. */
import type { IToken } from "chevrotain";
import type { DimensionsLiteral, NumberLiteral, Span, StringLiteral } from "./ast.js";
import type { ErrorList } from "./errors.js";
import { endOf, startOf } from "./lexer.js";

const SUFFIXES: Readonly<Record<string, string>> = { k: "e3", M: "e6" };

const spanOf = (token: IToken, errors: ErrorList): Span => errors.span(startOf(token), endOf(token));

export function numberLiteral(token: IToken, errors: ErrorList): NumberLiteral {
  const text = token.image;
  // The suffix becomes an exponent, so that 0.1k is 100 exactly.
  const digits = /^\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/.exec(text)?.[0] ?? "0";
  const exponent = digits.includes("e") || digits.includes("E") ? "" : (SUFFIXES[text.slice(digits.length)] ?? "");
  return { kind: "number", value: finite(Number(digits + exponent), token, errors), text, span: spanOf(token, errors) };
}

export function dimensionsLiteral(token: IToken, errors: ErrorList): DimensionsLiteral {
  const values = token.image.split("x").map((part) => (/^\d/.test(part) ? finite(Number(part), token, errors) : part));
  return { kind: "dimensions", values, text: token.image, span: spanOf(token, errors) };
}

function finite(value: number, token: IToken, errors: ErrorList): number {
  const end = endOf(token);
  if (!Number.isFinite(value)) errors.add("syntax-error", startOf(token), end, "a number too large to be represented");
  else if (Number.isInteger(value) && !Number.isSafeInteger(value) && !/[eE.]/.test(token.image)) {
    const message = `a whole number beyond ${Number.MAX_SAFE_INTEGER} is rounded to another`;
    errors.add("syntax-error", startOf(token), end, message, { help: "write it with an exponent: `1e20`" });
  } else return value;
  return 0;
}

const ESCAPES: Readonly<Record<string, string>> = { '"': '"', "\\": "\\", n: "\n", t: "\t" };

export function stringLiteral(token: IToken, errors: ErrorList): StringLiteral {
  const text = token.image;
  const closed = text.length > 1 && text.endsWith('"');
  const inner = text.slice(1, closed ? -1 : undefined);
  const value = inner.replace(/\\(.?)/gsu, (escape, character: string, offset: number) => {
    const meaning = ESCAPES[character];
    if (meaning !== undefined) return meaning;
    if (character !== "") {
      const start = startOf(token) + 1 + offset;
      errors.add("bad-escape", start, start + escape.length, `\`${escape}\` is no escape`, {
        help: 'the escapes are `\\"`, `\\\\`, `\\n` and `\\t`',
      });
    }
    return character;
  });
  return { kind: "string", value, text, span: spanOf(token, errors) };
}
