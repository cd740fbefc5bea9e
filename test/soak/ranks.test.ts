/**
 * A training on two ranks, of which one is killed (SIGKILL) again and again, at a time by chance: the job ends within the stated time
 * with nothing left of it, and goes on from its newest checkpoint; when it has ended, losses and weights are those of a training that
 * nobody disturbed.
 *
 * A few rounds in the suite; `RESNETC_SOAK=200 npx vitest run test/soak/ranks.test.ts` for many.
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as wait } from "node:timers/promises";
import { expect, it } from "vitest";
import { readMetrics } from "../../runtime/training/metrics.js";
import { openWeights } from "../../runtime/weights/index.js";
import { BIN } from "../cli/resnetc.js";
import { descendants } from "../support/descendants.js";
import { MPIS, type Mpi } from "../support/mpi.js";
import { tinyFolder, trainTiny } from "../support/tiny-training.js";

const ROUNDS = Number(process.env["RESNETC_SOAK"] ?? 4);
const [STEPS, EVERY] = [400, 20];
/** Seconds in which a job has to end after one of its ranks was killed. */
const ENDS = 10;

const random = (below: number): number => Math.floor(Math.random() * below);

interface Round {
  readonly code: number | null;
  readonly said: string;
  /** Seconds from the kill to the end; undefined where nothing was killed. */
  readonly after?: number;
}

/** One job, and perhaps a rank of it killed so many milliseconds after both are there. */
async function round(cwd: string, output: string, mpi: Mpi, delay?: number): Promise<Round> {
  const set = ["--set", `stop=${STEPS}`, "--set", `checkpoint=${EVERY}`, "--set", "validate=100000", "--resume"];
  const args = trainTiny(output, ...set, "--images", "0", "--ranks", "2");
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd,
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, RESNETC_MPIRUN: `mpirun.${mpi}` },
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  let killed: number | undefined;
  const ranks = (): number[] =>
    descendants(child.pid!).flatMap(({ pid, words }) =>
      words[0] === process.execPath && words[1] === BIN ? [pid] : [],
    );
  const all = new Set<number>();
  if (delay !== undefined) {
    while (child.exitCode === null && ranks().length < 2) await wait(20);
    await wait(delay);
    const found = ranks();
    found.forEach((pid) => all.add(pid));
    const victim = found[random(found.length)];
    if (victim !== undefined) {
      killed = performance.now();
      process.kill(victim, "SIGKILL");
    }
  }
  const code = await ended;
  const after = killed === undefined ? {} : { after: (performance.now() - killed) / 1000 };
  expect(descendants(process.pid).filter(({ pid }) => all.has(pid))).toEqual([]);
  return { code, said, ...after };
}

function saved(folder: string): number {
  const checkpoints = join(folder, "checkpoints");
  const names = existsSync(checkpoints) ? readdirSync(checkpoints) : [];
  return Math.max(0, ...names.flatMap((name) => /^step-(\d+)\.safetensors$/.exec(name)?.[1] ?? []).map(Number));
}

async function expectAlike(folder: string, whole: string): Promise<void> {
  const [ours, theirs] = [folder, whole].map((each) =>
    readMetrics(join(each, "metrics.jsonl")).flatMap((line) => (line.kind === "step" ? [line.loss] : [])),
  );
  // Two ranks add up in one order, so that nothing is rounded otherwise.
  expect(ours).toEqual(theirs);
  const [a, b] = await Promise.all(
    [folder, whole].map(async (each) => {
      const source = await openWeights(join(each, "model.safetensors"));
      const weights = new Map([...source.tensors.keys()].map((name) => [name, source.read(name)]));
      source.close();
      return weights;
    }),
  );
  expect(a).toEqual(b);
  const names = readdirSync(folder, { recursive: true }).map(String);
  expect(names.filter((name) => /\.tmp$|\.lock$/.test(name))).toEqual([]);
}

it.skipIf(process.platform !== "linux")(
  `${ROUNDS} kills of a rank: the job ends at once, and goes on from its checkpoint`,
  { timeout: 120_000 + ROUNDS * 30_000 },
  async () => {
    const cwd = await tinyFolder();
    const whole = join(cwd, "whole");
    const undisturbed = await round(cwd, whole, "openmpi");
    expect(undisturbed.code, undisturbed.said).toBe(0);
    let [kills, trainings, missed, slowest] = [0, 0, 0, 0];
    while (kills < ROUNDS) {
      const folder = join(cwd, `run-${trainings++}`);
      let isOver = false;
      while (kills < ROUNDS && !isOver) {
        const before = saved(folder);
        const { code, said, after } = await round(cwd, folder, MPIS[kills % MPIS.length]!, random(5000));
        isOver = code === 0;
        if (isOver || after === undefined) missed++;
        else {
          kills++;
          slowest = Math.max(slowest, after);
          expect(after, said).toBeLessThan(ENDS);
        }
        expect(saved(folder), said).toBeGreaterThanOrEqual(before);
      }
      const last = await round(cwd, folder, "openmpi");
      expect(last.code, last.said).toBe(0);
      await expectAlike(folder, whole);
      await rm(folder, { recursive: true });
    }
    if (ROUNDS > 20) {
      const words = `${kills} kills of ${trainings} trainings, ${missed} came too late; the slowest end took ${slowest.toFixed(1)} s`;
      process.stderr.write(`${words}\n`);
    }
  },
);
