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

  test.each<[string, string]>([
    ["basic(16)", 'std/blocks has it: `import { basic } from "std/blocks"`'],
    ["conv 3x3, 16   instance_norm", 'std/blocks has it: `import { instance_norm } from "std/blocks"`'],
    ["shortcuts projection_on_change", 'std/shortcuts has it: `import { projection_on_change } from "std/shortcuts"`'],
    ["found = detect(image, image)", 'std/detection has it: `import { detect } from "std/detection"`'],
    ["weights torchvision_resnet", 'std/weights has it: `import { torchvision_resnet } from "std/weights"`'],
    ["preprocess torchvision", 'std/preprocess has it: `import { torchvision } from "std/preprocess"`'],
  ])("%s is found in the standard library", (statements, help) => {
    const [first, ...others] = told(among(statements));
    expect([first?.[0], first?.[2], others]).toEqual(["unknown-name", help, []]);
  });

  test("of maps and recipes no layers are expected", () => {
    expectTold(`weights w { renam "a", "b" }`, [
      ["unknown-name", "nothing here is called `renam`", "did you mean `rename`?"],
    ]);
  });

  test("a reserved word is no parameter", () => {
    expectTold(`let double(x) = 2\n${among("conv 3x3, 8")}`, [
      ["syntax-error", "expected a parameter, found `x`", "`x` is a reserved word and can't be a name"],
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

describe("of what an error has spoilt nothing more is said", () => {
  test.each([
    ["a loop's list", "xs = for i in 1 .. wanted { conv 3x3, 8 }   relu on xs[0]"],
    ["a part of one", "xs = for i in wanted { conv 3x3, 8 }   let all = [xs[0]] + xs   relu on all[0]"],
    ["a block's loop", "let maps = wanted   p = feature_pyramid(maps, 32)   relu on p.layer[0]"],
  ])("%s", (_, statements) => {
    const program = `import { feature_pyramid } from "std/feature_pyramid"\n${among(statements)}`;
    const errors = check([{ path: "net.resnet", text: program }]).diagnostics.filter(
      (each) => each.severity === "error",
    );
    expect(errors.map(({ message }) => message)).toEqual(["nothing here is called `wanted`"]);
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

describe("what makes shapes fit depends on the axis in which they differ", () => {
  test.each<[string, string, string]>([
    ["add { conv 3x3, 8 } { conv 3x3, 16 }", "channels differ", "a projection, `conv 1x1, 16   bn`"],
    ["add { conv 3x3, 8 } { conv 3x3, 16, /3 }", "channels differ", "`conv 1x1, channels, /3   bn`, on the larger"],
    ["add { identity } { conv 3x3, 3, /2 }", "height differs", "`resize_like other`"],
    ["concat { identity } { max_pool 2x2, /2   upsample 2 }", "33 and 32", "`resize_like other`"],
    ["multiply { identity } { global_avg_pool   flatten   fc 3 }", "4 dimensions and 2", "conv 1x1, channels` keeps"],
    ["residual { conv 3x3, 8 }", "the shortcut gives", "`shortcuts projection_on_change`"],
    ["residual { conv 2x2, 3 }", "the residual branch [N, 3, 32, 32]", "loses rows and columns"],
    ["shortcuts projection_on_change   residual { conv 2x2, 3 }", "the residual branch", "loses rows and columns"],
    ["shortcuts same   residual { conv 3x3, 8 }", "the residual branch", "`same` does not follow"],
    ["residual { global_avg_pool   fc 3 }", "the residual branch", "come after it"],
  ])("%s", (statements, message, help) => {
    const program = `import { projection_on_change } from "std/shortcuts"
shortcut same { identity }
network A {\n  input image 3x33x33\n  ${statements}\n}\n`;
    const errors = told(program).filter(([code]) => code !== "unused-import");
    expect(errors).toEqual([
      ["shape-mismatch", expect.stringContaining(message) as string, expect.stringContaining(help) as string],
    ]);
  });
});

describe("a value that takes another's place", () => {
  const using = (body: string): string =>
    `import { basic } from "std/blocks"\nblock wrap(body) { body(64) }\n${among(body)}`;
  const notesOf = (program: string) =>
    check([{ path: "net.resnet", text: program }]).diagnostics.flatMap(({ notes }) =>
      notes.map((note) => note.message),
    );

  test("since that was given before, is named where it goes wrong", () => {
    expect(notesOf(using("conv 3x3, 8   wrap(basic(8))"))).toContain(
      "64 is the `stride` of `basic`: `width` was given before",
    );
  });

  test("and where a block that has its stride does not take the stage's", () => {
    const network = (block: string) => `import { basic } from "std/blocks"
import { ResNet } from "std/resnet"
network A = ResNet(${block}, [1, 1, 1, 1])
`;
    const [first] = told(network("basic(64)"));
    expect(first).toEqual([
      "unused-stride",
      "no layer or block of stage conv3 takes its stride",
      "128 is the `stride` of `basic`: `width` was given before",
    ]);
    expectTold(network("basic"), []);
  });

  test("and where there is no place left", () => {
    const program = `block b(width) { conv 3x3, width   relu }
block wrap(body) { body(64) }
${among("wrap(b(8))")}`;
    expectTold(program, [["too-many-arguments", "for `b`", "it takes width; `width` was given before"]]);
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

  test.each<[string, ...Told[]]>([
    ["relu   x = conv 3x3, 16", ["syntax-error", "can't begin with `x`", "`x` is a reserved word"]],
    ["conv 3x3, 2 ** 4", ["syntax-error", "an expression after `*`, found `*`", "write `a * a`"]],
    ["conv 3x3, 2^4", ["unexpected-character", "unexpected `^`", "write `a * a`"]],
    ["if 1 < 2 && !(2 < 1) { conv 3x3, 8 }", ["unexpected-character", "unexpected `&&`", "write `and`"]],
    ["if 2 < 1 || 1 < 2 { conv 3x3, 8 }", ["unexpected-character", "unexpected `||`", "write `or`"]],
    ["if !(2 < 1) { conv 3x3, 8 }", ["unexpected-character", "unexpected `!`", "write `not`"]],
    [
      "add { identity } { relu } on image",
      ["syntax-error", "can't begin with `on`", "behind the arguments and before braces"],
    ],
    [
      "maps = relu on [image, image]   add { concat maps } { relu }",
      ["missing-body", "two or more branches", "write `concat { identity } { ... }`"],
      ["not-a-layer", "a list can't stand among layers", "`identity on maps[0]` is one of its tensors"],
    ],
    ["conv 3x3, 1 < 2 ? 8 : 16", ["unexpected-character", "unexpected `?`", "`if a then b else c`"]],
    ["if 1 < 2: conv 3x3, 16", ["syntax-error", "expected `{` after the condition", "stands in braces"]],
    ["elif", ["unknown-name", "is called `elif`", "write `else if`"]],
    ["stage two stride 2 { conv 3x3, 8 }", ["syntax-error", "after stage `two`", "`stage two /2 { ... }`"]],
    ["relu   stage { conv 3x3, 8 }", ["syntax-error", "a name after `stage`", "`stage conv1 { ... }`"]],
    [
      "relu   for (i = 0; i < 3; i++) { conv 3x3, 8 }",
      ["syntax-error", "a name after `for`", "`for i in 0 .. n - 1 { ... }`"],
    ],
    [
      "for i, w in [1, 2] { conv 3x3, 8 }",
      ["syntax-error", "`in` after `i`, found `,`", "`for width in widths { ... }`"],
    ],
    ["for i in 3 { conv 3x3, 8 }", ["wrong-type", "a range such as `1 .. n` or a list is needed here, not 3"]],
    ["conv 3 x 3, 16", ["syntax-error", "a statement, found `,`", "a size has no spaces: `3x3`"]],
    ["add a, image", ["syntax-error", "a statement, found `,`", "branches stand in braces"]],
    ["detect a, b, sizes: [64]", ["syntax-error", "a statement, found `,`", "stand in parentheses: `name(a, b)`"]],
    ["{ conv 3x3, 16 } x 3   relu", ["syntax-error", "a layer or block before this `{`", "`for i in 1 .. 3 { ... }`"]],
    [
      "relu   a = { conv 3x3, 16 }",
      ["syntax-error", "a layer or block after `a =`", "a label stands before one layer"],
    ],
    ["conv 3x3, 16   concat [image, image]", ["missing-body", "takes its branches in braces", "{ identity }"]],
    ["concat(image, image)", ["missing-body", "two or more branches", "write `concat { image } { image }`"]],
    ["add image", ["missing-body", "two or more branches in braces", "write `add { identity } { ... }`"]],
    ["let maps = [image]   maps[0]", ["syntax-error", "`maps` takes no arguments", "`identity on maps[0]`"]],
    [
      "conv 3x3",
      ["missing-argument", "needs `channels`", "what is given is its `kernel`; the order is kernel, channels"],
    ],
    ["conv 64, 3x3", ["wrong-type", "`channels` of `conv` must be a whole number", "the order is kernel, channels"]],
    ["fc 10, 20", ["wrong-type", "`bias` of `fc` must be true or false, not 20", "the order is channels, bias"]],
    ["conv 3*3, 16", ["probable-slip", "read as a product, 9x9", "a size is written `3x3`; write `9`"]],
    ["conv 3x3, 16, bias: 1", ["wrong-type", "`bias` of `conv` must be true or false, not 1"]],
    ["conv 3x3, -16", ["out-of-range", "must be at least 1, not -16"]],
    ['conv "3x3", 16', ["wrong-type", "a whole number or a size such as `3x3`, not a string", "the order is kernel"]],
    ["conv 3x3x3, 16", ["wrong-type", "a whole number or a size such as `3x3`, not a list", "the order is kernel"]],
    ["conv 3x3 16", ["syntax-error", "expected a `,` here"]],
    ["conv 3x3, 16, stride=2", ["syntax-error", "an argument is given with `:`", "write `stride: ...`"]],
    ["conv 3x3, 16;", ["unexpected-character", "unexpected `;`", "statements need no separator"]],
    ["relu   #", ["unexpected-character", "unexpected `#`", "comments begin with `//`"]],
    ["conv 3x3, 16, strde: 2", ["unknown-argument", "`conv` has no `strde`", "did you mean `stride`?"]],
    ['upsample 2, "bicubic"', ["out-of-range", "must be nearest or bilinear, not `bicubic`"]],
    ["stage one { stage two { conv 3x3, 16 } }", ["misplaced-statement", "a stage stands in a network"]],
    ["stage one /2 { bn relu }", ["unused-stride", "no layer or block of stage one takes its stride", "takes it"]],
    ["conv 3x3, 16 on images", ["unknown-name", "is called `images`", "did you mean `image`?"]],
    ["conv 3x3, [3, 4][2]", ["out-of-range", "index 2 is outside a list of 2", "indexes begin at 0"]],
    ["conv 3x3, 16, groups: 5", ["invalid-shape", "3 input channels can't be split into 5 groups"]],
    ["fc 10   conv 3x3, 16", ["invalid-shape", "got [N, 10]", "put it before them"]],
  ])("%s", (statements, ...expected) => expectTold(among(statements), expected));

  test.each<[string, string, string]>([
    ["network A:\n  input image 3x32x32", "expected `{` or `=` after `A`", "stands in braces"],
    ["let double(n) { conv 3x3, n }", "a `let` is written `let name = value`", "is a `block`"],
    ["network A { input image 3, 32, 32 }", "a statement, found `,`", "a size is written `3x224x224`"],
    ["Network A { input image 3x32x32 }", "`Network` declares nothing", "did you mean `network`?"],
  ])("%j", (program, message, help) => {
    const [first] = told(program);
    expect(first![0]).toBe("syntax-error");
    expect(first![1]).toContain(message);
    expect(first![2]).toContain(help);
  });

  test("channels last", () => {
    const program = (shape: string) => `network A {\n  input image ${shape}\n  conv 3x3, 16\n}\n`;
    expectTold(program("224x224x3"), [["probable-slip", "read as 224 channels of 224x3", "first: `3x224x224`"]]);
    expectTold(program("64x4x4"), []);
  });

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
