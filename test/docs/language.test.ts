/** Every example of the pages that show the language is right. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { check } from "../../compiler/index.js";
import { OPERATORS } from "../../compiler/ops/index.js";
import { GROUPS } from "../../compiler/vocabulary.js";

const PAGES = ["docs/language.md", "docs/detection.md", "README.md"];

describe.each(PAGES)("%s", (page) => {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), "utf8");
  const examples = [...text.matchAll(/```resnet\n([\s\S]*?)```/g)].map(([, example = ""]) => example);

  it("has examples", () => {
    expect(examples.length).toBeGreaterThan(0);
  });

  it.each(examples.map((example, i) => [i + 1, example] as const))("example %i has no errors", (_, example) => {
    const { diagnostics } = check([{ path: "example.resnet", text: example }]);
    expect(diagnostics.filter(({ severity }) => severity === "error").map(({ message }) => message)).toEqual([]);
  });
});

describe("the table of layers", () => {
  const text = readFileSync(new URL("../../docs/language.md", import.meta.url), "utf8");

  it("names every word, and every argument with its default", () => {
    for (const { words } of Object.values(GROUPS)) {
      for (const word of Object.keys(words)) expect(text).toContain(`\`${word}`);
    }
    for (const { name, layer } of OPERATORS.values()) {
      if (!layer || layer.merges) continue;
      const row = text.split("\n").find((line) => line.startsWith("|") && line.includes(`\`${name}\``)) ?? "";
      for (const argument of Object.keys(layer.arguments)) expect(row, `${name} has ${argument}`).toContain(argument);
    }
  });
});
