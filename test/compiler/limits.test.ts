/** Every source ends soon, in bounded memory, and with an error that has a place; docs/language.md states the limits. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  CancelledError,
  check,
  compile,
  diagnosticToJson,
  elaborate,
  memoryHost,
  parseTarget,
  renderDiagnostic,
  standardTargets,
  summarize,
  type Host,
} from "../../compiler/index.js";
import { LIMITS } from "../../compiler/limits.js";
import { PROTOTYPE_WORDS } from "../fuzz/hostile.js";

const codesOf = (text: string): string[] => [
  ...new Set(check([{ path: "a.resnet", text }]).diagnostics.map((d) => d.code)),
];
const chain = (count: number, first: string, next: (i: number) => string, name = "a"): string =>
  [`let ${name}0 = ${first}`, ...Array.from({ length: count }, (_, i) => `let ${name}${i + 1} = ${next(i)}`)].join(
    "\n",
  );

/** What a text took of the processor, in milliseconds: the clock on the wall runs on while others have it. */
function measured(text: string): { ms: number; codes: string[] } {
  const before = process.cpuUsage();
  const codes = codesOf(text);
  return { ms: process.cpuUsage(before).user / 1000, codes };
}

const LOOPS = "for i in 1 .. 99999 { for j in 1 .. 99999 { let _a = i } }";
const HEAVY: Readonly<Record<string, string>> = {
  "aliases that take each other twice": "network F(a, b) { input i 3x8x8 relu }\nnetwork A = F(A(1), A(2))",
  "defaults that call each other":
    "block a(x = b(b())) { relu }\nblock b(x = a(a())) { relu }\nnetwork N { input i 3x8x8 a(a()) }\nlet q = a(b(1)) == b(a(1))",
  "lists that double by sharing": `${chain(32, "[1]", (i) => `[a${i}, a${i}]`)}\nlet z = a32 == 1`,
  "lists that double": chain(32, "[1]", (i) => `a${i} + a${i}`),
  "strings that double": chain(40, '"ab"', (i) => `a${i} + a${i}`),
  "declarations that double": `block f(a, b) { relu }\n${chain(40, "f(1, 1)", (i) => `f(a${i}, a${i})`)}\n${chain(40, "f(1, 1)", (i) => `f(b${i}, b${i})`, "b")}\nlet z = a40 == b40`,
  "equal lists compared in a loop": `let l = 1 .. 99999\nlet m = 1 .. 99999\nnetwork A { input i 3x8x8 for k in l { let _q = l == m } }`,
  "a list compared with itself in a loop":
    "let l = 1 .. 99999\nnetwork A { input i 3x8x8 for k in l { let _q = l == l } }",
  "ranges in a loop": "network A { input i 3x8x8 for k in 1 .. 99999 { let _l = 1 .. 99999 } }",
  "functions of lists in a loop": "let l = 1 .. 99999\nnetwork A { input i 3x8x8 for k in l { let _q = sum(l) } }",
  "loops in a network": `network A { input i 3x8x8 ${LOOPS} }`,
  "loops in a block": `block b { ${LOOPS} }\nnetwork A { input i 3x8x8 b }`,
  "loops in a preprocess": `preprocess p { ${LOOPS} }`,
  "loops in a recipe": `recipe p { ${LOOPS} }`,
  "loops in a dialect": `dialect p { ${LOOPS} }`,
  "loops in the transforms of a recipe": `recipe p { train { ${LOOPS} } }`,
  "renames in loops": 'weights p { for i in 1 .. 99999 { for j in 1 .. 99999 { rename "a", "b" } } }',
  "loops in a shortcut": `shortcut s { ${LOOPS} }\nnetwork A { input i 3x8x8 shortcuts s residual { relu } }`,
  "an assertion's message in a loop": `let l = 1 .. 99999\nnetwork A { input i 3x8x8 for k in l { for m in l { assert false, "${"{l}".repeat(1000)}" } } }`,
  "many large networks": `block b { relu } block c { b x 100 } block d { c x 99 }\n${Array.from({ length: 100 }, (_, i) => `network A${i} { input i 3x8x8 d }`).join("\n")}`,
  "layers without end": "network A { input i 3x8x8 relu x 1e9 }",
  "nothing without end": "block e { }\nnetwork A { input i 3x8x8 e x 1e9 }",
  "open sizes that grow": "network A { input i 3xHxW for i in 1 .. 400 { max_pool 3x3, /2 upsample 3 } }",
  "many parameters": `block p(${Array.from({ length: 8000 }, (_, i) => `p${i} = 1`).join(", ")}) { relu }\nnetwork A { input i 3x8x8 p x 9999 }`,
  "many arguments": `block p(${Array.from({ length: 5000 }, (_, i) => `p${i} = 1`).join(", ")}) { relu }\nlet q = p(${Array.from({ length: 5000 }, (_, i) => `p${i}: 1`).join(", ")})`,
};

/** What is only large has no error. */
const LARGE: Readonly<Record<string, string>> = {
  "open sizes of many layers": "network A { input i 3xHxW for i in 1 .. 9000 { max_pool 3x3 upsample 1 } }",
  "many outputs": `network A { input i 3x8x8 a = relu output ${"a, ".repeat(20000)}a }`,
  "labels inherited by many": `block big { ${Array.from({ length: 3000 }, (_, i) => `l${i} = relu`).join(" ")} }\nblock e { t = relu }\nnetwork A { input i 3x8x8 big ${Array.from({ length: 3000 }, (_, i) => `y${i} = e`).join(" ")} }`,
};

describe("what is large is quick", () => {
  it.each(Object.entries(LARGE))("%s", (_, text) => {
    expect(measured(text)).toEqual({ ms: expect.any(Number) as number, codes: [] });
    expect(measured(text).ms).toBeLessThan(2000);
  });
});

describe("what multiplies ends with one error, soon", () => {
  it.each(Object.entries(HEAVY))("%s", (_, text) => {
    const { ms, codes } = measured(text);
    // Twice the second that is promised: a busy machine is slower.
    expect(ms).toBeLessThan(2000);
    expect(codes.filter((code) => code !== "unused-name")).not.toEqual([]);
  });

  it("of exactly one code where nothing else is wrong, with the place and the chain", () => {
    const text = `block b { ${LOOPS} }\nnetwork A { input i 3x8x8 b }`;
    const { diagnostics } = check([{ path: "a.resnet", text }]);
    expect(diagnostics.map(({ code }) => code)).toEqual(["too-large"]);
    expect(diagnostics[0]!.chain.map(({ label }) => label)).toEqual(["network A", "block b"]);
    expect(text.slice(diagnostics[0]!.span.start, diagnostics[0]!.span.end)).toMatch(/^(let _a = i|for j|i$)/);
  });

  it("and other files of the same check have a budget of their own", () => {
    const good = "network A { input i 3x8x8 fc 2 softmax }";
    const files = [
      { path: "bad.resnet", text: `preprocess p { ${LOOPS} }` },
      { path: "good.resnet", text: good },
    ];
    const { diagnostics } = check(files);
    expect(diagnostics.map(({ code, span }) => [code, span.file])).toEqual([["too-large", "bad.resnet"]]);
  });
});

describe("what is sensible is within the limits", () => {
  it("the whole standard library, several times over", () => {
    const names = standardTargets();
    const text = `import { ${names.filter((name) => /^ResNet\d+[A-Z0-9]*$/.test(name)).join(", ")} } from "std/resnet"\n${names
      .filter((name) => /^ResNet\d+[A-Z0-9]*$/.test(name))
      .map((name) => `network My${name} = ${name}`)
      .join("\n")}`;
    expect(codesOf(text)).toEqual([]);
    for (const name of names) expect(elaborate(parseTarget(name)).errorCount, name).toBe(0);
  });

  it("ResNet-1202, and ten thousand layers", () => {
    expect(elaborate(parseTarget("CifarResNet(depth: 1202)")).errorCount).toBe(0);
    const { model } = compile({
      files: { "a.resnet": "network A { input i 3x8x8 relu x 10000 fc 2 }" },
      entry: "a.resnet",
    });
    expect(summarize(model!).layers).toHaveLength(10_001);
  });

  it("open sizes: pools and upsampling as encoders and decoders have them stay exact", () => {
    const text = "network A { input i 3xHxW max_pool 3x3, /2 x 5 upsample 2 x 5 conv 1x1, 4 }";
    const { model } = compile({ files: { "a.resnet": text }, entry: "a.resnet" });
    expect(summarize(model!).outputs[0]!.shape.slice(2)).toEqual(["32*floor((H+31)/32)", "32*floor((W+31)/32)"]);
  });

  it("open sizes that have no short form are cut, the same in two branches", () => {
    const pairs = "for i in 1 .. 9 { max_pool 3x3, /2 upsample 3 }";
    const text = `network A { input i 3xHxW add { ${pairs} } { ${pairs} relu } conv 1x1, 4 }`;
    const { diagnostics } = check([{ path: "a.resnet", text }]);
    expect(diagnostics).toEqual([]);
  });
});

describe("words that every object has are ordinary names", () => {
  const places: readonly ((word: string) => string)[] = [
    (w) => `let a = ${w}(1)`,
    (w) => `let a = ${w}`,
    (w) => `network A { input i 3x8x8 conv 3x3, i.${w} }`,
    (w) => `network A { input i 3x8x8 ${w} }`,
    (w) => `network A { input i 3x8x8 ${w}(1) }`,
    (w) => `network A { input i 3x8x8 conv(3x3, 8, ${w}: 1) }`,
    (w) => `network A { input i 3x8x8 upsample 2, ${w} }`,
    (w) => `network A { input i 3x8x8 shortcuts ${w} }`,
    (w) => `network A { input i 3x8x8 assert false, "{${w}} {i.${w}}" relu }`,
    (w) => `preprocess p { ${w}(3) }`,
    (w) => `preprocess p { ${w} }`,
    (w) => `weights p { ${w}("a", "b") }`,
    (w) => `dialect d { ${w} }`,
    (w) => `recipe r { ${w} }`,
    (w) => `recipe r { optimizer ${w}(1) }`,
    (w) => `recipe r { learning_rate 0.1, ${w}(to: 1) }`,
    (w) => `recipe r { train { ${w} } }`,
    (w) => `import { ${w} } from "std/resnet"`,
    (w) => `import { a } from "std/${w}"`,
    (w) => `import { a } from "${w}"`,
    (w) => `${w} A { relu }`,
    (w) => `import { ResNet18 } from "std/resnet"\nnetwork A { input i 3x8x8 ResNet18.${w} }`,
  ];
  it.each(PROTOTYPE_WORDS)("%s", (word) => {
    for (const place of places) {
      const { diagnostics } = check([{ path: "a.resnet", text: place(word) }]);
      expect(
        diagnostics.some(({ severity }) => severity === "error"),
        place(word),
      ).toBe(true);
      expect(JSON.stringify(diagnostics), place(word)).not.toContain("native code");
    }
    for (const target of [word, `${word}(1)`, `std/${word}`, `a#${word}`, `${word}.resnet`]) {
      expect(elaborate(parseTarget(target)).errorCount, target).toBeGreaterThan(0);
    }
  });

  it.each(PROTOTYPE_WORDS)("%s is declared, used and compiled like any other", (word) => {
    const text = `block ${word}(${word} = 4) { conv 1x1, ${word} }\nnetwork A { input i 3x8x8 stage ${word} { ${word}(${word}: 8) } fc 2 }`;
    const { diagnostics, model, onnx } = compile({ files: { "a.resnet": text }, entry: "a.resnet" });
    expect(diagnostics).toEqual([]);
    expect(onnx!.length).toBeGreaterThan(0);
    expect(Object.keys(Object.fromEntries(model!.graph.parameters.map(({ path }) => [path, 1])))).toContain(
      `${word}.0.conv.weight`,
    );
  });
});

describe("definitions that need themselves", () => {
  it.each([
    [
      "a shortcut in its own residual",
      "shortcut s { residual { relu } }\nnetwork A { input i 3x8x8 shortcuts s residual { relu } }",
    ],
    [
      "shortcuts in each other",
      "shortcut s { residual(shortcut: t) { relu } }\nshortcut t { residual(shortcut: s) { relu } }\nnetwork A { input i 3x8x8 shortcuts s residual { relu } }",
    ],
    ["a shared part in itself", "network A { input i 3x8x8 s = shared { relu s } s }"],
    ["a block as its own default", "block a(b = a) { b(b) }\nnetwork A { input i 3x8x8 a }"],
    ["constants in each other", "let a = b\nlet b = a"],
    [
      "constants in a long circle",
      `${Array.from({ length: 300 }, (_, i) => `let a${i} = a${(i + 1) % 300}`).join("\n")}`,
    ],
  ])("%s", (_, text) => {
    expect(codesOf(text).filter((code) => /endless-definition|too-large|unknown-name/.test(code))).not.toEqual([]);
  });

  it("files: importing itself, by its own names, and in circles", () => {
    const files = {
      "self.resnet": 'import { x } from "./self"\nlet x = 1\nlet y = x',
      "a.resnet": 'import { x } from "./b"\nlet y = x\nlet x = 2',
      "b.resnet": 'import { x, y } from "./a"\nlet z = y\nlet x = y',
    };
    for (const path of Object.keys(files)) {
      expect(check([path], memoryHost(files)).errorCount, path).toBeGreaterThan(0);
    }
  });
});

describe("what is long or deep", () => {
  const nested = (open: string, close: string, count: number): string => open.repeat(count) + "1" + close.repeat(count);
  it.each([
    ["calls", `block a(b = 1) { relu }\nlet x = ${nested("a(", ")", 300)}`, "nesting-too-deep"],
    ["lists inside one another by name", chain(300, "[1]", (i) => `[a${i}]`), "too-large"],
    ["constants in reverse", chain(5000, "1", (i) => `a${i + 2}`), "too-large"],
    [
      "blocks",
      `${Array.from({ length: 70 }, (_, i) => `block b${i} { b${i + 1} }`).join("\n")}\nblock b70 { relu }\nnetwork A { input i 3x8x8 b0 }`,
      "endless-definition",
    ],
    ["a name", `let ${"a".repeat(20_000)} = 1`, "too-large"],
    ["a string", `let a = "${"x".repeat(9_000_000)}"`, "too-large"],
    ["a string without its end", `let a = "${"x".repeat(9_000_000)}`, "too-large"],
    ["a whole number that is rounded", "let a = 9007199254740993", "syntax-error"],
    ["a size that is rounded", "let a = 3x9007199254740993", "syntax-error"],
    ["channels that are rounded", "network A { input i 3x8x8 conv 1x1, 2 * 9007199254740991 }", "out-of-range"],
    ["a weight that no index reaches", "network A { input i 3x8x8 conv 1x1, 100000 conv 1x1, 100000 }", "too-large"],
    [
      "parameters that no machine holds",
      "network A { input i 3x8x8 conv 1x1, 40000 conv 1x1, 40000 x 9 }",
      "too-large",
    ],
    ["a map that no index reaches", "network A { input i 3x8x8 upsample 99999 }", "too-large"],
    ["a weight that no file takes in one piece", "network A { input i 3x8x8 conv 3x3, 10000 x 2 }", "too-large"],
    ["channels in the billions", "network A { input i 3x8x8 conv 1x1, 1e15 }", "too-large"],
    ["an open size divided to nothing", "network A { input i 3xHxW max_pool 2, /2 x 1100 }", "invalid-shape"],
  ])("%s", (_, text, code) => {
    expect(codesOf(text).filter((each) => each !== "unused-name")).toContain(code);
  });

  it("a network that files hold, but no array of bytes", () => {
    const text = "network A { input i 3x8x8 conv 1x1, 20000 x 4 }";
    expect(codesOf(text)).toEqual([]);
    const { diagnostics, onnx, errorCount } = compile({ files: { "a.resnet": text }, entry: "a.resnet" });
    expect([onnx, errorCount]).toEqual([undefined, 1]);
    expect(diagnostics).toMatchObject([{ code: "too-large", span: { file: "a.resnet", start: 8, end: 9 } }]);
    expect(diagnostics[0]!.message).toBe("A has 4.8 GB of weights, more than one array of bytes holds");
  });

  it("chains of imports, each file read once", () => {
    const reads = new Map<string, number>();
    const host: Host = {
      read(path) {
        reads.set(path, (reads.get(path) ?? 0) + 1);
        const number = Number(/\d+/.exec(path)?.[0]);
        return number < 6000
          ? `import { a } from "./f${number + 1}"\nimport { a as b } from "./f${number + 1}"\nlet c = [a, b]`
          : "let a = 1";
      },
    };
    const { diagnostics } = check(["f0.resnet"], host);
    expect(Math.max(...reads.values())).toBe(1);
    expect(diagnostics.some(({ code }) => code === "too-large" || code === "unknown-import")).toBe(true);
  });
});

describe("diagnostics are bounded", () => {
  it("in number: the first are kept, all are counted, and errors have room beside warnings", () => {
    const text = `${Array.from({ length: 1000 }, (_, i) => `block b${i}(unused) { relu }`).join("\n")}\n${Array.from({ length: 3000 }, (_, i) => `let a${i} = nome${i}`).join("\n")}`;
    const { diagnostics, errorCount, warningCount } = check([{ path: "a.resnet", text }]);
    expect([errorCount, warningCount]).toEqual([3000, 1000]);
    expect(diagnostics.filter(({ severity }) => severity === "error")).toHaveLength(LIMITS.problemsPerFile);
    expect(diagnostics).toHaveLength(2 * LIMITS.problemsPerFile);
  });

  it("in what they quote", () => {
    const text = `network A { input i 3x8x8 ${"foo ".repeat(20_000)}}`;
    const { diagnostics, sources } = check([{ path: "a.resnet", text }]);
    const rendered = diagnostics.map((each) => renderDiagnostic(each, sources)).join("\n");
    expect(rendered.length).toBeLessThan(200_000);
    expect(rendered).toContain("...");
    const [line, marks] = renderDiagnostic(diagnostics[150]!, sources).split("\n").slice(1, 3) as [string, string];
    expect(line.slice(marks.indexOf("^"), marks.lastIndexOf("^") + 1)).toBe("foo");
  });

  it("in what it costs to suggest names and to find places", () => {
    const names = Array.from({ length: 2500 }, (_, i) => `let name${i}abc = nome${i}abd`).join("\n");
    expect(measured(names).ms).toBeLessThan(2000);
    expect(measured("@\n".repeat(50_000)).ms).toBeLessThan(3000);
  });

  it("without power over a terminal, in every part", () => {
    const evil = "\u001b]0;x\u0007\u009b2J\u202e";
    const text = `network A { input i 3x8x8 assert false, "${evil}" }\n`;
    const { diagnostics, sources } = check([{ path: `${evil}\r.resnet`, text }]);
    const rendered = diagnostics.map((each) => renderDiagnostic(each, sources)).join("\n");
    // eslint-disable-next-line no-control-regex
    expect(rendered).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(rendered).toContain("\\x1b]0;x\\x07\\x9b2J\\u202e");
    expect(diagnosticToJson(diagnostics[0]!, sources).message).toBe(evil);
  });
});

describe("a check can be ended from outside", () => {
  const slow = `preprocess p { ${LOOPS} }`;
  it("by a function that it asks", () => {
    let asked = 0;
    const shouldStop = (): boolean => ++asked > 3;
    expect(() => check([{ path: "a.resnet", text: slow }], memoryHost({}), { shouldStop })).toThrow(CancelledError);
    expect(asked).toBe(4);
  });
  it("by a signal", () => {
    const signal = AbortSignal.abort();
    expect(() => check([{ path: "a.resnet", text: slow }], memoryHost({}), { signal })).toThrow(CancelledError);
    expect(() => elaborate(parseTarget("ResNet50"), { signal })).toThrow(CancelledError);
  });
});

it("imports stay on this machine", () => {
  const asked: string[] = [];
  const host: Host = { read: (path) => void asked.push(path) };
  for (const path of ["//host/share/x", "\\\\\\\\host\\\\share", "///x", "/\\\\host/x"]) {
    expect(check([{ path: "a.resnet", text: `import { a } from "${path}"` }], host).errorCount).toBe(1);
  }
  expect(asked).toEqual([]);
});

it("docs/language.md states the limits", () => {
  const page = readFileSync(new URL("../../docs/language.md", import.meta.url), "utf8");
  const section = page.slice(page.indexOf("## Limits"));
  for (const [name, limit] of Object.entries(LIMITS)) expect(section, name).toContain(limit.toLocaleString("en-US"));
});
