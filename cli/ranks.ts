/** A command on several ranks: as one of them, and as what starts them on this machine. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { Option } from "commander";
import { failedOn, together } from "../runtime/parallel/agree.js";
import { isRank, openRanks } from "../runtime/parallel/open.js";
import { rankName, type Ranks } from "../runtime/parallel/ranks.js";
import { launched } from "../runtime/parallel/launched.js";
import { wholeNumber } from "./arguments.js";
import { EXIT, explain, InputFailure, Stop, UsageFailure } from "./failure.js";
import { firstError } from "./report.js";
import { leaveSignalsAlone, onFirstSignal } from "./signals.js";
import { beSilent, logError, logWarning, plural } from "./terminal.js";

export interface RankOptions {
  /** Processes that are started here. */
  readonly ranks?: number;
  /** Times that they are started again. */
  readonly restart?: number;
  /** Seconds that one waits for the others. */
  readonly rankTimeout: number;
}

export { isRank };

export function rankTimeoutOption(): Option {
  const text = "of several ranks: how long one waits for the others before the job ends";
  return new Option("--rank-timeout <seconds>", text).argParser(wholeNumber(1, 86_400)).default(600);
}

/** To stop after the update that is being made. One rank that is told so is enough. */
const STOP = "SIGUSR2";

/** Names a file in which the first rank leaves the number of its process: MPICH's mpirun hands no such signal on. */
const FIRST_RANK = "RESNETC_FIRST_RANK";

/**
 * This process as one of several, or alone. To be called before anything that starts threads.
 *
 * @throws {ParallelError}
 */
export async function joinRanks({ ranks, restart, rankTimeout }: RankOptions): Promise<Ranks> {
  if (isRank()) {
    if (ranks !== undefined) {
      const { size, by } = launched()!;
      throw new UsageFailure(`--ranks starts processes, and this is one of ${size} that ${by} has started`);
    }
    // A handler of them would keep the launcher from ending a process that waits in MPI.
    leaveSignalsAlone();
  }
  if (restart !== undefined) {
    throw new UsageFailure(
      "--restart goes with --ranks 2 or more: what started these processes has to start them again",
    );
  }
  const opened = await openRanks({ patience: rankTimeout, onEnd: logError });
  if (opened.rank > 0) beSilent();
  return opened;
}

/** In ms. */
const FIRST_TELLS = 500;

/** Calls `action` when this rank is told to stop; gives what takes that back. */
export function onStopOfRank({ rank }: Ranks, action: (reason: string) => void): () => void {
  const handler = (): void => action(STOP);
  process.on(STOP, handler);
  const file = process.env[FIRST_RANK];
  if (rank === 0 && file !== undefined) writeFileSync(file, String(process.pid));
  return () => process.off(STOP, handler);
}

/**
 * Does something as one rank of several. What all of them throw one tells, and all part in peace; what one alone throws ends
 * the job.
 */
export async function asRank(ranks: Ranks, action: () => Promise<void>): Promise<void> {
  if (ranks.size === 1) return action();
  try {
    await action();
    await ranks.finalize();
  } catch (error) {
    const on = error instanceof Stop ? 0 : failedOn(error);
    const { message = "what it was given has errors", exitCode } = explain(error);
    if (on === undefined) {
      // What goes wrong on all of them the first tells, and ends the others.
      if (ranks.rank > 0) await setTimeout(FIRST_TELLS);
      logError(`${rankName(ranks, ranks.rank)}: ${message}`);
      ranks.abort(exitCode);
      process.exit(exitCode);
    }
    await ranks.finalize();
    if (ranks.rank === 0) throw on === 0 ? error : named(error, `${rankName(ranks, on)}: ${message}`);
    // MPICH's launcher ends all as soon as one has failed, and with it what another one says.
    await setTimeout(2 * FIRST_TELLS);
    throw new Stop(exitCode);
  }
}

/** Does on all ranks what each does alone; what fails on one all throw. The first tells, so that it has to be told all. */
export async function onAll(ranks: Ranks, action: () => Promise<void>): Promise<void> {
  await together(ranks, async () => {
    try {
      await action();
    } catch (error) {
      if (ranks.rank > 0 && error instanceof Stop) throw new InputFailure(firstError() ?? "it was stopped");
      throw error;
    }
  });
}

/** The same failure, of another rank. */
function named(error: unknown, message: string): Error {
  const isSaid = error instanceof Error && error.name !== "Stop";
  return isSaid ? Object.assign(error, { message }) : new InputFailure(message);
}

/** An mpirun, and what it needs so that its processes share all cores of this machine. */
interface Launcher {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const LAUNCHERS: readonly (Omit<Launcher, "command"> & { readonly says: RegExp })[] = [
  {
    says: /Open ?MPI|Open RTE|prterun|PRRTE/i,
    arguments: ["--bind-to", "none", "--map-by", "slot:OVERSUBSCRIBE"],
    // As root, in containers: what is started is what was started.
    environment: { OMPI_ALLOW_RUN_AS_ROOT: "1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1" },
  },
  { says: /HYDRA|MPICH|Intel\(R\) MPI/i, arguments: ["-launcher", "fork"], environment: {} },
];

/** @throws {InputFailure} where there is none: what to install */
function launcher(): Launcher {
  const named = process.env["RESNETC_MPIRUN"];
  for (const command of named ? [named] : ["mpirun", "mpiexec"]) {
    const { stdout, stderr, error } = spawnSync(command, ["--version"], { encoding: "utf8" });
    if (error) continue;
    const known = LAUNCHERS.find(({ says }) => says.test(`${stdout}${stderr}`));
    return { command, arguments: known?.arguments ?? [], environment: known?.environment ?? {} };
  }
  throw new InputFailure(
    `--ranks needs ${named ?? "mpirun"}, which is not there: install an MPI (Debian: openmpi-bin or mpich), or name its mpirun in ` +
      "RESNETC_MPIRUN",
  );
}

/** With these a job is not started again: done, mistakes of the user's and of ours, and what somebody stopped. */
const FINAL: readonly number[] = [EXIT.done, EXIT.input, EXIT.usage, EXIT.internal, EXIT.interrupted];

/**
 * Starts the same command as several ranks on this machine, and again where the job is lost, from what it has kept.
 *
 * @param args of this process, behind `resnetc`
 * @throws {Stop} with the exit code of the job, where it is not 0
 */
export async function launchRanks(args: readonly string[], { ranks, restart = 0 }: RankOptions): Promise<void> {
  if (Number(process.env["SLURM_JOB_NUM_NODES"] ?? 1) > 1) {
    throw new UsageFailure("--ranks is for one machine, and this is a Slurm job of several: start the ranks by srun");
  }
  await requireKoffi();
  const started = launcher();
  let given = withoutOwn(args);
  for (let left = restart; ; left--) {
    const { code, isStopped } = await job(started, ranks!, given);
    if (code === EXIT.done) return;
    if (left === 0 || isStopped || FINAL.includes(code)) throw new Stop(code);
    logWarning(
      `the job ended with code ${code}: it is started again and goes on (${plural(left - 1, "more time")} after that)`,
    );
    if (!given.includes("--resume")) given = [...given, "--resume"];
  }
}

async function requireKoffi(): Promise<void> {
  const { loadKoffi } = await import("../runtime/parallel/mpi/bindings.js");
  await loadKoffi();
}

/** Without what only says how processes are started. */
function withoutOwn(args: readonly string[]): readonly string[] {
  const own = ["--ranks", "--restart"];
  return args.filter(
    (word, at) =>
      !own.includes(word) && !own.includes(args[at - 1] ?? "") && !own.some((name) => word.startsWith(`${name}=`)),
  );
}

async function job(
  { command, arguments: how, environment }: Launcher,
  ranks: number,
  args: readonly string[],
): Promise<{ readonly code: number; readonly isStopped: boolean }> {
  const words = [...how, "-np", String(ranks), process.execPath, ...process.execArgv, process.argv[1]!, ...args];
  const folder = mkdtempSync(path.join(os.tmpdir(), "resnetc-ranks-"));
  const firstRank = path.join(folder, "first");
  // In a group of its own: Ctrl-C comes to us alone, and the ranks save what they have.
  const child = spawn(command, words, {
    stdio: ["ignore", "inherit", "inherit"],
    detached: true,
    env: { ...environment, ...process.env, [FIRST_RANK]: firstRank },
  });
  let isStopped = false;
  const takeBack = stopWith(child, firstRank, () => (isStopped = true));
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once("error", (error) => reject(new InputFailure(`${command}: ${error.message}`)));
      child.once("exit", (exit, signal) => resolve(exit ?? (signal === "SIGINT" ? EXIT.interrupted : 128)));
    });
    return { code: isStopped && code !== EXIT.done ? EXIT.interrupted : code, isStopped };
  } finally {
    takeBack();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The first signal saves and ends, the next one ends; so does the first, where there is nothing to save yet. */
function stopWith(child: ChildProcess, firstRank: string, stopped: () => void): () => void {
  let takeBack = onFirstSignal(() => {
    stopped();
    const pid = existsSync(firstRank) ? Number(readFileSync(firstRank, "utf8")) : 0;
    if (!(pid > 0)) return child.kill("SIGTERM");
    process.kill(pid, STOP);
    takeBack = onFirstSignal(() => child.kill("SIGTERM"));
  });
  return () => takeBack();
}
