/** The tab in which an image is classified. */
import type { DeviceRequest } from "../../compiler/device.js";
import { element, fileTarget } from "./dom.js";
import { startRunner, type Order, type Report } from "./runner.js";

/** A device, as the reader chooses it. */
export function deviceChoice(): HTMLSelectElement {
  return element(
    "select",
    { "aria-label": "Device" },
    element("option", { value: "auto" }, "GPU if there is one"),
    element("option", { value: "webgpu" }, "GPU (WebGPU)"),
    element("option", { value: "cpu" }, "processor (WebAssembly)"),
  );
}

export function runPanel(panel: HTMLElement): void {
  const device = deviceChoice();
  const result = element("div", { "aria-live": "polite" });
  const shown = element("img", { class: "shown", alt: "the image that is classified", hidden: "" });
  let runner: Worker | undefined;
  let onnx: Uint8Array | undefined;

  const report = (told: Report): void => {
    if (told.kind === "failed") result.replaceChildren(element("p", { class: "problem" }, told.message));
    if (told.kind !== "classified") return;
    const rows = told.predictions.map(({ label, probability }) => {
      const share = `${(100 * probability).toFixed(2)} %`;
      const bar = element("span", { class: "bar", "aria-hidden": "true" });
      bar.style.width = `${Math.max(1, Math.round(140 * probability))}px`;
      return element(
        "tr",
        {},
        element("th", { scope: "row" }, label),
        element("td", { class: "n" }, share),
        element("td", {}, bar),
      );
    });
    result.replaceChildren(
      element("table", {}, element("caption", {}, "The likeliest classes"), element("tbody", {}, ...rows)),
      element("p", { class: "faint" }, `${told.milliseconds.toFixed(0)} ms on ${told.device}`),
    );
  };

  const ask = (image: Blob): void => {
    shown.src = URL.createObjectURL(image);
    shown.hidden = false;
    result.replaceChildren(element("p", { class: "faint" }, "fetching ONNX Runtime and the weights, once ..."));
    runner ??= startRunner(report);
    const order: Order = { kind: "classify", image, device: device.value as DeviceRequest, ...(onnx && { onnx }) };
    runner.postMessage(order);
  };

  const sample = (name: string): HTMLElement => {
    const button = element("button", {}, name);
    button.addEventListener("click", () => {
      void fetch(`assets/${name}.jpg`)
        .then((response) => response.blob())
        .then(ask, () => report({ kind: "failed", message: `assets/${name}.jpg can't be fetched` }));
    });
    return button;
  };
  const model = fileTarget("Another model (.onnx of a classifier):", ".onnx", ([file]) => {
    void file?.arrayBuffer().then((bytes) => {
      onnx = new Uint8Array(bytes);
      named.textContent = `The model is ${file.name}.`;
    });
  });
  const named = element(
    "p",
    {},
    "The model is the paper's ResNet-20 for CIFAR-10, with weights that were trained by resnetc: it tells airplane, ",
    "automobile, bird, cat, deer, dog, frog, horse, ship and truck apart. Images stay on this machine.",
  );
  panel.append(
    named,
    element("div", { class: "row" }, element("label", {}, "Runs on "), device, "Try ", sample("cat"), sample("dog")),
    fileTarget("An image, dropped here or chosen:", "image/*", ([file]) => file && ask(file)),
    shown,
    result,
    model,
  );
}
