import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DataSet, Split } from "../../../runtime/data/data-set.js";
import { openDataSet } from "../../../runtime/data/open.js";
import { openSample } from "../../../runtime/data/sample.js";
import { closeRecordFiles } from "../../../runtime/data/sources/cifar/record.js";
import { CIFAR, type CifarKind } from "../../../runtime/data/sources/cifar/index.js";

// Made by test/oracle/make_cifar_python.py with Python and NumPy.
const GOLDEN = path.join(import.meta.dirname, "../../golden/data/cifar");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "resnetc-cifar-"));
});
afterAll(async () => {
  closeRecordFiles();
  await rm(folder, { recursive: true });
});

/** A data set of whatever form, each of whose training files is the first one. */
async function laid(kind: CifarKind, version: "binary" | "python", form: string, at: string): Promise<string> {
  const layout = CIFAR[kind][version];
  const root = path.join(folder, at, layout.folder);
  await mkdir(root, { recursive: true });
  for (const name of layout.train) await copyFile(path.join(GOLDEN, form, layout.train[0]!), path.join(root, name));
  await copyFile(path.join(GOLDEN, form, layout.test), path.join(root, layout.test));
  return root;
}

async function contents(data: DataSet): Promise<unknown> {
  const of = async (split: Split) =>
    Promise.all(
      Array.from({ length: split.size }, async (_, index) => {
        const raster = await (await openSample(split.reference(index))).pixels(1);
        return [split.label!(index), Buffer.from(raster.data as Uint8Array).toString("base64")];
      }),
    );
  return [await of(data.train), await of(data.validation)];
}

describe.each(["cifar10", "cifar100"] as const)("%s in Python's version has the binary version's images", (kind) => {
  const number = kind.slice(5);
  it.each(["python2", "protocol2", "protocol3", "protocol4", "protocol5"])("as %s wrote it", async (form) => {
    const binary = await laid(kind, "binary", `binary${number}`, `${kind}_binary`);
    const python = await laid(kind, "python", `${form}_${number}`, `${kind}_${form}`);
    await copyFile(path.join(GOLDEN, `names${number}`), path.join(python, CIFAR[kind].python.names));
    const expected = await openDataSet(binary, { validation: 0 });
    // As torchvision and Keras leave it: a folder in a folder.
    const data = await openDataSet(path.dirname(python), { validation: 0 });
    expect(await contents(data)).toEqual(await contents(expected));
    expect(data.classes).toHaveLength(Number(number));
    expect(data.classes[3]).toBe("class 3");
    expect(data.name).toBe(kind === "cifar10" ? "CIFAR-10" : "CIFAR-100");
    expect(data.warnings.some((line) => line.includes("a part of it"))).toBe(true);
  });
});

describe("files that are no batches", () => {
  let root: string;
  let good: Buffer;
  beforeAll(async () => {
    root = await laid("cifar10", "python", "protocol4_10", "broken");
    good = await readFile(path.join(root, "data_batch_3"));
  });
  const opened = async (bytes: Uint8Array) => {
    await writeFile(path.join(root, "data_batch_3"), bytes);
    return openDataSet(root);
  };
  const replaced = (from: string, to: string) => Buffer.from(good.toString("latin1").replace(from, to), "latin1");

  it.each<[string, () => Buffer, RegExp]>([
    ["cut short", () => good.subarray(0, 4000), /data_batch_3: is truncated or damaged/],
    ["empty", () => Buffer.alloc(0), /data_batch_3: is truncated or damaged/],
    ["words", () => Buffer.from("hello"), /data_batch_3: is damaged or not a batch of CIFAR/],
    ["other keys", () => replaced("labels", "Labels"), /no batch of CIFAR: it has no list of whole numbers "labels"/],
    ["other numbers", () => replaced("u1", "i1"), /its "data" are no uint8 array \[images, 3072\]/],
    ["a list", () => Buffer.from("\x80\x02]q\x00.", "latin1"), /a pickle, but of no dictionary/],
  ])("%s", async (_, bytes, message) => {
    const error = await opened(bytes()).catch((problem: unknown) => problem);
    expect(error).toHaveProperty("name", "DataError");
    expect((error as Error).message).toMatch(message);
  });

  it("a missing file is named, and what it comes from", async () => {
    await rm(path.join(root, "data_batch_3"));
    await rm(path.join(root, "test_batch"));
    await expect(openDataSet(root)).rejects.toThrow(
      `${root}: data_batch_3, test_batch are missing; CIFAR-10 is read from the unpacked cifar-10-python.tar.gz`,
    );
  });
});
