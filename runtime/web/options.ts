/** Where and how models run in a browser. */
import type { Device, DeviceRequest } from "../../compiler/device.js";

/**
 * ONNX Runtime Web, as `import * as ort from "onnxruntime-web/webgpu"` gives it. Of the version that resnetc was made with:
 * its optional peer dependency says which.
 */
export interface OnnxRuntimeWeb {
  readonly InferenceSession: object;
  readonly Tensor: object;
  readonly env: object;
}

/** Where and how models run in a browser. */
export interface WebOptions {
  /**
   * `cpu`: WebAssembly, on the processor. `webgpu`: a GPU. Default `auto`: a GPU where there is one, which no software
   * adapter is, else the processor.
   */
  readonly device?: DeviceRequest;
  /**
   * Loads ONNX Runtime for a device, once. Default: `onnxruntime-web/webgpu` for a GPU, which can compute on the processor
   * too, else the smaller `onnxruntime-web/wasm`; both have to be installed.
   */
  readonly runtime?: (device: Device) => OnnxRuntimeWeb | Promise<OnnxRuntimeWeb>;
  /** The folder (an address that ends in `/`) that ONNX Runtime's `.wasm` files lie in. Default: beside its modules. */
  readonly wasmPaths?: string;
  /**
   * Threads on the processor. More than one need a page that is isolated from others (`crossOriginIsolated`). It is settled
   * when the first model of a page is opened. Default: ONNX Runtime's choice, one where the page is not isolated.
   */
  readonly threads?: number;
}
