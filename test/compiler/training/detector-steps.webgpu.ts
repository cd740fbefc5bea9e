/**
 * Run by detector-webgpu.test.ts in a process of its own: prints the losses of three steps of a detector on WebGPU, and which
 * operators ran on the processor.
 */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { GPU } from "../../support/gpu.js";
import { detectorSteps } from "./detector-steps.js";

interface ProfileEvent {
  readonly name: string;
  readonly args?: { readonly provider?: string; readonly op_name?: string };
}

const folder = await mkdtemp(path.join(tmpdir(), "resnetc-profile-"));
const steps = await detectorSteps(GPU, {
  executionProviders: [GPU],
  enableProfiling: true,
  profileFilePrefix: path.join(folder, "steps"),
});
const [file] = await readdir(folder);
const events = JSON.parse(await readFile(path.join(folder, file!), "utf8")) as readonly ProfileEvent[];
await rm(folder, { recursive: true });
const onProcessor = events.flatMap(({ name, args }) =>
  name.endsWith("_kernel_time") && args?.provider === "CPUExecutionProvider" ? [args.op_name!] : [],
);
process.stdout.write(`${JSON.stringify({ steps, onProcessor: [...new Set(onProcessor)].sort() })}\n`);
