/** Random programs for property tests: correct ones, written in every way the grammar allows, with comments anywhere. */
import fc, { type Arbitrary } from "fast-check";
import { ErrorList } from "../../grammar/errors.js";
import { tokenize } from "../../grammar/lexer.js";

const name = fc.constantFrom(
  "a",
  "width",
  "stride",
  "block",
  "stage",
  "input",
  "head",
  "from",
  "weights",
  "long_name_of_a_parameter",
);
const literal = fc.constantFrom(
  "1",
  "0.5",
  "32k",
  "1e-4",
  "3x3",
  "3xHxW",
  "true",
  '"text"',
  '"a \\"quoted\\" text, long enough"',
);

const { expression } = fc.letrec<{ expression: string; argument: string }>((tie) => ({
  expression: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    literal,
    name,
    fc
      .tuple(tie("expression"), fc.constantFrom("+", "-", "*", "/ ", "%", "and", "or"), tie("expression"))
      .map((p) => p.join(" ")),
    fc
      .tuple(tie("expression"), fc.constantFrom("..", "==", "<"), tie("expression"))
      .map(([a, o, b]) => `(${a}) ${o} (${b})`),
    fc.tuple(fc.constantFrom("-", "not "), tie("expression")).map(([o, e]) => `${o}(${e})`),
    fc.tuple(fc.constantFrom("- ", "not "), name).map((p) => p.join("")),
    tie("expression").map((e) => `(${e})`),
    fc.array(tie("expression"), { maxLength: 8 }).map((list) => `[${list.join(", ")}]`),
    fc.tuple(name, fc.array(tie("argument"), { maxLength: 4 })).map(([f, list]) => `${f}(${list.join(", ")})`),
    fc.tuple(name, name).map((p) => p.join(".")),
    fc.tuple(name, tie("expression")).map(([n, e]) => `${n}[${e}]`),
    fc
      .tuple(tie("expression"), tie("expression"), tie("expression"))
      .map(([a, b, c]) => `(if ${a} then ${b} else ${c})`),
  ),
  argument: fc.oneof(
    tie("expression"),
    fc.tuple(name, tie("expression")).map(([n, e]) => `${n}: ${e}`),
    tie("expression").map((e) => `/${e}`),
  ),
}));
const argument: Arbitrary<string> = fc.oneof(
  expression,
  fc.tuple(name, expression).map(([n, e]) => `${n}: ${e}`),
  fc.constantFrom("/2", "/stride"),
);
const list = (least: number): Arbitrary<string> =>
  fc.array(argument, { minLength: least, maxLength: 5 }).map((items) => items.join(", "));

const separator = fc.constantFrom("   ", " ", "\n", "\n", "\n\n\n");

const { body } = fc.letrec<{ body: string; statement: string }>((tie) => ({
  body: fc
    .array(fc.tuple(tie("statement"), separator), { maxLength: 5 })
    .map((statements) => `{${statements.map((pair) => pair.join("")).join("")}}`),
  statement: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(
      "relu",
      "bn",
      "conv 3x3, 64",
      "conv 1x1, 4 * width, /stride",
      "c4 = conv 7x7, 64, /2",
      "a.b.c",
      "a.b .. c.d",
    ),
    fc.tuple(fc.constantFrom("conv", "fc", "weights", "max_pool"), list(1)).map((p) => p.join(" ")),
    fc.tuple(fc.constantFrom("basic", "conv", "c = a.b"), list(0)).map(([f, l]) => `${f}(${l})`),
    fc.tuple(fc.constantFrom("block(64)", "relu", "fc 3"), expression).map(([b, e]) => `${b} x ${e}`),
    fc.tuple(name, expression).map(([n, e]) => `let ${n} = ${e}`),
    fc.tuple(expression, expression).map(([c, m]) => `assert ${c}, ${m}`),
    fc
      .tuple(fc.constantFrom("stage conv1", "stage conv12 /2", "head", "stage a /stride"), tie("body"))
      .map((p) => p.join(" ")),
    fc
      .tuple(fc.constantFrom("add", "residual(shortcut: a)", "rpn on a.b", "m = multiply"), tie("body"), tie("body"))
      .map((p) => p.join(" ")),
    fc.tuple(expression, tie("body")).map(([c, b]) => `if ${c} ${b}`),
    fc.tuple(expression, tie("body"), tie("body")).map(([c, b, e]) => `if ${c} ${b} else ${e}`),
    fc
      .tuple(expression, tie("body"), expression, tie("body"))
      .map(([c, b, d, e]) => `if ${c} ${b} else if ${d} ${e} else {relu}`),
    fc.tuple(expression, tie("body")).map(([e, b]) => `for i in ${e} ${b}`),
    fc.constantFrom("input image 3x224x224", "input image [channels, H, W]"),
  ),
}));

const parameters = fc
  .array(
    fc.oneof(
      name,
      fc.tuple(name, expression).map((p) => p.join(" = ")),
    ),
    { maxLength: 6 },
  )
  .map((list) => `(${list.join(", ")})`);
const declaration = fc.oneof(
  fc
    .tuple(fc.constantFrom("block B", "network N", "shortcut s"), fc.option(parameters, { nil: "" }), body)
    .map((p) => p.join(" ")),
  fc.tuple(fc.option(parameters, { nil: "" }), expression).map(([p, e]) => `network N${p} = ${e}`),
  fc.tuple(fc.option(parameters, { nil: "" }), expression).map(([p, e]) => `let l${p} = ${e}`),
  fc.constantFrom('import { a, b as c } from "std/blocks"', 'import { } from "x"'),
);
const plain = fc
  .array(fc.tuple(declaration, separator), { maxLength: 5 })
  .map((list) => list.map((pair) => pair.join("")).join("\n"));

/** What may stand between two tokens. */
const filler = fc.constantFrom(
  " ",
  " ",
  " ",
  "  ",
  "\n",
  "\n    ",
  "\n\n\n",
  " // c\n",
  "// c\n",
  "\n// own\n",
  "\n\n/// doc\n",
  " // a\n// b\n",
);

/** A program, with spaces, newlines and comments put between some of its tokens. */
export const program: Arbitrary<string> = fc
  .tuple(
    plain,
    fc.array(fc.tuple(fc.nat(), filler), { maxLength: 12 }),
    fc.constantFrom("", "// first\n", "/// doc\n", "\n\n"),
  )
  .map(([text, fillers, start]) => {
    const { tokens } = tokenize(text, new ErrorList(""));
    const gaps = tokens.map((token, i) => text.slice((tokens[i - 1]?.endOffset ?? -1) + 1, token.startOffset));
    for (const [at, piece] of fillers) {
      const index = at % Math.max(1, tokens.length);
      const opens = ["(", "["].includes(tokens[index]?.image ?? "");
      // Whether a space stands before an opening bracket means something.
      if (index > 0 && !(opens && gaps[index] === "")) gaps[index] = piece;
    }
    return start + tokens.map((token, i) => (gaps[i] ?? "") + token.image).join("") + "\n";
  });
