import path from "node:path";
import { describe, expect, it } from "vitest";
import { runInNode } from "../../support/run-in-node.js";
import { NO_WEBGPU, WEBGPU_ENV } from "../../support/webgpu.js";

const SCRIPT = path.join(import.meta.dirname, "memory.ts");

interface Report {
  readonly resident: readonly number[];
  readonly losses: readonly number[];
}

const highest = (values: readonly number[]): number => Math.max(...values);

describe("a training's memory", () => {
  it("is flat over 1,000 updates on the processor", { timeout: 300_000 }, async () => {
    const { resident } = await runInNode<Report>(SCRIPT);
    expect(resident).toHaveLength(100);
    // The first fifth is the engine's and the collector's: they take what they will need.
    expect(highest(resident.slice(80)) - highest(resident.slice(20, 40))).toBeLessThan(15);
  });

  it.skipIf(NO_WEBGPU)("stays on the device of WebGPU, with the processor's losses", { timeout: 600_000 }, async () => {
    const cpu = await runInNode<Report>(SCRIPT, { RESNETC_STEPS: "5" });
    const webgpu = await runInNode<Report>(SCRIPT, { ...WEBGPU_ENV, RESNETC_DEVICE: "webgpu", RESNETC_STEPS: "5" });
    expect(webgpu.losses).toHaveLength(5);
    webgpu.losses.forEach((loss, step) => expect(Math.abs(loss / cpu.losses[step]! - 1)).toBeLessThan(1e-3));
  });
});
