/** Every TypeScript program in README and docs type-checks under `strict`, against the package as it is built. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { expect, it } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "../..");

interface Block {
  readonly file: string;
  readonly code: string;
}

const pages = ["README.md", ...readdirSync(path.join(ROOT, "docs")).map((name) => `docs/${name}`)];
const blocks: Block[] = pages
  .filter((page) => page.endsWith(".md"))
  .flatMap((page) => {
    const programs = [...readFileSync(path.join(ROOT, page), "utf8").matchAll(/^```ts\n([\s\S]*?)^```/gm)];
    return programs.map(([, code], i) => ({ file: `${page.replace(/\W/g, "_")}_${i}.ts`, code: code! }));
  });

it("there are some", () => expect(blocks.length).toBeGreaterThan(3));

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
