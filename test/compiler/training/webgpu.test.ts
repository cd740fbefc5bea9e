/** The first steps on WebGPU, every operator and all state there, beside PyTorch's losses. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { runInNode } from "../../support/run-in-node.js";
import { NO_WEBGPU, WEBGPU_ENV } from "../../support/webgpu.js";

const golden = (name: string): readonly number[] => {
  const file = new URL(`../../golden/training/${name}.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { losses: number[] }).losses;
};

describe.skipIf(NO_WEBGPU !== undefined)(`five steps on WebGPU${NO_WEBGPU ? ` (${NO_WEBGPU})` : ""}`, () => {
  let losses: Readonly<Record<string, readonly number[]>>;
  beforeAll(async () => {
    losses = await runInNode(path.join(import.meta.dirname, "session.webgpu.ts"), WEBGPU_ENV);
  }, 600_000);

  it.each(["webgpu_steps"])("%s", (name) => {
    const own = losses[name]!;
    expect(own.length).toBe(5);
    own.forEach((loss, step) => {
      expect(Math.abs(loss / golden(name)[step]! - 1), `step ${step}: ${loss}`).toBeLessThan(1e-3);
    });
  });
});
