/** Collectives under real launchers, and how a job ends in which something goes wrong. */
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launched } from "../../../runtime/parallel/launched.js";
import { openRanks } from "../../../runtime/parallel/open.js";
import { shareOf } from "../../../runtime/parallel/ranks.js";
import { MPIS, rankProgram, runRanks, type RankProgram } from "../../support/mpi.js";

const host = os.hostname();

let program: RankProgram;
beforeAll(async () => {
  program = await rankProgram(path.join(import.meta.dirname, "collectives.ts"));
});
afterAll(() => program.remove());

describe.each(MPIS)("under %s", (mpi) => {
  const other = mpi === "openmpi" ? "libmpich.so.12" : "libmpi.so.40";

  it.each([2, 4])("%i ranks combine, gather and tell", async (size) => {
    const { code, told, stderr } = await runRanks(mpi, size, program, ["works"]);
    expect([code, stderr]).toEqual([0, ""]);
    const engine = expect.stringMatching(mpi === "openmpi" ? /^Open MPI v\d/ : /^MPICH \d/) as string;
    expect(told).toHaveLength(size);
    expect(told).toEqual(
      expect.arrayContaining(
        Array.from({ length: size }, (_, rank) => ({ rank, size, wrong: [], engine, hosts: size })),
      ),
    );
  });

  it("what fails on one rank fails on all, and who it was is known", async () => {
    const { code, told } = await runRanks(mpi, 2, program, ["agrees"]);
    expect(code).toBe(0);
    const failures = { failure: ["RangeError", "only here", 1], first: ["TypeError", "at the first", 0] };
    expect(told).toEqual(expect.arrayContaining([0, 1].map((rank) => ({ rank, size: 2, ...failures }))));
  });

  it("arrays of other types and lengths, and two collectives at a time, are refused", async () => {
    const { code, told } = await runRanks(mpi, 2, program, ["refuses"]);
    expect(code).toBe(0);
    const problems = [
      "only Float32Array and Float64Array can be combined",
      "a rank can't take part in two collectives at a time",
      expect.stringMatching(/combines (16|20) bytes, others from 16 to 20: the ranks do different things/) as string,
      "the ranks have parted already",
    ];
    expect(told).toEqual(expect.arrayContaining([0, 1].map((rank) => ({ rank, size: 2, problems }))));
  });

  // Seconds: mpirun of Open MPI takes 1.5 to end what is left.
  it.each([
    { scene: "throws", message: `rank 1 on ${host}: Error: a mistake of rank 1`, code: 70 },
    { scene: "rejects", message: `rank 1 on ${host}: Error: a mistake of rank 1`, code: 70 },
    { scene: "leaves", message: "", code: 75 },
    { scene: "ends", message: "", code: 75 },
  ])("a rank that $scene ends the job, which has failed", async ({ scene, message, code }) => {
    const run = await runRanks(mpi, 2, program, [scene]);
    expect(run.code).toBe(code);
    expect(run.stderr).toContain(message);
    expect(run.seconds).toBeLessThan(15);
  });

  it("a rank that is killed ends the job, which has failed", async () => {
    const { code, seconds } = await runRanks(mpi, 2, program, ["killed"]);
    expect(code).not.toBe(0);
    expect(seconds).toBeLessThan(15);
  });

  // They wait, and may do that at the same time.
  it.concurrent.each([
    { scene: "hangs", absent: 2, size: 3 },
    { scene: "first hangs", absent: 0, size: 2 },
    { scene: "stopped", absent: 1, size: 2 },
  ])("$scene: the one that waits names the one that does not come", async ({ scene, absent, size }) => {
    const { code, stderr, seconds } = await runRanks(mpi, size, program, [scene, "0.5"]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(
      new RegExp(`^rank ${absent} on ${host} hangs: rank \\d on ${host} has waited for \\d+ s`, "m"),
    );
    expect(seconds).toBeLessThan(20);
  });

  it("the library of the other MPI is noticed: no process trains alone", async () => {
    const { code, stderr } = await runRanks(mpi, 2, program, ["works"], { RESNETC_MPI: other });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/started 2 processes, and .* knows of 1: each would train alone/);
  });

  it("a library that is not there is named, and what to install", async () => {
    const { code, stderr } = await runRanks(mpi, 2, program, ["works"], { RESNETC_MPI: "libnone.so" });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/no MPI library is there \(libnone\.so\): install .* openmpi-bin or mpich/);
  });
});

it("one process alone needs no library: its collectives leave all as it is", async () => {
  const ranks = await openRanks({ patience: 1, onEnd: () => undefined });
  const values = Float32Array.of(1, 2);
  await ranks.allreduce(values, "sum");
  expect([ranks.rank, ranks.size, [...values]]).toEqual([0, 1, [1, 2]]);
  expect(await ranks.gather(Uint8Array.of(3))).toEqual([Uint8Array.of(3)]);
});

it.each([
  [{}, undefined],
  [
    { OMPI_COMM_WORLD_SIZE: "4", SLURM_STEP_NUM_TASKS: "1" },
    { size: 4, family: "openmpi" },
  ],
  [{ PMI_SIZE: "2" }, { size: 2, family: "mpich" }],
  [{ SLURM_STEP_NUM_TASKS: "8" }, { size: 8 }],
  [{ SLURM_NTASKS: "8" }, undefined],
  [{ PMI_SIZE: "none" }, undefined],
])("what the launcher says: %j", (env, expected) => {
  const found = launched(env);
  if (expected === undefined) expect(found).toBeUndefined();
  else expect(found).toMatchObject(expected);
});

it("shares are as equal as can be, in order, and together the whole", () => {
  for (const [count, size] of [
    [10, 4],
    [8, 4],
    [3, 5],
    [0, 2],
  ] as const) {
    const shares = Array.from({ length: size }, (_, rank) => shareOf(count, { rank, size }));
    expect(shares.flatMap(({ first, count: own }) => Array.from({ length: own }, (_, i) => first + i))).toEqual(
      Array.from({ length: count }, (_, i) => i),
    );
    const counts = shares.map(({ count: own }) => own);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  }
});
