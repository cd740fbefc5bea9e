/** `resnetc init [DIR]`: a project to begin with. */
import { lstat, readdir, readFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { Command } from "commander";
import { examples } from "../arguments.js";
import { InputFailure } from "../failure.js";
import { packageVersion, templateFolder } from "../package-files.js";
import { printReport, writtenFiles } from "../report.js";
import { log } from "../terminal.js";

/** npm leaves out files called .gitignore, so the template's has no dot. */
const RENAMED: Readonly<Record<string, string>> = { gitignore: ".gitignore" };

export function initCommand(): Command {
  return new Command("init")
    .description("start a project: a network that imports from the standard library, scripts, a README")
    .argument("[folder]", "where; made if it does not exist", ".")
    .option("--json", "for programs: the files that were written")
    .addHelpText("after", examples(["resnetc init my-network", "then: cd my-network && npm install && npm run check"]))
    .action(async (folder: string, { json }: { json?: boolean }) => {
      const name = packageName(basename(resolve(folder)));
      const template = templateFolder("network");
      const files = await filesIn(template);
      const targets = files.map((file) => join(folder, RENAMED[file] ?? file));
      await refuseToOverwrite(targets);
      const { makeFolder, writeWhole } = await import("../../runtime/files.js");
      for (const [index, file] of files.entries()) {
        const text = (await readFile(join(template, file), "utf8"))
          .replaceAll("{{name}}", name)
          .replaceAll("{{version}}", packageVersion());
        await makeFolder(dirname(targets[index]!));
        await writeWhole(targets[index]!, [new TextEncoder().encode(text)]);
      }
      if (json) return printReport({ folder, name, files: await writtenFiles(targets) });
      for (const target of targets) log(`wrote ${target}`);
      const enter = relative(".", folder) === "" ? "" : `cd ${quoted(folder)} && `;
      log(`\nnext: ${enter}npm install && npm run summary`);
    });
}

/** As a shell takes it for one word. */
function quoted(path: string): string {
  if (path.startsWith("-")) return quoted(`./${path}`);
  if (/^[\w./\\:@%+=,-]+$/.test(path)) return path;
  return process.platform === "win32" ? `"${path}"` : `'${path.replaceAll("'", "'\\''")}'`;
}

/** What npm accepts as a name: small letters, digits, dashes, dots, underscores. */
function packageName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+|-+$/g, "");
  return name === "" ? "network" : name;
}

/** Paths within a folder. Gone through by hand: what Node finds itself lies elsewhere where a package is an archive. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = await Promise.all(
    entries.map(async (entry) =>
      entry.isDirectory()
        ? (await filesIn(join(folder, entry.name))).map((file) => `${entry.name}/${file}`)
        : [entry.name],
    ),
  );
  return found.flat().sort();
}

async function refuseToOverwrite(targets: readonly string[]): Promise<void> {
  for (const target of targets) {
    const exists = await lstat(target).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code !== "ENOENT" && error.code !== "ENOTDIR",
    );
    if (exists) throw new InputFailure(`${target} exists already; nothing was written`);
  }
}
