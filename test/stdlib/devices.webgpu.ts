/** In a process of its own, with the software adapter: standard networks on the processor and on WebGPU. Prints JSON. */
import { compile } from "../../compiler/index.js";
import { GPU } from "../support/gpu.js";
import { openSession, type Values } from "../../runtime/onnx/session.js";

/** Deep networks in short: each kind of block that they have. FCN's head is the smaller of DeepLab's two. */
const SHORT = `
import { ResNet50_GN, ResNet50V15 } from "std/resnet"
import { deeplab_head, fcn_head } from "std/segmentation"
import { bottleneck_v15 } from "std/blocks"
import { projection_on_change } from "std/shortcuts"

network ResNetGN {
  input image 3x32x32
  ResNet50_GN.conv1 .. ResNet50_GN.conv2
  global_avg_pool   fc 7
}

network DeepLabV3 {
  input image 3x33x33
  shortcuts projection_on_change
  ResNet50V15.conv1 .. ResNet50V15.conv2
  dilated = bottleneck_v15(64, dilation: 2)
  deeplab_head(5)
  logits = resize_like image, bilinear
  fcn_head(5) on dilated
  aux_logits = resize_like image, bilinear
  output logits, aux_logits
}
`;

/** One of each kind of block and shortcut, and the networks with layers that no other has; small, for a GPU in software. */
const TARGETS: Readonly<Record<string, number>> = {
  "CifarResNet(depth: 20)": 32,
  "ResNet(block: se_bottleneck, counts: [1, 1, 1, 1], classes: 7, deep_stem: true, shortcut: average_projection)": 32,
  "ResNet(block: bottleneck_v15(groups: 4, base_width: 16), counts: [1, 1, 1, 1], classes: 7, caffe_pool: true)": 32,
  "MobileNetV2(classes: 7)": 32,
  "DenseNet(counts: [1, 2, 1, 1], classes: 7)": 32,
  "EfficientNetB0(classes: 7)": 32,
  "ConvNeXt(counts: [1, 1, 1, 1], widths: [16, 32, 48, 64], classes: 7)": 32,
  "ShuffleNetV2(widths: [24, 48, 96, 128], classes: 7)": 32,
  "UNet(width: 4, depth: 3)": 60,
  "short.resnet#ResNetGN": 32,
  "short.resnet#DeepLabV3": 33,
};

export type DeviceReport = readonly { readonly target: string; readonly difference: number; readonly reason: string }[];

const report: { target: string; difference: number; reason: string }[] = [];
for (const [target, size] of Object.entries(TARGETS)) {
  const { onnx, diagnostics } = compile(
    { files: { "short.resnet": SHORT }, entry: target },
    { seed: 3, batch: 2, input: [3, size, size] },
  );
  if (!onnx) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  const data = Float32Array.from({ length: 2 * 3 * size * size }, (_, i) => ((i * 7919) % 1009) / 504 - 1);
  const given: Readonly<Record<string, Values>>[] = [];
  let reason = "";
  for (const device of ["cpu", GPU] as const) {
    const session = await openSession(onnx, { device });
    reason = session.deviceReason;
    given.push(await session.run({ image: { data, shape: [2, 3, size, size] } }));
    await session.close();
  }
  const [cpu, gpu] = given;
  const outputs = Object.keys(cpu!);
  const difference = Math.max(...outputs.map((name) => relativeDifference(cpu![name]!, gpu![name]!)));
  report.push({ target, difference, reason });
}
process.stdout.write(JSON.stringify(report));

/** The largest, relative to the largest value. */
function relativeDifference({ data: a }: Values, { data: b }: Values): number {
  let [difference, largest] = [0, 0];
  a.forEach((value, i) => {
    difference = Math.max(difference, Math.abs(Number(value) - Number(b[i])));
    largest = Math.max(largest, Math.abs(Number(value)));
  });
  return difference / largest;
}
