/** Each command from end to end, on good input. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import proto from "onnx-proto";
import { describe, expect, it } from "vitest";
import { CODES } from "../../compiler/diagnostics/codes.js";
import { readModelInfo } from "../../runtime/onnx/model-info.js";
import { BROKEN, folderWith, listing, resnetc, SMALL } from "./resnetc.js";

/** Runs it, expects it to be content, and gives what it printed. */
async function done(args: readonly string[], cwd?: string): Promise<string> {
  const ended = await resnetc(args, cwd === undefined ? {} : { cwd });
  expect(ended.stderr + ended.stdout).not.toMatch(/^error:|internal error/m);
  expect(ended.code).toBe(0);
  return ended.stdout;
}

describe("help", () => {
  it("shows every command, and each with examples", async () => {
    const overview = await done(["--help"]);
    const commands = [...overview.matchAll(/^ {2}([a-z]+) .*(?:<|\[)/gm)].map((match) => match[1]!);
    expect(commands).toEqual(
      expect.arrayContaining(["check", "compile", "summary", "figure", "fmt", "classify", "bench", "init", "explain"]),
    );
    for (const command of commands.filter((name) => name !== "help")) {
      const text = await done([command, "--help"]);
      expect(text, command).toMatch(new RegExp(`Examples:\n  resnetc ${command} `));
    }
  });

  it("tells the version of the package", async () => {
    const { version } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    expect((await done(["--version"])).trim()).toBe(version);
  });
});

describe("check", () => {
  it("is content with a good file", async () => {
    const folder = await folderWith({ "small.resnet": SMALL });
    expect(await done(["check", "small.resnet"], folder)).toBe("1 file: no problems\n");
  });

  it("shows every problem with its place and a tally", async () => {
    const folder = await folderWith({ "broken.resnet": BROKEN });
    const { code, stdout } = await resnetc(["check", "broken.resnet"], { cwd: folder });
    expect(code).toBe(1);
    expect(stdout).toContain("broken.resnet:3:17 - error shape-mismatch: ");
    expect(stdout).toContain("broken.resnet:4:36 - error unknown-name: ");
    expect(stdout).toContain(
      "   4 |   stage conv2 { conv 3x3, 8   bn   rellu }\n     |                                    ^^^^^\n",
    );
    expect(stdout).toMatch(/\n1 file: 2 errors\n$/);
  });

  it("gives programs the same", async () => {
    const folder = await folderWith({ "broken.resnet": BROKEN });
    const { code, stdout } = await resnetc(["check", "--json", "."], { cwd: folder });
    expect(code).toBe(1);
    const report = JSON.parse(stdout) as { diagnostics: unknown[] };
    expect(report).toMatchObject({ schema: 1, files: ["broken.resnet"], errors: 2, warnings: 0 });
    expect(report.diagnostics[1]).toMatchObject({
      code: "unknown-name",
      severity: "error",
      location: { file: "broken.resnet", line: 4, column: 36, length: 5 },
    });
  });
});

describe("summary", () => {
  it("reads like table 1", async () => {
    const text = await done(["summary", "ResNet50"]);
    expect(text).toContain("⎢ 3x3 conv, 256  ⎥ × 6");
    expect(text).toMatch(/total +25,557,032 +3,857,973,248/);
  });

  it("gives programs layers and totals that agree", async () => {
    const summary = JSON.parse(await done(["summary", "ResNet18", "--json"])) as {
      params: number;
      macs: number;
      layers: { path: string; op: string; output: unknown[]; params: number; macs: number }[];
    };
    expect(summary).toMatchObject({ schema: 1, name: "ResNet18", params: 11_689_512 });
    const total = (field: "params" | "macs") => summary.layers.reduce((sum, layer) => sum + layer[field], 0);
    expect([total("params"), total("macs")]).toEqual([summary.params, summary.macs]);
    expect(summary.layers.find((layer) => layer.path === "conv3.0.conv1")).toMatchObject({
      op: "conv",
      output: ["N", 128, 28, 28],
      params: 73_728,
      macs: 57_802_752,
    });
  });

  it("lists every layer on request, and counts for another input size", async () => {
    expect(await done(["summary", "ResNet18", "--layers"])).toMatch(/^conv4\.1\.relu2 /m);
    const small = await done(["summary", "ResNet18", "--input", "3x64x64"]);
    expect(small).toMatch(/conv5 +512x2x2/);
  });
});

describe("list", () => {
  it("names every standard network, each of which is a target", async () => {
    const names = (await done(["list", "--only-names"])).trim().split("\n");
    expect(names).toEqual(expect.arrayContaining(["ResNet18", "ResNet34A", "ResNet50V15", "CifarResNet", "VGG19"]));
    const { networks } = JSON.parse(await done(["list", "--json"])) as { networks: { name: string; params: number }[] };
    expect(networks.map(({ name }) => name)).toEqual(names);
    expect(networks.find(({ name }) => name === "ResNet152")).toMatchObject({ params: 60_192_808 });
  });
});

describe("compile", () => {
  it("gives the same bytes for the same seed, and others for another", async () => {
    const folder = await folderWith({ "small.resnet": SMALL });
    for (const [name, seed] of [
      ["a", "7"],
      ["b", "7"],
      ["c", "8"],
    ] as const) {
      await done(["compile", "small.resnet", "--seed", seed, "-o", `${name}.onnx`], folder);
    }
    const [a, b, c] = await Promise.all(["a", "b", "c"].map((name) => readFile(join(folder, `${name}.onnx`))));
    expect(a!.equals(b!)).toBe(true);
    expect(a!.equals(c!)).toBe(false);
  });

  it("follows its options, and reports what it wrote", async () => {
    const folder = await folderWith({ "small.resnet": SMALL, "labels.txt": "ant\nbee\ncat\ndog\n" });
    const options = ["--labels", "labels.txt", "--external-data", "--batch", "2", "--opset", "18", "--json"];
    const report = JSON.parse(await done(["compile", "small.resnet#Small", ...options], folder)) as {
      files: { path: string; bytes: number }[];
    };
    expect(report).toMatchObject({ schema: 1, network: "Small", output: "Small.onnx" });
    expect(report.files.map((file) => file.path)).toEqual([
      "Small.onnx",
      expect.stringMatching(/^Small\.onnx\.[0-9a-f]{12}\.data$/),
    ]);
    for (const { path, bytes } of report.files) expect((await readFile(join(folder, path))).length).toBe(bytes);
    const info = readModelInfo(join(folder, "Small.onnx"));
    expect(JSON.parse(info.metadata["resnetc.labels"]!)).toEqual(["ant", "bee", "cat", "dog"]);
  });

  it("leaves weights out on request", async () => {
    const folder = await folderWith({ "small.resnet": SMALL });
    await done(["compile", "small.resnet", "-o", "with.onnx"], folder);
    await done(["compile", "small.resnet", "--no-weights", "-o", "without.onnx"], folder);
    const [whole, bare] = await Promise.all(["with", "without"].map((name) => readFile(join(folder, `${name}.onnx`))));
    expect(bare!.length).toBeLessThan(whole!.length / 2);
  });
});

describe("export", () => {
  it("writes weights that compile reads back to the same model", async () => {
    const folder = await folderWith({ "small.resnet": SMALL });
    await done(["compile", "small.resnet", "--seed", "5", "-o", "seed.onnx"], folder);
    await done(["export", "small.resnet", "--seed", "5", "-o", "w.safetensors"], folder);
    await done(["export", "small.resnet", "--weights", "w.safetensors", "-o", "w.pth"], folder);
    await done(["compile", "small.resnet", "--weights", "w.pth", "-o", "weights.onnx"], folder);
    const [seed, weights] = await Promise.all(
      ["seed", "weights"].map(async (name) => withoutOrigin(await readFile(join(folder, `${name}.onnx`)))),
    );
    expect(weights!.origin).not.toBe(seed!.origin);
    expect(weights!.bytes.equals(seed!.bytes)).toBe(true);
  });
});

/** A model without what it says of where its weights came from. */
function withoutOrigin(file: Uint8Array): { readonly bytes: Buffer; readonly origin: string | null | undefined } {
  const model = proto.onnx.ModelProto.decode(file);
  const [origin, others] = [true, false].map((is) =>
    model.metadataProps.filter(({ key }) => (key === "resnetc.weights") === is),
  );
  model.metadataProps = others!;
  return { bytes: Buffer.from(proto.onnx.ModelProto.encode(model).finish()), origin: origin![0]?.value };
}

describe("figure", () => {
  it("draws networks side by side", async () => {
    const svg = await done(["figure", "ResNet18", "CifarResNet(depth: 20)"]);
    expect(svg).toMatch(/^<svg [^>]*role="img">\n<title>ResNet18, CifarResNet\(depth: 20\)<\/title>/);
    expect(svg.match(/>3x3 conv, 512, \/2</g)).toHaveLength(1);
  });
});

describe("fmt", () => {
  const UGLY = "network   A{input image 3x8x8\n\n\n\nstage s{conv 3x3,4 relu}}";

  it("formats files, says which, and is content with its own work", async () => {
    const folder = await folderWith({ "a.resnet": UGLY });
    const first = await resnetc(["fmt", "--check", "."], { cwd: folder });
    expect([first.code, first.stdout]).toEqual([1, "a.resnet\n"]);
    expect(await readFile(join(folder, "a.resnet"), "utf8")).toBe(UGLY);
    expect(await done(["fmt", "."], folder)).toBe("a.resnet\n");
    expect(await readFile(join(folder, "a.resnet"), "utf8")).not.toBe(UGLY);
    expect(await done(["fmt", "--check", "."], folder)).toBe("");
    expect(await listing(folder)).toEqual(["a.resnet"]);
  });

  it("formats standard input to standard output", async () => {
    const { code, stdout } = await resnetc(["fmt", "-"], { input: UGLY });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^network A \{\n {2}input image 3x8x8\n/);
  });
});

describe("explain", () => {
  it("knows every code", async () => {
    const text = await readFile(new URL("../../docs/errors.md", import.meta.url), "utf8");
    for (const code of Object.keys(CODES)) expect(text).toContain(`## ${code}\n`);
    const section = await done(["explain", "unknown-name"]);
    expect(section).toMatch(/^## unknown-name\n/);
    expect(section.match(/^## /gm)).toHaveLength(1);
  });

  it("knows every word, with arguments, bounds and source", async () => {
    const conv = await done(["explain", "conv"]);
    expect(conv).toContain(
      "    conv kernel, channels, stride = 1, pad, dilation = 1, groups = 1, bias = false, std, initial_bias\n",
    );
    expect(conv).toContain("- `channels`: a whole number, at least 1; required. Number of filters");
    expect(await done(["explain", "adamw"])).toMatch(
      /^## adamw: a word of `optimizer` in a recipe\n[^]*arXiv:1711\.05101/,
    );
    expect(await done(["explain", "color_jitter"])).toContain(
      "`hue`: a number, from 0 to 0.5; 0 where it is left out.",
    );
  });
});

describe("init", () => {
  it("makes a project that checks, is formatted, and compiles", async () => {
    const folder = await folderWith();
    await done(["init", "My Net"], folder);
    const project = join(folder, "My Net");
    expect(await listing(project)).toEqual([".gitignore", ".vscode", "README.md", "net.resnet", "package.json"]);
    const manifest = JSON.parse(await readFile(join(project, "package.json"), "utf8")) as { name: string };
    expect(manifest.name).toBe("my-net");
    await done(["check", "."], project);
    await done(["fmt", "--check", "."], project);
    await done(["compile", "net.resnet", "-o", "net.onnx"], project);
  });

  it("overwrites nothing", async () => {
    const folder = await folderWith({ "package.json": "mine" });
    const { code, stderr } = await resnetc(["init"], { cwd: folder });
    expect(code).toBe(1);
    expect(stderr).toMatch(/package\.json exists already; nothing was written/);
    expect(await listing(folder)).toEqual(["package.json"]);
    await mkdir(join(folder, "sub"));
    await writeFile(join(folder, "sub", "other.txt"), "");
    await done(["init", "sub"], folder);
  });
});
