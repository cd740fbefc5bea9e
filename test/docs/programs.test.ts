/** Every TypeScript program in README and docs type-checks under `strict`, against the package as it is built. */
import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import ts from "typescript";
import { expect, it } from "vitest";
import { PAGES, ROOT } from "../support/pages.js";

const blocks = PAGES.flatMap((page) =>
  page.blocks
    .filter(({ language }) => language === "ts")
    .map(({ code }, i) => ({ file: `${page.file.replace(/\W/g, "_")}_${i}.ts`, code })),
);

it("there are some", () => expect(blocks.length).toBeGreaterThan(10));

it("they type-check, and so do the package's own declarations, without the DOM's", () => {
  // Inside the project, so that `resnetc` is found as others find it: by the package's exports.
  const folder = path.join(ROOT, ".cache", "programs");
  const texts = new Map(blocks.map(({ file, code }) => [path.join(folder, file), `${code}\nexport {};\n`]));
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    target: ts.ScriptTarget.ES2022,
    lib: ["lib.es2023.d.ts"],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ["node"],
    typeRoots: [path.join(ROOT, "node_modules/@types")],
  };
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists, getSourceFile } = host;
  host.fileExists = (name) => texts.has(name) || fileExists(name);
  host.readFile = (name) => texts.get(name) ?? readFile(name);
  host.getSourceFile = (name, version, ...rest) => {
    const text = texts.get(name);
    return text === undefined ? getSourceFile(name, version, ...rest) : ts.createSourceFile(name, text, version);
  };
  const program = ts.createProgram([...texts.keys()], options, host);
  const problems = ts.getPreEmitDiagnostics(program);
  const readable = ts.formatDiagnostics(problems, {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => ROOT,
    getNewLine: () => "\n",
  });
  expect(readable).toBe("");
});

it("those about programs run as they stand, on the package as it is built", async () => {
  const folder = path.join(ROOT, ".cache", "programs", `run-${process.pid}`);
  await mkdir(folder, { recursive: true });
  try {
    const programs = blocks.filter(({ file }) => file.startsWith("docs_programs"));
    const outputs: string[] = [];
    for (const { code } of programs) {
      const run = promisify(execFile)(process.execPath, ["--input-type=module", "-e", code], { cwd: folder });
      outputs.push((await run).stdout.trim());
    }
    expect(existsSync(path.join(folder, "net.onnx"))).toBe(true);
    expect(outputs.some((each) => /true run\/model\.onnx$/.test(each))).toBe(true);
    const step = [
      "train.onnx",
      "gradients.onnx",
      "update.onnx",
      "evaluate.onnx",
      "training.json",
      "initial.safetensors",
    ];
    expect(readdirSync(path.join(folder, "step")).sort()).toEqual(step.sort());
    expect(outputs.some((each) => /^\d+ bytes of activations/.test(each))).toBe(true);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 180_000);
