/** The tab in which a network is trained: on drawn shapes, or on the reader's own images. */
import type { DeviceRequest } from "../../compiler/device.js";
import { imageOf } from "../../runtime/web/images.js";
import { Curves } from "./curves.js";
import { element, fileTarget, save } from "./dom.js";
import { deviceChoice } from "./run.js";
import { startRunner, type Image, type Report, type Training } from "./runner.js";

/** Images larger than this are scaled down as they come in: networks here see 32x32. */
const LARGEST = 128;

/** Updates, images of each, learning rate: three epochs as the recipe `shapes` has them; fine-tuning on a few images. */
const SUGGESTED = { shapes: ["375", "64", "0.1"], own: ["60", "8", "0.01"] } as const;

interface OwnClass {
  readonly name: HTMLInputElement;
  readonly images: Image[];
}

export function trainPanel(panel: HTMLElement, source: () => string): void {
  const what = element(
    "select",
    {},
    element("option", { value: "shapes" }, "shapes: ten shapes, drawn here"),
    element("option", { value: "own" }, "my images"),
  );
  const network = element(
    "select",
    {},
    element("option", { value: "small" }, "CifarResNet(depth: 8), from random weights"),
    element("option", { value: "trained" }, "CifarResNet(depth: 20), trained on CIFAR-10: fine-tune"),
    element("option", { value: "editor" }, "the last network in the editor"),
  );
  const field = (value: string, step: string): HTMLInputElement =>
    element("input", { type: "number", value, min: step, step });
  const [steps, batch, rate] = [field("", "1"), field("", "1"), field("", "0.001")];
  const device = deviceChoice();
  const start = element("button", { class: "main" }, "Train");
  const pause = element("button", { disabled: "" }, "Pause");
  const stop = element("button", { disabled: "" }, "Stop and keep");
  const keep = element("button", { disabled: "" }, "trained .onnx");
  const state = element("p", { role: "status" });
  const notes = element("ul", { class: "faint" });
  const confusion = element("div", { class: "confusion" });
  const curves = new Curves();
  const own = element("div", { hidden: "" });
  const classes: OwnClass[] = [];
  let runner: Worker | undefined;
  let onnx: Uint8Array | undefined;
  let paused = false;

  // ---- the reader's own images

  const list = element("div");
  const add = element("button", {}, "Add a class");
  const addClass = (name: string): void => {
    const input = element("input", { value: name, "aria-label": "Name of the class" });
    const images: Image[] = [];
    const thumbs = element("div", { class: "thumbs", "aria-live": "polite" });
    const count = element("span", { class: "faint" }, "no images yet");
    const take = async (blob: Blob): Promise<void> => {
      images.push(await smaller(blob));
      count.textContent = `${images.length} images`;
      if (images.length <= 24) thumbs.append(element("img", { src: URL.createObjectURL(blob), alt: "" }));
    };
    const area = fileTarget("Images of it, dropped here or chosen:", "image/*", (files) => {
      void (async () => {
        for (const file of files) await take(file).catch((error: Error) => (state.textContent = error.message));
      })();
    });
    area.append(
      camera(take, (message) => (state.textContent = message)),
      thumbs,
    );
    list.append(element("div", { class: "row" }, input, count), area);
    classes.push({ name: input, images });
  };
  add.addEventListener("click", () => addClass(`class ${classes.length + 1}`));
  addClass("this");
  addClass("that");
  own.append(list, add);
  const suggest = (): void => {
    [steps.value, batch.value, rate.value] = SUGGESTED[what.value === "own" ? "own" : "shapes"];
  };
  suggest();
  what.addEventListener("change", () => {
    own.hidden = what.value !== "own";
    network.value = what.value === "own" ? "trained" : "small";
    suggest();
  });

  // ---- the course

  const end = (): void => {
    runner?.terminate();
    runner = undefined;
    [pause.disabled, stop.disabled, start.disabled] = [true, true, false];
  };
  const note = (text: string): void => notes.append(element("li", {}, text));
  const report = (told: Report): void => {
    if (told.kind === "failed") {
      state.replaceChildren(element("span", { class: "problem" }, told.message));
      return end();
    }
    if (told.kind === "trained") {
      onnx = told.onnx;
      keep.disabled = false;
      const reached = told.error === undefined ? "" : `, error ${(100 * told.error).toFixed(2)} % on images set aside`;
      state.textContent = `${told.finished ? "finished" : "stopped"} after ${told.step} updates${reached}`;
      // Its own drawing, whose texts are escaped.
      if (told.confusion !== undefined) confusion.innerHTML = told.confusion;
      return end();
    }
    if (told.kind !== "event") return;
    const { event } = told;
    if (event.kind === "start") note(`on ${event.device} (${event.deviceReason})`);
    if (event.kind === "warning" || event.kind === "notice") note(event.message);
    if (event.kind === "step") {
      const { step, loss, imagesPerSecond } = event.metrics;
      curves.loss(step, loss);
      state.textContent = `update ${step} of ${steps.value}: loss ${loss.toFixed(3)}, ${imagesPerSecond.toFixed(0)} images a second`;
    }
    if (event.kind === "validation") curves.error(event.metrics.step, event.metrics.error ?? 1);
  };

  start.addEventListener("click", () => {
    const target = targetOf(network.value, what.value === "own" ? classes.length : 10, source());
    const training: Training = {
      source: source(),
      target,
      pretrained: network.value === "trained",
      steps: Math.max(1, Math.round(steps.valueAsNumber || 1)),
      batch: Math.max(1, Math.round(batch.valueAsNumber || 1)),
      rate: rate.valueAsNumber,
      device: device.value as DeviceRequest,
      ...(what.value === "own" && {
        classes: classes.map(({ name, images }) => ({ name: name.value, images })),
      }),
    };
    curves.begin(training.steps);
    notes.replaceChildren();
    confusion.replaceChildren();
    state.textContent = "fetching ONNX Runtime, once, and making the graphs ...";
    [start.disabled, pause.disabled, stop.disabled, keep.disabled] = [true, false, false, true];
    [paused, pause.textContent] = [false, "Pause"];
    runner = startRunner(report);
    runner.postMessage({ kind: "train", training });
  });
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? "Go on" : "Pause";
    runner?.postMessage({ kind: "pause", paused });
  });
  stop.addEventListener("click", () => runner?.postMessage({ kind: "stop" }));
  keep.addEventListener("click", () => {
    if (onnx) save("trained.onnx", onnx as Uint8Array<ArrayBuffer>, "application/octet-stream");
  });
  const labelled = (text: string, control: HTMLElement): HTMLElement => element("label", {}, `${text} `, control);
  panel.append(
    element(
      "p",
      {},
      "The compiler differentiates the network; the training step is an ONNX graph, which runs on this machine.",
    ),
    element("div", { class: "row" }, labelled("On", what), labelled("network", network)),
    own,
    element(
      "div",
      { class: "row" },
      ...[labelled("updates", steps), labelled("batch", batch), labelled("learning rate", rate), device],
    ),
    element("div", { class: "row" }, start, pause, stop, keep),
    state,
    curves.element,
    confusion,
    notes,
  );
}

/** The network by its name and arguments. */
function targetOf(choice: string, classes: number, source: string): string {
  if (choice === "small") return `CifarResNet(depth: 8, classes: ${classes})`;
  if (choice === "trained") return `CifarResNet(depth: 20, classes: ${classes})`;
  const name = [...source.matchAll(/^network\s+(\w+)/gm)].at(-1)?.[1] ?? "";
  return `network.resnet#${name}`;
}

async function smaller(blob: Blob): Promise<Image> {
  const bitmap = await createImageBitmap(blob).catch(() => {
    throw new Error("one of the files is no image that this browser can decode");
  });
  const scale = Math.min(1, LARGEST / Math.min(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
  bitmap.close();
  const scaled = await createImageBitmap(blob, { resizeWidth: width!, resizeHeight: height!, resizeQuality: "high" });
  const canvas = new OffscreenCanvas(width!, height!);
  canvas.getContext("2d")!.drawImage(scaled, 0, 0);
  scaled.close();
  return imageOf(canvas.getContext("2d")!.getImageData(0, 0, width!, height!));
}

/** A camera that takes pictures while its button is pressed. */
function camera(take: (blob: Blob) => Promise<void>, onProblem: (message: string) => void): HTMLElement {
  const video = element("video", { muted: "", playsinline: "", hidden: "", "aria-label": "Camera" });
  const open = element("button", {}, "Camera");
  const shot = element("button", { hidden: "" }, "Take a picture");
  let stream: MediaStream | undefined;
  open.addEventListener("click", () => {
    if (stream) {
      for (const track of stream.getTracks()) track.stop();
      stream = undefined;
      [video.hidden, shot.hidden, open.textContent] = [true, true, "Camera"];
      return;
    }
    navigator.mediaDevices
      .getUserMedia({ video: { width: 320, height: 240 } })
      .then(async (given) => {
        stream = given;
        video.srcObject = given;
        [video.hidden, shot.hidden, open.textContent] = [false, false, "Camera off"];
        await video.play();
      })
      .catch((error: Error) => onProblem(`no camera: ${error.message}`));
  });
  shot.addEventListener("click", () => {
    const side = Math.min(video.videoWidth, video.videoHeight);
    const canvas = new OffscreenCanvas(side, side);
    const [x, y] = [(video.videoWidth - side) / 2, (video.videoHeight - side) / 2];
    canvas.getContext("2d")!.drawImage(video, x, y, side, side, 0, 0, side, side);
    void canvas.convertToBlob({ type: "image/png" }).then(take);
  });
  return element("div", { class: "row" }, open, shot, video);
}
