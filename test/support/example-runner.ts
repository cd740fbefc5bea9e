/**
 * Carries out the examples of a page, as a reader would who follows it from top to bottom: files that are shown are written,
 * commands run in a shell one after another, and where output is shown it is compared.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ROOT, type Block, type Page } from "./pages.js";

export interface RunOptions {
  /** What is done in place of a command line, `true` for nothing. */
  readonly replaced: Readonly<Record<string, string>>;
  /** Arguments that are put behind those of a command of ours, to make it short. */
  readonly shortened: Readonly<Record<string, readonly string[]>>;
}

/** Lets programs in a folder and below it import `resnetc` and call `npx resnetc`. Returns what the environment needs. */
export function install(folder: string, shortened: RunOptions["shortened"]): NodeJS.ProcessEnv {
  const bin = path.join(folder, ".bin");
  mkdirSync(bin, { recursive: true });
  const cases = Object.entries(shortened).map(([name, more]) => `${name}) set -- "$@" ${more.join(" ")};;`);
  const program = path.join(ROOT, "bin/resnetc.js");
  writeFileSync(
    path.join(bin, "npx"),
    `#!/bin/sh\n[ "$1" = resnetc ] || exit 97\nshift\ncase "$1" in ${cases.join(" ")} esac\nexec "${process.execPath}" "${program}" "$@"\n`,
    { mode: 0o755 },
  );
  return { ...process.env, PATH: `${bin}:${path.dirname(process.execPath)}:${process.env["PATH"]}`, NO_COLOR: "1" };
}

/** What `npm install` comes to here. */
export function linkPackage(folder: string): void {
  const modules = path.join(folder, "node_modules");
  mkdirSync(modules, { recursive: true });
  if (!existsSync(path.join(modules, "resnetc"))) symlinkSync(ROOT, path.join(modules, "resnetc"));
}

/** Problems, each with its place; none where everything went as the page says. */
export function runPage({ file, blocks, text }: Page, folder: string, options: RunOptions): string[] {
  const problems: string[] = [];
  const environment = install(folder, options.shortened);
  let here = folder;
  for (const [index, block] of blocks.entries()) {
    const place = `${file}:${block.line}`;
    if (block.name !== "") {
      const target = path.join(here, block.name);
      if (existsSync(target) && readFileSync(target, "utf8") !== block.code) {
        problems.push(`${place}: ${block.name} is another file there`);
      }
      writeFileSync(target, block.code);
    } else if (block.language === "sh") {
      const script = commandLines(block.code)
        .map((line) => options.replaced[line.replace(/\s+#.*$/, "")] ?? line)
        .join("\n");
      const { status, stdout, stderr } = spawnSync("bash", ["-ec", `${script}\npwd > "${folder}/.here"`], {
        cwd: here,
        env: environment,
        encoding: "utf8",
        timeout: 170_000,
      });
      if (status !== 0) {
        problems.push(`${place}: ended with ${String(status)}\n${block.code}${stdout}${stderr}`);
        return problems;
      }
      here = readFileSync(path.join(folder, ".here"), "utf8").trim();
      const shown = outputOf(block, blocks[index + 1], text);
      if (shown !== undefined && !shows(stdout + stderr, shown)) {
        problems.push(`${place}: shows another output than\n${stdout}${stderr}`);
      }
    }
  }
  return problems;
}

/** Lines of a shell example, those that go on joined, comments left out. */
export function commandLines(code: string): string[] {
  return code
    .replace(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"));
}

/** The example behind a command, if it is its output: `text` or `json`, with nothing between them. */
function outputOf(block: Block, next: Block | undefined, text: string): Block | undefined {
  if (next === undefined || !["text", "json"].includes(next.language)) return undefined;
  const end = block.line + block.code.split("\n").length;
  const between = text.split("\n").slice(end, next.line - 1);
  return between.every((line) => line.trim() === "") ? next : undefined;
}

/** Whether an output has these lines, one after another; a line of three dots stands for any. */
function shows(output: string, { language, code }: Block): boolean {
  if (language === "json") return JSON.stringify(JSON.parse(output)) === JSON.stringify(JSON.parse(code));
  const plain = (text: string): string => text.replace(/[ \t]+$/gm, "").trim();
  let rest = plain(output);
  for (const part of plain(code).split(/^\.\.\.$/m)) {
    const at = rest.indexOf(part.trim());
    if (at < 0) return false;
    rest = rest.slice(at + part.trim().length);
  }
  return true;
}
