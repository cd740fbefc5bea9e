/** Every example of the language is right, on whatever page. Those of docs/errors.md have a test of their own. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { check } from "../../compiler/index.js";
import * as prettier from "prettier";
import { DETECTION_OPERATORS } from "../../compiler/ops/detection/index.js";
import { allWords } from "../../compiler/vocabulary.js";
import { TABLES, withTables } from "../../compiler/words/reference.js";
import { accepts } from "../../compiler/words/values.js";
import { PAGES } from "../support/pages.js";

const pages = PAGES.filter(({ file }) => file !== "docs/errors.md").map(({ file, blocks }) => ({
  file,
  examples: blocks.filter(({ language }) => language === "resnet"),
}));

it("there are many", () => expect(pages.flatMap(({ examples }) => examples).length).toBeGreaterThan(30));

describe.each(pages.filter(({ examples }) => examples.length > 0))("$file", ({ examples }) => {
  it.each(examples)("the example in line $line has no errors", ({ code }) => {
    const { diagnostics } = check([{ path: "example.resnet", text: code }]);
    expect(diagnostics.filter(({ severity }) => severity === "error").map(({ message }) => message)).toEqual([]);
  });
});

describe("the tables of words", () => {
  const file = new URL("../../docs/language.md", import.meta.url);
  const text = readFileSync(file, "utf8");

  it("are what the records say: npm run generate", async () => {
    const options = await prettier.resolveConfig(file);
    expect(text).toBe(await prettier.format(withTables(text), { ...options, parser: "markdown" }));
    for (const name of Object.keys(TABLES)) expect(text).toContain(`<!-- words: ${name} -->`);
  });

  const operators = readFileSync(new URL("../../docs/detection-operators.md", import.meta.url), "utf8");

  it("of detection's operators have every argument", () => {
    for (const { name, layer } of DETECTION_OPERATORS) {
      if (!layer) continue;
      const row = operators.split("\n").find((line) => line.startsWith(`| \`${name}\``) && line.split("|").length > 5);
      for (const argument of Object.keys(layer.arguments)) expect(row, `${name} has ${argument}`).toContain(argument);
    }
  });

  it("and every word is on a page, with a sentence for it and for each argument", () => {
    for (const { word } of allWords()) {
      expect(text + operators).toContain(`\`${word.name}`);
      expect(word.doc, word.name).toMatch(/\S.*\.$/s);
      for (const [name, argument] of Object.entries(word.arguments)) {
        expect(argument.doc, `${word.name}: ${name}`).toMatch(/\S.*\.$/s);
        if (argument.default !== undefined) expect(accepts(argument, argument.default), name).toBe(true);
      }
    }
  });
});
