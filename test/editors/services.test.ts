/** What the services answer, at places that are marked by `|`. */
import { describe, expect, it, test } from "vitest";
import {
  actionsAt,
  choiceKey,
  completionAt,
  definitionAt,
  Editor,
  foldsOf,
  formatFile,
  formatSelection,
  formatTyped,
  HINTS,
  hintsIn,
  hoverAt,
  lensesIn,
  linksIn,
  referencesAt,
  renameAt,
  signatureAt,
  symbolsCalled,
  symbolsOf,
  type Edit,
} from "../../compiler/editor/index.js";
import { applied } from "../../compiler/editor/references.js";
import { DECLARATION_SNIPPETS, STATEMENT_SNIPPETS } from "../../compiler/editor/snippets.js";
import { memoryHost } from "../../compiler/host.js";

const PATH = "/nets/a.resnet";

/** An editor with this text open, and these files beside it; and where the mark stands. */
function marked(text: string, files: Record<string, string> = {}): { editor: Editor; offset: number } {
  const editor = new Editor({ read: (path) => files[path], list: () => Object.keys(files) });
  const offset = text.indexOf("|");
  editor.write(PATH, text.replace("|", ""));
  editor.check();
  return { editor, offset };
}

const shown = (editor: Editor, edits: readonly Edit[]): string =>
  applied(
    editor.source(PATH)!,
    edits.filter(({ span }) => span.file === PATH),
  );

const NET = `import { bottleneck as narrow } from "std/blocks"
import { projection_on_change } from "std/shortcuts"

/// A small one (arXiv:1512.03385).
network Net(depth = 2, classes = 10) {
  input image 3x32x32
  shortcuts projection_on_change
  let wide = 16
  stage conv1    { conv 3x3, wide   bn   relu }
  stage conv2 /2 { own(32) x depth }
  c3 = narrow(16)
  head { global_avg_pool   fc classes   softmax }
}

block own(width, stride = 1) {
  residual {
    conv 3x3, width, /stride   bn   relu
    conv 3x3, width            bn
  }
  relu
}
`;
const at = (piece: string, further = 1): string => {
  const offset = NET.indexOf(piece) + further;
  return `${NET.slice(0, offset)}|${NET.slice(offset)}`;
};

describe("hover", () => {
  const hover = (text: string): string => {
    const { editor, offset } = marked(text);
    return hoverAt(editor, PATH, offset)?.text ?? "";
  };

  it("of a layer: the word, its arguments, and what it costs in each place", () => {
    const text = hover(at("conv 3x3, width, "));
    expect(text).toContain("conv kernel, channels, stride = 1");
    expect(text).toContain("Convolution");
    // 3x3x16x32 and 3x3x32x32 weights, on 16x16 places each; 1 + 2 pixels, then 2 more of stride 1 and 2.
    expect(text).toContain("**Net conv2.0**: 16x32x32 to 32x16x16; 4.61 k parameters, 1.18 M multiply-adds");
    expect(text).toContain("sees 5 pixels, stride 2");
    expect(text).toContain("**Net conv2.1**: 32x16x16 to 32x16x16; 9.22 k parameters, 2.36 M multiply-adds");
  });
  it("of a block: its head, its doc comment, its file, what all of it costs", () => {
    const text = hover(at("narrow(16"));
    expect(text).toContain("block bottleneck(width, stride = 1");
    expect(text).toContain("*std/blocks*");
    expect(text).toContain("**Net**: 32x16x16 to 64x16x16");
  });
  it("of a stage, the input, what sees all of the image", () => {
    expect(hover(at("conv2 /2"))).toContain("16x32x32 to 32x16x16");
    expect(hover(at("input image"))).toContain("to 3x32x32");
    expect(hover(at("global_avg_pool"))).toContain("sees the whole image");
  });
  it("of names: what they are, and their values", () => {
    expect(hover(at("wide   bn"))).toContain("`16` in Net conv1");
    expect(hover(at("width, /stride"))).toContain("`32` in Net conv2.0 and 1 more");
    expect(hover(at("Net("))).toContain("[arXiv:1512.03385](https://arxiv.org/abs/1512.03385)");
  });
  it("of arguments, functions, and words with a paper", () => {
    expect(hover("network A { input image 3x8x8   conv 3x3, 4, p|ad: 0 }")).toContain("`pad` of `conv`");
    expect(hover("let a = fl|oor(3.5)")).toContain("Largest whole number");
    expect(hover(at("residual"))).toContain("https://arxiv.org/abs/1512.03385");
  });
  it("of what comes before and after an error", () => {
    const text = NET.replace("own(32) x depth", "own(32, nothing_like: 3)");
    const place = (piece: string): string => hover(text.replace(piece, `${piece.slice(0, 1)}|${piece.slice(1)}`));
    expect(place("conv 3x3, wide")).toContain("3x32x32 to 16x32x32");
    expect(place("narrow(16)")).toContain("bottleneck");
  });
});

test("hints: one a line, what the last statement gives; other numbers where they are asked for", () => {
  const { editor } = marked(NET);
  const lines = (settings = HINTS, chosen = new Map<string, string>()): string[] =>
    hintsIn(editor, PATH, { start: 0, end: NET.length }, settings, chosen).map(
      ({ offset, text }) =>
        `${NET.slice(NET.lastIndexOf("\n", offset - 1) + 1, offset)
          .trim()
          .slice(0, 12)} ${text}`,
    );
  expect(lines()).toEqual([
    "stage conv1  16x32x32",
    "stage conv2  32x16x16",
    "c3 = narrow( 64x16x16",
    "head { globa 10",
    "conv 3x3, wi 32x16x16",
    "conv 3x3, wi 32x16x16",
    "} 32x16x16",
    "relu 32x16x16",
  ]);
  expect(lines({ shapes: false, params: true, macs: true })).toContain("stage conv1  464 · 442 k MAC");
  // Of the second use the first convolution has twice the weights.
  const second = new Map([[choiceKey(PATH, "own"), "Net conv2.1"]]);
  const params = { shapes: false, params: true, macs: false };
  expect(lines(params)).toContain("} 14.5 k");
  expect(lines(params, second)).toContain("} 18.6 k");
  expect(lines({ shapes: false, params: false, macs: false })).toEqual([]);
});

test("lenses: what a network costs and what can be done with it, which use of a block is shown", () => {
  const { editor } = marked(NET);
  expect(lensesIn(editor, PATH, new Map()).map(({ title }) => title)).toEqual([
    "40.4 k parameters · 10.3 M multiply-adds",
    "figure",
    "compile",
    "train",
    "shown as in Net conv2.0 (2 uses)",
  ]);
  expect(lensesIn(editor, PATH, new Map([[choiceKey(PATH, "own"), "Net conv2.1"]])).at(-1)?.title).toContain("conv2.1");
});

describe("snippets", () => {
  /** As it is where nothing is changed. */
  const plain = (snippet: string, last: string): string =>
    snippet
      .replace(/\$\{\d+:([^}]*)\}/g, "$1")
      .replace(/\$\{\d+\|([^,}]*),[^}]*\|\}/g, "$1")
      .replace(/\$0/g, last);
  const errors = (text: string): string[] => {
    const editor = new Editor(memoryHost({}));
    editor.write(PATH, text);
    editor.check();
    const found = editor.diagnostics().get(PATH) ?? [];
    return found.flatMap(({ severity, code, message }) => (severity === "error" ? [`${code}: ${message}`] : []));
  };

  const LAST: Readonly<Record<string, string>> = {
    network: "conv 3x3, 64",
    import: "basic",
    let: "1",
    detector: "relu",
  };
  test.each(Object.entries(DECLARATION_SNIPPETS))("%s is a correct program", (word, snippet) => {
    const found = errors(plain(snippet, LAST[word] ?? ""));
    // What a detector detects, and all that a dialect says, is left to whoever writes it.
    expect(found.filter((each) => !each.startsWith("missing-"))).toEqual([]);
  });

  test.each(Object.entries(STATEMENT_SNIPPETS))("%s is correct in a network", (word, snippet) => {
    const last: Readonly<Record<string, string>> = { let: "1", if: "relu", for: "relu", stage: "conv 3x3, 8" };
    const statement = plain(snippet, last[word] ?? "");
    const before = word === "input" ? "" : "input image 3x224x224\n";
    const text = `network A(classes = 10, n = 2, condition = true) {\n${before}${statement}\n relu }`;
    expect(errors(text)).toEqual([]);
  });

  test("each is of a word that is offered there", () => {
    const { editor, offset } = marked("|");
    const offered = completionAt(editor, PATH, offset).items.filter(({ snippet }) => snippet !== undefined);
    expect(offered.map(({ label }) => label).sort()).toEqual(Object.keys(DECLARATION_SNIPPETS).sort());
    const net = marked("network A { | }");
    const inside = completionAt(net.editor, PATH, net.offset).items;
    for (const [label, snippet] of Object.entries(STATEMENT_SNIPPETS)) {
      expect(inside.find((item) => item.label === label)).toMatchObject({ snippet });
    }
  });
});

describe("completion", () => {
  const labels = (text: string, files?: Record<string, string>): string[] => {
    const { editor, offset } = marked(text, files);
    return [...completionAt(editor, PATH, offset).items].sort((a, b) => a.rank - b.rank).map(({ label }) => label);
  };
  const inNet = (body: string): string => `network A {\n  input image 3x32x32\n  ${body}`;

  test.each([
    ["ne|", ["network", "block", "import"], ["conv"]],
    [inNet("co|"), ["conv", "image", "stage", "output"], ["sgd", "kernel"]],
    ["block b { co|", ["conv", "residual"], ["output", "stage"]],
    [inNet("conv 3x3, |"), ["channels", "stride", "pad"], ["kernel"]],
    [inNet("conv 3x3, 64, pad: 1, |"), ["stride", "groups"], ["channels", "kernel"]],
    [inNet("upsample 2, | }"), ["bilinear", "nearest", "mode"], ["factor"]],
    [inNet("a = conv 3x3, 4\n relu on | }"), ["a", "image"], []],
    [inNet("relu on |\n a = conv 3x3, 4 }"), ["image"], ["a"]],
    ["recipe r { optimizer s| }", ["sgd", "adamw"], ["conv"]],
    ["recipe r { optimizer sgd(|) }", ["momentum", "nesterov"], ["kernel"]],
    ["recipe r { train { r| } }", ["random_crop", "resize"], ["optimizer", "conv"]],
    ["block b(width) { conv 3x3, w| }", ["width"], []],
    ["block own(width, stride = 1) { relu }\nnetwork A { own(| }", ["width", "stride"], []],
    ["block own(width, stride = 1) { relu }\nnetwork A { own(width: 3, | }", ["stride"], ["width"]],
    ["block b { conv 3x3, input.| }", ["channels", "residuals"], ["conv"]],
    ['import { ResNet50 } from "std/resnet"\nnetwork A { ResNet50.| }', ["conv1", "conv4", "head"], ["channels"]],
    ["block b { left = relu   relu }\n" + inNet("r = b()\n relu on r.| }"), ["left", "channels"], []],
    ['import { b| } from "std/blocks"', ["basic", "bottleneck"], ["conv"]],
    ['import { a } from "|"', ["std/blocks", "std/resnet"], []],
    [inNet("bottl| }"), ["bottleneck"], ["basic"]],
    ["block b { // co| }", [], ["conv"]],
    ['let a = "co|"', [], ["conv"]],
    ["block b { conv 3|x3, 4 }", [], ["conv"]],
  ])("%j", (text, wanted, unwanted) => {
    const found = labels(text);
    expect(found).toEqual(expect.arrayContaining(wanted));
    for (const each of unwanted) expect(found).not.toContain(each);
  });

  it("of a name of another file writes its import", () => {
    const files = { "/nets/parts.resnet": "block wide(width) { conv 3x3, width }" };
    const choose = (text: string, label: string): string => {
      const { editor, offset } = marked(text, files);
      const { span, items } = completionAt(editor, PATH, offset);
      const item = items.find((each) => each.label === label)!;
      return shown(editor, [...(item.edits ?? []), { span, text: label }]);
    };
    expect(choose("// top\n\nblock b { wi| }", "wide")).toBe(
      '// top\n\nimport { wide } from "./parts"\n\nblock b { wide }',
    );
    expect(choose('import { basic } from "std/blocks"\nblock b { bott| }', "bottleneck")).toBe(
      'import { basic, bottleneck } from "std/blocks"\nblock b { bottleneck }',
    );
    expect(choose('import { basic } from "std/blocks"\nblock b { wi| }', "wide")).toBe(
      'import { basic } from "std/blocks"\nimport { wide } from "./parts"\nblock b { wide }',
    );
  });
});

test.each([
  ["network A { conv 3x3, |", "channels"],
  ["network A { conv 3x|3, 64 }", "kernel"],
  ["network A { conv 3x3, 64, pad: 1| }", "pad"],
  ["network A { conv 3x3, 64, /2| }", "stride = 1"],
  ["block own(width, stride = 1) { relu }\nnetwork A { own(1, | }", "stride = 1"],
  ["recipe a { optimizer sgd(0.9, | }", "weight_decay = 0"],
  ['import { ResNet18 } from "std/resnet"\nnetwork A = ResNet18(| )', "classes = 1000"],
])("signature in %j: %s", (text, active) => {
  const { editor, offset } = marked(text);
  const found = signatureAt(editor, PATH, offset);
  expect(found?.parameters[found.active ?? -1]?.label).toBe(active);
  expect(found?.label).toContain(active);
});

describe("definition, references, rename", () => {
  const PARTS = "block wide(width, act = relu) {\n  conv 3x3, width   act\n  out = relu\n}\n";
  const USER = `import { wide } from "./parts"
network A(part = wide) {
  input image 3x32x32
  a = wide(width: 16)
  b = part(16, act: tanh)
  stage one { relu on a.out }
  relu on one
}
network B { input image 3x32x32   A.one   assert 1 == 1, "{A}" }
`;
  const files = { "/nets/parts.resnet": PARTS };
  const ask = (piece: string, nth = 0): { editor: Editor; offset: number } => {
    let offset = -1;
    for (let i = 0; i <= nth; i++) offset = USER.indexOf(piece, offset + 1);
    return marked(`${USER.slice(0, offset + 1)}|${USER.slice(offset + 1)}`, files);
  };
  const places = (piece: string, nth = 0): string[] => {
    const { editor, offset } = ask(piece, nth);
    return referencesAt(editor, PATH, offset).map(
      ({ span }) => `${span.file.slice(6, 7)}${editor.source(span.file)!.slice(0, span.start).split("\n").length}`,
    );
  };

  test.each([
    ["wide(width", "block wide"],
    ["width: 16", "width, act"],
    ["act: tanh", "act = relu"],
    ["out }", "out = relu"],
    ['"./parts"', "block"],
  ])("of %s", (piece, target) => {
    const { editor, offset } = ask(piece);
    const found = definitionAt(editor, PATH, offset)!;
    expect(found.file).toBe("/nets/parts.resnet");
    const place = PARTS.indexOf(target);
    expect(found.start).toBe(target === "block wide" ? place + "block ".length : place);
  });

  it("finds uses in other files, behind parameters, members and strings", () => {
    expect(places("wide }")).toEqual(["a1", "a2", "a4", "p1"]);
    expect(places("width: 16")).toEqual(["a4", "p1", "p2"]);
    expect(places("act: tanh")).toEqual(["a5", "p1", "p2"]);
    expect(places("one }")).toEqual([]);
    expect(places("one {")).toEqual(["a6", "a7", "a9"]);
    expect(places("out }")).toEqual(["a6", "p3"]);
  });

  it("renames across files", () => {
    const { editor, offset } = ask("wide }");
    const edits = renameAt(editor, PATH, offset, "broad") as Edit[];
    expect(shown(editor, edits)).toBe(USER.replaceAll("wide", "broad"));
    const parts = edits.filter(({ span }) => span.file !== PATH);
    expect(applied(PARTS, parts)).toBe(PARTS.replace("wide", "broad"));
  });

  it("gives what the standard library declares another name here, and refuses what would break", () => {
    const text =
      'import { basic } from "std/blocks"\nnetwork A { input image 3x8x8   bas|ic(3) }\nblock own() { relu }\n';
    const { editor, offset } = marked(text);
    expect(shown(editor, renameAt(editor, PATH, offset, "plain") as Edit[])).toBe(
      text.replace("|", "").replace("basic(", "plain(").replace("{ basic }", "{ basic as plain }"),
    );
    expect(renameAt(editor, PATH, offset, "own")).toEqual({
      problem: expect.stringContaining("declared twice") as string,
    });
    expect(renameAt(editor, PATH, offset, "if")).toEqual({ problem: "`if` is a reserved word" });
    expect(renameAt(editor, PATH, offset, "3x")).toEqual({ problem: expect.stringContaining("is no name") as string });
    expect(renameAt(editor, PATH, offset, "relu")).toEqual({ problem: "`relu` is a layer's word" });
    const word = marked("block b { re|lu }");
    expect(renameAt(word.editor, PATH, word.offset, "a")).toEqual({ problem: "`relu` is a word of the language" });
  });
});

test("outline, symbols of all files, folds, links", () => {
  const { editor } = marked(NET, { "/nets/b.resnet": "block other(a) { relu }" });
  const [net, own] = symbolsOf(editor, PATH);
  expect([net?.kind, net?.name, net?.detail]).toEqual(["network", "Net", "(depth = 2, classes = 10)"]);
  expect(net?.children.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
    "input image",
    "stage conv1",
    "stage conv2",
    "label c3",
    "stage head",
  ]);
  expect(own?.name).toBe("own");
  expect(symbolsCalled(editor, "o").map(({ name }) => name)).toEqual(["own", "other"]);
  expect(symbolsCalled(editor, "ohr").map(({ path, name }) => `${path} ${name}`)).toEqual(["/nets/b.resnet other"]);
  expect(foldsOf(editor, PATH).map(({ start, kind }) => `${kind} ${NET.slice(0, start).split("\n").length}`)).toEqual([
    "imports 1",
    "body 5",
    "body 15",
    "body 16",
  ]);
  expect(linksIn(editor, PATH).map(({ target }) => target)).toEqual([
    { path: "std/blocks.resnet" },
    { path: "std/shortcuts.resnet" },
    { address: "https://arxiv.org/abs/1512.03385" },
  ]);
});

test("formatting: the file, a selection, what a brace closes; a broken text stays", () => {
  const text = "block b {\nconv   3x3, 4\n   relu\n}\nblock c { conv  1x1,4 }|\n";
  const { editor, offset } = marked(text);
  expect(shown(editor, formatFile(editor, PATH)!)).toBe(
    "block b {\n  conv 3x3, 4\n  relu\n}\n\nblock c { conv 1x1, 4 }\n",
  );
  const selected = { start: text.indexOf("conv"), end: text.indexOf("conv") + 4 };
  expect(shown(editor, formatSelection(editor, PATH, selected)!)).toContain(
    "{\n  conv 3x3, 4\n  relu\n}\nblock c { conv  1x1,4 }",
  );
  expect(shown(editor, formatTyped(editor, PATH, offset)!)).toContain(
    "\nconv   3x3, 4\n   relu\n}\n\nblock c { conv 1x1, 4 }",
  );
  const broken = marked("block b { conv 3x3, ");
  expect(formatFile(broken.editor, PATH)).toBeUndefined();
});

it("a doc comment goes on in the next line, and ends where that was left empty", () => {
  const typed = (text: string): string => {
    const { editor, offset } = marked(text.includes("|") ? text : `${text}|`);
    return shown(editor, formatTyped(editor, PATH, offset)!);
  };
  expect(typed("/// One.\n")).toBe("/// One.\n/// ");
  expect(typed("  /// One.\n    ")).toBe("  /// One.\n  /// ");
  expect(typed("relu\n/// One.\r\n|\r\nrelu")).toBe("relu\n/// One.\r\n/// \r\nrelu");
  expect(typed("/// One,\n|two.\n")).toBe("/// One,\n/// two.\n");
  expect(typed("/// One.\n/// \n")).toBe("/// One.\n");
  expect(typed("  /// One.\n  /// \n  ")).toBe("  /// One.\n  ");
  expect(typed("/// One.\r\n/// \r\n")).toBe("/// One.\r\n");
  for (const text of ["/// \n", "/// One.\n/// ", "/// One.\n\n", "// One.\n", "// One.\n// \n", "relu\n\n"]) {
    expect(typed(text)).toBe(text);
  }
  // The editor has seen to it, and left the cursor before it.
  expect(typed("/// One.\n|/// ")).toBe("/// One.\n/// ");
});

describe("quick fixes: what they make has no such problem", () => {
  test.each([
    ["network A { input image 3x32x32   cnv 3x3, 4 }", "Write `conv` in place of `cnv`"],
    [
      "network A { input image 3x32x32   residual { conv 3x3, 8 } }",
      "Give all residuals of A the shortcut `projection_on_change`",
    ],
    [
      "network A { input image 3x32x32   residual { conv 3x3, 8 } }",
      "Give this residual the shortcut `projection_on_change`",
    ],
    ["network A { input image 3x32x32   basic(3) }", 'Import `basic` from "std/blocks"'],
    ["network A { input image 3x32x32   wide(3) }", 'Import `wide` from "./parts"'],
    ['import { basic } from "std/blocks"\nblock b { relu }', "Remove the import of `basic`"],
    ['import { basic, bottleneck } from "std/blocks"\nblock b { basic(3) }', "Remove the import of `bottleneck`"],
    ['import { basic, bottleneck } from "std/blocks"\nblock b { bottleneck(3) }', "Remove the import of `basic`"],
    ["block b(width) { relu }", "Call it `_width`, to keep it"],
    [
      "network A { input image 3x32x32   a = conv 3x3, 4   b = conv 3x3, 4, /2   add { a } { b } }",
      "Bring the branch to the size of `b` by `resize_like`",
    ],
    ["network A { relu }", "Begin with `input image 3x224x224`"],
    ["block b { relu", "Write `}`"],
  ])("%s: %s", (text, title) => {
    const { editor } = marked(text, { "/nets/parts.resnet": "block wide(width) { conv 3x3, width }" });
    const before = editor.diagnostics().get(PATH)!;
    expect(before.length).toBeGreaterThan(0);
    const action = actionsAt(editor, PATH, { start: 0, end: text.length }).find((each) => each.title === title);
    expect(action?.title).toBe(title);
    editor.write(PATH, shown(editor, action!.edits));
    editor.check();
    expect(editor.diagnostics().get(PATH)).toEqual([]);
  });
});
