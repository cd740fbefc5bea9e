/** Every command line in the documentation is one that the program takes, of networks and recipes that there are. */
import { readFileSync } from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { program } from "../../cli/program.js";
import { elaborate, elaborateRecipe, parseTarget } from "../../compiler/index.js";
import { PAGES, resnetcCommands, ROOT, shellCommands } from "../support/pages.js";

const { scripts } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as {
  readonly scripts: Readonly<Record<string, string>>;
};

const pages = PAGES.filter(({ file }) => file !== "CHANGELOG.md").map(({ file, text, blocks }) => ({
  file,
  // In examples, and in sentences.
  commands: [
    ...blocks
      .filter(({ language }) => language === "sh" || language === "yaml")
      .flatMap(({ code }) => resnetcCommands(code.replace(/^- run: /gm, ""))),
    ...[...text.matchAll(/`((?:npx )?resnetc [a-z-]+ [^-`\n][^`\n]*)`/g)].flatMap(([, code]) => resnetcCommands(code!)),
  ],
}));

it("there are many", () => expect(pages.flatMap(({ commands }) => commands).length).toBeGreaterThan(100));

describe.each(pages.filter(({ commands }) => commands.length > 0))("$file", ({ commands }) => {
  it.each(commands.map((words) => [words.join(" "), words] as const))("%s", async (_, words) => {
    const { target, options } = await accepted(words);
    if (target !== undefined && isStandard(target)) {
      expect(elaborate(parseTarget(target)).diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    }
    const { recipe } = options;
    if (typeof recipe === "string" && !/\.resnet|[A-Z]/.test(recipe)) {
      expect(elaborateRecipe(parseTarget(`std/recipes#${recipe}`)).recipe).toBeDefined();
    }
  });
});

it("scripts that are named are in package.json", () => {
  const named = PAGES.filter(({ file }) => file === "README.md" || file.startsWith("docs/how-to"))
    .flatMap(({ blocks }) =>
      blocks.filter(({ language }) => language === "sh").flatMap(({ code }) => shellCommands(code)),
    )
    .filter(([npm, run]) => npm === "npm" && run === "run");
  expect(named.map(([, , name]) => name).filter((name) => !(name! in scripts))).toEqual([]);
});

/** Parsed as the program parses it, and not carried out. */
async function accepted(words: readonly string[]): Promise<{ target?: string; options: Record<string, unknown> }> {
  const root = program();
  let found: { target?: string; options: Record<string, unknown> } = { options: {} };
  for (const command of root.commands) {
    command.configureOutput({ writeErr: () => {}, writeOut: () => {} }).action((...given: unknown[]) => {
      const self = given.at(-1) as Command;
      const argument = self.registeredArguments[0]?.name();
      const takesTarget = argument === "target" || argument === "model";
      found = { ...(takesTarget ? { target: given[0] as string } : {}), options: self.opts() };
    });
  }
  await root.configureOutput({ writeErr: () => {}, writeOut: () => {} }).parseAsync(["node", "resnetc", ...words]);
  return found;
}

/** Not a file, a folder, or a word in capitals that stands for one. */
function isStandard(target: string): boolean {
  return /^[A-Z]\w*[a-z0-9]\w*(\(|$)|^std\//.test(target);
}
