/** Run by webgpu.test.ts in a process of its own: prints what WebGPU gives for each case, or why it gives nothing. */
import { ALONE, GPU } from "../../../support/gpu.js";
import { emitBytes } from "../../emit/run.js";
import { operatorGraph, run, type Tensor } from "./run.js";
import { detections } from "./detector.js";
import { CASES, DETECTORS, IMAGE } from "./webgpu.cases.js";

const results: Record<string, Tensor[] | string> = {};
for (const [name, { op, inputs, attributes, alone }] of Object.entries(CASES)) {
  const bytes = emitBytes(operatorGraph(op, inputs, attributes, !alone));
  const options = { ...(alone && ALONE), executionProviders: [GPU] };
  try {
    results[name] = await run(bytes, inputs, options);
  } catch (error) {
    results[name] = (error as Error).message;
  }
}
const found: Record<string, Tensor[] | string> = {};
for (const [name, source] of Object.entries(DETECTORS)) {
  try {
    found[name] = await detections(source, IMAGE, GPU);
  } catch (error) {
    found[name] = (error as Error).message;
  }
}
process.stdout.write(`${JSON.stringify({ results, found })}\n`);
