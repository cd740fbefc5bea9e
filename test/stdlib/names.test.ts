/** Names of the standard library as targets know them: all of every file, without reading the files. */
import { describe, expect, it } from "vitest";
import { Reporter } from "../../compiler/diagnostics/reporter.js";
import { Program, standardEnvironment } from "../../compiler/program.js";
import { STANDARD_FILES } from "../../compiler/std/files.generated.js";
import { isRecord } from "../../compiler/elaborate/values.js";
import { parse } from "../../compiler/syntax.js";

const declared = Object.entries(STANDARD_FILES).flatMap(([path, text]) =>
  parse(text, path).file.declarations.map(({ keyword, name }) => ({ keyword, name: name.text })),
);

function names(keywords: readonly string[]): ReturnType<typeof standardEnvironment> {
  return standardEnvironment(new Program({ read: () => undefined }, new Reporter()), keywords);
}

describe("the standard library's names", () => {
  it("are those that its files declare", () => {
    const standard = names([]);
    const own = [...standard.names()].filter((name) => standard.own(name));
    expect(new Set(own)).toEqual(new Set(declared.map(({ name }) => name)));
  });

  it("stand for one thing of a kind each", () => {
    const twice = declared.filter((one, index) =>
      declared.slice(0, index).some((other) => other.name === one.name && other.keyword === one.keyword),
    );
    expect(twice).toEqual([]);
  });

  it.each(["recipe", "preprocess"])("of several kinds, stand for the %s where one is asked for", (keyword) => {
    const value = names([keyword]).lookup("cifar10")!.get();
    expect(isRecord(value, "declaration") && value.declaration.keyword).toBe(keyword);
  });
});
