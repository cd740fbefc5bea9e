/** A whole detector, compiled for a device and run there. */
import type { Device } from "../../../../compiler/device.js";
import * as ort from "#onnxruntime";
import { compile, memoryHost } from "../../../../compiler/index.js";
import type { Tensor } from "./run.js";

/** Boxes and scores of one image, and masks where it has some. */
export async function detections(source: string, image: Tensor, device: Device): Promise<Tensor[]> {
  const host = memoryHost({ "net.resnet": source });
  const { onnx, diagnostics } = compile("net.resnet", { host, device, seed: 5 });
  if (onnx === undefined) throw new Error(JSON.stringify(diagnostics));
  const session = await ort.InferenceSession.create(onnx, { executionProviders: [device], logSeverityLevel: 3 });
  try {
    const outputs = await session.run({
      image: new ort.Tensor("float32", Float32Array.from(image.data), image.shape),
      image_info: new ort.Tensor("float32", new Float32Array(), [0, 6]),
    });
    return ["boxes", "scores", "masks"].flatMap((name) => {
      const output = outputs[name];
      return output ? [{ shape: output.dims, data: [...(output.data as Float32Array)] }] : [];
    });
  } finally {
    await session.release();
  }
}
