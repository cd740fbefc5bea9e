import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as prettier from "prettier";
import { format } from "../../compiler/syntax.js";
import * as plugin from "../../compiler/prettier.js";

function formatted(text: string): string {
  const result = format(text);
  if ("errors" in result) throw new Error(result.errors.map(({ message }) => message).join("; "));
  return result.text;
}

const reference = readFileSync(new URL("../../docs/language.md", import.meta.url), "utf8");

test("the language reference is in the style", () => {
  for (const [, text = ""] of reference.matchAll(/```resnet\n([\s\S]*?)```/g)) expect(formatted(text)).toBe(text);
});

/** Each is formatted, and stays as it is when formatted again. */
const becomes = (name: string, before: string, after: string) =>
  test(name, () => {
    expect(formatted(before)).toBe(after);
    expect(formatted(after)).toBe(after);
  });

describe("spaces", () => {
  becomes(
    "around everything",
    "network   A( b=3,c ){input  image 3x2x2 conv( 3x3,64 )   let d=-b+c*( 2 )-f( x1:3 )[ 0 ]}\n",
    "network A(b = 3, c) { input image 3x2x2   conv(3x3, 64)   let d = -b + c * 2 - f(x1: 3)[0] }\n",
  );
  becomes(
    "parentheses only where needed",
    "let a = ((1 + (2 * 3)) * (4)) - (5 - 6)\n",
    "let a = (1 + 2 * 3) * 4 - (5 - 6)\n",
  );
  becomes("an empty file", "\n\n", "");
  becomes(
    "empty braces and brackets",
    "block a( ) { add {  } { } }\nlet b = [ ]\n",
    "block a() { add {} {} }\n\nlet b = []\n",
  );
  becomes(
    "blank lines: one at most in a body, one between declarations",
    "\n\nblock a {\n\n\n  relu\n\n\n\n  bn\n  relu\n\n}\nblock b { relu }\n\n\n\nblock c { relu }\n",
    "block a {\n  relu\n\n  bn\n  relu\n}\n\nblock b { relu }\n\nblock c { relu }\n",
  );
  becomes(
    "values in one line may stand together",
    'import { a } from "b"\nimport { c } from "d"\nlet e = 1\nlet f = 2\n\nnetwork G = e\nnetwork H(\n  i) = e\nblock j { relu }\n',
    'import { a } from "b"\nimport { c } from "d"\n\nlet e = 1\nlet f = 2\n\nnetwork G = e\nnetwork H(i) = e\n\nblock j { relu }\n',
  );
});

describe("rows", () => {
  becomes(
    "statements of one line stay in one, their columns aligned with those of the rows next to it of the same kind",
    "block a {\nconv 1x1, b, /c bn relu\nconv 3x3, b bn relu\nconv 1x1, 4 * b bn\nbn   relu\n}\n",
    "block a {\n  conv 1x1, b, /c   bn   relu\n  conv 3x3, b       bn   relu\n  conv 1x1, 4 * b   bn\n  bn   relu\n}\n",
  );
  becomes(
    "stages are aligned at their strides and braces",
    "network A {\nstage c { relu }\nstage one /2 { relu }\nstage three /10 { relu }\n\nstage conv1 { relu }\nstage conv2 /2 { relu }\nhead { relu }\n\nstage d { bn }\n}\n",
    "network A {\n  stage c         { relu }\n  stage one   /2  { relu }\n  stage three /10 { relu }\n\n  stage conv1    { relu }\n  stage conv2 /2 { relu }\n  head           { relu }\n\n  stage d { bn }\n}\n",
  );
  const call = `some_block(${"a".repeat(40)})`;
  becomes(
    "a row that does not fit becomes a line each",
    `block b {\n  ${call}   ${call}\n}\n`,
    `block b {\n  ${call}\n  ${call}\n}\n`,
  );
  becomes(
    "a body in one line stays in one while it fits",
    `block b { relu   bn }\nblock c { ${call}   ${call} }\nblock d {\n  add { relu } {\n bn }\n}\n`,
    `block b { relu   bn }\n\nblock c {\n  ${call}\n  ${call}\n}\n\nblock d {\n  add { relu } {\n    bn\n  }\n}\n`,
  );
  becomes(
    "conditions: all bodies in one line, or none",
    "block b {\nif c { relu } else { bn }\nif c { relu } else if d {\nbn } else { relu }\n}\n",
    "block b {\n  if c { relu } else { bn }\n  if c {\n    relu\n  } else if d {\n    bn\n  } else {\n    relu\n  }\n}\n",
  );
});

describe("long lines", () => {
  const words = Array.from({ length: 12 }, (_, i) => `"class number ${i}"`);
  becomes(
    "lists of literals are filled",
    `let a = [${words.join(",")}]\n`,
    `let a = [\n  ${words.slice(0, 5).join(", ")},\n  ${words.slice(5, 10).join(", ")},\n  ${words.slice(10).join(", ")}\n]\n`,
  );
  const long = (n: number) => `parameter_number_${n} = "${"x".repeat(18)}"`;
  becomes(
    "parameters stand in a line each",
    `network A(${long(1)}, ${long(2)}, ${long(3)}) { relu }\n`,
    `network A(\n  ${long(1)},\n  ${long(2)},\n  ${long(3)}\n) {\n  relu\n}\n`,
  );
  const name = (n: number) => `a_long_name_of_a_weight_map_${n}`;
  becomes(
    "arguments without parentheses are filled",
    `network A {\n  weights ${[1, 2, 3, 4].map(name).join(", ")}\n}\n`,
    `network A {\n  weights ${[1, 2].map(name).join(", ")},\n    ${[3, 4].map(name).join(", ")}\n}\n`,
  );
  becomes(
    "a value that fits in the next line stands there",
    `network A = ${name(1)}(${name(2)}, ${name(3)})\n`,
    `network A =\n  ${name(1)}(${name(2)}, ${name(3)})\n`,
  );
  becomes(
    "an expression breaks after its operators",
    `let a = ${name(1)} + ${name(2)} + ${name(3)} * ${name(4)}\n`,
    `let a = ${name(1)} + ${name(2)} +\n  ${name(3)} * ${name(4)}\n`,
  );
});

describe("comments", () => {
  const kept = (name: string, text: string) => becomes(name, text, text);
  kept("a file of comments alone", "// a\n\n// b\n");
  kept(
    "at the beginning and at the end of the file",
    "// licence\n\n/// Doc.\n/// More.\nblock a { relu }\n\n// end\n",
  );
  kept("before and after statements", "block a { // opening\n  // first\n  relu // of relu\n\n  // last\n}\n");
  kept("in an empty body", "block a {\n  // nothing\n}\n");
  kept("before imports and between them", 'import { a } from "b" // b\n// c\nimport { c } from "d"\n');
  kept("in lists", "let a = [ // numbers\n  // small\n  1, 2, // large\n  3,\n  // huge\n  4 // last\n]\n");
  kept(
    "in parameters and arguments",
    "network A(\n  a, // first\n  // second\n  b = 2\n) = B(\n  a,\n  // of b\n  b\n)\n",
  );
  kept("in arguments without parentheses", "network A {\n  weights a, // ours\n    // theirs\n    b\n}\n");
  kept(
    "in a row of statements",
    "block a {\n  conv 3x3, 64        bn   relu // first\n  conv 3x3, 64, pad   bn // second\n}\n",
  );
  kept("in the line of a closing brace", "block a {\n  relu\n} // end of a\n");
  becomes(
    "before `else`: into its body",
    "block a {\n  if b {\n    relu\n  }\n  // otherwise\n  else {\n    bn\n  }\n}\n",
    "block a {\n  if b {\n    relu\n  } else {\n    // otherwise\n    bn\n  }\n}\n",
  );
  becomes(
    "inside an expression: before the statement",
    "block a {\n  let b = 1 + // one\n    2\n}\n",
    "block a {\n  // one\n  let b = 1 + 2\n}\n",
  );
  becomes(
    "windows line ends",
    "/// Doc.\r\nblock a { // b\r\n  relu\r\n}\r\n",
    "/// Doc.\nblock a { // b\n  relu\n}\n",
  );
});

test("a text with errors is not formatted", () => {
  expect(format("block a {", "f")).toMatchObject({ errors: [{ code: "syntax-error", span: { file: "f" } }] });
});

describe("the Prettier plugin", () => {
  const run = (text: string, options: prettier.Options = {}) =>
    prettier.format(text, { filepath: "a.resnet", plugins: [plugin], ...options });

  test("prints what `format` prints", async () => {
    for (const [, text = ""] of reference.matchAll(/```resnet\n([\s\S]*?)```/g)) {
      const mangled = text.replace(/ {2,}/g, " ");
      expect(await run(mangled)).toBe(formatted(mangled));
    }
  });

  test("follows the width that it is given", async () => {
    const text = "let a = [1000, 2000, 3000]\n";
    expect(await run(text, { printWidth: 20 })).toBe("let a = [\n  1000, 2000, 3000\n]\n");
    expect(await run("block a { relu   bn   relu }", { printWidth: 20, tabWidth: 4 })).toBe(
      "block a {\n    relu   bn   relu\n}\n",
    );
  });

  test("reports the place of a syntax error", async () => {
    await expect(run("block a {\n  let = 3\n}")).rejects.toThrow(/expected a name after `let`, found `=` \(2:7\)/);
  });
});
