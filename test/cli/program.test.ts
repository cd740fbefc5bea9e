/** The commands as a whole: options that mean the same are called the same; help, completion, doctor. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { program } from "../../cli/program.js";
import { CODES } from "../../compiler/diagnostics/codes.js";
import { folderWith, resnetc, SMALL } from "./resnetc.js";

const options = program().commands.flatMap((command) =>
  command.options.map((option) => ({ command: command.name(), option })),
);

describe("an option of one name", () => {
  const names = [...new Set(options.map(({ option }) => option.long!))].sort();
  it.each(names)("%s takes the same everywhere", (name) => {
    const uses = options.filter(({ option }) => option.long === name);
    const short = new Set(uses.map(({ option }) => option.short));
    expect(short.size, "short forms").toBe(1);
    const takesValue = new Set(uses.map(({ option }) => option.required || option.optional));
    expect(takesValue.size, "with a value or without").toBe(1);
  });

  it("has a long name of small letters, and one letter for one name", () => {
    const letters = new Map<string, string>();
    for (const { option } of options) {
      expect(option.long).toMatch(/^--[a-z]+(-[a-z]+)*$/);
      expect(option.description).not.toBe("");
      if (option.short === undefined) continue;
      expect(letters.get(option.short) ?? option.long).toBe(option.long);
      letters.set(option.short, option.long!);
    }
  });

  it("--json, --device, --lenient and --output are worded alike", () => {
    const described = (name: string) => options.filter(({ option }) => option.long === name);
    for (const { command, option } of described("--json")) expect(option.description, command).toMatch(/^for programs/);
    for (const { command, option } of described("--output")) expect(option.short, command).toBe("-o");
    expect(new Set(described("--lenient").map(({ option }) => option.description)).size).toBe(1);
    for (const { command, option } of described("--weights")) {
      if (/\.safetensors/.test(option.description)) expect(option.description, command).toContain(".pkl");
    }
  });

  it("defaults are readable", () => {
    for (const command of program().commands)
      expect(command.helpInformation(), command.name()).not.toMatch(/default: [[{]/);
  });
});

describe("help", () => {
  it("of what is no command says so", async () => {
    const { code, stderr } = await resnetc(["help", "compil"]);
    expect([code, stderr]).toEqual([2, "error: help: there is no command compil; did you mean compile?\n"]);
  });
  it("of a command is its --help", async () => {
    const [a, b] = await Promise.all([resnetc(["help", "check"]), resnetc(["check", "--help"])]);
    expect([a.code, a.stdout]).toEqual([0, b.stdout]);
  });
  it("-v, --version and version are one", async () => {
    const all = await Promise.all([["-v"], ["--version"], ["version"]].map((args) => resnetc(args)));
    expect(new Set(all.map(({ code, stdout }) => `${code} ${stdout}`)).size).toBe(1);
  });
});

describe("explain", () => {
  it("without a code lists them", async () => {
    const { stdout } = await resnetc(["explain"]);
    for (const code of Object.keys(CODES)) expect(stdout).toMatch(new RegExp(`^${code} +(error|warning) `, "m"));
    const { codes } = JSON.parse((await resnetc(["explain", "--json"])).stdout) as { codes: { code: string }[] };
    expect(codes.map(({ code }) => code)).toEqual(Object.keys(CODES));
  });
  it("--json has a code's text", async () => {
    const { stdout } = await resnetc(["explain", "shape-mismatch", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ schema: 1, code: "shape-mismatch", severity: "error" });
  });
  it("renders Markdown for terminals", async () => {
    const { renderMarkdown } = await import("../../cli/markdown.js");
    const mark = (name: string) => (text: string) => `<${name}>${text}</${name}>`;
    const text = renderMarkdown("## a-code\n\nUse `relu`.\n\n```resnet\nrelu\n```\n", {
      bold: mark("b"),
      dim: mark("d"),
      cyan: mark("c"),
    });
    expect(text).toBe("<b>a-code</b>\n\nUse <c>relu</c>.\n\n    <d>relu</d>\n");
  });
});

describe("--quiet", () => {
  it("leaves data, warnings and errors", async () => {
    const folder = await folderWith({ "small.resnet": SMALL });
    const quiet = await resnetc(["compile", "small.resnet", "-q"], { cwd: folder });
    expect([quiet.code, quiet.stderr]).toEqual([0, ""]);
    const first = await resnetc(["--quiet", "check"], { cwd: folder });
    expect([first.code, first.stdout]).toEqual([0, ""]);
    const wrong = await resnetc(["compile", "none.resnet", "-q"], { cwd: folder });
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining("none.resnet")]);
  });
});

describe("--color and --no-color", () => {
  it("win over the environment, in what is wrong with the command line too", async () => {
    const escape = "\u001b[";
    expect((await resnetc(["explain", "none", "--color"])).stderr).toContain(escape);
    expect((await resnetc(["compil", "--color"])).stderr).toContain(escape);
    const off = await resnetc(["explain", "none", "--no-color"], { env: { FORCE_COLOR: "1" } });
    expect(off.stderr).not.toContain(escape);
  });
});

describe("doctor", () => {
  it("says what works and what does not", async () => {
    const { code, stdout } = await resnetc(["doctor", "--json"]);
    expect(code).toBe(0);
    const { ok, findings } = JSON.parse(stdout) as {
      ok: boolean;
      findings: { name: string; ok: boolean; value: string }[];
    };
    expect(ok).toBe(true);
    const names = findings.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["node", "onnxruntime", "sharp", "device cpu", "memory", "cache"]));
    expect(findings.find(({ name }) => name === "node")!.value).toContain(process.version);
  });
  it("goes on without a folder for caches", async () => {
    const folder = await folderWith({ file: "" });
    const { code, stdout } = await resnetc(["doctor", "--json"], { env: { HOME: join(folder, "file") } });
    expect(code).toBe(0);
    expect(stdout).toMatch(/"name": "cache",\n +"needed": false,\n +"ok": false/);
  });
});

describe.skipIf(process.platform === "win32")("completion", () => {
  /** What bash offers for a line, the cursor at its end. */
  async function offers(...words: readonly string[]): Promise<string[]> {
    const { stdout } = await resnetc(["completion", "bash"]);
    const script = `${stdout}
COMP_WORDS=(resnetc ${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length}; _resnetc
printf '%s\\n' "\${COMPREPLY[@]}"`;
    const folder = await folderWith({ "net.resnet": "", "other.txt": "" });
    return execFileSync("bash", ["--norc", "-c", script], { cwd: folder, encoding: "utf8" })
      .split("\n")
      .filter(Boolean);
  }
  it.each([
    [["com"], ["compile", "completion"], []],
    [["compile", "ResNet5"], ["ResNet50", "ResNet50V15"], ["ResNet18"]],
    [["compile", "--exter"], ["--external-data"], []],
    [["compile", "ResNet18", "--device", ""], ["cpu", "webgpu"], ["ResNet18"]],
    [["compile", "ResNet18", "-o", ""], ["net.resnet", "other.txt"], ["ResNet18"]],
    [["check", "--format", "s"], ["sarif"], ["json"]],
    [["help", "ch"], ["check"], []],
    [["check", "n"], ["net.resnet"], ["other.txt"]],
  ] as const)("bash, %j", async (words, some, none) => {
    const found = await offers(...words);
    expect(found).toEqual(expect.arrayContaining([...some]));
    for (const word of none) expect(found).not.toContain(word);
  });
  it.each(["zsh", "fish"])("%s knows every command and option", async (shell) => {
    const { code, stdout } = await resnetc(["completion", shell]);
    expect(code).toBe(0);
    for (const { option } of options) expect(stdout).toContain(option.long!.slice(2));
    for (const command of program().commands) expect(stdout).toContain(command.name());
  });
  it("of another shell is refused", async () => {
    expect((await resnetc(["completion", "csh"])).code).toBe(2);
  });
});
