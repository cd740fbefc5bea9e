/** What Prettier offers beyond whole files: cursors, selections, what is to be kept, pragmas. */
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import * as prettier from "prettier";
import { describe, expect, test } from "vitest";
import { VOCABULARY } from "../../compiler/vocabulary.js";
import { formatRange, type TextRange } from "../../grammar/format-range.js";
import type { SourceFile } from "../../grammar/ast.js";
import { format, parse } from "../../compiler/syntax.js";
import plugin, * as named from "../../compiler/prettier.js";
import { shape } from "./helpers.js";
import { program } from "./programs.js";

const settings: prettier.Options = { filepath: "a.resnet", plugins: [plugin] };
const formatted = (text: string): string => {
  const result = format(text);
  if ("errors" in result) throw new Error(result.errors.map(({ message }) => message).join("; "));
  return result.text;
};

const root = new URL("../../stdlib/", import.meta.url);
const std = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".resnet"))
  .map((name) => ({ name, text: readFileSync(new URL(name, root), "utf8") }));
/** Correct, and in no style at all. */
const messy = std.map(({ name, text }) => ({ name, text: text.replace(/^ +/gm, "").replace(/ {2,}(?!.*")/g, "  ") }));

const withoutErrors = program.filter((text) => text.trim() !== "" && parse(text, "a").errors.length === 0);

test("is the default export too, as configuration files import it", () => {
  expect(plugin).toEqual({
    languages: named.languages,
    defaultOptions: named.defaultOptions,
    parsers: named.parsers,
    printers: named.printers,
  });
});

describe("a cursor", () => {
  const move = (text: string, cursorOffset: number, options: prettier.Options = {}) =>
    prettier.formatWithCursor(text, { ...settings, ...options, cursorOffset });

  test.each(messy)("stays with its character: $name", async ({ text }) => {
    const tokens = [...text.matchAll(/\b\w{6,}\b/g)].filter(
      ({ 0: word }) => text.split(new RegExp(`\\b${word}\\b`)).length === 2,
    );
    const expected = formatted(text);
    for (const { 0: word, index } of tokens.filter((_, i) => i % Math.ceil(tokens.length / 3) === 0)) {
      const result = await move(text, index + 2);
      expect(result.formatted).toBe(expected);
      expect(result.formatted.slice(result.cursorOffset - 2)).toMatch(new RegExp(`^${word}\\b`));
    }
  });

  test("is somewhere in the text, wherever it was in whatever program", async () => {
    await fc.assert(
      fc.asyncProperty(withoutErrors, fc.double({ min: 0, max: 1, noNaN: true }), async (text, share) => {
        const result = await move(text, Math.floor(share * text.length));
        expect(result.formatted).toBe(formatted(text));
        expect(result.cursorOffset).toBeGreaterThanOrEqual(0);
        expect(result.cursorOffset).toBeLessThanOrEqual(result.formatted.length);
      }),
      { numRuns: 60 },
    );
  });

  test("moves with a selection that is formatted before it, or around it", async () => {
    const text = "block a {   relu }\nblock b { conv   3x3,64 }\nblock c {   bn }\n";
    const [start, end] = [text.indexOf("conv"), text.indexOf("64")];
    const range = { rangeStart: start, rangeEnd: end };
    const expected = "block a {   relu }\nblock b { conv 3x3, 64 }\nblock c {   bn }\n";
    for (const at of ["relu", "3x3", "64", "bn"]) {
      const result = await move(text, text.indexOf(at), range);
      expect(result.formatted).toBe(expected);
      expect(result.formatted.slice(result.cursorOffset)).toBe(expected.slice(expected.indexOf(at)));
    }
  });
});

describe("a selection", () => {
  const select = (text: string, part: string) => {
    const start = text.indexOf(part);
    return prettier.format(text, { ...settings, rangeStart: start, rangeEnd: start + part.length });
  };
  const MESSY = `let  a = 1
network   N {
input image   3x8x8
  stage s { conv   3x3,4
     bn // why
 relu }
  if a==1 { relu } else { bn   }
}
let  b = 2
`;

  test.each([
    ["a statement", "onv   3x3", "let  a = 1", "  stage s {\n    conv 3x3, 4\n    bn // why\n relu }"],
    [
      "several of them",
      "conv   3x3,4\n     bn",
      "let  a = 1",
      "  stage s {\n    conv 3x3, 4\n    bn // why\n    relu }",
    ],
    [
      "one with what is in it",
      "stage s { conv   3x3,4",
      "let  a = 1",
      "  stage s {\n    conv 3x3, 4\n    bn // why\n    relu\n  }",
    ],
    ["in a branch", "bn  ", "let  a = 1", "if a==1 { relu } else { bn }\n}\nlet  b = 2"],
    ["a declaration", "network   N", "let  a = 1", "  if a == 1 { relu } else { bn }\n}\n\nlet  b"],
    ["the first", "let  a", "let a = 1", "network   N {\ninput image"],
  ])("%s", async (_name, part, first, contains) => {
    const result = await select(MESSY, part);
    expect(result.startsWith(first)).toBe(true);
    expect(result).toContain(contains);
    expect(formatted(result)).toBe(formatted(MESSY));
  });

  test("keeps line ends and byte order marks as Prettier does", async () => {
    const text = MESSY.replaceAll("\n", "\r\n");
    const start = text.indexOf("conv");
    const result = await prettier.format(text, {
      ...settings,
      endOfLine: "auto",
      rangeStart: start,
      rangeEnd: start + 4,
    });
    expect(result).toContain("stage s {\r\n    conv 3x3, 4\r\n    bn // why\r\n relu }");
    expect(result.replaceAll("\r\n", "")).not.toContain("\n");
  });

  test("with errors somewhere is told", async () => {
    await expect(select("let a = \nlet  b = 2\n", "let  b")).rejects.toThrow(/expected/);
  });

  const commentsOf = (file: SourceFile): string[] => {
    const docs = file.declarations.flatMap(({ doc }) => doc?.split("\n") ?? []);
    const all = [...file.comments.map((comment) => comment.text.replace(/^\/+ ?/, "")), ...docs];
    return all.map((comment) => comment.trim()).sort();
  };

  function check(text: string, range: TextRange, old = parse(text, "a")): void {
    const result = formatRange(text, range, VOCABULARY);
    if ("errors" in result) throw new Error("errors");
    const { before, after } = result;
    expect(result.text.slice(0, after.start)).toBe(text.slice(0, before.start));
    expect(result.text.slice(after.end)).toBe(text.slice(before.end));
    const now = parse(result.text, "a");
    expect(now.errors).toEqual([]);
    expect(shape({ ...now.file, comments: [], span: 0 })).toEqual(shape({ ...old.file, comments: [], span: 0 }));
    expect(commentsOf(now.file)).toEqual(commentsOf(old.file));
  }

  const place = fc.double({ min: 0, max: 1, noNaN: true });
  const range = (text: string, a: number, b: number): TextRange => ({
    start: Math.floor(Math.min(a, b) * text.length),
    end: Math.ceil(Math.max(a, b) * text.length),
  });

  test("keeps the tree, every comment, and all outside of it", () => {
    fc.assert(
      fc.property(withoutErrors, place, place, (text, a, b) => check(text, range(text, a, b))),
      { numRuns: 300 },
    );
  });

  test.each(messy)("of the standard library: $name", ({ text }) => {
    const old = parse(text, "a");
    fc.assert(
      fc.property(place, place, (a, b) => check(text, range(text, a, (a + b / 20) % 1), old)),
      { numRuns: 12 },
    );
  });

  test.each(std)("of what is formatted changes nothing: $name", ({ text }) => {
    const clean = formatted(text);
    fc.assert(
      fc.property(place, place, (a, b) => {
        const result = formatRange(clean, range(clean, a, b), VOCABULARY);
        expect("text" in result && result.text).toBe(clean);
      }),
      { numRuns: 8 },
    );
  });
});

describe("// prettier-ignore", () => {
  const becomes = (name: string, before: string, after: string) =>
    test(name, () => {
      expect(formatted(before)).toBe(after);
      expect(formatted(after)).toBe(after);
    });
  becomes(
    "keeps the next statement, with what stands in its line",
    "block a {\nbn\n// prettier-ignore\nconv   3x3,64   bn // why\nrelu\n}\n",
    "block a {\n  bn\n  // prettier-ignore\n  conv   3x3,64   bn // why\n  relu\n}\n",
  );
  becomes(
    "keeps a statement of several lines, comments in it included",
    "block a {\n//prettier-ignore\nadd {   relu // one\n      }\n  { conv   1x1,4 }\nrelu  \n}\n",
    "block a {\n  //prettier-ignore\n  add {   relu // one\n      }\n  { conv   1x1,4 }\n  relu\n}\n",
  );
  becomes(
    "keeps a declaration, also one that is documented",
    "let  a = 1\n// prettier-ignore\nlet  b = [1,\n  2]\n// prettier-ignore\n/// What it is.\nblock   c { relu }\nlet  d = 1\n",
    "let a = 1\n\n// prettier-ignore\nlet  b = [1,\n  2]\n\n// prettier-ignore\n/// What it is.\nblock   c { relu }\n\nlet d = 1\n",
  );
  becomes(
    "keeps an import",
    '// prettier-ignore\nimport {a,b} from "x"\nimport {c,d} from "y"\n',
    '// prettier-ignore\nimport {a,b} from "x"\nimport { c, d } from "y"\n',
  );
  becomes(
    "is no more than a comment elsewhere",
    "block a { // prettier-ignore\nconv   3x3\n// not prettier-ignore\nconv   3x3\n// prettier-ignore\n}\n",
    "block a { // prettier-ignore\n  conv 3x3\n  // not prettier-ignore\n  conv 3x3\n  // prettier-ignore\n}\n",
  );

  test("is the same through Prettier, with other line ends too", async () => {
    const text = "block a {\r\n// prettier-ignore\r\nadd {   relu\r\n      } { }\r\nrelu   bn\r\n}\r\n";
    const result = "block a {\n  // prettier-ignore\n  add {   relu\n      } { }\n  relu   bn\n}\n";
    expect(await prettier.format(text, settings)).toBe(result);
    expect(formatted(text)).toBe(result);
  });

  /** Its declarations, each with what stands before it, and what stands behind the last. */
  const declarationsOf = (text: string): string[] => {
    const ends = parse(text, "a").file.declarations.map(({ span }) => span.end);
    return [0, ...ends].map((start, i) => text.slice(start, ends[i]));
  };

  test("before any statement of the standard library keeps it, and the tree", () => {
    for (const part of messy.flatMap(({ text }) => declarationsOf(text))) {
      const lines = part.split("\n");
      for (let at = 0; at < lines.length; at += 5) {
        const line = lines[at]!;
        const marked = [...lines.slice(0, at), "// prettier-ignore", `${line}`, ...lines.slice(at + 1)].join("\n");
        const before = parse(marked, "a");
        if (before.errors.length > 0) continue;
        const once = formatted(marked);
        expect(formatted(once)).toBe(once);
        const after = parse(once, "a").file;
        expect(shape({ ...after, comments: [], span: 0 })).toEqual(shape({ ...before.file, comments: [], span: 0 }));
        const starts = before.file.declarations.some(
          ({ span }) => span.start === marked.indexOf(line, marked.indexOf("// prettier-ignore")),
        );
        if (starts) expect(once).toContain(`// prettier-ignore\n${line}`);
      }
    }
  });
});

describe("pragmas", () => {
  test("--insert-pragma marks a file once, --require-pragma formats those alone", async () => {
    const text = "/// What it is.\nlet  a = 1\n";
    const marked = await prettier.format(text, { ...settings, insertPragma: true });
    expect(marked).toBe("// @format\n\n/// What it is.\nlet a = 1\n");
    expect(await prettier.format(marked, { ...settings, insertPragma: true })).toBe(marked);
    expect(await prettier.format(text, { ...settings, requirePragma: true })).toBe(text);
    for (const pragma of ["// @format", "// @prettier", "// Copyright\n// @format", "//@format"]) {
      const result = await prettier.format(`${pragma}\nlet  a = 1\n`, { ...settings, requirePragma: true });
      expect(result).toContain("let a = 1");
    }
    const late = "let  a = 1\n// @format\n";
    expect(await prettier.format(late, { ...settings, requirePragma: true })).toBe(late);
  });

  test("@noformat keeps a file where that is asked for", async () => {
    const text = "// @noformat\nlet  a = 1\n";
    expect(await prettier.format(text, { ...settings, checkIgnorePragma: true })).toBe(text);
    expect(await prettier.format(text, settings)).toBe("// @noformat\nlet a = 1\n");
  });
});
