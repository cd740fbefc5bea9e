/**
 * The training of a detector that is killed (SIGKILL) again and again, at any time and in the middle of what it writes. Each
 * time it goes on from the newest checkpoint that was complete; when it has ended, everything is bit for bit that of a
 * training that nobody disturbed.
 *
 * A few rounds in the suite; `RESNETC_SOAK=50 npx vitest run test/soak/kills.test.ts` for many. Last done in November 2026:
 * 50 kills of 9 trainings, after which 70 updates were made again; weights, momenta and metrics the same to the bit.
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { openWeights } from "../../runtime/weights/index.js";
import { BIN, folderWith } from "../cli/resnetc.js";
import { sceneFolder } from "../support/scene-folder.js";
import { TINY_DETECTOR } from "../support/tiny-detector-training.js";
import { lasting } from "../support/training-runs.js";

const ROUNDS = Number(process.env["RESNETC_SOAK"] ?? 5);
const [STEPS, EVERY] = [60, 3];

/** Where it is killed: at a moment of what it does to files (kill-at.mjs), the `count`th at most. */
interface Moment {
  readonly file: string;
  readonly moment: "before" | "half" | "after";
  readonly most: number;
}

const CHECKPOINT = "/\\.step-\\d+\\.safetensors\\.";
const BEST = "best\\.safetensors$";
/** The first are those of the suite. Undefined: after a time by chance, its beginning included. */
const MOMENTS: readonly (Moment | undefined)[] = [
  { file: CHECKPOINT, moment: "half", most: 30 },
  { file: BEST, moment: "before", most: 2 },
  { file: "metrics\\.jsonl$", moment: "half", most: 20 },
  undefined,
  { file: "model\\.onnx\\.", moment: "half", most: 1 },
  { file: CHECKPOINT, moment: "before", most: 5 },
  { file: CHECKPOINT, moment: "after", most: 5 },
  { file: "^\\S*/step-\\d+\\.safetensors$", moment: "before", most: 3 },
  { file: "^\\S*/step-\\d+\\.safetensors$", moment: "after", most: 3 },
  undefined,
  { file: "step-\\d+\\.safetensors to \\S*best", moment: "after", most: 2 },
  { file: BEST, moment: "after", most: 2 },
  { file: "events\\.out", moment: "half", most: 20 },
  { file: "training\\.log$", moment: "half", most: 4 },
  undefined,
  { file: "training\\.lock$", moment: "after", most: 1 },
  { file: "/\\.metrics\\.jsonl", moment: "half", most: 1 },
  { file: "/\\.config\\.json", moment: "half", most: 1 },
  { file: "model\\.safetensors\\.", moment: "half", most: 1 },
  { file: "model\\.safetensors$", moment: "after", most: 1 },
  { file: "model\\.onnx$", moment: "before", most: 1 },
  { file: "model\\.onnx$", moment: "after", most: 1 },
];

const PRELOAD = fileURLToPath(new URL("../support/kill-at.mjs", import.meta.url));
const random = (below: number): number => Math.floor(Math.random() * below);

/** One process that trains, killed at a moment or not at all. */
async function round(folder: string, moment?: Moment | "any time"): Promise<{ code: number | string; said: string }> {
  const [cwd, output] = [join(folder, ".."), folder];
  const args = ["train", "tiny.resnet#Tiny", "--recipe", "tiny.resnet", "--data", "coco:scenes", "-o", output];
  const set = { stop: STEPS, validate: 15, checkpoint: EVERY };
  for (const [word, value] of Object.entries(set)) args.push("--set", `${word}=${value}`);
  args.push("--device", "cpu", "--threads", "1", "--workers", "1", "--images", "2", "--best", "--resume");
  const hook = typeof moment === "object" ? { ...moment, count: 1 + random(moment.most) } : undefined;
  const child = spawn(process.execPath, [...(hook ? ["--import", PRELOAD] : []), BIN, ...args], {
    cwd,
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...(hook && { RESNETC_KILL_AT: JSON.stringify(hook) }) },
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<number | string>((resolve) =>
    child.once("close", (code, signal) => resolve(signal ?? code!)),
  );
  if (moment === "any time") {
    await wait(random(4000));
    child.kill("SIGKILL");
  }
  return { code: await ended, said };
}

const made = (folder: string): number =>
  Math.max(0, ...(lasting(folder) as { kind: string; step: number }[]).map(({ step }) => step));

function saved(folder: string): number {
  const checkpoints = join(folder, "checkpoints");
  const names = existsSync(checkpoints) ? readdirSync(checkpoints) : [];
  return Math.max(0, ...names.flatMap((name) => /^step-(\d+)\.safetensors$/.exec(name)?.[1] ?? []).map(Number));
}

/** Updates after which each run of a training went on. */
function begun(folder: string): number[] {
  const log = join(folder, "training.log");
  if (!existsSync(log)) return [];
  const lines = readFileSync(log, "utf8").split("\n").slice(0, -1);
  return lines.flatMap((line) => {
    const found = /Z (begins|goes on after (\d+) updates) on cpu, \d+ updates in all$/.exec(line);
    return found ? [Number(found[2] ?? 0)] : [];
  });
}

async function state(file: string): Promise<Map<string, Float32Array>> {
  const source = await openWeights(file);
  const values = new Map([...source.tensors.keys()].map((name) => [name, source.read(name)]));
  source.close();
  return values;
}

async function expectEqual(folder: string, whole: string): Promise<void> {
  expect(lasting(folder)).toEqual(lasting(whole));
  for (const name of ["model.safetensors", "model.onnx"]) {
    const [ours, theirs] = await Promise.all([folder, whole].map((each) => readFile(join(each, name))));
    expect(ours!.equals(theirs!), name).toBe(true);
  }
  for (const name of ["checkpoints/best.safetensors", `checkpoints/step-${STEPS}.safetensors`]) {
    expect(await state(join(folder, name)), name).toEqual(await state(join(whole, name)));
  }
  const names = readdirSync(folder, { recursive: true }).map(String);
  expect(names.filter((name) => /\.tmp$|\.lock$/.test(name))).toEqual([]);
  const lines = readFileSync(join(folder, "training.log"), "utf8").split("\n").slice(0, -1);
  expect(lines.filter((line) => (line.match(/\d{4}-\d\d-\d\dT/g) ?? []).length > 1)).toEqual([]);
}

it.skipIf(process.platform === "win32")(
  `${ROUNDS} kills of a detector's training lose no more than the updates since the last checkpoint`,
  { timeout: 120_000 + ROUNDS * 60_000 },
  async () => {
    const cwd = await folderWith({ "tiny.resnet": TINY_DETECTOR });
    await sceneFolder(join(cwd, "scenes"));
    const whole = join(cwd, "whole");
    const undisturbed = await round(whole);
    expect(undisturbed.code, undisturbed.said).toBe(0);
    let [kills, trainings, lost] = [0, 0, 0];
    const missed: string[] = [];
    while (kills < ROUNDS) {
      const folder = join(cwd, `run-${trainings++}`);
      let isOver = false;
      while (kills < ROUNDS && !isOver) {
        const before = { saved: saved(folder), begun: begun(folder).length };
        const moment = MOMENTS[(kills + missed.length) % MOMENTS.length];
        const { code, said } = await round(folder, moment ?? "any time");
        isOver = code === 0;
        expect(["SIGKILL", 0], said).toContain(code);
        if (isOver) missed.push(JSON.stringify(moment ?? "any time"));
        else kills++;
        const [, ...more] = begun(folder).slice(before.begun - 1);
        if (before.begun > 0) expect(more, said).toEqual(more.length === 0 ? [] : [before.saved]);
        // One may have been on its way, of which nothing is left.
        expect(saved(folder)).toBeGreaterThanOrEqual(before.saved);
        expect(saved(folder)).toBeGreaterThanOrEqual(made(folder) - 2 * EVERY);
        lost += made(folder) - saved(folder);
      }
      const last = await round(folder);
      expect(last.code, last.said).toBe(0);
      await expectEqual(folder, whole);
      await rm(folder, { recursive: true });
    }
    if (ROUNDS > 20) {
      const words = `${kills} kills of ${trainings} trainings, ${lost} updates made again, ended before: ${missed.join(", ")}`;
      process.stderr.write(`${words}\n`);
    }
  },
);
