/** `resnetc train` of a detector, as a person would: ended and taken up again, judged, drawn. Killed: test/soak/kills.test.ts. */
import { spawn, type ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import Ajv, { type ValidateFunction } from "ajv";
import { expect, it } from "vitest";
import { readMetrics } from "../../runtime/training/metrics.js";
import { sceneFolder } from "../support/scene-folder.js";
import { TINY_ALTERNATING, TINY_DETECTOR } from "../support/tiny-detector-training.js";
import { BIN, folderWith, resnetc } from "./resnetc.js";

async function detectorFolder(): Promise<string> {
  const cwd = await folderWith({ "tiny.resnet": TINY_DETECTOR, "alternating.resnet": TINY_ALTERNATING });
  await sceneFolder(join(cwd, "scenes"));
  return cwd;
}

const train = (output: string, ...more: string[]): string[] => [
  ...["train", "tiny.resnet#Tiny", "--recipe", "tiny.resnet", "--data", "coco:scenes", "-o", output],
  ...["--device", "cpu", "--threads", "1", "--workers", "1", ...more],
];

const made = (cwd: string, output: string): number =>
  readMetrics(join(cwd, output, "metrics.jsonl")).filter(({ kind }) => kind === "step").length;

const saved = (cwd: string, output: string): number => {
  const names = readdirSync(join(cwd, output, "checkpoints"));
  return Math.max(0, ...names.flatMap((name) => /^step-(\d+)\.safetensors$/.exec(name)?.[1] ?? []).map(Number));
};

async function schemaOf(command: string): Promise<ValidateFunction> {
  const read = async (name: string): Promise<object> =>
    JSON.parse(await readFile(new URL(`../../docs/schemas/${name}.schema.json`, import.meta.url), "utf8")) as object;
  return new Ajv({ allErrors: true }).addSchema(await read("common")).compile(await read(command));
}

const ended = (child: ChildProcess): Promise<number | string | null> =>
  new Promise((resolve) => child.once("exit", (code, signal) => resolve(signal ?? code)));

it("ends after the update on a signal; its model is judged, looked at and used", async () => {
  const cwd = await detectorFolder();
  const child = spawn(process.execPath, [BIN, ...train("run", "--set", "stop=100000")], { cwd, stdio: "ignore" });
  const over = ended(child);
  const log = (): string => {
    try {
      return readFileSync(join(cwd, "run/training.log"), "utf8");
    } catch {
      return "";
    }
  };
  for (let tries = 0; tries < 3000 && !/validation/.test(log()); tries++) await wait(10);
  child.kill("SIGINT");
  expect(await over).toBe(130);
  expect(log()).toMatch(/stopped after \d+ updates: SIGINT/);
  const steps = made(cwd, "run");
  expect(saved(cwd, "run")).toBe(steps);
  const more = await resnetc(train("run", "--resume", "--best", "--json", "--set", `stop=${steps + 4}`), { cwd });
  expect(more.code, more.stderr).toBe(0);
  const report = JSON.parse(more.stdout) as { finished: boolean; best: { AP: number }; test: { AP: number } };
  const follows = await schemaOf("train");
  expect(follows(report), JSON.stringify(follows.errors)).toBe(true);
  expect(report).toMatchObject({ finished: true, step: steps + 4, exported: { from: "best", ...report.best } });

  const judged = await resnetc(["eval", "run", "--data", "coco:scenes", "--device", "cpu", "--json"], { cwd });
  expect(judged.code, judged.stderr).toBe(0);
  const { AP } = JSON.parse(judged.stdout) as { AP: number };
  expect(AP).toBeCloseTo(report.test.AP, 10);

  const drawn = await resnetc(["plot", "run", "-o", "run.svg"], { cwd });
  expect(drawn.code, drawn.stderr).toBe(0);
  const svg = await readFile(join(cwd, "run.svg"), "utf8");
  for (const words of ["AP", "proposal_losses.objectness", "region_losses.boxes"]) expect(svg).toContain(words);

  const tuned = await resnetc(["tune", "tiny.resnet#Tiny", "--recipe", "tiny.resnet"], { cwd });
  expect(tuned).toMatchObject({ code: 1, stdout: "" });
  expect(tuned.stderr).toMatch(/^error: Tiny is trained at several sizes: name the one to measure at with --input/);

  const image = readdirSync(join(cwd, "scenes/val2017"))[0]!;
  const found = await resnetc(["detect", "run/model.onnx", join("scenes/val2017", image), "--device", "cpu"], { cwd });
  expect(found.code, found.stderr).toBe(0);
}, 120_000);

it("is trained in phases, which are told; one alone is compiled by its name", async () => {
  const cwd = await detectorFolder();
  const inPhases = train("run", "--json").map((word) => (word === "tiny.resnet" ? "alternating.resnet" : word));
  const cut = await resnetc([...inPhases, "--set", "stop=1", "--set", "heads.stop=2", "--images", "0"], { cwd });
  expect(cut.code, cut.stderr).toBe(0);
  const told = [
    "phase 1 of 4, rpn",
    "phase 2 of 4, heads",
    "phase 3 of 4, rpn_on_shared",
    "phase 4 of 4, heads_on_shared",
  ];
  let place = 0;
  for (const line of told) expect((place = cut.stderr.indexOf(line, place)), cut.stderr).toBeGreaterThanOrEqual(0);
  const follows = await schemaOf("train");
  const report = JSON.parse(cut.stdout) as { test: { phase: string } };
  expect(follows(report), JSON.stringify(follows.errors)).toBe(true);
  expect(report).toMatchObject({ finished: true, step: 1 + 2 + 1 + 1, test: { phase: "heads_on_shared" } });

  const one = ["compile", "tiny.resnet#Tiny", "--training", "--recipe", "alternating.resnet", "--input", "3x48x64"];
  const compiled = await resnetc([...one, "--phase", "heads", "-o", "step", "--json"], { cwd });
  expect(compiled.code, compiled.stderr).toBe(0);
  const compiles = await schemaOf("compile");
  expect(compiles(JSON.parse(compiled.stdout)), JSON.stringify(compiles.errors)).toBe(true);
  const described = JSON.parse(await readFile(join(cwd, "step/training.json"), "utf8")) as {
    train: { inputs: { name: string; shape: unknown[] }[] };
  };
  expect(described.train.inputs).toContainEqual(
    expect.objectContaining({ name: "proposals.boxes", shape: [2, "proposals", 4] }),
  );
  const unnamed = await resnetc(one, { cwd });
  expect(unnamed.code).not.toBe(0);
  expect(unnamed.stderr).toContain("is made of phases (rpn, heads, rpn_on_shared, heads_on_shared): name one of them");
});
