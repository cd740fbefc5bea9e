import { describe, expect, test } from "vitest";
import { CODES } from "../../compiler/diagnostics/codes.js";
import { parse, SYNTAX_ERROR_CODES } from "../../compiler/syntax.js";

/** The errors of a text, each as `line:column: message`, with the help after a bar. */
function errorsOf(text: string): string[] {
  return parse(text, "a").errors.map(({ span, message, help }) => {
    const before = text.slice(0, span.start).split("\n");
    const place = `${before.length}:${(before.at(-1) ?? "").length + 1}`;
    return `${place}: ${message}${help === undefined ? "" : ` | ${help}`}`;
  });
}

/** What the text becomes when every fix that is offered is applied. */
function mended(text: string): string {
  return parse(text, "a")
    .errors.toReversed()
    .reduce((t, { span, fix }) => (fix === undefined ? t : t.slice(0, span.start) + fix + t.slice(span.end)), text);
}

test("the compiler knows every code", () => {
  expect(Object.keys(CODES)).toEqual(expect.arrayContaining([...SYNTAX_ERROR_CODES]));
});

describe("one mistake is one error, where it was made", () => {
  test.each([
    // Words
    ["netwrok A(b) {\n  relu\n}", "1:1: `netwrok` declares nothing | did you mean `network`?"],
    ["Block a { relu }", "1:1: `Block` declares nothing | did you mean `block`?"],
    ["const a = 3", "1:1: `const` declares nothing | write `let`"],
    ['improt { a } from "b"', "1:1: expected a declaration or an import, found `improt` | did you mean `import`?"],
    ["network A {\n  stag conv1 /2 { relu }\n}", "2:3: unknown statement `stag` | did you mean `stage`?"],
    ["network A {\n  inptu image 3x2x2\n}", "2:3: unknown statement `inptu` | did you mean `input`?"],
    ["block a { fro i in 1 .. 2 { relu } }", "1:11: unknown statement `fro` | did you mean `for`?"],
    ["block a { cnov 3x3, 4 }", "1:11: `cnov` takes no arguments without parentheses | did you mean `conv`?"],
    ["block a { foo 64, 2 }", "1:15: `foo` takes no arguments without parentheses | write `foo(64, 2)`"],
    ["let x = 3", "1:5: `x` is a reserved word and can't be a name"],
    ["block a { let on = 3 }", "1:15: `on` is a reserved word and can't be a name"],
    ["block a { x = relu }", "1:11: a statement can't begin with `x` | `x` is a reserved word and can't be a name"],
    // Commas and colons
    ["let a = [3 4]", "1:11: expected a `,` here"],
    ['let a = [\n  "b"\n  "c"\n]', "2:6: expected a `,` here"],
    ["let a = [3,, 4]", "1:12: expected an element of the list before this `,`"],
    ["let a = b(3 c: 4)", "1:12: expected a `,` here"],
    ["block a { conv 3x3 64 }", "1:19: expected a `,` here"],
    ["block a { conv 3x3, 64,\n  c4 = relu }", "1:24: expected an argument after `,`"],
    ["block a(b c) { }", "1:10: expected a `,` here"],
    ["block a(b: 3) { }", "1:10: a default is given with `=` | write `b = ...`"],
    ["let a = b(c = 3)", "1:13: an argument is given with `:` | write `c: ...`"],
    // Strides
    [
      "block a { conv 3x3, 64 /2   bn }",
      "1:23: expected a `,` here | write `, /2` for a stride, or put a space after `/` to divide",
    ],
    // Missing parts
    ["block { relu }", "1:7: expected a name after `block`, found `{`"],
    [
      "block a",
      "1:8: expected `{` or `=` after `a`, found the end of the file | what belongs to it stands in braces: `{ ... }`",
    ],
    ["let a", "1:6: expected `=` and a value after `a`, found the end of the file"],
    [
      "block a { let f(b) = b\n relu }",
      "1:16: expected `=` after `f`, found `(` | a function stands at the top of a file, outside of all braces",
    ],
    ["let a(b) { relu }", "1:10: a `let` is written `let name = value` | what has layers in braces is a `block`"],
    ["block a { conv }", "1:16: expected an argument after `conv`, found `}`"],
    ["block a { conv\n  relu }", "1:15: expected an argument after `conv`"],
    [
      "block a { c4 = 3 }",
      "1:16: expected a layer or block after `c4 =`, found `3` | a value is named by `let c4 = ...`",
    ],
    ["block a { let b 3 }", "1:17: expected `=` after `b`, found `3`"],
    ["block a { let b = }", "1:19: expected an expression after `=`, found `}`"],
    ["block a { if { relu } }", "1:14: expected a condition after `if`, found `{`"],
    [
      "block a { if b relu }",
      "1:16: expected `{` after the condition, found `relu` | what belongs to it stands in braces: `{ ... }`",
    ],
    ["block a { else { relu } }", "1:11: `else` without an `if { ... }` right before it"],
    ["block a { if b { } else relu }", "1:25: expected `{` or `if` after `else`, found `relu`"],
    [
      "block a { for i 1 .. 2 { } }",
      "1:17: expected `in` after `i`, found `1` | write `for i in 0 .. n - 1 { ... }` or `for width in widths { ... }`",
    ],
    ["block a { for i in { } }", "1:20: expected a range or list after `in`, found `{`"],
    ["block a { stage { relu } }", "1:17: expected a name after `stage`, found `{` | write `stage conv1 { ... }`"],
    [
      "block a { stage c1 relu }",
      "1:20: expected `{` after stage `c1`, found `relu` | write `stage c1 { ... }`, with a stride `stage c1 /2 { ... }`",
    ],
    ["network A { input image\n  relu }", "1:24: expected a size such as `3x224x224`"],
    ["block a { relu x }", "1:18: expected a number of repetitions after `x`, found `}`"],
    ["block a { b on { } }", "1:16: expected a tensor after `on`, found `{`"],
    ["block a { assert }", "1:18: expected a condition after `assert`, found `}`"],
    ["block a { assert b, }", "1:21: expected a message after `,`, found `}`"],
    ["block a { b.c .. }", "1:18: expected a stage after `..`, found `}`"],
    ["block a { b. }", "1:14: expected a name after `.`, found `}`"],
    [
      "block a { { relu } }",
      "1:11: expected a layer or block before this `{` | `for i in 1 .. 3 { ... }` repeats statements, a `block` names them",
    ],
    ["let a = 3 + * 4", "1:13: expected an expression after `+`, found `*`"],
    ["let a = not", "1:12: expected an expression after `not`, found the end of the file"],
    ["let a = if b else c", "1:14: expected `then`, found `else`"],
    [
      "let a = if b then c",
      "1:20: expected `else`, found the end of the file | a conditional value needs both: `if a then b else c`",
    ],
    ["let a = b[]", "1:11: expected an index, found `]`"],
    ["let a = 1 < 2 < 3", "1:15: `<` can't follow another comparison or range | write `a < b and b < c`"],
    // Imports
    ['import { a } "b"', '1:14: expected `from "..."`, found `"b"`'],
    ["import { a } from b", "1:19: expected a path in quotes after `from`, found `b`"],
    ['import a from "b"', "1:8: expected `{` after `import`, found `a`"],
    ['import { a as } from "b"', "1:15: expected a name after `as`, found `}`"],
    ['import { a from "b"\nblock c { }', "1:11: expected a `}` here"],
    // Brackets
    ["let a = (1 + 2\nlet b = 3", "1:15: expected a `)` here"],
    ["let a = [1, 2\nlet b = 3", "1:14: expected a `]` here"],
    ["let a = f(1, 2\nblock b { relu }", "1:15: expected a `)` here"],
    ["block a { b(64\n  relu\n  conv 3x3, 4 }", "1:15: expected a `)` here"],
    ["block a(b { relu }", "1:10: expected a `)` here"],
    ["block a { relu ) }", "1:16: this `)` closes nothing"],
    [
      "block a { conv (3x3, 4) }",
      "1:16: a list is written in brackets | write `[a, b]`; a call has no space before its `(`",
    ],
    // Tokens
    ['let a = "b\nlet c = 3', '1:9: a string without its closing `"`'],
    ['let a = "b\\q"', '1:11: `\\q` is no escape | the escapes are `\\"`, `\\\\`, `\\n` and `\\t`'],
    ["let a = 12abc", "1:9: `12abc` is neither a number nor a size | a number ends in a digit, `k` or `M`"],
    ["let a = 3xh", "1:9: `3xh` is neither a number nor a size | in a size the symbols begin with a capital: `3xHxW`"],
    ["let a = 1e999", "1:9: a number too large to be represented"],
    ["let a = 3; let b = 4", "1:10: unexpected `;` | statements need no separator"],
    ["let a = b && c", "1:11: unexpected `&&` | write `and`"],
    ["let a = 'b'", '1:9: unexpected `\'` | strings stand in double quotes: "..."'],
    ["# a\nlet b = 3", "1:1: unexpected `#` | comments begin with `//`"],
    ["let a = é", "1:9: unexpected `é`"],
    ["let a = 1\u0000", "1:10: unexpected character U+0000"],
    ["/* a\n b */ let c = 3", "1:1: comments begin with `//`"],
  ])("%j", (text, expected) => expect(errorsOf(text)).toEqual([expected]));
});

describe("braces", () => {
  const opened = (text: string) => {
    const [error] = parse(text, "a").errors;
    const [related] = error?.related ?? [];
    return related && `${related.message} in line ${text.slice(0, related.span.start).split("\n").length}`;
  };

  test.each([
    [
      "of a stage in one line",
      "network A {\n  stage a { relu\n  stage b { relu }\n}\nblock b { relu }",
      "2:17",
      "to close this `{` in line 2",
    ],
    [
      "of an inner body",
      "block a(w) {\n  residual {\n    conv 3x3, w\n  relu\n}\nblock b(w) { relu }",
      "3:16",
      "to close this `{` in line 2",
    ],
    [
      "of a declaration, with others after it",
      `block a(w) {\n  conv 3x3, w\n\n${"block b(w) {\n  residual { relu }\n}\n".repeat(30)}`,
      "2:14",
      "to close this `{` in line 1",
    ],
    ["at the end of the file", "block a {\n  relu\n", "2:7", "to close this `{` in line 1"],
  ])("a missing one %s", (_, text, place, related) => {
    expect(errorsOf(text)).toEqual([`${place}: expected a \`}\` here`]);
    expect(opened(text)).toBe(related);
    expect(parse(mended(text), "a").errors).toEqual([]);
  });

  test("a missing one leaves the tree as it was meant", () => {
    const text = "block a(w) {\n  residual {\n    relu\n  bn\n}\nblock b { relu }";
    expect(parse(text, "a").file.declarations).toMatchObject([
      { body: { statements: [{ bodies: [{ statements: [{}] }] }, { target: [{ text: "bn" }] }] } },
      { body: { statements: [{}] } },
    ]);
  });

  test.each([
    ["at the end of a line", "block a { relu } }\nblock b { relu }", "1:18"],
    ["among the statements", "block a {\n  relu\n  }\n  bn\n}\nblock b { relu }", "3:3"],
  ])("one too many %s", (_, text, place) => {
    expect(errorsOf(text)).toEqual([`${place}: this \`}\` closes nothing`]);
    expect(parse(mended(text), "a").errors).toEqual([]);
  });

  test("where they match, indentation means nothing", () => {
    const text = "network A {\nweights torchvision\npreprocess b\n    stage c {\nrelu\n}\n        }\nblock d { relu }";
    expect(errorsOf(text)).toEqual([]);
    expect(parse(text, "a").file.declarations).toHaveLength(2);
  });
});

test("many errors in one run, one a line", () => {
  const text = [
    "netwrok A(block {",
    "  input image 3x224x224",
    "  stag conv1 { cnov 7x7, 64, /2   bn   relu }",
    "  stage conv2 { max_pool 3x3 /2   block(64 x 3 }",
    "  head { fc 10 11   softmax; }",
    "}",
    "let names = [1 2]",
    "network B = A(c = 3)",
  ].join("\n");
  expect(errorsOf(text)).toEqual([
    "1:1: `netwrok` declares nothing | did you mean `network`?",
    "3:3: unknown statement `stag` | did you mean `stage`?",
    "4:29: expected a `,` here | write `, /2` for a stride, or put a space after `/` to divide",
    "5:28: unexpected `;` | statements need no separator",
    "7:15: expected a `,` here",
    "8:17: an argument is given with `:` | write `c: ...`",
  ]);
});

test("what is offered as a fix mends it", () => {
  for (const text of [
    "netwrok A(b) { relu }",
    "block a { cnov 3x3, 4 }",
    "let a = [3 4]",
    "let a = [3,, 4]",
    "block a(b: 3) { }",
    "let a = b(c = 3)",
    "block a { conv 3x3, 64 /2   bn }",
    "const a = 3",
    "let a = (1 + 2",
    "block a { fro i in 1 .. 2 { relu } }",
  ]) {
    expect(parse(text, "a").errors).toHaveLength(1);
    expect(parse(mended(text), "a").errors).toEqual([]);
  }
});

test("messages are short whatever the text is", () => {
  const long = "y".repeat(10_000);
  for (const text of [
    `${long} b`,
    `block a { foo 3, ${long} }`,
    `let a = 3 "${long}"`,
    `block a { let b "${long}" }`,
    `let a = 3${long}`,
  ]) {
    for (const { message, help = "" } of parse(text, "a").errors) {
      expect(message.length + help.length).toBeLessThan(300);
    }
  }
});
