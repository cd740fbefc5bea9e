/** Run by targets.test.ts in a process of its own: prints how far losses and gradients of a batch on WebGPU are from a golden's. */
import { readFileSync } from "node:fs";
import { GPU } from "../../support/gpu.js";
import { gradientError, lossError, trainTiny, type TargetsGolden } from "./tiny-detector.js";

const goldens = JSON.parse(readFileSync(process.env["RESNETC_GOLDEN"]!, "utf8")) as readonly TargetsGolden[];
const batch = Number(process.env["RESNETC_BATCH"]);
const golden = goldens[batch]!;
const options = { executionProviders: [GPU] };
const { outputs } = await trainTiny(process.env["RESNETC_DIALECT"]!, golden, batch, GPU, options);
const errors = { loss: lossError(outputs, golden), gradient: gradientError(outputs, golden) };
process.stdout.write(`${JSON.stringify(errors)}\n`);
