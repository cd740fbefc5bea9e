import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { checkClasses, type Split } from "../../../runtime/data/data-set.js";
import { openDataSet } from "../../../runtime/data/open.js";
import { openSample } from "../../../runtime/data/sample.js";
import { closeRecordFiles } from "../../../runtime/data/sources/cifar-record.js";
import { openCifar } from "../../../runtime/data/sources/cifar.js";
import { ARCHIVES, verifyArchive } from "../../../runtime/data/sources/checksum.js";
import { openFolders } from "../../../runtime/data/sources/folders.js";
import { listPictures } from "../../../runtime/data/sources/listing.js";
import { openShapes } from "../../../runtime/data/sources/shapes/index.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "resnetc-data-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function pixels(split: Split, index: number): Promise<Uint8Array | Float32Array> {
  const source = await openSample(split.reference(index));
  return (await source.pixels(1)).data;
}

describe("CIFAR", () => {
  // Record i of file f: label (i + f) % classes, and pixels that tell i, f and the channel.
  const make = async (root: string, names: readonly string[], perFile: number, labelBytes: number, classes: number) => {
    await mkdir(root, { recursive: true });
    for (const [f, name] of names.entries()) {
      const bytes = new Uint8Array(perFile * (labelBytes + 3072));
      for (let i = 0, at = 0; i < perFile; i++, at += labelBytes + 3072) {
        if (labelBytes === 2) bytes[at] = 99;
        bytes[at + labelBytes - 1] = (i + f) % classes;
        for (let c = 0; c < 3; c++)
          bytes.fill((i + 10 * f + 50 * c) % 256, at + labelBytes + c * 1024, at + labelBytes + (c + 1) * 1024);
        bytes[at + labelBytes + 1024 + 33] = 7;
      }
      await writeFile(path.join(root, name), bytes);
    }
  };
  const ten = () => path.join(folder, "ten", "cifar-10-batches-bin");
  const hundred = () => path.join(folder, "hundred");
  beforeAll(async () => {
    const names = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`);
    await make(ten(), [...names, "test_batch.bin"], 10_000, 1, 10);
    await make(hundred(), ["train.bin"], 50_000, 2, 100);
    await make(hundred(), ["test.bin"], 10_000, 2, 100);
    await writeFile(
      path.join(ten(), "batches.meta.txt"),
      "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n",
    );
  });
  afterAll(closeRecordFiles);

  it("10: the paper's 45,000 and 5,000, no picture in both", async () => {
    const data = await openDataSet(path.join(folder, "ten"));
    expect(data).toMatchObject({ name: "CIFAR-10", inputShape: [3, 32, 32], warnings: [] });
    expect(data.classes[9]).toBe("truck");
    expect([data.train.size, data.validation.size, data.test!.size]).toEqual([45_000, 5000, 10_000]);
    const seen = new Set<string>();
    for (const split of [data.train, data.validation]) {
      for (let i = 0; i < split.size; i++) seen.add(JSON.stringify(split.reference(i)));
    }
    expect(seen.size).toBe(50_000);
    const other = await openDataSet(path.join(folder, "ten"), { seed: 2 });
    expect(other.validation.reference(0)).not.toEqual(data.validation.reference(0));
  });

  it("10: labels and pixels of the record", async () => {
    const { train, validation, test } = await openCifar("cifar10", ten());
    for (const split of [train, validation, test!]) {
      for (const index of [0, 17, split.size - 1]) {
        const { file, offset } = split.reference(index) as { file: string; offset: number };
        const [f, i] = [path.basename(file), (offset - 1) / 3073];
        const part = f === "test_batch.bin" ? 5 : Number(f.match(/\d/)![0]) - 1;
        expect(split.label(index)).toBe((i + part) % 10);
        const data = await pixels(split, index);
        const value = (i + 10 * part) % 256;
        expect([...data.subarray(0, 3)]).toEqual([value, (value + 50) % 256, (value + 100) % 256]);
        // Row 1, column 1, green.
        expect(data[33 * 3 + 1]).toBe(7);
      }
    }
  });

  it("100: the fine label counts; names may be missing; nothing set aside", async () => {
    const data = await openDataSet(hundred(), { validation: 0 });
    expect([data.train.size, data.validation.size, data.classes.length]).toEqual([50_000, 10_000, 100]);
    expect(data.train.label(42)).toBe(42);
    expect(data.warnings).toEqual(["CIFAR-100: no pictures are set aside, so the test pictures are the validation"]);
    expect(() => checkClasses(data, 10)).toThrow("CIFAR-100 has 100 classes, the network tells 10 apart");
  });

  it("files that are missing, of another size, or with labels out of range", async () => {
    const broken = path.join(folder, "broken");
    await expect(openCifar("cifar10", broken)).rejects.toThrow(
      /data_batch_1.bin: missing; CIFAR-10 is read from the unpacked/,
    );
    await mkdir(broken);
    for (const name of await readdir(ten()))
      await writeFile(path.join(broken, name), await readFile(path.join(ten(), name)));
    await truncate(path.join(broken, "data_batch_4.bin"), 30_729_999);
    await expect(openCifar("cifar10", broken)).rejects.toThrow(
      /data_batch_4.bin: has 30729999 bytes, CIFAR-10 has 30730000/,
    );
    const bytes = new Uint8Array(30_730_000);
    bytes[3073 * 5] = 10;
    await writeFile(path.join(broken, "data_batch_4.bin"), bytes);
    await expect(openCifar("cifar10", broken)).rejects.toThrow(/data_batch_4.bin: record 5 has label 10/);
  });

  it("checksums of the archives", async () => {
    const file = path.join(folder, "cifar-10-binary.tar.gz");
    await writeFile(file, "not it");
    await expect(verifyArchive(file)).rejects.toThrow(/its md5 is 3d7d6b3a|damaged or another version: its md5 is/);
    await verifyArchive(file, createHash("md5").update("not it").digest("hex"));
    await expect(verifyArchive(path.join(folder, "other.zip"))).rejects.toThrow("no checksum is known");
    // ImageNet's as torchvision has them too (datasets/imagenet.py).
    expect([...ARCHIVES.keys()].sort()).toEqual([
      "ILSVRC2012_img_train.tar",
      "ILSVRC2012_img_val.tar",
      "cifar-10-binary.tar.gz",
      "cifar-100-binary.tar.gz",
    ]);
    await expect(openDataSet(file)).rejects.toThrow("is a file; unpack it and give the folder");
  });
});

describe("folders of pictures", () => {
  let root: string;
  let cache: string;
  let count = 0;
  let png: Buffer;
  beforeAll(async () => {
    png = await sharp(new Uint8Array(12).fill(9), { raw: { width: 2, height: 2, channels: 3 } })
      .png()
      .toBuffer();
  });
  beforeEach(async () => {
    root = path.join(folder, `set${++count}`);
    cache = path.join(folder, `cache${count}`);
    await put(
      "train/cat/b.png",
      "train/cat/a.JPEG",
      "train/dog/deep/er/c.png",
      "train/dog/notes.txt",
      "val/dog/x.png",
      "val/cat/y.jpg",
    );
  });
  const put = async (...names: string[]) => {
    for (const name of names) {
      await mkdir(path.dirname(path.join(root, name)), { recursive: true });
      await writeFile(path.join(root, name), png);
    }
  };
  const open = () => openFolders(root, { cache });
  const names = (split: Split) =>
    Array.from({ length: split.size }, (_, i) => {
      const reference = split.reference(i) as { file: string };
      return `${split.label(i)} ${path.relative(root, reference.file)}`;
    });

  it("classes are sorted, pictures are found by their ending, in folders below too", async () => {
    const data = await open();
    expect(data.classes).toEqual(["cat", "dog"]);
    expect(names(data.train)).toEqual(["0 train/cat/a.JPEG", "0 train/cat/b.png", "1 train/dog/deep/er/c.png"]);
    expect(names(data.validation)).toEqual(["0 val/cat/y.jpg", "1 val/dog/x.png"]);
    expect(data.test).toBeUndefined();
    expect([...(await pixels(data.train, 1))]).toEqual(new Array(12).fill(9));
  });

  it("a class that is missing, unknown or empty, and too few classes", async () => {
    await rm(path.join(root, "val/dog"), { recursive: true });
    await expect(open()).rejects.toThrow(`${root}/val: no folder for class dog`);
    await put("val/dog/x.png", "val/cow/z.png");
    await expect(open()).rejects.toThrow(`${root}/val/cow: a class that is not among the training ones`);
    await rm(path.join(root, "val/cow"), { recursive: true });
    await rm(path.join(root, "train/dog/deep"), { recursive: true });
    await expect(open()).rejects.toThrow(`${root}/train/dog: no pictures`);
    await rm(path.join(root, "train/dog"), { recursive: true });
    await expect(open()).rejects.toThrow("1 class folders, at least 2 are needed");
    await rm(path.join(root, "val"), { recursive: true });
    await expect(open()).rejects.toThrow("no folder named val; expected train/CLASS/*.jpg and val/CLASS/*.jpg");
    await expect(openDataSet(path.join(folder, "nowhere"))).rejects.toThrow("no such folder");
  });

  it("links out of the folder are not followed, and told", async () => {
    await writeFile(path.join(folder, "secret.png"), png);
    await symlink(path.join(folder, "secret.png"), path.join(root, "train/cat/out.png"));
    await symlink(folder, path.join(root, "train/cat/up"));
    await symlink(path.join(root, "train/cat/b.png"), path.join(root, "train/cat/inside.png"));
    await symlink(path.join(root, "train"), path.join(root, "train/cat/loop"));
    const data = await open();
    expect(names(data.train).map((name) => path.basename(name))).toEqual(["a.JPEG", "b.png", "inside.png", "c.png"]);
    expect(data.warnings).toEqual(
      ["out.png", "up"].map((name) => `${root}/train/cat/${name}: a link out of the folder, not followed`),
    );
  });

  it("the listing is kept, and made again where a folder changed", async () => {
    const long = new Date(Date.now() - 60_000);
    const train = path.join(root, "train");
    const age = async () => {
      for (const at of ["", "cat", "dog", "dog/deep", "dog/deep/er"]) await utimes(path.join(train, at), long, long);
    };
    await age();
    const before = await listPictures(train, { cache });
    expect(await readdir(cache)).toHaveLength(1);
    // A change that doesn't show in the folder's time is not seen: the listing came from the cache.
    await rm(path.join(train, "cat/b.png"));
    await age();
    expect(await listPictures(train, { cache })).toEqual(before);
    await put("train/cat/new.png");
    const after = await listPictures(train, { cache });
    expect(after.folders.find(({ path }) => path === "cat")!.files).toEqual(["a.JPEG", "new.png"]);
    // Somebody else's cache leads nowhere.
    const [file] = await readdir(cache);
    const entries = [["cat", { changed: 0, files: ["../../../secret.png"], folders: [], strayLinks: [] }]];
    await writeFile(path.join(cache, file!), JSON.stringify({ version: 1, entries }));
    expect(await listPictures(train, { cache })).toEqual(after);
    expect(await listPictures(train, { cache: false })).toEqual(after);
  });
});

describe("shapes", () => {
  it("are the same pictures on every machine", async () => {
    const { train, validation } = openShapes();
    const hash = createHash("sha256");
    for (let i = 0; i < 100; i++) hash.update(await pixels(train, i)).update(await pixels(validation, i));
    expect(hash.digest("hex")).toBe("4b0fdaf826b029ed37026ac1c8e1252298361e06243edb66901ad09888ad210f");
  });

  it("differ between splits, seeds and samples; the classes take turns", async () => {
    const { train, validation, classes } = openShapes();
    const first = await pixels(train, 0);
    expect(first).toHaveLength(3072);
    for (const other of [pixels(train, 10), pixels(validation, 0), pixels(openShapes({ seed: 2 }).train, 0)]) {
      expect(await other).not.toEqual(first);
    }
    expect(classes).toHaveLength(10);
    expect([0, 1, 9, 10].map(train.label)).toEqual([0, 1, 9, 0]);
    expect(() => openShapes({ train: 0 })).toThrow("shapes: train must have from 1 to");
  });
});
