/** One training in a folder: who is let in, and what a crash leaves. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockFolder } from "../../../runtime/training/lock.js";

let folder = "";
let file = "";
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "resnetc-lock-"));
  file = path.join(folder, "training.lock");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A lock as it would be of another process. */
async function left(changes: Readonly<Record<string, unknown>>): Promise<void> {
  const lock = await lockFolder(file);
  const holder = JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;
  lock.release();
  await writeFile(file, JSON.stringify({ ...holder, token: "other", ...changes }));
}

/** A process that was there and is not any more. */
async function endedPid(): Promise<number> {
  const child = spawn(process.execPath, ["-e", ""]);
  await new Promise((resolve) => child.once("exit", resolve));
  return child.pid!;
}

describe("the lock of a training's folder", () => {
  it("keeps a second one out, of the same process too, and is gone afterwards", async () => {
    const lock = await lockFolder(file);
    await expect(lockFolder(file)).rejects.toThrow(/this process is training in this folder since .*: choose another/);
    lock.check();
    lock.release();
    expect(await readdir(folder)).toEqual([]);
    (await lockFolder(file)).release();
  });

  it("keeps out by a living process, and says which", async () => {
    const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"]);
    try {
      await left({ pid: child.pid, start: "0" });
      await expect(lockFolder(file)).rejects.toThrow(`process ${child.pid} is training in this folder`);
    } finally {
      child.kill("SIGKILL");
    }
  });

  it.each<[string, () => Promise<void>]>([
    ["a process that is gone", async () => left({ pid: await endedPid() })],
    ["something that is no lock", () => writeFile(file, "")],
    ["half of one", () => writeFile(file, '{"pid": ')],
  ])("is taken from %s once that is old enough to be sure", async (_, leave) => {
    await leave();
    const old = new Date(Date.now() - 300_000);
    await utimes(file, old, old);
    const lock = await lockFolder(file);
    lock.check();
    lock.release();
    expect(existsSync(file)).toBe(false);
  });

  it("is taken at once from a process that was killed", async () => {
    await left({ pid: await endedPid() });
    (await lockFolder(file)).release();
  });

  it.skipIf(process.platform !== "linux")("is taken from a number that is another process by now", async () => {
    await left({ pid: process.ppid, start: "1" });
    (await lockFolder(file)).release();
  });

  it("is another machine's as long as it is renewed", async () => {
    await left({ place: "elsewhere", host: "far" });
    await expect(lockFolder(file)).rejects.toThrow(/a process on far is training .* left behind after two minutes/);
    const old = new Date(Date.now() - 121_000);
    await utimes(file, old, old);
    (await lockFolder(file)).release();
  });

  it("goes to one of many that find the same one left behind", async () => {
    for (let round = 0; round < 20; round++) {
      await left({ pid: await endedPid() });
      const tried = await Promise.allSettled(Array.from({ length: 6 }, () => lockFolder(file)));
      const locks = tried.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
      const holders = locks.filter((lock) => {
        try {
          lock.check();
          return true;
        } catch {
          return false;
        }
      });
      expect(holders).toHaveLength(1);
      locks.forEach((lock) => lock.release());
      expect(await readdir(folder)).toEqual([]);
    }
  });

  it("is noticed when it was lost", async () => {
    const lock = await lockFolder(file);
    await writeFile(file, "{}");
    expect(() => lock.check()).toThrow(/another training has taken this folder/);
    lock.release();
    expect(await readFile(file, "utf8")).toBe("{}");
  });
});
