/**
 * Mistakes that people make who come from papers, PyTorch, Keras, Caffe or Python, and what they are told: for each every
 * diagnostic in the order of places, by its code, a part of its message and a part of its help.
 */
import { describe, expect, test } from "vitest";
import { check } from "../../compiler/index.js";

type Told = readonly [code: string, message: string, help?: string];

function told(program: string): Told[] {
  const { diagnostics } = check([{ path: "net.resnet", text: program }]);
  return diagnostics.map(({ code, message, help }) => [code, message, help ?? ""]);
}

function expectTold(program: string, expected: readonly Told[]): void {
  const found = told(program);
  expect(found.map(([code]) => code)).toEqual(expected.map(([code]) => code));
  for (const [index, [, message, help = ""]] of expected.entries()) {
    expect(found[index]![1]).toContain(message);
    expect(found[index]![2]).toContain(help);
    // Where nothing is expected to help, nothing is said.
    if (help === "") expect(found[index]![2]).toBe("");
  }
}

/** Statements of a network, by which the mistake is made. */
const among = (statements: string): string => `network A {\n  input image 3x32x32\n  ${statements}\n}\n`;

describe("words that nothing declares are unknown, whatever stands behind them", () => {
  test.each<[string, ...Told]>([
    ["cnov 3x3, 16", "unknown-name", "no layer, block or label is called `cnov`", "did you mean `conv`?"],
    ["conv 3x3, 16   rleu", "unknown-name", "is called `rleu`", "did you mean `relu`?"],
    ["conv 3x3, 16   batch_renorm 32", "unknown-name", "is called `batch_renorm`"],
    ["conv 3x3, 16   lrn", "unknown-name", "is called `lrn`"],
    ["linear 10", "unknown-name", "is called `linear`", "`fc 10`"],
    ["Linear(3, 10)", "unknown-name", "is called `Linear`", "`fc 10`"],
    ["Conv2d(3, 64, 7)", "unknown-name", "is called `Conv2d`", "`conv 3x3, 64`"],
    ["conv 3x3, 8   BatchNorm2d", "unknown-name", "is called `BatchNorm2d`", "`bn`"],
    ["conv 3x3, 8   batch_norm", "unknown-name", "is called `batch_norm`", "`bn`"],
    ["MaxPool2d 2", "unknown-name", "is called `MaxPool2d`", "`max_pool 3x3, /2`"],
    ["conv 3x3, 8   ReLU", "unknown-name", "is called `ReLU`", "did you mean `relu`?"],
    ["Conv 3x3, 16", "unknown-name", "is called `Conv`", "did you mean `conv`?"],
    ["deconv 2x2, 16", "unknown-name", "is called `deconv`", "`conv_transpose 2x2, 64, /2`"],
    ["conv 3x3, 8   swish", "unknown-name", "is called `swish`", "`silu`"],
    ["adaptive_avg_pool 1", "unknown-name", "is called `adaptive_avg_pool`", "`global_avg_pool`"],
    ["reshape [1, 2]", "unknown-name", "is called `reshape`", "`fc` flattens"],
    ["repeat 3 { conv 3x3, 16 }", "unknown-name", "is called `repeat`", "`basic(64) x 3`"],
    ["conv 3x3, 16 x3", "unknown-name", "is called `x3`", "`x 3`, with a space"],
    ["for i in range(3) { conv 3x3, 16 }", "unknown-name", "nothing here is called `range`", "`0 .. n - 1`"],
    ["conv 3x3, 16, bias: True", "unknown-name", "nothing here is called `True`", "write `true`"],
    ["conv 3x3, 16, bias: no", "unknown-name", "nothing here is called `no`", "write `false`"],
    ["conv 3x3, 16, pad: None", "unknown-name", "nothing here is called `None`", "did you mean `none`?"],
  ])("%s", (statements, ...expected) => expectTold(among(statements), [expected]));

  test("of maps and recipes no layers are expected", () => {
    expectTold(`weights w { renam "a", "b" }`, [
      ["unknown-name", "nothing here is called `renam`", "did you mean `rename`?"],
    ]);
  });

  test.each<[string, string]>([
    ["layer {\n  name: 3\n}", "`network Net { input image 3x224x224"],
    ["function f(c) { 8 }", "a formula is a `let`"],
    ["def f(c) { relu }", "a flow of layers is a `block`"],
  ])("%j", (program, help) => {
    const [first] = told(program);
    expect(first?.[0]).toBe("syntax-error");
    expect(first?.[2]).toContain(help);
  });
});

describe("what goes wrong in the standard library is told at the user's line", () => {
  test("of each network, and nothing follows from what was told before", () => {
    const program = `import { basic } from "std/blocks"
import { ResNet } from "std/resnet"
network A = ResNet(basic, [1])
network B = ResNet(basic, [1, 2])
`;
    expectTold(program, [
      ["assertion-failed", "a ResNet has 4 counts of blocks, not [1]"],
      ["assertion-failed", "a ResNet has 4 counts of blocks, not [1, 2]"],
    ]);
    const { diagnostics } = check([{ path: "net.resnet", text: program }]);
    expect(diagnostics.map(({ span }) => program.slice(span.start, span.end))).toEqual(["A", "B"]);
    expect(diagnostics[0]!.notes.map(({ span }) => span?.file)).toEqual(["std/resnet.resnet"]);
  });

  test("a repetition beyond reason", () => {
    const statement = "basic(16) x 1000000";
    const program = `import { basic } from "std/blocks"\n${among(`conv 3x3, 16   stage s { ${statement} }`)}`;
    expectTold(program, [["too-large", "the network grows beyond 20000 layers"]]);
    const [{ span }] = check([{ path: "net.resnet", text: program }]).diagnostics as unknown as [
      { span: { start: number; end: number } },
    ];
    expect(program.slice(span.start, span.end)).toBe(statement);
  });
});

describe("names that are elsewhere", () => {
  test.each<[string, ...Told]>([
    ["add { later } { identity }   later = relu", "unknown-name", "is called `later`", "comes further down"],
    ["add { c } { c = relu }", "unknown-name", "is called `c`", "a label before them names what they give"],
    ["c = add { c } { relu }", "unknown-name", "is called `c`", "known after the statement that it names"],
    ["if 1 < 2 { let n = 3   conv 3x3, n }   conv 3x3, n", "unknown-name", "is called `n`", "declare it before them"],
    [
      "for i in 1 .. 3 { c = conv 3x3, 16 }   add { c } { identity }",
      "unknown-name",
      "is called `c`",
      "label the loop, `all = for i in ...`; `all[0].c`",
    ],
    [
      "m = for i in 1 .. 3 { c = conv 3x3, 16 }   add { c } { identity }",
      "unknown-name",
      "is called `c`",
      "`m[0].c` is the first turn's",
    ],
  ])("%s", (statements, ...expected) => expectTold(among(`conv 3x3, 16   ${statements}`), [expected]));

  test("labels of blocks and stages of networks that were run", () => {
    const using = (statements: string): string =>
      `import { ResNet18 } from "std/resnet"\nblock b { inner = conv 3x3, 16   relu }\n${among(statements)}`;
    const label = (name: string, call: string) =>
      `it is in what \`${call}\` gave: label that, \`part = ${call}\`, and write \`part.${name}\``;
    const stages = "ResNet18.conv1 .. ResNet18.conv5";
    expectTold(using("r = b()   add { inner } { identity }   ResNet18"), [
      ["unknown-name", "is called `inner`", "it is a member: `r.inner`"],
    ]);
    expectTold(using("b()   add { inner } { identity }   ResNet18"), [
      ["unknown-name", "is called `inner`", label("inner", "b(...)")],
    ]);
    expectTold(using(`b()   conv 1x1, 3   ${stages}   output conv3, conv5`), [
      ["unknown-name", "is called `conv3`", label("conv3", stages)],
      ["unknown-name", "is called `conv5`", label("conv5", stages)],
    ]);
    expectTold(using(`b()   conv 1x1, 3   f = ${stages}   output f.conv3, f.conv5`), []);
  });

  test.each([
    ["a parameter", "network A(width = 8) {\n  input image 3x32x32\n  let width = width * 2\n  conv 3x3, width\n}"],
    ["a value outside a loop", among("let n = 8   for i in 1 .. 2 { conv 3x3, n   let n = n * 2 }")],
    ["an import", `import { basic } from "std/blocks"\n${among("basic(3)   let basic = 8   conv 3x3, basic")}`],
  ])("a `let` that shadows %s", (_, program) => {
    expect(told(program)).toEqual([
      [
        "shadowed-name",
        expect.stringMatching(/^this `\w+` is another than the one outside$/) as string,
        expect.stringContaining("choose another name") as string,
      ],
    ]);
  });
});

describe("forms of other languages", () => {
  test.each<[string, ...Told]>([
    ["conv (7, 7), 16", "syntax-error", "a size has no parentheses", "write `7x7`"],
    ["conv (3x3, 16)", "syntax-error", "a list is written in brackets", "a call has no space before its `(`"],
    ["conv 3x3, 100 / 3", "wrong-type", "must be a whole number, not 33.3", "`floor(...)`"],
    ["conv 3x3, 16   global_avg_pool 7", "too-many-arguments", "`global_avg_pool` takes no arguments"],
    ["conv 3x3, 16   bn 1e-3", "syntax-error", "`bn` takes no arguments without parentheses", "`bn(1e-3)`"],
    ['stage "conv1" { conv 3x3, 16 }', "syntax-error", "expected a name after `stage`", "`stage conv1 { ... }`"],
  ])("%s", (statements, ...expected) => expectTold(among(statements), [expected]));

  test("an input without a name", () => {
    expect(told("network A {\n  input 3x32x32\n  conv 3x3, 16\n}")[0]).toEqual([
      "syntax-error",
      "expected a name after `input`, found `3x32x32`",
      "write `input image 3x224x224`",
    ]);
  });

  test("a number in a string", () => {
    const program = (text: string) => `weights w { for i in 1 .. 3 { rename "conv" + ${text}, "features.0" } }`;
    expectTold(program("i"), [["wrong-type", "a string is needed here, not a number", "`text(...)`"]]);
    expectTold(program("text(i)"), []);
  });

  test("named arguments need no parentheses", () => {
    expectTold(among("conv 3x3, 16   bn eps: 1e-3, momentum: 0.2   relu   leaky_relu slope: 0.2"), []);
  });
});
