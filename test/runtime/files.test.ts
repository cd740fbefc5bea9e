import fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { discardUnfinished, FileError, writeWhole } from "../../runtime/files.js";
import { temporaryFolder } from "../support/weight-files.js";

const folder = temporaryFolder();
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

test("a link stays a link, and permissions stay", async () => {
  const target = path.join(folder, "real.txt");
  fs.writeFileSync(target, "old", { mode: 0o640 });
  fs.symlinkSync(target, path.join(folder, "link.txt"));
  await writeWhole(path.join(folder, "link.txt"), [bytes("new")]);
  expect(fs.readFileSync(target, "utf8")).toBe("new");
  expect(fs.lstatSync(path.join(folder, "link.txt")).isSymbolicLink()).toBe(true);
  expect(fs.statSync(target).mode & 0o777).toBe(0o640);
});

test("a device is written to, not replaced", async () => {
  await writeWhole("/dev/null", [bytes("gone")]);
  expect(fs.statSync("/dev/null").isFile()).toBe(false);
});
