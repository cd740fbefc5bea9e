import { mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StateTensor } from "../../../compiler/training/contract.js";
import {
  checkpointFile,
  discardLeftovers,
  newestCheckpoint,
  readCheckpoint,
  saveCheckpoint,
} from "../../../runtime/training/checkpoint.js";
import { START } from "../../../runtime/training/position.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "resnetc-checkpoint-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const tensor = (name: string, shape: readonly number[]): StateTensor => ({
  name,
  shape,
  dtype: "float32",
  role: "parameter",
  init: { kind: "constant", value: 0 },
});
const TENSORS = [tensor("fc.weight", [2, 3]), tensor("momentum.fc.weight", [2, 3]), tensor("step", [])];
const IDENTITY = { target: "Tiny", recipe: "quick", data: "shapes", seed: 3, settings: "{}" };
const stateAt = (step: number) =>
  new Map([
    ["fc.weight", Float32Array.from({ length: 6 }, (_, i) => step + i / 7)],
    ["momentum.fc.weight", Float32Array.from({ length: 6 }, (_, i) => -i)],
    ["step", Float32Array.of(step)],
  ]);
const save = (step: number, best = false) =>
  saveCheckpoint(folder, { position: { ...START, step }, identity: IDENTITY, state: stateAt(step) }, TENSORS, best);

async function damage(file: string, change: (bytes: Buffer) => Buffer): Promise<void> {
  await writeFile(file, change(await readFile(file)));
}

describe("checkpoints", () => {
  it("give back what was saved, to the bit", async () => {
    await save(5);
    const found = await newestCheckpoint(folder, TENSORS);
    expect(found?.warnings).toEqual([]);
    expect(found?.checkpoint).toEqual({
      file: checkpointFile(folder, 5),
      position: { ...START, step: 5 },
      identity: IDENTITY,
      state: stateAt(5),
    });
  });

  it("keep the newest two and the best", async () => {
    for (const step of [5, 10, 15, 100]) await save(step, step === 10);
    expect((await readdir(folder)).sort()).toEqual(["best.safetensors", "step-100.safetensors", "step-15.safetensors"]);
    expect((await readCheckpoint(path.join(folder, "best.safetensors"), TENSORS)).position.step).toBe(10);
  });

  it("are found to be absent", async () => {
    expect(await newestCheckpoint(path.join(folder, "nothing"), TENSORS)).toBeUndefined();
  });

  it.each<[string, (bytes: Buffer) => Buffer, RegExp]>([
    ["truncated", (bytes) => bytes.subarray(0, bytes.length - 9), /is truncated/],
    ["empty", () => Buffer.alloc(0), /is empty/],
    [
      "changed in its data",
      (bytes) => (bytes.writeUInt8(bytes.at(-3)! ^ 4, bytes.length - 3), bytes),
      /checksum of its data/,
    ],
    [
      "changed in its description",
      (bytes) => Buffer.from(bytes.toString("latin1").replace('\\"step\\":10', '\\"step\\":11'), "latin1"),
      /checksum of its description/,
    ],
    ["overwritten with zeros", (bytes) => Buffer.alloc(bytes.length), /step-10/],
  ])("fall back to the one before where the newest is %s, and say so", async (_, change, message) => {
    await save(5);
    await damage(await save(10), change);
    const found = await newestCheckpoint(folder, TENSORS);
    expect(found?.checkpoint.position.step).toBe(5);
    expect(found?.warnings).toHaveLength(1);
    expect(found?.warnings[0]).toMatch(message);
    expect(found?.warnings[0]).toMatch(/step-10\.safetensors: .*; going on from step-5\.safetensors, which is older$/);
  });

  it("say in one line that none can be used", async () => {
    for (const step of [5, 10]) await damage(await save(step), (bytes) => bytes.subarray(0, 40));
    const failed = await newestCheckpoint(folder, TENSORS).catch((error: Error) => error.message);
    expect(failed).toMatch(
      /^\S+step-10\.safetensors: is [^\n]+; nor can the one before it be used: begin again in another folder, or remove \S+$/,
    );
  });

  it("of another network are refused", async () => {
    await save(5);
    await expect(newestCheckpoint(folder, [tensor("fc.weight", [2, 4])])).rejects.toThrow(
      /fc\.weight is \[2, 3\], not \[2, 4\]: it is of another network/,
    );
    await expect(newestCheckpoint(folder, [tensor("fc2.weight", [2, 4])])).rejects.toThrow(/has no fc2\.weight/);
  });

  it("leave nothing half-written behind", async () => {
    await save(5);
    await (await open(path.join(folder, ".step-10.safetensors.1-ab.tmp"), "w")).close();
    await discardLeftovers(folder);
    expect(await readdir(folder)).toEqual(["step-5.safetensors"]);
  });
});
