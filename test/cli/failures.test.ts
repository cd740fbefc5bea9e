/** What the command line says and gives back when something is wrong. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BROKEN, folderWith, listing, resnetc, SMALL } from "./resnetc.js";

/** One line for people, no JavaScript stack. */
function expectOneLine(stderr: string, pattern: RegExp): void {
  expect(stderr).toMatch(pattern);
  expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
  expect(stderr).not.toMatch(/internal error/);
}

describe("a wrong command line exits 2", () => {
  it.each([
    [[], /Usage: resnetc/],
    [["compil", "ResNet18"], /unknown command 'compil'\n.*did you mean compile/is],
    [["compile"], /missing required argument 'target'/],
    [["compile", "ResNet18", "--nonsense"], /unknown option '--nonsense'/],
    [["compile", "ResNet18", "--batch", "many"], /whole number of at least 1|from 1 to/],
    [["compile", "ResNet18", "--precision", "fp8"], /fp32, fp16 or int8 is needed/],
    [["compile", "ResNet18", "--input", "224"], /channels, height and width are needed/],
    [["compile", "ResNet18", "--opset", "3"], /from 13 to 21/],
    [["compile", "ResNet18", "--no-weights", "--seed", "3"], /--no-weights does not go with --seed/],
    [["classify", "x.onnx", "a.jpg", "--crops", "3"], /Allowed choices are 1, 10/],
    [["bench", "ResNet18", "--device", "tpu"], /tpu is not one of auto, cpu, webgpu, cuda/],
    [["bench", "x.onnx", "--weights", "w.pth"], /--weights is for targets/],
  ])("%j", async (args, message) => {
    const ended = await resnetc(args);
    expect(ended.code).toBe(2);
    expect(ended.stdout).toBe("");
    expectOneLine(ended.stderr, message);
  });
});

describe("a wrong input exits 1 and leaves nothing behind", () => {
  it.each([
    ["a misspelt standard name", ["compile", "ResNet5O", "-o", "x.onnx"], /did you mean `ResNet50`/],
    ["a file that does not exist", ["compile", "none.resnet", "-o", "x.onnx"], /none\.resnet/],
    ["a network with errors", ["compile", "broken.resnet", "-o", "x.onnx"], /did you mean `relu`/],
    ["weights that do not exist", ["compile", "small.resnet", "--weights", "none.pth", "-o", "x.onnx"], /none\.pth/],
    [
      "weights that are no weights",
      ["compile", "small.resnet", "--weights", "noise.bin", "-o", "x.onnx"],
      /noise\.bin/,
    ],
    ["weights in place of a network", ["classify", "torch.pth", "noise.bin"], /torch\.pth is a PyTorch checkpoint/],
    ["an image in place of a network", ["compile", "noise.jpg"], /noise\.jpg is an image/],
    ["a model that is none", ["classify", "noise.onnx", "noise.bin"], /noise\.onnx/],
    [
      "an output folder that does not exist",
      ["compile", "small.resnet", "-o", "no/x.onnx"],
      /no\/x\.onnx: can't be written/,
    ],
    ["a drawing of an unknown network", ["figure", "ResNet5O", "-o", "x.svg"], /did you mean `ResNet50`/],
    ["a folder without sources", ["check", "empty"], /empty: no \.resnet files/],
    ["a source that is no text", ["fmt", "noise.jpg"], /noise\.jpg: not UTF-8 text/],
    ["sources with syntax errors", ["fmt", "syntax.resnet"], /syntax-error/],
    ["an unknown name map", ["export", "small.resnet", "--names", "nothing", "-o", "x.pth"], /no name map nothing/],
    ["an unknown preprocessing", ["classify", "noise.onnx", "a.jpg", "--preprocess", "x"], /nothing called x/],
    ["an unknown code", ["explain", "shape-mismach"], /did you mean `shape-mismatch`/],
    ["a folder with a broken source", ["check", "."], /broken\.resnet/],
  ])("%s", async (_name, args, message) => {
    const files = {
      "broken.resnet": BROKEN,
      "noise.bin": "noise",
      "noise.jpg": new Uint8Array([0xff, 0xd8, 0xff, 0xe0]),
      "noise.onnx": "noise",
      "small.resnet": SMALL,
      "torch.pth": Buffer.from("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", "latin1"),
      "syntax.resnet": "network {{",
    };
    const folder = await folderWith(files);
    await mkdir(join(folder, "empty"));
    const ended = await resnetc(args, { cwd: folder });
    expect(ended.code).toBe(1);
    expectOneLine(ended.stderr + ended.stdout, message);
    expect(await listing(folder)).toEqual(["empty", ...Object.keys(files)].sort());
  });

  it("keeps the file that was there", async () => {
    const folder = await folderWith({ "broken.resnet": BROKEN, "x.onnx": "before" });
    expect((await resnetc(["compile", "broken.resnet", "-o", "x.onnx"], { cwd: folder })).code).toBe(1);
    expect(await readFile(join(folder, "x.onnx"), "utf8")).toBe("before");
  });
});

it("Ctrl-C ends the command by the signal and leaves no partial file", async () => {
  const folder = await folderWith();
  const ended = await resnetc(["compile", "VGG19", "-o", "big.onnx"], {
    cwd: folder,
    started: (child) => {
      // As soon as half a file is there.
      const watch = setInterval(() => {
        void listing(folder).then((names) => {
          if (names.length > 0) child.kill("SIGINT");
        });
      }, 5);
      child.on("close", () => clearInterval(watch));
    },
  });
  expect(ended.signal).toBe("SIGINT");
  expect(await listing(folder)).toEqual([]);
});

it("a reader that goes away ends the command quietly", async () => {
  const ended = await resnetc(["summary", "CifarResNet(depth: 1202)", "--layers"], {
    started: (child) => child.stdout!.once("data", () => child.stdout!.destroy()),
  });
  expect(ended.stderr).toBe("");
});

it("says so when it is its own fault, with the stack, and exits 70", async () => {
  const { explain } = await import("../../cli/failure.js");
  const { message, exitCode } = explain(new TypeError("x is not a function"));
  expect(exitCode).toBe(70);
  expect(message).toMatch(/please report/);
  expect(message).toMatch(/TypeError: x is not a function\n\s+at /);
});

describe("colours", () => {
  const escape = "\u001b[";
  it.each([
    ["are left out where the output is no terminal", {}, false],
    ["are left out where the output is no terminal, on a build server too", { CI: "true" }, false],
    ["are there when forced", { FORCE_COLOR: "1" }, true],
    ["are left out on request", { NO_COLOR: "1" }, false],
  ] as const)("%s", async (_name, env, coloured) => {
    const folder = await folderWith();
    await writeFile(join(folder, "broken.resnet"), BROKEN);
    const { stdout } = await resnetc(["check", "broken.resnet"], { cwd: folder, env });
    expect(stdout.includes(escape)).toBe(coloured);
  });
});
