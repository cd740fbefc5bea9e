/** In a process of its own, with the software adapter: standard networks on the processor and on WebGPU. Prints JSON. */
import { compile } from "../../compiler/index.js";
import { openSession } from "../../runtime/onnx/session.js";

/** One of each kind of block and shortcut; small, for a GPU in software. */
const TARGETS: Readonly<Record<string, number>> = {
  "CifarResNet(depth: 20)": 32,
  "ResNet(block: se_bottleneck, counts: [1, 1, 1, 1], classes: 7, deep_stem: true, shortcut: average_projection)": 32,
  "ResNet(block: bottleneck_v15(groups: 4, base_width: 16), counts: [1, 1, 1, 1], classes: 7, caffe_pool: true)": 32,
};

export type DeviceReport = readonly { readonly target: string; readonly difference: number; readonly reason: string }[];

const report: { target: string; difference: number; reason: string }[] = [];
for (const [target, size] of Object.entries(TARGETS)) {
  const { onnx, diagnostics } = compile(target, { seed: 3, batch: 2, input: [3, size, size] });
  if (!onnx) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  const data = Float32Array.from({ length: 2 * 3 * size * size }, (_, i) => ((i * 7919) % 1009) / 504 - 1);
  const logits: Float32Array[] = [];
  let reason = "";
  for (const device of ["cpu", "webgpu"] as const) {
    const session = await openSession(onnx, { device });
    reason = session.deviceReason;
    const outputs = await session.run({ image: { data, shape: [2, 3, size, size] } });
    logits.push(outputs["logits"]!.data as Float32Array);
    await session.close();
  }
  const [cpu, webgpu] = logits;
  const scale = Math.max(...cpu!.map(Math.abs));
  const difference = Math.max(...cpu!.map((value, i) => Math.abs(value - webgpu![i]!))) / scale;
  report.push({ target, difference, reason });
}
process.stdout.write(JSON.stringify(report));
