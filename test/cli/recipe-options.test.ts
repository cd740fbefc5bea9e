/** `--set` of train, and find-rate, as they are typed. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { changesOf } from "../../cli/recipe-options.js";
import { folderWith, resnetc } from "./resnetc.js";

const TRAIN = [
  "train",
  "CifarResNet(depth: 8)",
  "--recipe",
  "shapes",
  "--data",
  "shapes",
  "--device",
  "cpu",
  "-o",
  "run",
];

it("shows a wrong value at its place in what was typed, and trains nothing", async () => {
  const folder = await folderWith();
  const { code, stderr } = await resnetc([...TRAIN, "--set", "seed=1", "--set", "optimizer.momentun=0.8"], {
    cwd: folder,
  });
  expect(code).toBe(1);
  expect(stderr).toContain("--set, number 2:1:11 - error unknown-argument: `sgd` of `optimizer` has no `momentun`");
  expect(stderr).toContain("did you mean `momentum`?");
}, 60_000);

it("passes the short options on as the values that they are", () => {
  expect(changesOf({ set: ["ema=none"], epochs: 3, batch: 8, seed: 0 })).toEqual([
    "ema=none",
    "stop.epochs=3",
    "batch.images=8",
    "seed=0",
  ]);
  expect(changesOf({})).toEqual([]);
});

it("trains by the values that were given, and keeps them with the run", async () => {
  const folder = await folderWith();
  const set = [
    "learning_rate=0.01",
    "optimizer.momentum=0.8",
    "warm_up=none",
    "validate=2",
    "stop.patience=1",
    "stop.min_delta=1",
  ];
  const args = [
    ...TRAIN,
    "--steps",
    "6",
    "--batch",
    "16",
    "--json",
    "--threads",
    "1",
    ...set.flatMap((each) => ["--set", each]),
  ];
  const { code, stdout, stderr } = await resnetc(args, { cwd: folder });
  expect(code, stderr).toBe(0);
  const report = JSON.parse(stdout) as { step: number; finished: boolean; stoppedEarly: string; notices: string[] };
  expect(report).toMatchObject({ step: 4, finished: true });
  expect(report.stoppedEarly).toMatch(/^the validation error has not fallen below/);
  expect(report.notices).toContain(`ended after 4 of 6 updates: ${report.stoppedEarly}`);
  const config = JSON.parse(await readFile(path.join(folder, "run/config.json"), "utf8")) as { settings: object };
  expect(config.settings).toMatchObject({
    learningRate: 0.01,
    optimizer: { momentum: 0.8 },
    stop: { steps: 6 },
    batch: 16,
  });
  expect(config.settings).not.toHaveProperty("warmUp");
}, 120_000);

it("finds a rate, draws the curve, and leaves nothing else", async () => {
  const folder = await folderWith();
  const args = [
    "find-rate",
    "CifarResNet(depth: 8)",
    "--recipe",
    "shapes",
    "--data",
    "shapes",
    "--device",
    "cpu",
    "--json",
  ];
  const { code, stdout, stderr } = await resnetc([...args, "--steps", "12", "--batch", "8", "--threads", "1"], {
    cwd: folder,
  });
  expect(code, stderr).toBe(0);
  const report = JSON.parse(stdout) as { points: { rate: number }[]; file: string };
  expect(report.points.length).toBeGreaterThan(1);
  expect(report.points[0]!.rate).toBe(1e-7);
  expect(await readFile(path.join(folder, report.file), "utf8")).toMatch(/^<svg/);
  expect((await resnetc(["find-rate", "ResNet18", "--recipe", "shapes", "--data", "shapes", "--from", "0"])).code).toBe(
    2,
  );
}, 120_000);
