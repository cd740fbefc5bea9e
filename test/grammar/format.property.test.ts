import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { format, parse } from "../../compiler/syntax.js";
import { shape } from "./helpers.js";
import { program } from "./programs.js";

function formatted(text: string): string {
  const result = format(text);
  if ("errors" in result) throw new Error(`${result.errors.map(({ message }) => message).join("; ")} in\n${text}`);
  return result.text;
}

/** Comments, doc comments included; how many slashes they begin with is left aside, see the printer. */
const commentsOf = (text: string): string[] => {
  const { file } = parse(text, "a");
  const docs = file.declarations.flatMap(({ doc }) => doc?.split("\n") ?? []);
  const all = [...file.comments.map((comment) => comment.text.replace(/^\/+ ?/, "")), ...docs];
  return all.map((comment) => comment.trim()).sort();
};

function check(text: string): void {
  const once = formatted(text);
  expect(formatted(once), "formatting twice").toBe(once);
  const [before, after] = [parse(text, "a").file, parse(once, "a").file];
  expect(shape({ ...after, comments: [], span: 0 })).toEqual(shape({ ...before, comments: [], span: 0 }));
  expect(commentsOf(once)).toEqual(commentsOf(text));
  expect(once).not.toMatch(/[ \t]+$/m);
  expect(once).not.toMatch(/\n\n\n/);
  expect(once === "" || /[^\n]\n$/.test(once)).toBe(true);
}

describe("formatting keeps the tree and every comment, and a second time changes nothing", () => {
  test("random programs", () => {
    let accepted = 0;
    fc.assert(
      fc.property(program, (text) => {
        fc.pre(parse(text, "a").errors.length === 0);
        accepted++;
        check(text);
      }),
      { numRuns: 200, maxSkipsPerRun: 50 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  const root = new URL("../../", import.meta.url);
  const files = ["stdlib", "examples"].flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".resnet"))
      .map((name) => `${folder}/${name}`),
  );
  test.each(files)("%s, which is formatted", (name) => {
    const text = readFileSync(new URL(name, root), "utf8");
    check(text);
    expect(format(text)).toEqual({ text });
  });
});
