/** Runs in a process of its own, with a software adapter in its environment; see session.test.ts. */
import { bench } from "../../../runtime/bench.js";
import { chooseDevice } from "../../../runtime/onnx/device.js";
import { openSession } from "../../../runtime/onnx/session.js";
import { TINY_NODES, testValues, tinyNetwork } from "../../support/onnx.js";

export interface WebGpuReport {
  readonly auto: string;
  readonly outputs: Readonly<Record<"cpu" | "webgpu", readonly number[][]>>;
  readonly reason: string;
  readonly fallBackReason: string;
  readonly layers: readonly { readonly path: string; readonly source?: string; readonly onCpu?: boolean }[];
}

/** A network with an operator that WebGPU lacks. */
const withLogSoftmax = tinyNetwork({
  nodes: TINY_NODES.map((node) => (node.op === "Softmax" ? { ...node, op: "LogSoftmax" } : node)),
});

async function outputsOn(device: "cpu" | "webgpu"): Promise<{ values: number[][]; reason: string }> {
  const session = await openSession(tinyNetwork(), { device });
  const values: number[][] = [];
  for (const shape of [
    [1, 3, 32, 32],
    [2, 3, 23, 17],
  ]) {
    const { logits, probabilities } = await session.run({ image: testValues(shape) });
    values.push([...(logits!.data as Float32Array)], [...(probabilities!.data as Float32Array)]);
  }
  await session.close();
  return { values, reason: session.deviceReason };
}

const cpu = await outputsOn("cpu");
const webgpu = await outputsOn("webgpu");
const fallingBack = await openSession(withLogSoftmax, { device: "webgpu" });
await fallingBack.close();
const [measured] = await bench(withLogSoftmax, { devices: ["webgpu"], iterations: 2, warmUp: 0, size: [32, 32] });

const report: WebGpuReport = {
  auto: (await chooseDevice("auto")).reason,
  outputs: { cpu: cpu.values, webgpu: webgpu.values },
  reason: webgpu.reason,
  fallBackReason: fallingBack.deviceReason,
  layers: measured!.layers.map(({ path, source, onCpu }) => ({
    path,
    ...(source && { source }),
    ...(onCpu && { onCpu }),
  })),
};
process.stdout.write(JSON.stringify(report));
