/** Run by webgpu-steps.ts in a process of its own: prints the losses of a network's first five steps. */
import { NO_CPU_FALLBACK, trainingProvider } from "../../../runtime/onnx/create.js";
import { buildTraining } from "../../../compiler/training/build.js";
import { nextName } from "../../../compiler/training/contract.js";
import { modelOf, NETWORKS, optionsOf } from "./networks.js";
import { openTraining } from "./session.js";

const network = NETWORKS[process.env["RESNETC_NETWORK"]!]!;
const { train } = buildTraining(modelOf(network), { ...optionsOf(network), device: "webgpu", held: "vectors" });
const onDevice = Object.fromEntries(train.writes.map((each) => [nextName(each.name), "gpu-buffer" as const]));
const session = await openTraining(train, network, {
  executionProviders: [trainingProvider("webgpu")],
  preferredOutputLocation: onDevice,
  extra: NO_CPU_FALLBACK,
});
const losses: number[] = [];
for (let step = 0; step < 5; step += 1) losses.push((await session.run(step))["loss"]![0]!);
await session.close();
process.stdout.write(`${JSON.stringify(losses)}\n`);
