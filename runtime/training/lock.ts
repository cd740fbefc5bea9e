/**
 * One training in a folder at a time: `training.lock` names the process that trains there.
 *
 * A process that was killed leaves its lock behind. It counts as left behind where its process is gone, or is another one
 * that got the same number since. Of a process on another machine (or in another container) only the time of the file is
 * known, which is renewed every few seconds: it counts as left behind once that has stopped for {@link SILENT}. Whoever
 * lost the lock all the same (a machine that slept) notices before it writes a checkpoint.
 */
import crypto from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { link, lstat, open, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileFailure } from "../files.js";
import { isAlive, thisProcess, type ProcessName } from "../processes.js";
import { temporaryName } from "../temporary-files.js";
import { TrainingError } from "./error.js";

export interface Lock {
  /** @throws {TrainingError} where another training has the folder by now */
  check(): void;
  release(): void;
}

/** Who holds it; the content of the file. */
interface Holder extends ProcessName {
  /** Of this lock, so that two in one process are told apart. */
  readonly token: string;
  /** For people. */
  readonly host: string;
  readonly since: string;
}

/** Milliseconds between two renewals, and after which a lock of another machine counts as left behind. */
const RENEWED = 10_000;
const SILENT = 120_000;
const ATTEMPTS = 5;

/**
 * @param file the lock; its folder is there
 * @throws {TrainingError} one line: who has it
 * @throws {FileError} where the folder can't be written to
 */
export async function lockFolder(file: string): Promise<Lock> {
  const mine: Holder = {
    ...thisProcess(),
    token: crypto.randomBytes(8).toString("hex"),
    host: os.hostname(),
    since: new Date().toISOString(),
  };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await create(file, mine)) return held(file, mine);
    const other = await readHolder(file);
    if (other === undefined) continue;
    if (!(await isLeftBehind(file, other))) throw new TrainingError(inUse(file, other));
    await takeAway(file, other);
  }
  throw new TrainingError(`${path.dirname(file)}: other trainings are beginning in this folder at this moment`);
}

function held(file: string, { token }: Holder): Lock {
  const isMine = (): boolean => {
    try {
      return (JSON.parse(readFileSync(file, "utf8")) as Partial<Holder>).token === token;
    } catch {
      return false;
    }
  };
  const renewal = setInterval(() => {
    const now = new Date();
    if (isMine()) void utimes(file, now, now).catch(() => undefined);
  }, RENEWED);
  renewal.unref();
  return {
    check() {
      if (isMine()) return;
      throw new TrainingError(
        `${path.dirname(file)}: another training has taken this folder (${path.basename(file)} is not this one's any more)`,
      );
    },
    release() {
      clearInterval(renewal);
      if (isMine()) rmSync(file, { force: true });
    },
  };
}

/** Complete from its first moment on, so that nobody reads a half. False where there is one. */
async function create(file: string, holder: Holder): Promise<boolean> {
  const temporary = temporaryName(file);
  const text = `${JSON.stringify(holder)}\n`;
  try {
    await writeFile(temporary, text, { flag: "wx" });
    await link(temporary, file);
    return true;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    // A file system without second names.
    if (["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(code ?? "")) return createPlainly(file, text);
    throw fileFailure(file, cause);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function createPlainly(file: string, text: string): Promise<boolean> {
  try {
    const created = await open(file, "wx");
    await created.writeFile(text).finally(() => created.close());
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw fileFailure(file, cause);
  }
}

/** Undefined where it went meanwhile. What can't be understood was left behind by a crash of the machine. */
async function readHolder(file: string): Promise<Holder | undefined> {
  let text: string;
  try {
    if (!(await lstat(file)).isFile())
      throw new TrainingError(`${file}: is not a file that a training wrote: remove it`);
    text = await readFile(file, "utf8");
  } catch (cause) {
    if (cause instanceof TrainingError) throw cause;
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw fileFailure(file, cause);
  }
  try {
    const found = JSON.parse(text) as Partial<Record<keyof Holder, unknown>>;
    const isText = TEXTS.every((key) => typeof found[key] === "string");
    if (isText && Number.isSafeInteger(found.pid) && (found.pid as number) > 0) return found as unknown as Holder;
  } catch {
    // As below.
  }
  return { pid: 0, start: "0", place: "", token: "", host: "", since: "" };
}

const TEXTS = ["start", "place", "token", "host", "since"] as const;

async function isLeftBehind(file: string, holder: Holder): Promise<boolean> {
  if (holder.place !== thisProcess().place) return isSilent(file);
  const alive = isAlive(holder);
  // Where the system tells no starts, a number that came again is told by the silence.
  return alive === "unsure" ? holder.pid !== process.pid && isSilent(file) : !alive;
}

/** By the clock of the file's own machine, which may not be ours. */
async function isSilent(file: string): Promise<boolean> {
  const probe = temporaryName(file);
  try {
    await writeFile(probe, "", { flag: "wx" });
    const [now, then] = await Promise.all([stat(probe), stat(file)]);
    return now.mtimeMs - then.mtimeMs > SILENT;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return true;
    throw fileFailure(file, cause);
  } finally {
    await rm(probe, { force: true });
  }
}

/** Of two that take the same away, one finds the lock of the other in its hand, and puts it back. */
async function takeAway(file: string, left: Holder): Promise<void> {
  const away = temporaryName(file);
  try {
    await rename(file, away);
    if ((await readHolder(away))?.token !== left.token) await link(away, file).catch(() => undefined);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw fileFailure(file, cause);
  } finally {
    await rm(away, { force: true });
  }
}

function inUse(file: string, { pid, place, host, since }: Holder): string {
  const folder = path.dirname(file);
  const isHere = place === thisProcess().place;
  const who = isHere
    ? pid === process.pid
      ? "this process"
      : `process ${pid}`
    : `a process on ${host || "another machine"}`;
  const time = since === "" ? "" : ` since ${since.slice(0, 16).replace("T", " ")} UTC`;
  const wait = isHere ? "" : `; where it is gone, ${file} may be removed, or counts as left behind after two minutes`;
  return `${folder}: ${who} is training in this folder${time}: choose another folder${wait}`;
}
