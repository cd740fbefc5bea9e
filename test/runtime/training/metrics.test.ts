import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openMetrics, readMetrics, type StepMetrics } from "../../../runtime/training/metrics.js";

const folder = await mkdtemp(path.join(tmpdir(), "resnetc-metrics-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

const at = (step: number, loss = 1): StepMetrics => ({
  kind: "step",
  step,
  epoch: step / 10,
  loss,
  error: 0.5,
  learningRate: 0.1,
  imagesPerSecond: 100,
  waiting: 0,
  seconds: step,
});

describe("metrics", () => {
  const file = path.join(folder, "metrics.jsonl");

  it("are lines, as they come", async () => {
    const metrics = await openMetrics(file, { step: 0 });
    [1, 2, 3, 4].forEach((step) => metrics.add(at(step)));
    metrics.flush();
    metrics.close();
    expect(
      (await readFile(file, "utf8"))
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([1, 2, 3, 4].map((step) => at(step)));
  });

  it("go back to the checkpoint's update, without what a crash cut off", async () => {
    await appendFile(file, '{"kind":"step","step":5,"lo');
    const metrics = await openMetrics(file, { step: 3 });
    metrics.add(at(4, 2));
    metrics.close();
    expect(readMetrics(file).map(({ step, loss }) => [step, loss])).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
      [4, 2],
    ]);
  });

  it("begin anew with a new training", async () => {
    (await openMetrics(file, { step: 0 })).close();
    expect(readMetrics(file)).toEqual([]);
    expect(readMetrics(path.join(folder, "none"))).toEqual([]);
  });

  it.skipIf(process.platform !== "linux")("say in one line that the disk is full", async () => {
    const full = await openMetrics("/dev/full", { step: 0 });
    expect(() => full.add(at(1))).toThrow(/^\/dev\/full: can't be written: the disk is full$/);
    full.close();
  });
});
