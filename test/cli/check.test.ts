/** `check` and `fmt` as editors, hooks and continuous integration use them. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { check } from "../../compiler/analyze.js";
import { applyFixes } from "../../compiler/diagnostics/fix.js";
import { fixSources } from "../../cli/diagnostics/fixes.js";
import { BROKEN, folderWith, resnetc, SMALL } from "./resnetc.js";

const WARNED = SMALL.replace("{ basic }", "{ basic, bottleneck }");
const UGLY = "network   A{input image 3x8x8\nstage s{conv 3x3,4 relu}}";

describe("without paths", () => {
  it("check and fmt take the folder", async () => {
    const folder = await folderWith({ "small.resnet": SMALL, "ugly.resnet": UGLY });
    expect((await resnetc(["check"], { cwd: folder })).stdout).toBe("2 files: no problems\n");
    const { code, stdout } = await resnetc(["fmt", "--check"], { cwd: folder });
    expect([code, stdout]).toEqual([1, "ugly.resnet\n"]);
    expect((await resnetc(["check"], { cwd: await folderWith() })).code).toBe(1);
  });
});

describe("warnings", () => {
  it.each([
    [[], 0],
    [["--strict"], 1],
    [["--max-warnings", "0"], 1],
    [["--max-warnings", "1"], 0],
  ] as const)("check %j exits %i", async (options, code) => {
    const folder = await folderWith({ "a.resnet": WARNED });
    expect((await resnetc(["check", ...options], { cwd: folder })).code).toBe(code);
  });
});

describe("--fix", () => {
  const SLIPS = `import { basic } from "std/blocks"

network Slips {
  input image 3x16x16
  stage conv1 { conv 3x3, 8   bn   rellu }
  stage conv2 { basic(8, strid: 2 x 2   bacth_norm }
`;
  it("mends several slips of a file, and what they hid, and says so", async () => {
    const folder = await folderWith({ "a.resnet": SLIPS, "b.resnet": SMALL });
    const { stdout } = await resnetc(["check", "--fix"], { cwd: folder });
    expect(stdout).toMatch(/^a\.resnet: [2-9] problems mended$/m);
    const text = await readFile(join(folder, "a.resnet"), "utf8");
    expect(text).toContain("bn   relu }");
    expect(text).toContain("stride: 2)");
    expect(await readFile(join(folder, "b.resnet"), "utf8")).toBe(SMALL);
    const report = JSON.parse((await resnetc(["check", "--fix", "--json"], { cwd: folder })).stdout) as object;
    expect(report).toMatchObject({ fixed: [] });
  });

  it("leaves a file as it is where nothing gets better by it", () => {
    const text = "let a = 1\nlet b = c\n";
    const { texts, made } = fixSources([{ path: "a", text }], (sources) => check(sources));
    expect(texts).toEqual([{ path: "a", text }]);
    expect(made.size).toBe(0);
  });

  it("of fixes that overlap makes one, and others beside it", () => {
    const at = (start: number, end: number, fix: string) => ({
      code: "syntax-error" as const,
      severity: "error" as const,
      message: "",
      span: { file: "a", start, end },
      notes: [],
      chain: [],
      fix,
    });
    const { text, made } = applyFixes("abcdef", [
      at(3, 4, "D"),
      at(0, 2, "X"),
      at(1, 3, "Y"),
      at(6, 6, "!"),
      at(6, 6, "!"),
    ]);
    expect([text, made]).toEqual(["XcDef!", 3]);
  });
});

describe("--format", () => {
  it("sarif is SARIF 2.1.0: rules, places, fixes", async () => {
    const folder = await folderWith({ "ü b.resnet": BROKEN });
    const { code, stdout } = await resnetc(["check", "--format", "sarif"], { cwd: folder });
    expect(code).toBe(1);
    interface Result {
      ruleId: string;
      ruleIndex: number;
      level: string;
      message: { text: string };
      locations: { physicalLocation: { artifactLocation: { uri: string }; region: Record<string, number> } }[];
      fixes?: { artifactChanges: { replacements: { insertedContent: { text: string } }[] }[] }[];
    }
    const report = JSON.parse(stdout) as {
      $schema: string;
      version: string;
      runs: { tool: { driver: { name: string; rules: { id: string }[] } }; columnKind: string; results: Result[] }[];
    };
    expect(report.version).toBe("2.1.0");
    const [run] = report.runs;
    expect(run!.tool.driver.name).toBe("resnetc");
    for (const result of run!.results) {
      expect(run!.tool.driver.rules[result.ruleIndex]!.id).toBe(result.ruleId);
      expect(["error", "warning"]).toContain(result.level);
      const { artifactLocation, region } = result.locations[0]!.physicalLocation;
      expect(artifactLocation.uri).toBe("%C3%BC%20b.resnet");
      expect(region["endLine"]! > region["startLine"]! || region["endColumn"]! >= region["startColumn"]!).toBe(true);
    }
    const named = run!.results.find(({ ruleId }) => ruleId === "unknown-name")!;
    expect(named.locations[0]!.physicalLocation.region).toMatchObject({
      startLine: 4,
      startColumn: 36,
      endLine: 4,
      endColumn: 41,
    });
    expect(named.fixes![0]!.artifactChanges[0]!.replacements[0]!.insertedContent.text).toBe("relu");
  });

  it("github is a workflow command for each problem", async () => {
    const folder = await folderWith({ "a,b%.resnet": BROKEN });
    const { code, stdout, stderr } = await resnetc(["check", "--format", "github"], { cwd: folder });
    expect(code).toBe(1);
    const lines = stdout.trim().split("\n");
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatch(
      /^::error file=a%2Cb%25\.resnet,line=4,col=36,endLine=4,endColumn=41,title=unknown-name::no layer, block or label is called `rellu`%0Adid you mean/,
    );
    expect(stderr).toBe("1 file: 2 errors\n");
  });

  it("json is what --json is; both places of an end are in it", async () => {
    const folder = await folderWith({ "a.resnet": BROKEN });
    const [a, b] = await Promise.all(
      [["--json"], ["--format", "json"]].map((options) => resnetc(["check", ...options], { cwd: folder })),
    );
    expect(a!.stdout).toBe(b!.stdout);
    const { diagnostics } = JSON.parse(a!.stdout) as { diagnostics: { location: object; fix?: string }[] };
    expect(diagnostics[1]).toMatchObject({ location: { line: 4, column: 36, endLine: 4, endColumn: 41 }, fix: "relu" });
  });

  it.each([
    [["--json", "--format", "sarif"]],
    [["--watch", "--json"]],
    [["--strict", "--max-warnings", "3"]],
    [["--stdin-filepath", "a.resnet", "--fix"]],
    [["--stdin-filepath", "a.resnet", "b.resnet"]],
    [["--format", "xml"]],
  ])("%j is a wrong command line", async (options) => {
    expect((await resnetc(["check", ...options], { cwd: await folderWith({ "a.resnet": SMALL }) })).code).toBe(2);
  });
});

describe("--stdin-filepath", () => {
  it("checks what an editor has, with the imports of the file's place", async () => {
    const folder = await folderWith({
      "lib.resnet": "block twice(w) {\n  conv 3x3, w\n  conv 3x3, w\n}\n",
      "net.resnet": "not what is checked",
    });
    const input = `import { twice } from "./lib.resnet"\n\n${SMALL.replace(/^import.*\n\n/, "").replace("basic(8) x 2", "twice(8)")}`;
    const good = await resnetc(["check", "--stdin-filepath", "net.resnet"], { cwd: folder, input });
    expect([good.code, good.stdout]).toEqual([0, "1 file: no problems\n"]);
    const bad = await resnetc(["check", "--stdin-filepath", "net.resnet", "--json"], { cwd: folder, input: BROKEN });
    expect(bad.code).toBe(1);
    expect(bad.stdout).toContain('"file": "net.resnet"');
  });

  it("fmt prints what it formatted, and names the file in errors", async () => {
    const good = await resnetc(["fmt", "--stdin-filepath", "net.resnet"], { input: UGLY });
    expect([good.code, good.stdout]).toEqual([0, expect.stringMatching(/^network A \{\n/)]);
    const bad = await resnetc(["fmt", "--stdin-filepath", "net.resnet"], { input: "network {{" });
    expect([bad.code, bad.stdout, bad.stderr]).toEqual([1, "", expect.stringMatching(/^net\.resnet:1:/)]);
  });
});

describe("fmt", () => {
  it("--json says which files were changed", async () => {
    const folder = await folderWith({ "small.resnet": SMALL, "ugly.resnet": UGLY, "wrong.resnet": "network {{" });
    const { code, stdout } = await resnetc(["fmt", "--json"], { cwd: folder });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 1,
      files: ["small.resnet", "ugly.resnet", "wrong.resnet"],
      changed: ["ugly.resnet"],
      broken: ["wrong.resnet"],
      unchanged: 1,
      written: true,
    });
  });

  it("keeps what follows // prettier-ignore", async () => {
    const kept = "network A {\n  input image 3x8x8\n  // prettier-ignore\n  stage s {   conv 3x3,4   }\n}\n";
    const folder = await folderWith({ "a.resnet": kept });
    expect((await resnetc(["fmt"], { cwd: folder })).code).toBe(0);
    expect(await readFile(join(folder, "a.resnet"), "utf8")).toBe(kept);
  });
});

it("--watch checks again when a file changes, or one that it imports, until Ctrl-C", async () => {
  const folder = await folderWith({
    "lib.resnet": "block twice(w) {\n  conv 3x3, w\n  conv 3x3, w\n}\n",
    "net.resnet": `import { twice } from "./lib.resnet"\n\nnetwork N {\n  input image 3x8x8\n  stage s { twice(8) }\n}\n`,
  });
  const steps = [
    { shows: "no problems", then: () => writeFile(join(folder, "lib.resnet"), "block once(w) { conv 3x3, w }\n") },
    { shows: "1 error", then: () => writeFile(join(folder, "lib.resnet"), "block twice(w) { conv 3x3, w }\n") },
    { shows: "no problems", then: (kill: () => void) => Promise.resolve(kill()) },
  ];
  let seen = "";
  let waiting = false;
  const ended = await resnetc(["check", "--watch", "net.resnet"], {
    cwd: folder,
    started: (child) => {
      const look = (): void => {
        const [step] = steps;
        if (step === undefined || waiting || !seen.includes("watching;")) return;
        expect(seen).toContain(step.shows);
        steps.shift();
        seen = "";
        waiting = true;
        void step.then(() => child.kill("SIGINT")).then(() => (waiting = false));
      };
      for (const stream of [child.stdout!, child.stderr!]) {
        stream.on("data", (chunk: Buffer) => {
          seen += chunk.toString();
          setTimeout(look, 20);
        });
      }
    },
  });
  expect(steps).toEqual([]);
  expect(ended.signal).toBe("SIGINT");
});
