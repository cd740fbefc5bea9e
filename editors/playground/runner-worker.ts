/** Runs and trains models. ONNX Runtime is fetched when the first is opened. */
import { elaborate, elaborateRecipe, emitModel, memoryHost, parseTarget, type Model } from "../../compiler/index.js";
import { concat } from "../../compiler/emit/onnx.js";
import {
  drawConfusion,
  evaluate,
  loadWeights,
  openClassifier,
  openImages,
  openShapes,
  train,
  type OnnxRuntimeWeb,
  type WebOptions,
} from "../../runtime/web/index.js";
import type { Order, Report, Training } from "./runner.js";

const WEIGHTS = "assets/cifar_resnet20.safetensors";
const TRAINED = "CifarResNet(depth: 20)";

const here = (file: string): string => new URL(file, self.location.href).href;
const ort: WebOptions = {
  runtime: (device) =>
    import(here(device === "webgpu" ? "ort/ort.webgpu.min.mjs" : "ort/ort.wasm.min.mjs")) as Promise<OnnxRuntimeWeb>,
  wasmPaths: here("ort/"),
};
const report = (told: Report): void => self.postMessage(told);

async function shipped(): Promise<Uint8Array> {
  const response = await fetch(here(WEIGHTS));
  if (!response.ok) throw new Error(`the shipped weights can't be fetched (${response.status})`);
  return new Uint8Array(await response.arrayBuffer());
}

function network(target: string, source = ""): Model {
  const { model, diagnostics } = elaborate(parseTarget(target), { host: memoryHost({ "network.resnet": source }) });
  if (model) return model;
  const first = diagnostics.find(({ severity }) => severity === "error");
  throw new Error(`the network has errors${first ? `: ${first.message}` : ""}`);
}

let known: Uint8Array | undefined;

/** The CIFAR ResNet-20 with its weights, compiled here. */
async function shippedModel(): Promise<Uint8Array> {
  if (known) return known;
  const { model, emit } = loadWeights(network(TRAINED), await shipped(), "cifar_resnet20.safetensors");
  const { chunks, byteLength } = emitModel(model, emit);
  return (known = concat(chunks, byteLength));
}

async function classify({ image, device, onnx }: Extract<Order, { kind: "classify" }>): Promise<void> {
  const classifier = await openClassifier(onnx ?? (await shippedModel()), { ...ort, device });
  try {
    const began = performance.now();
    const [result] = await classifier.classify([image], { top: 5 });
    const milliseconds = performance.now() - began;
    if (!result || "error" in result) throw new Error(result?.error ?? "no image");
    const { device: used, deviceReason } = classifier.session;
    report({ kind: "classified", predictions: result.predictions, device: `${used} (${deviceReason})`, milliseconds });
  } finally {
    await classifier.close();
  }
}

// ---- training

const stop = new AbortController();
let goOn: (() => void) | undefined;
let pausing: Promise<void> | undefined;

function pause(paused: boolean): void {
  if (paused) pausing ??= new Promise((resolve) => (goOn = resolve));
  else {
    goOn?.();
    pausing = undefined;
  }
}

async function learn({ source, target, classes, pretrained, steps, batch, rate, device }: Training): Promise<void> {
  const data = classes ? openImages(classes) : openShapes();
  const model = network(target, source);
  const set = [`stop.steps=${steps}`, `batch=${Math.min(batch, data.train.size)}`, `learning_rate.rate=${rate}`];
  // Fine-tuning begins at a low rate as it is.
  if (pretrained) set.push("warm_up=none");
  const { recipe, diagnostics } = elaborateRecipe(parseTarget("std/recipes#shapes"), { set });
  if (!recipe) throw new Error(diagnostics[0]?.message ?? "the recipe has errors");
  const weights = pretrained
    ? loadWeights(model, await shipped(), "cifar_resnet20.safetensors", { newHead: true })
    : undefined;
  // Images of any size are brought to the network's; what was trained before is given pixels as it was.
  const [, , height, width] = model.graph.inputs[0]!.value.type.shape.map(Number);
  const size = [height!, width!];
  const values = (weights?.preprocess?.transforms ?? recipe.evaluate).filter(
    ({ kind }) => kind === "normalize" || kind === "subtract_mean",
  );
  const fit = classes ? [{ kind: "resize", size, interpolation: "bilinear" }] : [];
  const flip = recipe.train.filter(({ kind }) => kind === "flip_horizontal");
  const fitted = { ...recipe, train: [...fit, ...values, ...flip], evaluate: [...fit, ...values] };
  const { onnx, finished, step } = await train(
    { model, recipe: { ...fitted, validateEvery: Math.max(50, Math.round(steps / 8)) }, data },
    {
      ...ort,
      device,
      ...(weights && { weights: weights.values }),
      signal: stop.signal,
      onEvent: (event) => report({ kind: "event", event }),
      between: async () => {
        // Messages come in between: pause, and stop.
        await new Promise((resolve) => setTimeout(resolve, 0));
        await pausing;
      },
    },
  );
  const split = data.test ?? data.validation;
  if (split.size === 0) return report({ kind: "trained", onnx, finished, step });
  const classifier = await openClassifier(onnx, { ...ort, device });
  const judged = await evaluate(classifier, data, split);
  await classifier.close();
  report({ kind: "trained", onnx, finished, step, confusion: drawConfusion(judged), error: judged.error });
}

self.addEventListener("message", ({ data: order }: MessageEvent<Order>) => {
  const failed = (error: unknown): void =>
    report({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
  if (order.kind === "classify") void classify(order).catch(failed);
  else if (order.kind === "train") void learn(order.training).catch(failed);
  else if (order.kind === "pause") pause(order.paused);
  else {
    stop.abort();
    pause(false);
  }
});
