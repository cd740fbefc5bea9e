/** What `--json` prints follows the schemas in docs/schemas. */
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { program } from "../../cli/program.js";
import { modelMetadata } from "../../compiler/metadata.js";
import { colourFolders } from "../support/colour-folders.js";
import { wholeFiles } from "../support/detection-data.js";
import { meanColour } from "../support/onnx.js";
import { ajv, names, reported, schemaOf } from "./reported.js";
import { BROKEN, folderWith, SMALL } from "./resnetc.js";
import { plainPreprocess } from "../support/preprocess.js";

const PREPROCESS = plainPreprocess({ name: "small", resize: { shorter: 24 }, centerCrop: [24, 24] });
const CPU = ["--device", "cpu"];

/** A network and a recipe, an image classifier, and images of three classes. */
async function classifierFolder(): Promise<string> {
  const network = SMALL.replace("16x16", "40x40").replace("classes = 4", "classes = 3");
  const recipe =
    "recipe quick { optimizer sgd()   batch 3   learning_rate 0.01   stop 2   train { normalize(mean: 0.5, std: 0.25) } }\n";
  const model = meanColour({ metadata: modelMetadata(PREPROCESS, ["red", "green", "blue"], "MeanColour") });
  const cwd = await folderWith({
    "net.resnet": network,
    "quick.resnet": recipe,
    "net.onnx": model,
    "bad.png": "no image",
  });
  await colourFolders(path.join(cwd, "data"), { blue: ["blue", "red"], green: ["green", "broken"], red: ["red"] });
  return cwd;
}

describe("schemas", () => {
  it("are there for each command with --json, and for no other", () => {
    const commands = program().commands.filter(({ options }) => options.some(({ long }) => long === "--json"));
    const others = ["common", "error", "training"];
    expect(names.filter((name) => !others.includes(name))).toEqual(commands.map((command) => command.name()).sort());
    const without = program()
      .commands.map((command) => command.name())
      .filter((name) => !names.includes(name));
    expect(without.sort()).toEqual(["completion", "help", "lsp"]);
  });

  it.each(names)("%s is draft 7, called as its file is, and lets no other field in", (name) => {
    const schema = schemaOf(name);
    expect(schema).toMatchObject({ $schema: "http://json-schema.org/draft-07/schema#", $id: `${name}.schema.json` });
    expect(ajv.validateSchema(schema), ajv.errorsText()).toBe(true);
    const open: string[] = [];
    const look = (value: unknown, at: string): void => {
      if (typeof value !== "object" || value === null) return;
      if ("properties" in value && !("additionalProperties" in value)) open.push(at);
      for (const [key, each] of Object.entries(value)) look(each, `${at}/${key}`);
    };
    look(schema, "");
    expect(open).toEqual([]);
  });

  it("are exported by the package", () => {
    const { exports } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      exports: Record<string, unknown>;
    };
    expect(exports["./schemas/*"]).toBe("./docs/schemas/*");
  });
});

describe("sources and networks", () => {
  it("init, version, doctor, explain, list", async () => {
    const cwd = await folderWith();
    const { files } = await reported(cwd, ["init", "mine"]);
    expect(files).toContainEqual({ path: path.join("mine", "net.resnet"), bytes: expect.any(Number) as number });
    await reported(cwd, ["version"]);
    await reported(cwd, ["doctor"]);
    await reported(cwd, ["explain"]);
    await reported(cwd, ["explain", "shape-mismatch"]);
    const { words } = await reported(cwd, ["explain", "pad"]);
    expect(words).toMatchObject([
      { of: "layers" },
      { of: "a preprocess declaration" },
      { of: "the transforms of a recipe" },
    ]);
    await reported(cwd, ["explain", "nms"]);
    await reported(cwd, ["explain", "class_weights"]);
    await reported(cwd, ["list"]);
    await reported(cwd, ["list", "--only-names"]);
  });

  it("check and fmt, also of sources with errors", async () => {
    const cwd = await folderWith({ "small.resnet": SMALL, "broken.resnet": BROKEN, "syntax.resnet": "network {{" });
    await reported(cwd, ["check", "small.resnet"]);
    const { diagnostics } = await reported(cwd, ["check"], { code: 1 });
    expect(diagnostics).not.toEqual([]);
    await reported(cwd, ["check", "broken.resnet", "--fix"], { code: 1 });
    const formatted = await reported(cwd, ["fmt"], { code: 1 });
    expect(formatted).toMatchObject({ broken: ["syntax.resnet"], diagnostics: [{ code: "syntax-error" }] });
  });

  it("summary, figure, compile, export", async () => {
    const cwd = await folderWith({ "small.resnet": SMALL });
    await reported(cwd, ["summary", "small.resnet"]);
    await reported(cwd, ["summary", "small.resnet", "--training", "--batch", "4"]);
    await reported(cwd, ["summary", "small.resnet", "--input", "3xHxW"]);
    const drawn = await reported(cwd, ["figure", "small.resnet", "ResNet18", "-o", "f.svg"]);
    expect(drawn["networks"]).toEqual([
      { name: "Small", title: "Small" },
      { name: "ResNet18", title: "ResNet18" },
    ]);
    expect(await reported(cwd, ["compile", "small.resnet"])).toMatchObject({
      weights: null,
      origin: { from: "random" },
      preprocess: null,
    });
    const bare = await reported(cwd, ["compile", "small.resnet", "--no-weights", "-o", "bare.onnx"]);
    expect(bare).toMatchObject({ weights: null, origin: null });
    await reported(cwd, ["compile", "small.resnet", "--training", "--batch", "4", "-o", "step"]);
    const written = await reported(cwd, ["export", "small.resnet", "-o", "w.safetensors"]);
    expect(written).toMatchObject({ origin: { from: "random" } });
    expect(written.warnings.join()).toContain("its weights are random");
    const loaded = await reported(cwd, ["compile", "small.resnet", "--weights", "w.safetensors"]);
    expect(loaded["weights"]).toMatchObject({ file: "w.safetensors", missing: [] });
    // Random weights are no better for having been in a file.
    expect(loaded["origin"]).toEqual({ from: "random" });
    const again = await reported(cwd, ["export", "small.resnet", "-o", "w.pth", "--weights", "w.safetensors"]);
    expect(again["files"]).toMatchObject([{ path: "w.pth" }]);
  });
});

describe("models that run", () => {
  it("classify, eval and bench of a classifier", async () => {
    const cwd = await classifierFolder();
    const said = await reported(cwd, ["classify", "net.onnx", "data/val/red/0.png", "bad.png", ...CPU], { code: 1 });
    expect(said["results"]).toMatchObject([{ predictions: [{ label: "red" }, {}, {}] }, { image: "bad.png" }]);
    const random = await reported(cwd, ["classify", "CifarResNet(depth: 8)", "data/val/red/0.png", ...CPU]);
    expect(random).toMatchObject({ weights: { from: "random" }, scores: { kind: "probabilities" } });
    expect(random.warnings.join()).toContain("its weights are random");
    const files = ["--confusion", "c.svg", "--predictions", "p.csv"];
    const judged = await reported(cwd, ["eval", "net.onnx", "--data", "data", ...files, ...CPU]);
    expect(judged).toMatchObject({ images: 4, unreadable: 1, files: [{ path: "c.svg" }, { path: "p.csv" }] });
    expect(judged.warnings.join()).toContain("in another order: matched by name");
    await reported(cwd, ["bench", "net.resnet", "--iterations", "2", ...CPU]);
  });

  it("detect and eval of a detector, and of a list", async () => {
    const cwd = await folderWith(await wholeFiles());
    const instances = {
      images: [{ id: 1, file_name: "rose.png", width: 80, height: 60 }],
      categories: ["red", "green", "blue"].map((name, i) => ({ id: i + 1, name })),
      annotations: [{ id: 1, image_id: 1, category_id: 1, bbox: [0, 0, 80, 60], area: 4800, iscrowd: 0 }],
    };
    await writeFile(path.join(cwd, "instances.json"), JSON.stringify(instances));
    await writeFile(path.join(cwd, "bad.png"), "no image");
    const found = await reported(cwd, ["detect", "net.onnx", "rose.png", "bad.png", "-o", "out", ...CPU], { code: 1 });
    expect(found).toMatchObject({ results: [{ objects: [{ label: "red" }] }, { image: "bad.png" }] });
    const judge = ["--data", "coco:instances.json"];
    const coco = await reported(cwd, ["eval", "net.onnx", ...judge, "--save", "d.json", "--curves", "c.svg", ...CPU]);
    expect(coco).toMatchObject({
      AP: expect.closeTo(1, 9) as number,
      APs: -1,
      files: [{ path: "d.json" }, { path: "c.svg" }],
    });
    await reported(cwd, ["eval", "--detections", "d.json", ...judge]);
    const segmentation = [[0, 0, 80, 0, 80, 60, 0, 60]];
    const masked = { ...instances, annotations: instances.annotations.map((each) => ({ ...each, segmentation })) };
    await writeFile(path.join(cwd, "masks.json"), JSON.stringify(masked));
    await writeFile(
      path.join(cwd, "m.json"),
      JSON.stringify([{ image_id: 1, category_id: 1, score: 1, segmentation }]),
    );
    const both = await reported(cwd, ["eval", "--detections", "m.json", "--data", "coco:masks.json"]);
    expect(both).toMatchObject({ masks: { AP: expect.closeTo(1, 9) as number } });
    await reported(cwd, ["eval", "--detections", "d.json", ...judge, "--metric", "voc07"]);
  });

  it("train, plot, responses, find-rate, tune", async () => {
    const cwd = await classifierFolder();
    const training = ["net.resnet", "--recipe", "quick.resnet", ...CPU, "--threads", "1"];
    const trained = await reported(cwd, ["train", ...training, "--data", "data", "-o", "run"]);
    expect(trained).toMatchObject({ finished: true, step: 2, exported: { from: "last", step: 2 }, unreadable: 1 });
    expect(trained["files"]).toMatchObject([{ path: path.join("run", "model.onnx") }, {}]);
    await reported(cwd, ["plot", "run", "-o", "p.svg"]);
    await reported(cwd, ["responses", "run", "--data", "data", "--images", "2", "-o", "r.svg", ...CPU]);
    await reported(cwd, ["find-rate", ...training, "--data", "data", "--steps", "10"]);
    await reported(cwd, ["tune", ...training], { env: { HOME: cwd, XDG_CACHE_HOME: cwd } });
  });
});

describe("a command that fails", () => {
  it.each([
    [["compile", "broken.resnet"], 1, /broken\.resnet:3:17: .+/],
    [["compile", "none.onx"], 1, /none\.onx/],
    [["classify", "noise.onnx", "a.png"], 1, /noise\.onnx|a\.png/],
    [["fmt", "none.resnet"], 1, /none\.resnet: no such file/],
    [["train", "broken.resnet", "--recipe", "shapes", "--data", "shapes", "-o", "run"], 1, /broken\.resnet/],
    [["compile", "small.resnet", "-o", "-"], 2, /-o - and --json both write/],
    [["figure", "small.resnet"], 2, /-o - and --json both write/],
    [["bench", "small.resnet", "--batch", "many"], 2, /whole number/],
    [["compile", "small.resnet", "--nonsense"], 2, /^unknown option '--nonsense'/],
    [["compil", "small.resnet"], 2, /^unknown command 'compil'/],
  ] as const)("says why: %j", async (args, code, message) => {
    const cwd = await folderWith({ "broken.resnet": BROKEN, "small.resnet": SMALL, "noise.onnx": "noise" });
    const { error, diagnostics } = await reported(cwd, args, { code, schema: "error" });
    expect(error).toEqual({ message: expect.stringMatching(message) as string, exitCode: code });
    if (args[1] === "broken.resnet") expect(diagnostics).not.toEqual([]);
  });
});
