/**
 * A training that is disturbed again and again: killed, hung up, its output closed, its disk filled, its folder taken by
 * another. After each round it goes on; whenever it has ended, everything is bit for bit that of an undisturbed one.
 *
 * A few rounds in the suite; `RESNETC_SOAK=200 npx vitest run test/soak` for many.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, expect, it } from "vitest";
import { readMetrics, type StepMetrics } from "../../runtime/training/metrics.js";
import { openWeights } from "../../runtime/weights/index.js";
import { BIN, folderWith } from "../cli/resnetc.js";

const ROUNDS = Number(process.env["RESNETC_SOAK"] ?? 5);
const EVERY = 5;
/** Updates of a training: of many rounds a training takes more. */
const STEPS = ROUNDS > 20 ? 600 : 150;
const SOURCE = `network Tiny {
  input image 3x32x32
  stage conv1 { conv 3x3, 4, /4   bn   relu }
  head        { global_avg_pool   dropout 0.2   fc 10   softmax }
}
recipe quick {
  optimizer adamw()
  batch 16, accumulate: 2
  learning_rate 0.01, plateau(patience: 2)
  warm_up 0.001, steps: 20
  ema 0.9
  stop ${STEPS}
  validate ${STEPS / 3}
  checkpoint ${EVERY}
  train { subtract_mean   pad 2   random_crop 32x32   flip_horizontal }
}
`;

interface Place {
  readonly cwd: string;
  readonly output: string;
  /** A file that leaves no room where the run lies; undefined where no small disk can be made. */
  readonly filler: string | undefined;
}

interface Round {
  readonly code: number | string | null;
  readonly said: string;
}

const running = new Set<ChildProcess>();
const disks: string[] = [];
afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
  for (const disk of disks) spawnSync("umount", [disk]);
});

function start({ cwd, output }: Place, more: readonly string[] = []): { child: ChildProcess; ended: Promise<Round> } {
  const args = ["train", "tiny.resnet", "--recipe", "tiny.resnet", "--data", "shapes", "--device", "cpu"];
  const child = spawn(process.execPath, [BIN, ...args, "--threads", "1", "-o", output, "--resume", ...more], {
    cwd,
    stdio: ["ignore", "ignore", "pipe"],
  });
  running.add(child);
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<Round>((resolve) =>
    child.once("exit", (code, signal) => {
      running.delete(child);
      resolve({ code: signal ?? code, said });
    }),
  );
  return { child, ended };
}

const metricsOf = ({ cwd, output }: Place) => readMetrics(join(cwd, output, "metrics.jsonl"));
const made = (place: Place): number =>
  metricsOf(place).filter((each): each is StepMetrics => each.kind === "step").length;
const saved = ({ cwd, output }: Place): number => {
  const folder = join(cwd, output, "checkpoints");
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return Math.max(0, ...names.flatMap((name) => /^step-(\d+)\.safetensors$/.exec(name)?.[1] ?? []).map(Number));
};

const beginnings = ({ cwd, output }: Place): number => {
  const log = join(cwd, output, "training.log");
  return existsSync(log) ? readFileSync(log, "utf8").split(" updates in all\n").length - 1 : 0;
};

/** When it has begun, and so many more updates were made than were saved; or when it has ended of itself. */
async function after(place: Place, updates: number, ended: Promise<Round>, begun: number): Promise<void> {
  const goal = saved(place) + updates;
  let isOver = false;
  void ended.then(() => (isOver = true));
  while (!isOver && (beginnings(place) === begun || made(place) < goal)) await wait(3);
}

const random = (below: number): number => Math.floor(Math.random() * below);

/** Each gives the exit of the training that it disturbed, after what must hold was held. */
const DISTURBANCES: Readonly<Record<string, (place: Place) => Promise<Round>>> = {
  async "kill -9"(place) {
    const begun = beginnings(place);
    const { child, ended } = start(place);
    await after(place, 1 + random(25), ended, begun);
    child.kill("SIGKILL");
    const round = await ended;
    // One may have been on its way.
    expect(saved(place)).toBeGreaterThanOrEqual(made(place) - 2 * EVERY);
    return round;
  },
  async "hang-up"(place) {
    const begun = beginnings(place);
    // A shell that says what it starts, and does not say nohup.
    const { cwd, output } = place;
    const args = ["train", "tiny.resnet", "--recipe", "tiny.resnet", "--data", "shapes", "--device", "cpu"];
    const line = [process.execPath, BIN, ...args, "--threads", "1", "-o", output, "--resume"].join(" ");
    const shell = spawn("bash", ["-c", `${line} 2> said.txt & echo $! > pid; wait $!; exit $?`], {
      cwd,
      stdio: "ignore",
    });
    running.add(shell);
    const ended = new Promise<Round>((resolve) =>
      shell.once("exit", (code) => {
        running.delete(shell);
        void readFile(join(cwd, "said.txt"), "utf8").then((said) => resolve({ code, said }));
      }),
    );
    await after(place, 1 + random(25), ended, begun);
    const pid = Number(await readFile(join(cwd, "pid"), "utf8"));
    try {
      process.kill(pid, "SIGHUP");
    } catch {
      // It had ended.
    }
    const round = await ended;
    expect([0, 130], round.said).toContain(round.code);
    if (round.code === 130) expect(saved(place)).toBe(made(place));
    return round;
  },
  async "closed pipe"(place) {
    const { child, ended } = start(place);
    child.stderr!.destroy();
    const round = await ended;
    // The last of its lines may have been that it had ended.
    expect([0, 130]).toContain(round.code);
    expect(saved(place)).toBe(made(place));
    return round;
  },
  async "full disk"(place) {
    const before = saved(place);
    if (place.filler === undefined) return { code: 0, said: "" };
    // To the last byte but a few blocks.
    spawnSync("dd", ["if=/dev/zero", `of=${place.filler}`, "bs=4096"]);
    spawnSync("truncate", ["-s", `-${random(30) * 4096}`, place.filler]);
    const round = await start(place).ended;
    await rm(place.filler);
    expect([0, 1], round.said).toContain(round.code);
    if (round.code === 1) expect(round.said).toMatch(/^error: \S+: can't be written: the disk is full$/m);
    expect(saved(place)).toBeGreaterThanOrEqual(before);
    return round;
  },
  async "two writers"(place) {
    const begun = beginnings(place);
    const { child, ended } = start(place);
    await after(place, 1 + random(5), ended, begun);
    const second = await start(place, random(2) === 0 ? [] : ["--seed", "5"]).ended;
    child.kill(random(2) === 0 ? "SIGKILL" : "SIGTERM");
    const round = await ended;
    // Where the first had ended, the second was alone.
    if (round.code !== 0) {
      expect(second.code, second.said).toBe(1);
      expect(second.said).toMatch(/^error: \S+: process \d+ is training in this folder since/m);
    }
    return round;
  },
};

async function state(file: string): Promise<Map<string, Float32Array>> {
  const source = await openWeights(file);
  const values = new Map([...source.tensors.keys()].map((name) => [name, source.read(name)]));
  source.close();
  return values;
}

async function expectEqual(place: Place, whole: Place): Promise<void> {
  const losses = (each: Place): unknown[] =>
    metricsOf(each).map(({ kind, step, loss, error }) => [kind, step, loss, error]);
  expect(losses(place)).toEqual(losses(whole));
  const file = (each: Place, name: string): string => join(each.cwd, each.output, name);
  for (const name of ["model.safetensors", "model.onnx", "statistics.safetensors"]) {
    expect((await readFile(file(place, name))).equals(await readFile(file(whole, name))), name).toBe(true);
  }
  for (const name of ["checkpoints/best.safetensors", `checkpoints/step-${STEPS}.safetensors`]) {
    expect(await state(file(place, name))).toEqual(await state(file(whole, name)));
  }
  const names = readdirSync(join(place.cwd, place.output), { recursive: true }).map(String);
  expect(names.filter((name) => /\.tmp$|\.lock$/.test(name))).toEqual([]);
}

/** On a disk of 4 MB, where one can be made. */
async function smallDisk(cwd: string): Promise<string | undefined> {
  const disk = join(cwd, "disk");
  await mkdir(disk);
  if (process.platform !== "linux" || process.getuid?.() !== 0) return undefined;
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", disk]).status !== 0) return undefined;
  disks.push(disk);
  return join(disk, "filler");
}

it.skipIf(process.platform === "win32")(
  `${ROUNDS} rounds of disturbances lose nothing`,
  { timeout: 120_000 + ROUNDS * 60_000 },
  async () => {
    const cwd = await folderWith({ "tiny.resnet": SOURCE });
    const filler = await smallDisk(cwd);
    const whole: Place = { cwd, output: "whole", filler };
    expect((await start(whole).ended).code).toBe(0);
    const counts: Record<string, number> = {};
    let [finished, round] = [0, 0];
    const kinds = Object.keys(DISTURBANCES);
    while (round < ROUNDS) {
      const place: Place = { cwd, output: `disk/run-${finished}`, filler };
      let last: Round = { code: null, said: "" };
      for (; round < ROUNDS && last.code !== 0; round++) {
        const kind = kinds[round % kinds.length]!;
        last = await DISTURBANCES[kind]!(place);
        const key = `${kind}: ${last.code}`;
        counts[key] = (counts[key] ?? 0) + 1;
        if (last.code === 0 && kind === "full disk" && filler === undefined) last = { code: null, said: "" };
      }
      const ended = await start(place).ended;
      expect(ended.code, ended.said).toBe(0);
      await expectEqual(place, whole);
      await rm(join(cwd, place.output), { recursive: true });
      finished++;
      if (ROUNDS > 20) process.stderr.write(`${round} rounds, ${finished} trainings: ${JSON.stringify(counts)}\n`);
    }
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(ROUNDS);
  },
);
