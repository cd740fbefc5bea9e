import { MAX_NESTING } from "../../grammar/depth.js";
import { readFileSync } from "node:fs";
import { Lexer } from "chevrotain";
import { describe, expect, test } from "vitest";
import { VOCABULARY } from "../../compiler/vocabulary.js";
import { parse } from "../../compiler/syntax.js";
import { ResnetParser } from "../../grammar/parser.js";
import { parser } from "../../grammar/build-expressions.js";
import { TreeBuilder } from "../../grammar/build.js";
import { TOKENS } from "../../grammar/tokens.js";
import { Gaps } from "../../grammar/gaps.js";
import { ErrorList } from "../../grammar/errors.js";
import { expression, grouped, parsed, shape, statements } from "./helpers.js";
import { processorTime } from "../support/processor-time.js";

const reference = readFileSync(new URL("../../docs/language.md", import.meta.url), "utf8");
const examples = [...reference.matchAll(/```resnet\n([\s\S]*?)```/g)].map(([, text = ""]) => text);

test("Chevrotain finds nothing wrong with tokens and grammar, and the tree builder has a method for every rule", () => {
  expect(() => new ResnetParser(false)).not.toThrow();
  expect(() => new Lexer(TOKENS, { positionTracking: "full", ensureOptimizations: true })).not.toThrow();
  const builder = new TreeBuilder(new Gaps("", [], new ErrorList("")), VOCABULARY);
  expect(() => builder.validateVisitor()).not.toThrow();
  for (const rule of Object.keys(parser.getGAstProductions())) expect(builder).toHaveProperty(rule);
});

test("the examples of the language reference", () => {
  expect(examples.length).toBeGreaterThan(1);
  for (const text of examples) expect(parse(text, "a").errors).toEqual([]);
});

describe("statements", () => {
  const target = (text: string) =>
    statements(text).map((s) => (s.kind === "use" ? s.target.map((t) => t.text).join(".") : s.kind));

  test("need no separator, and newlines mean nothing", () => {
    expect(target("conv 1x1, 64   bn   relu")).toEqual(["conv", "bn", "relu"]);
    expect(shape(statements("conv\n1x1\n,\n64 bn\nrelu"))).toEqual(shape(statements("conv 1x1, 64 bn relu")));
  });

  test("bare, called and alone", () => {
    const styles = (text: string) => statements(text).map((s) => s.kind === "use" && [s.style, s.arguments.length]);
    expect(styles("conv 3x3, 64, /2, pad: 0  bn  basic(64)  conv(3x3, 64)  basic()")).toEqual([
      ["bare", 4],
      ["none", 0],
      ["call", 1],
      ["call", 2],
      ["call", 0],
    ]);
  });

  test("a space before the parenthesis makes it part of a bare argument", () => {
    const [pad] = statements("pad (k - 1) / 2");
    expect(pad).toMatchObject({ style: "bare", arguments: [{ value: { kind: "binary", operator: "/" } }] });
  });

  test("stride shorthand, named arguments", () => {
    const [conv] = statements("conv 3x3, width * 2, /stride, pad: 0, bias: true");
    expect(conv).toMatchObject({
      arguments: [
        { value: { kind: "dimensions", values: [3, 3] } },
        { value: { kind: "binary" } },
        { strideShorthand: true, value: { kind: "name", text: "stride" } },
        { name: { text: "pad" }, value: { value: 0 } },
        { name: { text: "bias" }, value: { kind: "boolean", value: true } },
      ],
    });
  });

  test("labels, paths, ranges of paths, on, bodies, repetition", () => {
    const [use, cut] = statements("c4 = rpn.x4(3) on a.b { relu } { bn relu } x counts[0] f = n.conv1 .. n.conv4");
    expect(use).toMatchObject({
      label: { text: "c4" },
      target: [{ text: "rpn" }, { text: "x4" }],
      style: "call",
      on: { kind: "member" },
      bodies: [{ statements: [{}] }, { statements: [{}, {}] }],
      repeat: { kind: "index" },
    });
    expect(cut).toMatchObject({
      label: { text: "f" },
      target: [{ text: "n" }, { text: "conv1" }],
      through: [{ text: "n" }, { text: "conv4" }],
      style: "none",
    });
  });

  test("words of the language are names where they begin nothing", () => {
    const file = parsed(`
      network ResNet(block, counts, shortcut = projection, stage = 3, from = 1, weights = [], input = 2, head = 1) {
        input image 3x224x224
        shortcuts shortcut
        weights torchvision
        preprocess torchvision
        stage conv2 { block(64) x counts[0]   stage(3)   stage = relu   head   head(2)   input = relu   import }
        stage stage /2 { fc input.channels + head }
        head { network   block = relu }
      }`);
    const body = file.declarations[0]?.body?.statements ?? [];
    expect(body.map(({ kind }) => kind)).toEqual(["input", "use", "use", "use", "stage", "stage", "stage"]);
    const [conv2, stage, head] = body.slice(4);
    expect(conv2).toMatchObject({ body: { statements: Array(7).fill({ kind: "use" }) } });
    expect(stage).toMatchObject({ name: { text: "stage" }, stride: { value: 2 } });
    expect(head).toMatchObject({ name: { text: "head" } });
  });

  test("let, assert, if, for, input", () => {
    expect(
      statements('let a = 1 assert a > 0, "no" if a { relu } else if b { bn } else { } for i in 1 .. n { i }'),
    ).toMatchObject([
      { kind: "let", name: { text: "a" } },
      { kind: "assert", condition: { kind: "binary" }, message: { value: "no" } },
      { kind: "if", then: { statements: [{}] }, else: { kind: "if", else: { kind: "body", statements: [] } } },
      { kind: "for", variable: { text: "i" }, over: { kind: "range" } },
    ]);
    expect(statements("input image [channels, H, W]")).toMatchObject([{ kind: "input", shape: { kind: "list" } }]);
  });
});

describe("declarations", () => {
  test("with a body, with a value, with parameters", () => {
    const file = parsed(
      'import { a, b as c, } from "std/x"\nblock d(e, f = 3,) { }\nnetwork G = d(e: [1], f)\nlet h = 1',
    );
    expect(file.imports).toMatchObject([
      { from: { value: "std/x" }, names: [{ name: { text: "a" } }, { name: { text: "b" }, alias: { text: "c" } }] },
    ]);
    expect(file.declarations).toMatchObject([
      { keyword: "block", parameters: [{ name: { text: "e" } }, { default: { value: 3 } }], body: { statements: [] } },
      { keyword: "network", value: { kind: "call" } },
      { keyword: "let", value: { value: 1 } },
    ]);
    expect(file.declarations[1]).not.toHaveProperty("parameters");
  });

  test("doc comments belong to the next declaration, all others are kept apart", () => {
    const text = [
      "// licence",
      "/// lost",
      "",
      "/// One.",
      "///   Two.",
      "block a { // in",
      "  /// not a doc",
      "}",
      "//// four",
      "block b { }",
      "/// end",
    ].join("\n");
    const file = parsed(text);
    expect(file.declarations[0]?.doc).toBe("One.\n  Two.");
    expect(file.declarations[1]).not.toHaveProperty("doc");
    const span = file.declarations[0]?.docSpan;
    expect(text.slice(span?.start, span?.end)).toBe("/// One.\n///   Two.");
    expect(file.comments.map((c) => c.text)).toEqual([
      "// licence",
      "/// lost",
      "// in",
      "/// not a doc",
      "//// four",
      "/// end",
    ]);
  });

  test("every place is the text it says", () => {
    const text = "block ab(c = (1 + 2) * 3) { d = conv 3x3, c, /2 }";
    const [declaration] = parsed(text).declarations;
    const at = (span?: { start: number; end: number }) => text.slice(span?.start, span?.end);
    expect(at(declaration?.span)).toBe(text);
    expect(at(declaration?.name.span)).toBe("ab");
    expect(at(declaration?.parameters?.[0]?.span)).toBe("c = (1 + 2) * 3");
    expect(at(declaration?.parameters?.[0]?.default?.span)).toBe("(1 + 2) * 3");
    expect(at(declaration?.body?.span)).toBe("{ d = conv 3x3, c, /2 }");
    const [use] = declaration?.body?.statements ?? [];
    expect(at(use?.span)).toBe("d = conv 3x3, c, /2");
    expect(use?.kind === "use" && use.arguments.map((a) => at(a.span))).toEqual(["3x3", "c", "/2"]);
  });
});

describe("expressions", () => {
  test.each([
    ["1 + 2 * 3 - 4", "((1 + (2 * 3)) - 4)"],
    ["(1 + 2) * 3", "((1 + 2) * 3)"],
    ["8 / 4 / 2 % 3", "(((8 / 4) / 2) % 3)"],
    ["-a * -b", "((- a) * (- b))"],
    ["- - a.b[0](1)", "(- (- a.b[0](1)))"],
    ["a or b and not c == d", "(a or (b and (not (c == d))))"],
    ["not a and b", "((not a) and b)"],
    ["not -a < b", "(not ((- a) < b))"],
    ["1 .. n + 1", "(1 .. (n + 1))"],
    ["a < 1 .. 2", "(a < (1 .. 2))"],
    ["1..n", "(1 .. n)"],
    ["if a or b then 1 else if c then 2 else 3 + 4", "(if (a or b) then 1 else (if c then 2 else (3 + 4)))"],
    ["1 + if a then b else c * 2", "(1 + (if a then b else (c * 2)))"],
    ["f(a, b: [1, 2], c: g())[i].d", "f(a, b: [1, 2], c: g())[i].d"],
    ["3x224x224", "3x224x224"],
  ])("%s is %s", (text, expected) => expect(grouped(text)).toBe(expected));

  test.each([
    ["64", 64],
    ["0.1", 0.1],
    ["0.1k", 100],
    ["1e-4", 1e-4],
    ["2.5E3", 2500],
    ["32k", 32_000],
    ["2M", 2_000_000],
  ])("the number %s is %d", (text, value) => expect(expression(text)).toMatchObject({ kind: "number", value, text }));

  test.each([
    ["3x3", [3, 3]],
    ["3x224x224", [3, 224, 224]],
    ["3xHxW", [3, "H", "W"]],
    ["16xDepthx2", [16, "Depth", 2]],
  ])("the size %s", (text, values) => expect(expression(text)).toMatchObject({ kind: "dimensions", values, text }));

  test("strings", () => {
    expect(expression(String.raw`"a \"b\" \\ \n\t{c}"`)).toMatchObject({ value: 'a "b" \\ \n\t{c}' });
  });
});

describe("any text", () => {
  test("a large file is parsed in time proportional to its length", () => {
    const text = examples.join("\n");
    const large = text.repeat(Math.ceil(260_000 / text.length));
    parse(large, "a");
    const worked = processorTime();
    expect(parse(large, "a").errors).toEqual([]);
    // About 0.3 s on one quiet core; the margin is for machines with company.
    expect(worked()).toBeLessThan(15_000);
  });

  test.each([
    ["parentheses", `let a = ${"(".repeat(50_000)}1${")".repeat(50_000)}`],
    ["lists", `let a = ${"[".repeat(50_000)}`],
    ["braces", `block b ${"{ add ".repeat(50_000)}`],
    ["conditionals", `let a = ${"if a then 1 else ".repeat(50_000)}2`],
    ["conditions", `let a = ${"if ".repeat(50_000)}`],
    ["else if", `block b { if a { } ${"else if a { } ".repeat(50_000)} }`],
    ["signs", `let a = ${"- ".repeat(50_000)}1`],
    ["sums", `let a = ${"1 + ".repeat(50_000)}1`],
    ["members", `let a = b${".c".repeat(50_000)}`],
  ])("%s nested too deeply are one error", (_, text) => {
    const { errors } = parse(text, "a");
    expect(errors.map(({ code }) => code)).toEqual(["nesting-too-deep"]);
  });

  test("nesting that is deep but not too deep", () => {
    expect(parse(`let a = ${"(".repeat(MAX_NESTING - 1)}1${")".repeat(MAX_NESTING - 1)}`, "a").errors).toEqual([]);
    expect(parse(`block b ${"{ add ".repeat(MAX_NESTING - 1)}${"}".repeat(MAX_NESTING - 1)}`, "a").errors).toEqual([]);
    expect(parse(`block b { ${"let a = if c then 1 else 2 ".repeat(300)} }`, "a").errors).toEqual([]);
  });

  test("line ends of all kinds, and a byte order mark", () => {
    for (const end of ["\n", "\r\n"]) {
      const text = `\u{feff}/// One.${end}/// Two.${end}block a {${end}  relu // c${end}}${end}`;
      expect(parsed(text).declarations[0]?.doc).toBe("One.\nTwo.");
      expect(parsed(text).comments[0]?.text).toBe("// c");
    }
  });
});
