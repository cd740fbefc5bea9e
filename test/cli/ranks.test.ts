/** `resnetc train` on several ranks: started by `--ranks`, and by hand. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import os from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { readMetrics } from "../../runtime/training/metrics.js";
import { descendants } from "../support/descendants.js";
import { MPIS } from "../support/mpi.js";
import { sceneFolder } from "../support/scene-folder.js";
import { TINY_DETECTOR } from "../support/tiny-detector-training.js";
import { tinyFolder, trainTiny } from "../support/tiny-training.js";
import { BIN, folderWith, resnetc, type Ended } from "./resnetc.js";

type Child = Pick<ChildProcess, "pid">;

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries++) {
    if (tries > 400) throw new Error("it did not come to that");
    await wait(50);
  }
}

/** Processes that train. */
const ranksOf = (child: Child): number[] =>
  descendants(child.pid!)
    .filter(({ words }) => words.some((word) => word.endsWith("bin/resnetc.js")))
    .map(({ pid }) => pid);

const SHORT = ["--set", "stop=150", "--set", "validate=100000"];
const LONG = ["--set", "stop=100000", "--set", "checkpoint=5", "--set", "validate=100000"];

describe.each(MPIS)("--ranks with the mpirun of %s", (mpi) => {
  const env = { RESNETC_MPIRUN: `mpirun.${mpi}` };

  it("trains as one command: a report of one, metrics of one", async () => {
    const cwd = await tinyFolder();
    const { code, stdout, stderr } = await resnetc(trainTiny("run", "--ranks", "2", "--json"), { cwd, env });
    expect(code, stderr).toBe(0);
    const report = JSON.parse(stdout) as Record<string, unknown>;
    expect(report).toMatchObject({ finished: true, step: 40, ranks: { size: 2, machines: 1 } });
    expect(stderr.match(/40 updates of 16 images/g)).toHaveLength(1);
    const steps = readMetrics(join(cwd, "run/metrics.jsonl")).filter(({ kind }) => kind === "step");
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 40 }, (_, at) => at + 1));
  });

  it("Ctrl-C saves and ends", async () => {
    const cwd = await tinyFolder();
    const checkpoint = join(cwd, "run/checkpoints/step-5.safetensors");
    const { code, stderr } = await resnetc(trainTiny("run", "--ranks", "2", ...LONG), {
      cwd,
      env,
      started: (child) =>
        void until(() => existsSync(checkpoint))
          .then(() => child.kill("SIGINT"))
          .catch(() => child.kill("SIGKILL")),
    });
    expect(code, stderr).toBe(130);
    const updates = Number(/stopped after (\d+) updates/.exec(stderr)?.[1]);
    expect(existsSync(join(cwd, `run/checkpoints/step-${updates}.safetensors`))).toBe(true);
  });
});

it("a mistake is told once, and the job is not started again", async () => {
  const cwd = await tinyFolder();
  const run = await resnetc(trainTiny("run", "--ranks", "2", "--restart", "3", "--set", "batch=1"), { cwd });
  expect(run.code).toBe(1);
  expect(run.stderr.match(/a batch of 1 can't be shared out among 2 ranks/g)).toHaveLength(1);
  expect(run.stderr).not.toContain("started again");
});

it("--restart goes on from the checkpoint after a rank was killed", async () => {
  const cwd = await tinyFolder();
  const checkpoint = join(cwd, "run/checkpoints/step-10.safetensors");
  const args = trainTiny("run", "--ranks", "2", "--restart", "2", "--set", "checkpoint=5", ...SHORT);
  const { code, stderr } = await resnetc(args, {
    cwd,
    env: { RESNETC_MPIRUN: "mpirun.openmpi" },
    started: (child) =>
      void until(() => existsSync(checkpoint))
        .then(() => process.kill(ranksOf(child).at(-1)!, "SIGKILL"))
        .catch(() => child.kill("SIGKILL")),
  });
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/rank \d with PID \d+ on node \S+ exited on signal 9/);
  expect(stderr.match(/the job ended with code 137: it is started again and goes on/g)).toHaveLength(1);
  const log = await readFile(join(cwd, "run/training.log"), "utf8");
  expect(log).toMatch(/goes on after [1-9]\d* updates on cpu on 2 ranks/);
  expect(readMetrics(join(cwd, "run/metrics.jsonl")).filter(({ kind }) => kind === "step")).toHaveLength(150);
});

/** `resnetc` under MPICH's mpirun; the shell runs before it, in each rank. */
async function onRanks(size: number, args: readonly string[], cwd: string, shell = ""): Promise<Ended> {
  const words = ["-np", String(size), "sh", "-c", `${shell} exec "$0" "$@"`, process.execPath, BIN, ...args];
  const child = spawn("mpirun.mpich", words, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve) => child.once("close", (code, signal) => resolve({ code, signal, stdout, stderr })));
}

it("under mpirun, what one rank alone has not is told with its name", async () => {
  const cwd = await tinyFolder();
  const { code, stderr } = await onRanks(2, trainTiny(join(cwd, "run")), cwd, '[ "$PMI_RANK" = 1 ] && cd ..;');
  expect(code, stderr).toBe(1);
  expect(stderr).toMatch(new RegExp(`error: rank 1 on ${os.hostname()}: .*tiny\\.resnet`));
  expect(stderr.match(/error:/g)).toHaveLength(1);
});

describe("eval under mpirun gives the report of one process", () => {
  const report = ({ code, stdout, stderr }: Ended): unknown => {
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout);
  };

  it("of a classifier", async () => {
    const cwd = await tinyFolder();
    expect((await resnetc(trainTiny("run", "--steps", "2"), { cwd })).code).toBe(0);
    const args = ["eval", "run", "--data", "shapes", "--json", "--device", "cpu", "--batch", "7"];
    const [alone, shared] = [await resnetc(args, { cwd }), await onRanks(3, args, cwd)];
    expect(report(shared)).toEqual(report(alone));
  });

  it("of a detector, by COCO's and by PASCAL VOC's numbers", async () => {
    const cwd = await folderWith({ "tiny.resnet": TINY_DETECTOR });
    await sceneFolder(join(cwd, "scenes"));
    const words = ["train", "tiny.resnet#Tiny", "--recipe", "tiny.resnet", "--data", "coco:scenes", "-o", "run"];
    expect((await resnetc([...words, "--device", "cpu"], { cwd })).code).toBe(0);
    for (const metric of ["coco", "voc07"]) {
      const args = ["eval", "run", "--data", "coco:scenes", "--metric", metric, "--json", "--device", "cpu"];
      const [alone, shared] = [await resnetc(args, { cwd }), await onRanks(2, args, cwd)];
      expect(report(shared)).toEqual(report(alone));
    }
  });
});

describe("what does not go together is refused", () => {
  const refused = async (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
    resnetc(trainTiny("run", ...args), { cwd: await tinyFolder(), env });

  it.each<{ args: string[]; env: Record<string, string>; code: number; says: string }>([
    { args: ["--restart", "1"], env: {}, code: 2, says: "--restart goes with --ranks 2 or more" },
    {
      args: ["--ranks", "2"],
      env: { OMPI_COMM_WORLD_SIZE: "3" },
      code: 2,
      says: "this is one of 3 that the mpirun of Open MPI",
    },
    { args: ["--ranks", "2"], env: { SLURM_JOB_NUM_NODES: "2" }, code: 2, says: "start the ranks by srun" },
    {
      args: ["--ranks", "2"],
      env: { RESNETC_MPIRUN: "/nowhere/mpirun" },
      code: 1,
      says: "install an MPI (Debian: openmpi-bin or mpich)",
    },
    { args: [], env: { SLURM_STEP_NUM_TASKS: "2" }, code: 1, says: "srun started 2 processes, and" },
  ])("$args $env", async ({ args, env, code, says }) => {
    const run = await refused(args, env);
    expect(run.code, run.stderr).toBe(code);
    expect(run.stderr).toContain(says);
  });

  it("koffi is not there", async () => {
    const hooks = `export const resolve = (name, context, next) => {
      if (name === "koffi") throw Object.assign(new Error("none"), { code: "ERR_MODULE_NOT_FOUND" });
      return next(name, context);
    };`;
    const folder = await folderWith({
      "hooks.mjs": hooks,
      "register.mjs": 'import { register } from "node:module"; register("./hooks.mjs", import.meta.url);',
    });
    const run = await refused(["--ranks", "2"], { NODE_OPTIONS: `--import ${join(folder, "register.mjs")}` });
    expect(run.code).toBe(1);
    expect(run.stderr).toContain("several ranks need the package koffi");
    expect(run.stderr).toContain("npm install koffi");
  });
});
