/**
 * Pages that one follows from top to bottom, followed. Trainings are shortened, what can't be done here is listed; of all other
 * pages the command lines are at least parsed (commands.test.ts), programs type-checked (programs.test.ts), and networks checked
 * (language.test.ts).
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { solidPng } from "../support/detection-data.js";
import { linkPackage, runPage, type RunOptions } from "../support/example-runner.js";
import { page, PAGES, ROOT } from "../support/pages.js";

mkdirSync(path.join(ROOT, ".cache"), { recursive: true });
const base = mkdtempSync(path.join(ROOT, ".cache/examples-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** Two updates of two images train nothing, and go through everything that a training goes through. */
const SHORTENED = { train: ["--steps", "2", "--batch", "2", "--device", "cpu"] };

/** Command lines that a test can't carry out, and what it does in their place. */
const REPLACED: RunOptions["replaced"] = {
  // There is nothing to be fetched: the package is linked, weights are random ones of the same names.
  "npm install": "true",
  "npm install resnetc": "true",
  "npm install resnetc onnxruntime-web@1.30.0": "true",
  // Bundled and run in Chromium by the tests of resnetc/web.
  "npx esbuild page.ts --bundle --splitting --format=esm --outdir=public": "true",
  "cp node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.{wasm,asyncify.wasm} public/": "true",
  "curl -LO https://download.pytorch.org/models/resnet18-f37072fd.pth": "test -f resnet18-f37072fd.pth",
  // The 4,000 shapes of validation and test take too long.
  "npx resnetc train net.resnet --recipe shapes --data shapes -o run":
    "npx resnetc train net.resnet --recipe shapes --data ../few -o run",
  "npx resnetc eval run --data shapes": "npx resnetc eval run --data ../few",
  // No Python here.
  "pip install onnxruntime pillow numpy": "true",
  // With a server of its own, which is ended.
  "curl --data-binary @cat.jpg http://localhost:8080": `PORT=18431 node server.mjs & server=$!
    for try in $(seq 100); do curl -sf --data-binary @cat.jpg http://localhost:18431 > answer.json && break; sleep 0.1; done
    kill $server; grep -q '"predictions"' answer.json`,
};

const resnetc = (folder: string, ...words: string[]): void =>
  void execFileSync(process.execPath, [path.join(ROOT, "bin/resnetc.js"), ...words], { cwd: folder, stdio: "pipe" });

/** Images of a colour each, in a folder a class. */
async function photographs(folder: string, classes: readonly string[], ending = "jpg"): Promise<void> {
  for (const [index, name] of classes.entries()) {
    mkdirSync(path.join(folder, name), { recursive: true });
    for (let n = 1; n <= 4; n++) {
      const file = path.join(folder, name, `IMG_000${n}.${ending}`);
      writeFileSync(file, await solidPng(32, 32, [20 * index, 50 * n, 200 - 20 * index]));
    }
  }
}

/** The classes of the project that `init` makes. */
const TEN = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/** What a page takes for granted that its reader has. */
const GIVEN: Readonly<Record<string, (folder: string) => Promise<void>>> = {
  "docs/tutorial.md": async (folder) => {
    await photographs(path.join(folder, "my-network/photos"), ["cup", "plant"]);
    await photographs(path.join(folder, "few"), TEN);
    linkPackage(path.join(folder, "my-network"));
  },
  "docs/how-to/fine-tune.md": async (folder) => {
    await photographs(path.join(folder, "pets"), ["cat", "dog", "rabbit"]);
    await photographs(folder, ["new-photos"]);
    resnetc(folder, "export", "ResNet18", "--names", "torchvision_resnet", "-o", "resnet18-f37072fd.pth");
  },
  "docs/how-to/train-a-detector.md": async (folder) => {
    for (const part of ["train", "valid"]) await boxes(path.join(folder, "tools", part));
    resnetc(folder, "export", "ResNet18", "--names", "torchvision_resnet", "-o", "resnet18-f37072fd.pth");
  },
  "docs/how-to/deploy-node.md": async (folder) => {
    linkPackage(folder);
    cpSync(path.join(ROOT, "examples/cifar10/cat.jpg"), path.join(folder, "cat.jpg"));
    cpSync(path.join(ROOT, "examples/cifar10/dog.jpg"), path.join(folder, "dog.jpg"));
    cpSync(path.join(ROOT, "examples/scenes/scene.jpg"), path.join(folder, "scene.jpg"));
    resnetc(folder, "compile", "CifarResNet(depth: 8)", "-o", "net.onnx");
    resnetc(folder, "compile", `${ROOT}/examples/scenes/scenes.resnet#SceneDetector`, "-o", "detector.onnx");
  },
  "docs/how-to/deploy-browser.md": trained,
  "docs/how-to/deploy-python.md": async (folder) => {
    await trained(folder);
    mkdirSync(path.join(folder, "run-pets"));
    resnetc(folder, "export", "ResNet18(classes: 3)", "-o", "run-pets/model.safetensors");
  },
  "docs/how-to/smaller-models.md": trained,
  "docs/json-output.md": async (folder) =>
    writeFileSync(path.join(folder, "net.resnet"), "network Net {\n  input image 3x32x32\n  convv 3x3, 16\n}\n"),
};

/** A project, and what a training of it has left. */
async function trained(folder: string): Promise<void> {
  cpSync(path.join(ROOT, "cli/templates/network/net.resnet"), path.join(folder, "net.resnet"));
  await photographs(path.join(folder, "pets"), [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
  ]);
  mkdirSync(path.join(folder, "run"));
  resnetc(folder, "export", "net.resnet", "-o", "run/model.safetensors");
}

/** Two images with two boxes each, as an annotation tool exports them. */
async function boxes(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const names = ["hammer", "screwdriver", "wrench"];
  const images = [1, 2].map((id) => ({ id, file_name: `${path.basename(folder)}-${id}.jpg`, width: 96, height: 64 }));
  for (const { file_name, id, width, height } of images) {
    writeFileSync(path.join(folder, file_name), await solidPng(width, height, [40 * id, 90, 120]));
  }
  const annotations = images.flatMap(({ id: image_id }) =>
    [1, 2].map((n) => ({
      id: 10 * image_id + n,
      image_id,
      category_id: n,
      bbox: [10 * n, 8, 30, 40],
      area: 1200,
      iscrowd: 0,
    })),
  );
  const categories = names.map((name, index) => ({ id: index + 1, name }));
  writeFileSync(path.join(folder, "_annotations.coco.json"), JSON.stringify({ images, annotations, categories }));
}

describe.each(Object.keys(GIVEN))("%s", (file) => {
  it("can be followed from top to bottom", async () => {
    const folder = path.join(base, file.replace(/\W+/g, "-"));
    mkdirSync(folder);
    await GIVEN[file]!(folder);
    expect(runPage(page(file), folder, { replaced: REPLACED, shortened: SHORTENED })).toEqual([]);
  }, 300_000);
});

it("every how-to page is followed", () => {
  const pages = PAGES.map((each) => each.file).filter((file) => file.startsWith("docs/how-to/"));
  expect(pages.filter((file) => !(file in GIVEN))).toEqual([]);
});
