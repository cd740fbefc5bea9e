/** Run by webgpu-steps.ts in a process of its own: prints the losses of a network's first five steps. */
import { buildTraining } from "../../../compiler/training/build.js";
import { nextName } from "../../../compiler/training/contract.js";
import { ALONE, GPU } from "../../support/gpu.js";
import { modelOf, NETWORKS, optionsOf } from "./networks.js";
import { openTraining } from "./session.js";

const network = NETWORKS[process.env["RESNETC_NETWORK"]!]!;
const { train } = buildTraining(modelOf(network), { ...optionsOf(network), device: GPU, held: "vectors" });
const onDevice = Object.fromEntries(train.writes.map((each) => [nextName(each.name), "gpu-buffer" as const]));
const session = await openTraining(train, network, {
  ...ALONE,
  ...(GPU === "webgpu" && { preferredOutputLocation: onDevice }),
});
const losses: number[] = [];
for (let step = 0; step < 5; step += 1) losses.push((await session.run(step))["loss"]![0]!);
await session.close();
process.stdout.write(`${JSON.stringify(losses)}\n`);
