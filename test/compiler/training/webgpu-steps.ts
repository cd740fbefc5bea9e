/** The first five steps of a network on WebGPU, every operator and all state there, and PyTorch's. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { runInNode } from "../../support/run-in-node.js";
import { WEBGPU_ENV } from "../../support/webgpu.js";

/** How far each loss is from PyTorch's, relatively. */
export async function apartFromPyTorch(name: string): Promise<readonly number[]> {
  const file = new URL(`../../golden/training/${name}.json`, import.meta.url);
  const { losses: theirs } = JSON.parse(readFileSync(file, "utf8")) as { losses: number[] };
  const script = path.join(import.meta.dirname, "session.webgpu.ts");
  const ours = await runInNode<number[]>(script, { ...WEBGPU_ENV, RESNETC_NETWORK: name });
  return ours.map((loss, step) => Math.abs(loss / theirs[step]! - 1));
}
