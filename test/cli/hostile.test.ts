/** What comes from files and names: control characters, special files, odd paths, large folders. */
import { execFile, execFileSync } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { BIN, folderWith, resnetc } from "./resnetc.js";

const NET = "network Small { input image 3x8x8 fc 2 softmax }\n";
/** A title, a bell, a cleared screen, a C1 introducer, the beginning of the line, and writing from right to left. */
const EVIL = "\u001b]0;x\u0007\u001b[2J\u009b31m\u202e";
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/;

describe("control characters reach no terminal", () => {
  it.each([
    ["a line and a message of a source", `network A { input i 3x8x8 assert false, "${EVIL}" }\n`],
    ["a comment beside a mistake", `network A { input i 3x8x8 foo } // ${EVIL}\n`],
    ["an import", `import { a } from "${EVIL}"\n`],
    ["characters that begin no token", `network A${EVIL} { }\n`],
  ])("%s", async (_, text) => {
    const folder = await folderWith({ "a.resnet": text });
    for (const args of [
      ["check", "a.resnet"],
      ["compile", "a.resnet"],
      ["summary", "a.resnet"],
      ["fmt", "a.resnet"],
    ]) {
      const { stdout, stderr } = await resnetc(args, { cwd: folder });
      expect(stdout + stderr, args.join(" ")).not.toMatch(CONTROL);
    }
    const { stdout } = await resnetc(["check", "a.resnet", "--json"], { cwd: folder });
    expect(stdout).not.toMatch(CONTROL);
    expect((JSON.parse(stdout) as { errors: number }).errors).toBeGreaterThan(0);
  });

  it("names of files, targets, options and codes", async () => {
    const folder = await folderWith();
    const name = `${EVIL}.resnet`;
    await writeFile(join(folder, name), "network A { foo }");
    for (const args of [
      ["check", "."],
      ["check", `${EVIL}x`],
      ["compile", name],
      ["summary", EVIL],
      ["explain", EVIL],
      [EVIL],
      ["check", `--${EVIL}`],
    ]) {
      const { stdout, stderr } = await resnetc(args, { cwd: folder });
      expect(stdout + stderr, JSON.stringify(args)).not.toMatch(CONTROL);
      expect(stdout + stderr, JSON.stringify(args)).toContain("\\x1b");
    }
  });

  it("while our own colours do", async () => {
    const folder = await folderWith({ "a.resnet": `network A { input i 3x8x8 assert false, "${EVIL}" }\n` });
    const { stdout } = await resnetc(["check", "a.resnet"], { cwd: folder, env: { FORCE_COLOR: "1" } });
    expect(stdout).toContain("\u001b[31merror\u001b[39m");
    // eslint-disable-next-line no-control-regex
    expect(stdout.replace(/\u001b\[(?:1|2|22|31|32|33|36|39)m/g, "")).not.toMatch(CONTROL);
  });
});

describe("what is imported", () => {
  it("is a regular file, and no larger than any source", async () => {
    const folder = await folderWith({
      "a.resnet":
        'import { a } from "./zero"\nimport { b } from "./pipe"\nimport { c } from "./folder"\nimport { d } from "./large"\n',
      "large.resnet": " ".repeat(9_000_000),
    });
    await symlink("/dev/zero", join(folder, "zero.resnet"));
    execFileSync("mkfifo", [join(folder, "pipe.resnet")]);
    await mkdir(join(folder, "folder.resnet"));
    const { stdout, code } = await resnetc(["check", "a.resnet"], { cwd: folder });
    expect(code).toBe(1);
    expect(stdout).toContain('the file zero.resnet, imported as "./zero", is no regular file');
    expect(stdout).toContain('the file pipe.resnet, imported as "./pipe", is no regular file');
    expect(stdout).toContain('the file folder.resnet, imported as "./folder", is a folder');
    expect(stdout).toContain('imported as "./large", has 9000000 bytes');
    for (const name of ["zero.resnet", "pipe.resnet", "large.resnet"]) {
      const { stderr, code: exit } = await resnetc(["check", name], { cwd: folder });
      expect([exit, stderr.trim().split("\n").length], stderr).toEqual([1, 1]);
    }
  });
});

it("a folder of 4,000 files is checked with few files open at once", async () => {
  const folder = await folderWith();
  for (let i = 0; i < 4000; i++) await writeFile(join(folder, `n${i}.resnet`), NET);
  const command = `ulimit -n 256; exec "${process.execPath}" "${BIN}" check .`;
  const { stdout } = await promisify(execFile)("/bin/sh", ["-c", command], { cwd: folder });
  expect(stdout).toContain("4,000 files: no problems");
});

describe("# in a path", () => {
  const files = { "we#ird.resnet": NET, "net.resnet": `${NET}network Other { input image 3x8x8 fc 3 }\n` };
  it("is part of the path where the file is there; else it ends the file's name", async () => {
    const folder = await folderWith(files);
    await mkdir(join(folder, "a#b"));
    await writeFile(join(folder, "a#b/net.resnet"), `${NET}network Other { input image 3x8x8 fc 3 }\n`);
    await writeFile(join(folder, "a#b/r.resnet"), "recipe r { optimizer sgd() batch 2 learning_rate 0.1 stop 1 }\n");
    for (const [target, name] of [
      ["we#ird.resnet", "Small"],
      ["we#ird", "Small"],
      ["we#ird.resnet#Small", "Small"],
      ["we#ird#Small", "Small"],
      ["net.resnet#Other", "Other"],
      ["a#b/net.resnet#Other", "Other"],
      ["a#b/net#Small", "Small"],
    ] as const) {
      const { stdout, stderr } = await resnetc(["summary", target, "--json"], { cwd: folder });
      if (target === "we#ird") expect(stderr).toContain("the file we.resnet does not exist");
      else expect((JSON.parse(stdout) as { name: string }).name, stderr).toBe(name);
    }
    const memory = ["summary", "a#b/net.resnet#Small", "--training", "--recipe", "a#b/r.resnet"];
    expect((await resnetc(memory, { cwd: folder })).code).toBe(0);
  });

  it.each(["net.resnt", "nets/small", "./net"])("%s, which is no file, is told to be none", async (target) => {
    const { stderr, code } = await resnetc(["compile", target]);
    expect(code).toBe(1);
    expect(stderr).toContain(`there is no source file ${target}`);
  });
});

it("every code that can be explained shows an example", async () => {
  const { stdout } = await resnetc(["explain", "nesting-too-deep"]);
  expect(stdout).toMatch(/```resnet\nlet deep = \({65}1/);
});
