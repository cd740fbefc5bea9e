/** `resnetc init [DIR]`: a project to begin with. */
import { mkdir, readdir, readFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { Command } from "commander";
import { examples } from "../arguments.js";
import { InputFailure } from "../failure.js";
import { packageVersion, templateFolder } from "../package-files.js";
import { say } from "../terminal.js";

/** npm leaves out files called .gitignore, so the template's has no dot. */
const RENAMED: Readonly<Record<string, string>> = { gitignore: ".gitignore" };

export function initCommand(): Command {
  return new Command("init")
    .description("start a project: a network that imports from the standard library, scripts, a README")
    .argument("[folder]", "where; made if it does not exist", ".")
    .addHelpText("after", examples(["resnetc init my-network", "then: cd my-network && npm install && npm run check"]))
    .action(async (folder: string) => {
      const name = packageName(basename(resolve(folder)));
      const template = templateFolder("network");
      const files = await filesIn(template);
      const targets = files.map((file) => join(folder, RENAMED[file] ?? file));
      await refuseToOverwrite(targets);
      const { writeWhole } = await import("../../runtime/files.js");
      for (const [index, file] of files.entries()) {
        const text = (await readFile(join(template, file), "utf8"))
          .replaceAll("{{name}}", name)
          .replaceAll("{{version}}", packageVersion());
        await mkdir(dirname(targets[index]!), { recursive: true });
        await writeWhole(targets[index]!, [new TextEncoder().encode(text)]);
      }
      for (const target of targets) say(`wrote ${target}`);
      const enter = relative(".", folder) === "" ? "" : `cd ${folder} && `;
      say(`\nnext: ${enter}npm install && npm run summary`);
    });
}

/** What npm accepts as a name: small letters, digits, dashes, dots, underscores. */
function packageName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+|-+$/g, "");
  return name === "" ? "network" : name;
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
}

async function refuseToOverwrite(targets: readonly string[]): Promise<void> {
  for (const target of targets) {
    const exists = await readFile(target).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code !== "ENOENT" && error.code !== "ENOTDIR",
    );
    if (exists) throw new InputFailure(`${target} exists already; nothing was written`);
  }
}
