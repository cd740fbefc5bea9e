/** `resnetc/web` in Chromium: what Node computes, on WebAssembly and on WebGPU. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compile, elaborate, elaborateRecipe, memoryHost, parseTarget } from "../../compiler/index.js";
import {
  compileWithWeights,
  openClassifier,
  openDetector,
  openShapes,
  train,
  type Metrics,
  readMetrics,
  type Prediction,
} from "../../runtime/index.js";
import { launch, NO_BROWSER, serve, type Site } from "../support/site.js";

const ROOT = path.resolve(import.meta.dirname, "../..");
const ORT = path.join(ROOT, "node_modules/onnxruntime-web/dist");
const CIFAR = path.join(ROOT, "examples/cifar10");

/** A network that a software GPU trains in a moment: every kind of node that a ResNet has. */
const SMALL = `
network Small {
  input image 3x32x32
  stage stem { conv 3x3, 8, /4   bn   relu }
  stage body { residual { conv 3x3, 8   bn   relu   conv 3x3, 8   bn }   relu }
  head { global_avg_pool   fc 10   softmax }
}
`;

const SET = ["stop.steps=5", "batch=8", "warm_up=none"];

/** What web-page.ts put there. */
interface Shared {
  readonly page: typeof import("./web-page.js").page;
}

describe.skipIf(NO_BROWSER)("in a browser", () => {
  let folder: string;
  let site: Site;
  let browser: Browser;
  let page: Page;
  let bundled: readonly string[];
  const problems: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "resnetc-web-"));
    const { metafile } = await build({
      metafile: true,
      entryPoints: [path.join(import.meta.dirname, "web-page.ts")],
      bundle: true,
      outfile: path.join(folder, "page.js"),
      format: "esm",
      platform: "browser",
      // Pages that use it install it; here it comes from the folder that the site has of it.
      external: ["onnxruntime-web/*"],
      logLevel: "silent",
    });
    bundled = Object.keys(metafile.inputs).filter((file) => /^(runtime|compiler|grammar)\//.test(file));
    await writeFile(
      path.join(folder, "index.html"),
      "<!doctype html><title>test</title><link rel=icon href=data:,><script type=module src=page.js></script>",
    );
    site = await serve({
      "/": folder,
      "/ort/": ORT,
      "/cifar10/": CIFAR,
      "/scenes/": path.join(ROOT, "examples/scenes"),
    });
    browser = await launch({ gpu: true });
    page = await browser.newPage();
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(site.address);
    await page.waitForFunction(() => "page" in globalThis);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    site?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("is made of modules that ask for nothing of Node's", async () => {
    expect(bundled).toContain("runtime/training/course.ts");
    for (const file of bundled) {
      const code = (await readFile(path.join(ROOT, file), "utf8")).replace(/\/\*[^]*?\*\/|\/\/.*/g, "");
      expect([file, /\b(?:Buffer|process|require|__dirname)\b\s*[.([]/.exec(code)?.[0]]).toEqual([file, undefined]);
    }
  });

  const request = () => {
    const host = memoryHost({ "small.resnet": SMALL });
    const { model } = elaborate(parseTarget("small.resnet#Small"), { host });
    const { recipe } = elaborateRecipe(parseTarget("std/recipes#shapes"), { set: SET });
    return { model: model!, recipe: recipe! };
  };

  let inNode: Promise<readonly Metrics[]>;
  const trained = (): Promise<readonly Metrics[]> =>
    (inNode ??= (async () => {
      const run = path.join(folder, "run");
      const names = { target: "Small", recipe: "shapes", data: "shapes" };
      const data = openShapes({ train: 80, validation: 16, test: 16 });
      await train({ ...request(), data, folder: run, names }, { device: "cpu", threads: 1, sameThread: true });
      return readMetrics(path.join(run, "metrics.jsonl"));
    })());

  it.each(["cpu", "webgpu"] as const)(
    "trains on %s as Node does: the losses of five updates, and what is validated",
    async (device) => {
      const there = await page.evaluate(
        async ({ device, SMALL, SET }) => {
          const { web, ort, small } = (globalThis as unknown as Shared).page;
          const request = small(SMALL, SET);
          const { metrics, finished, onnx } = await web.train(request, { ...ort, device });
          const classifier = await web.openClassifier(onnx, { ...ort, device });
          const { error, images } = await web.evaluate(classifier, request.data, request.data.test!);
          const used = classifier.session.device;
          await classifier.close();
          return { metrics, finished, error, images, used };
        },
        { device, SMALL, SET },
      );
      expect(there).toMatchObject({ finished: true, images: 16, used: device });
      const here = await trained();
      const numbers = (metrics: readonly Metrics[]) =>
        metrics.map(({ kind, step, loss }) => ({ kind, step, loss: loss! }));
      expect(numbers(there.metrics).map(({ kind, step }) => `${kind} ${step}`)).toEqual(
        numbers(here).map(({ kind, step }) => `${kind} ${step}`),
      );
      expect(here.filter(({ kind }) => kind === "step")).toHaveLength(5);
      numbers(here).forEach(({ loss }, index) => {
        expect(Math.abs(numbers(there.metrics)[index]!.loss - loss)).toBeLessThan(1e-4);
      });
      // The model that it ended in answers as the last test did.
      expect(there.error).toBeCloseTo(here.at(-1)!.error!, 10);
      expect(problems).toEqual([]);
    },
    120_000,
  );

  it("goes on where it was stopped, and pauses between updates", async () => {
    const losses = await page.evaluate(
      async ({ SMALL, SET }) => {
        const { web, ort, small } = (globalThis as unknown as Shared).page;
        const given = small(SMALL, SET);
        const stop = new AbortController();
        let asked = 0;
        const first = await web.train(given, {
          ...ort,
          device: "cpu",
          signal: stop.signal,
          between: async () => {
            await new Promise((resolve) => setTimeout(resolve, 1));
            if (++asked === 3) stop.abort();
          },
        });
        const rest = await web.train(given, { ...ort, device: "cpu", from: first.kept });
        const stepsOf = ({ metrics }: typeof first) =>
          metrics.flatMap((line) => (line.kind === "step" ? [line.loss] : []));
        return { finished: [first.finished, rest.finished], losses: [...stepsOf(first), ...stepsOf(rest)] };
      },
      { SMALL, SET },
    );
    expect(losses.finished).toEqual([false, true]);
    const here = (await trained()).flatMap((line) => (line.kind === "step" ? [line.loss] : []));
    expect(losses.losses).toHaveLength(5);
    losses.losses.forEach((loss, index) => expect(Math.abs(loss - here[index]!)).toBeLessThan(1e-4));
  }, 60_000);

  it.each(["cpu", "webgpu"] as const)(
    "classifies on %s as Node does",
    async (device) => {
      const { onnx } = await compileWithWeights(
        "CifarResNet(depth: 20)",
        path.join(CIFAR, "cifar_resnet20.safetensors"),
      );
      const here = await openClassifier(onnx!, { device: "cpu" });
      const files = ["cat.jpg", "dog.jpg"];
      const expected = await here.classify(
        files.map((file) => path.join(CIFAR, file)),
        { top: 10 },
      );
      await here.close();
      const found = await page.evaluate(
        async ({ device, files }) => {
          const { resnetc, web, ort, bytes } = (globalThis as unknown as Shared).page;
          const { model } = resnetc.elaborate(resnetc.parseTarget("CifarResNet(depth: 20)"));
          const weights = web.loadWeights(model!, await bytes("/cifar10/cifar_resnet20.safetensors"));
          const { chunks } = resnetc.emitModel(weights.model, weights.emit);
          const onnx = new Blob([...chunks] as never[]);
          const classifier = await web.openClassifier(onnx, { ...ort, device });
          // One by its address, one as a file that was dropped.
          const [first, second] = files as [string, string];
          const dropped = await (await fetch(`/cifar10/${second}`)).blob();
          const found = await classifier.classify([`/cifar10/${first}`, dropped], { top: 10 });
          await classifier.close();
          return found;
        },
        { device, files },
      );
      const scores = (each: (typeof found)[number]): readonly Prediction[] =>
        "predictions" in each ? each.predictions : [];
      for (const [index, each] of expected.entries()) {
        const own = new Map(scores(found[index]!).map(({ label, probability }) => [label, probability]));
        expect(own.size).toBe(10);
        for (const { label, probability } of scores(each)) {
          expect(Math.abs(own.get(label)! - probability)).toBeLessThan(1e-4);
        }
      }
      expect(scores(found[0]!)[0]!.label).toBe("cat");
    },
    60_000,
  );

  it("finds objects as Node does", async () => {
    const scenes = path.join(ROOT, "examples/scenes");
    const text = await readFile(path.join(scenes, "scenes.resnet"), "utf8");
    const files = { "scenes.resnet": text };
    const { onnx } = compile({ entry: "scenes.resnet#SceneDetector", files }, { seed: 1 });
    const here = await openDetector(onnx!, { device: "cpu" });
    const [expected] = await here.detect([path.join(scenes, "scene.jpg")]);
    await here.close();
    const found = await page.evaluate(async (files) => {
      const { resnetc, web, ort } = (globalThis as unknown as Shared).page;
      const { onnx } = resnetc.compile({ entry: "scenes.resnet#SceneDetector", files }, { seed: 1 });
      const opened = await web.openDetector(onnx!, { ...ort, device: "cpu" });
      const [found] = await opened.detect(["/scenes/scene.jpg"]);
      await opened.close();
      return found!;
    }, files);
    if (!("objects" in expected!) || !("objects" in found)) throw new Error(JSON.stringify([expected, found]));
    expect(expected.objects.length).toBeGreaterThan(0);
    expect(found.objects.length).toBe(expected.objects.length);
    const best = (objects: typeof found.objects) => objects.slice(0, 5).map(({ score, box }) => [score, ...box]);
    best(found.objects)
      .flat()
      .forEach((value, index) => {
        const other = best(expected.objects).flat()[index]!;
        expect(Math.abs(value - other)).toBeLessThan(1e-3 * Math.max(1, Math.abs(other)));
      });
  }, 60_000);

  it("fine-tunes on a page's images from given weights, and says what can't be", async () => {
    const result = await page.evaluate(async () => {
      const { resnetc, web, ort, bytes, problem } = (globalThis as unknown as Shared).page;
      const { elaborate, elaborateRecipe, parseTarget } = resnetc;
      const { model } = elaborate(parseTarget("CifarResNet(depth: 20, classes: 2)"));
      const { recipe } = elaborateRecipe(parseTarget("std/recipes#shapes"), {
        set: ["stop.steps=20", "batch=8", "warm_up=none", "learning_rate.rate=0.02"],
      });
      const file = await bytes("/cifar10/cifar_resnet20.safetensors");
      const { values } = web.loadWeights(model!, file, "w", { newHead: true });
      const classes = (side: number) =>
        [20, 230].map((level) => ({
          name: level < 100 ? "dark" : "light",
          images: Array.from({ length: 10 }, (_, i) => ({
            width: side,
            height: side,
            data: new Uint8Array(side * side * 3).fill(level + i),
          })),
        }));
      const data = web.openImages(classes(32));
      const [network, how] = [model!, recipe!];
      const here = { ...ort, device: "cpu" } as const;
      const trained = await web.train({ model: network, recipe: how, data }, { ...here, weights: values });
      const detector = elaborate(parseTarget("FasterRCNN_ResNet50_FPN")).model!;
      return {
        trained: [trained.finished, trained.validation?.error],
        split: [data.train.size, data.validation.size],
        problems: [
          await problem(() => web.openImages(classes(32).slice(1))),
          await problem(() => web.train({ model: network, recipe: how, data: web.openImages(classes(40)) }, here)),
          await problem(() => web.train({ model: detector, recipe: how, data }, here)),
          await problem(() => web.openClassifier(new Uint8Array([1, 2, 3]), here)),
          await problem(async () => web.openClassifier(trained.onnx, { ...here, device: "cuda" })),
          await problem(() => web.openClassifier("/nowhere.onnx", here)),
          await problem(() => web.readImage({ name: "text.jpg", bytes: new Uint8Array([1, 2, 3]) })),
          await problem(() => web.loadWeights(network, file.subarray(0, 1000), "w")),
        ],
      };
    });
    expect(result).toEqual({
      trained: [true, 0],
      split: [16, 4],
      problems: [
        "DataError: images: two classes are needed at least",
        "TrainingError: images gives images of 40x40 after the recipe's transforms, CifarResNet takes 32x32",
        "TrainingError: FasterRCNN_ResNet50_FPN is a detector: detectors are trained in Node",
        "SessionError: model: not an ONNX file",
        "SessionError: device cuda: a browser has none; webgpu takes NVIDIA's GPUs too",
        "SessionError: /nowhere.onnx: can't be fetched (404)",
        "ImageError: text.jpg: is no image that this browser can decode",
        expect.stringMatching(/^WeightsError: w: is truncated/),
      ],
    });
  }, 60_000);
});
