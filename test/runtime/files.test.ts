import { execFileSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, test, vi } from "vitest";
import { checkTarget, discardUnfinished, FileError, writeWhole } from "../../runtime/files.js";
import { startScript } from "../support/run-in-node.js";
import { temporaryFolder } from "../support/weight-files.js";

const folder = temporaryFolder();
const temporaries = () => fs.readdirSync(folder).filter((name) => name.endsWith(".tmp"));
const bytes = (text: string) => new TextEncoder().encode(text);

test("chunks follow one another, and only the target is left", async () => {
  const target = path.join(folder, "a.txt");
  await writeWhole(target, [bytes("one "), bytes(""), bytes("two")]);
  expect(fs.readFileSync(target, "utf8")).toBe("one two");
  expect(fs.readdirSync(folder)).toEqual(["a.txt"]);
});

test("a chunk that can't be computed leaves the old file and nothing else", async () => {
  const target = path.join(folder, "a.txt");
  await writeWhole(target, [bytes("old")]);
  const chunks = function* () {
    yield bytes("new");
    expect(fs.readdirSync(folder)).toHaveLength(2);
    throw new RangeError("no more");
  };
  await expect(writeWhole(target, chunks())).rejects.toThrow(new RangeError("no more"));
  expect(fs.readFileSync(target, "utf8")).toBe("old");
  expect(fs.readdirSync(folder)).toEqual(["a.txt"]);
});

test("what is unfinished when the process ends is removed", async () => {
  const target = path.join(folder, "b.txt");
  const chunks = async function* () {
    yield bytes("half");
    discardUnfinished();
    expect(fs.readdirSync(folder)).toEqual(["a.txt"]);
  };
  await expect(writeWhole(target, chunks())).rejects.toThrow(FileError);
  expect(fs.existsSync(target)).toBe(false);
});

test("errors of the system are one line that names the file", async () => {
  await expect(writeWhole(folder, [])).rejects.toThrow(new FileError(`${folder}: is a folder`));
  const nowhere = path.join(folder, "none", "c.txt");
  await expect(writeWhole(nowhere, [])).rejects.toThrow(
    new FileError(`${nowhere}: can't be written: the folder is not there`),
  );
});

test("a link that the user named stays a link, and permissions stay", async () => {
  const target = path.join(folder, "real.txt");
  fs.writeFileSync(target, "old", { mode: 0o640 });
  fs.symlinkSync(target, path.join(folder, "link.txt"));
  await writeWhole(path.join(folder, "link.txt"), [bytes("new")], { followLinks: true });
  expect(fs.readFileSync(target, "utf8")).toBe("new");
  expect(fs.lstatSync(path.join(folder, "link.txt")).isSymbolicLink()).toBe(true);
  expect(fs.statSync(target).mode & 0o777).toBe(0o640);
});

test("a link in a folder that is written to is refused, and what it points to is as it was", async () => {
  const victim = path.join(folder, "victim.txt");
  fs.writeFileSync(victim, "mine");
  const planted = path.join(folder, "planted.txt");
  fs.symlinkSync(victim, planted);
  const refusal = new FileError(`${planted}: is a link, which is not followed here: remove it`);
  await expect(writeWhole(planted, [bytes("theirs")])).rejects.toThrow(refusal);
  await expect(checkTarget(planted)).rejects.toThrow(refusal);
  fs.rmSync(planted);
  // Also one that leads nowhere yet.
  fs.symlinkSync(path.join(folder, "new.txt"), planted);
  await expect(writeWhole(planted, [bytes("theirs")])).rejects.toThrow(refusal);
  expect(fs.readFileSync(victim, "utf8")).toBe("mine");
  expect(fs.existsSync(path.join(folder, "new.txt"))).toBe(false);
  await writeWhole(planted, [bytes("wanted")], { followLinks: true });
  expect(fs.readFileSync(path.join(folder, "new.txt"), "utf8")).toBe("wanted");
});

test("links that lead to one another are one line", async () => {
  const [a, b] = [path.join(folder, "loop-a"), path.join(folder, "loop-b")];
  fs.symlinkSync(a, b);
  fs.symlinkSync(b, a);
  await expect(writeWhole(a, [bytes("x")], { followLinks: true })).rejects.toThrow(/links that lead to one another$/);
});

test.skipIf(process.platform === "win32")(
  "a pipe is written to where the user named it, and refused elsewhere",
  async () => {
    const pipe = path.join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    await expect(writeWhole(pipe, [bytes("x")])).rejects.toThrow(/is a pipe, which is not written to here/);
    const read = promisify(fs.readFile)(pipe, "utf8");
    await writeWhole(pipe, [bytes("one "), bytes("two")], { followLinks: true });
    expect(await read).toBe("one two");
    expect(fs.statSync(pipe).isFIFO()).toBe(true);
  },
);

test("a name of 255 bytes can be written", async () => {
  const name = "ä".repeat(127);
  await writeWhole(path.join(folder, name), [bytes("x")]);
  expect(fs.readFileSync(path.join(folder, name), "utf8")).toBe("x");
});

test("a file that must not be written to is not replaced", async () => {
  const target = path.join(folder, "fixed.txt");
  fs.writeFileSync(target, "old", { mode: 0o444 });
  const access = vi.spyOn(fs.promises, "access").mockRejectedValueOnce(Object.assign(new Error(), { code: "EACCES" }));
  await expect(writeWhole(target, [bytes("new")])).rejects.toThrow(`${target}: can't be written: permission denied`);
  access.mockRestore();
  expect(fs.readFileSync(target, "utf8")).toBe("old");
});

test("a file system that is read-only is called so, also where the system says that there is nothing", async () => {
  const target = path.join(folder, "none", "deep", "x.txt");
  const access = vi.spyOn(fs.promises, "access").mockImplementation(async (place) => {
    if (place !== folder) throw Object.assign(new Error(), { code: "ENOENT" });
    throw Object.assign(new Error(), { code: "EROFS" });
  });
  await expect(writeWhole(target, [bytes("x")])).rejects.toThrow(
    `${target}: can't be written: the file system is read-only`,
  );
  access.mockRestore();
});

test("a full disk leaves the old file and nothing else", async () => {
  const target = path.join(folder, "full.txt");
  await writeWhole(target, [bytes("old")]);
  const open = fs.promises.open.bind(fs.promises);
  const spy = vi.spyOn(fs.promises, "open").mockImplementation(async (...args) => {
    const file = await open(...args);
    file.write = () => Promise.reject(Object.assign(new Error(), { code: "ENOSPC" }));
    return file;
  });
  await expect(writeWhole(target, [bytes("new")])).rejects.toThrow(`${target}: can't be written: the disk is full`);
  spy.mockRestore();
  expect(fs.readFileSync(target, "utf8")).toBe("old");
  expect(temporaries()).toEqual([]);
});

test("files without a method to synchronise them, as Yarn's Plug'n'Play has them, are written all the same", async () => {
  const open = fs.promises.open.bind(fs.promises);
  const spy = vi.spyOn(fs.promises, "open").mockImplementation(async (...args) => {
    const file = await open(...args);
    file.sync = file.datasync = () => {
      throw new Error("Method not implemented.");
    };
    return file;
  });
  await writeWhole(path.join(folder, "pnp.txt"), [bytes("x")]);
  spy.mockRestore();
  expect(fs.readFileSync(path.join(folder, "pnp.txt"), "utf8")).toBe("x");
});

describe("what a killed process left", () => {
  /** Begins to write a file and never ends. */
  const WRITER = `
    import { writeWhole } from "RUNTIME";
    await writeWhole(process.argv[2], (async function* () {
      yield new Uint8Array(1000);
      process.stdout.write("half");
      await new Promise((resolve) => setTimeout(resolve, 1e6));
    })());
  `;

  test("is cleared by the next that writes there; what a living one writes is not", async () => {
    const target = path.join(folder, "contended.txt");
    const [killed, living] = await Promise.all([startScript(WRITER, target), startScript(WRITER, target)]);
    expect(temporaries()).toHaveLength(2);
    killed.kill("SIGKILL");
    await once(killed, "close");
    expect(temporaries()).toHaveLength(2);
    await writeWhole(target, [bytes("new")]);
    expect(temporaries()).toHaveLength(1);
    expect(temporaries()[0]).toContain(`-${living.pid}-`);
    living.kill("SIGKILL");
    await once(living, "close");
    await writeWhole(path.join(folder, "another.txt"), [bytes("new")]);
    expect(temporaries()).toEqual([]);
  });

  test("is known by more than its number, which another process may have by now", async () => {
    const target = path.join(folder, "reused.txt");
    await writeWhole(
      target,
      (function* () {
        yield bytes("x");
        const [own] = temporaries();
        // The same process number, another start; and one of another machine, a day old and new.
        const [, start, place] = /-([0-9a-z]+)-([0-9a-f]{8})-[0-9a-f]{8}\.tmp$/.exec(own!)!;
        fs.writeFileSync(path.join(folder, own!.replace(`-${start}-`, "-zzzz-")), "");
        const foreign = own!.replace(place!, "0123abcd");
        fs.writeFileSync(path.join(folder, foreign), "");
        fs.writeFileSync(path.join(folder, foreign.replace("reused", "old")), "");
        fs.utimesSync(path.join(folder, foreign.replace("reused", "old")), 0, 0);
        fs.writeFileSync(path.join(folder, ".reused.txt.mine.tmp"), "");
      })(),
    );
    await writeWhole(target, [bytes("y")]);
    const left = temporaries();
    expect(left).toHaveLength(2);
    expect(left).toContain(".reused.txt.mine.tmp");
    expect(left.some((name) => name.includes("0123abcd") && name.startsWith(".reused"))).toBe(true);
    for (const name of left) fs.rmSync(path.join(folder, name));
  });
});

test("a device is written to, not replaced", async () => {
  await writeWhole("/dev/null", [bytes("gone")]);
  expect(fs.statSync("/dev/null").isFile()).toBe(false);
});
