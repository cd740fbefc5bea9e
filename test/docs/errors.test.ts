/** docs/errors.md is complete, and each of its examples gives the code that it stands under and no other. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { check, CODES, elaborate, parseTarget } from "../../compiler/index.js";
import type { Diagnostic } from "../../compiler/index.js";

const page = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");
const sections = page
  .split(/^## /m)
  .slice(1)
  .map((section) => {
    const [, language = "", example = ""] = /```(\S+)\n([\s\S]*?)```/.exec(section) ?? [];
    return { code: section.slice(0, section.indexOf("\n")).trim(), language, example };
  });

function diagnose(language: string, example: string): readonly Diagnostic[] {
  if (language === "resnet-target") return elaborate(parseTarget(example.trim())).diagnostics;
  return check([{ path: "example.resnet", text: example }]).diagnostics;
}

it("lists every code, each once", () => {
  expect(sections.map((section) => section.code).sort()).toEqual(Object.keys(CODES).sort());
});

describe("each example gives its code alone", () => {
  it.each(sections)("$code", ({ code, language, example }) => {
    const diagnostics = diagnose(language, example);
    expect(new Set(diagnostics.map((diagnostic) => diagnostic.code))).toEqual(new Set([code]));
    for (const diagnostic of diagnostics) {
      expect(diagnostic.message).toMatch(/^\S.*[^.\s]$/);
      expect(diagnostic.message).not.toContain("\n");
    }
  });
});
