import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { checkClasses, evaluationSplit, type Split } from "../../../runtime/data/data-set.js";
import { openDataSet } from "../../../runtime/data/open.js";
import { openSample } from "../../../runtime/data/sample.js";
import { closeRecordFiles } from "../../../runtime/data/sources/cifar/record.js";
import { openCifar } from "../../../runtime/data/sources/cifar/index.js";
import { ARCHIVES, verifyArchive } from "../../../runtime/data/sources/cifar/checksum.js";
import { openFolders } from "../../../runtime/data/sources/folders/index.js";
import { listImages } from "../../../runtime/data/sources/listing.js";
import { openShapes } from "../../../runtime/data/sources/synthetic/shapes/index.js";

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

  it("10: the paper's 45,000 and 5,000, no image in both", async () => {
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
    expect(data.train.label!(42)).toBe(42);
    // The test images are looked at once.
    expect(data.test).toBeUndefined();
    expect(data.warnings).toEqual([
      `${hundred()}: no names of the classes in fine_label_names.txt: numbers stand for them`,
      "CIFAR-100: no images are set aside, so the test images are the validation",
    ]);
    expect(() => checkClasses(data, 10)).toThrow("CIFAR-100 has 100 classes, the network tells 10 apart");
  });

  it("files that are missing, cut short, or with labels out of range", async () => {
    const broken = path.join(folder, "broken");
    await expect(openCifar("cifar10", broken)).rejects.toThrow(`${broken}: no such folder`);
    await mkdir(broken);
    await expect(openCifar("cifar10", broken)).rejects.toThrow(
      `${broken}: has none of the files of CIFAR-10 (data_batch_1.bin, or data_batch_1 of the Python version): ` +
        "unpack cifar-10-binary.tar.gz or cifar-10-python.tar.gz there",
    );
    await writeFile(path.join(broken, "cifar-10-python.tar.gz"), "");
    await expect(openCifar("cifar10", broken)).rejects.toThrow(
      "is packed: unpack it there (tar -xf cifar-10-python.tar.gz)",
    );
    for (const name of await readdir(ten()))
      await writeFile(path.join(broken, name), await readFile(path.join(ten(), name)));
    await truncate(path.join(broken, "data_batch_4.bin"), 30_729_999);
    await expect(openCifar("cifar10", broken)).rejects.toThrow(
      /data_batch_4.bin: cut short or damaged: 30729999 bytes are no whole number of CIFAR-10's records of 3073/,
    );
    const bytes = new Uint8Array(30_730_000);
    bytes[3073 * 5] = 10;
    await writeFile(path.join(broken, "data_batch_4.bin"), bytes);
    await expect(openCifar("cifar10", broken)).rejects.toThrow(/data_batch_4.bin: record 5 has label 10/);
    await rm(path.join(broken, "data_batch_1.bin"));
    await rm(path.join(broken, "test_batch.bin"));
    await expect(openDataSet(broken)).rejects.toThrow(
      `${broken}: data_batch_1.bin, test_batch.bin are missing; CIFAR-10 is read from the unpacked cifar-10-binary.tar.gz`,
    );
  });

  it("a part of the files' records is accepted, and told; a share or a number is set aside", async () => {
    const part = path.join(folder, "part");
    const names = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`);
    await make(part, names, 40, 1, 10);
    await make(part, ["test_batch.bin"], 30, 1, 10);
    const data = await openDataSet(part);
    expect([data.train.size, data.validation.size, data.test!.size]).toEqual([180, 20, 30]);
    expect(data.warnings).toContain("CIFAR-10: a part of it: 200 training and 30 test images, not 50000 and 10000");
    expect((await openDataSet(part, { validation: 0.25 })).validation.size).toBe(50);
    expect((await openDataSet(part, { validation: 7 })).validation.size).toBe(7);
    for (const validation of [200, -1, 1.5, NaN]) {
      await expect(openDataSet(part, { validation })).rejects.toThrow("CIFAR-10: validation must be a share");
    }
    await make(part, ["train.bin", "test.bin"], 10, 2, 100);
    await expect(openDataSet(part)).rejects.toThrow(
      `${part}: holds two data sets: give cifar10:${part} for CIFAR-10, cifar100:${part} for CIFAR-100`,
    );
    expect((await openDataSet(`cifar100:${part}`)).name).toBe("CIFAR-100");
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
      "cifar-10-python.tar.gz",
      "cifar-100-binary.tar.gz",
      "cifar-100-python.tar.gz",
    ]);
    await expect(openDataSet(file)).rejects.toThrow("is a file; unpack it (tar -xf cifar-10-binary.tar.gz) and give");
  });
});

describe("folders of images", () => {
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
      return `${split.label!(i)} ${path.relative(root, reference.file)}`;
    });

  it("classes are sorted, images are found by their ending, in folders below too", async () => {
    const data = await open();
    expect(data.classes).toEqual(["cat", "dog"]);
    expect(names(data.train)).toEqual(["0 train/cat/a.JPEG", "0 train/cat/b.png", "1 train/dog/deep/er/c.png"]);
    expect(names(data.validation)).toEqual(["0 val/cat/y.jpg", "1 val/dog/x.png"]);
    expect(data.test).toBeUndefined();
    expect([...(await pixels(data.train, 1))]).toEqual(new Array(12).fill(9));
  });

  it("classes that are missing, unknown or empty, and too few: all at once", async () => {
    await rm(path.join(root, "val/dog"), { recursive: true });
    await expect(open()).rejects.toThrow(`${root}/val: no folder for class dog`);
    await put("val/Dog/x.png", "val/cow/z.png");
    await expect(open()).rejects.toThrow(
      `${root}/val: no folder for class dog, and 2 classes (Dog, cow) that are not among the training ones ` +
        "(names have to agree in capitals too)",
    );
    await rm(path.join(root, "val/cow"), { recursive: true });
    await rm(path.join(root, "val/Dog"), { recursive: true });
    await mkdir(path.join(root, "val/dog"));
    expect((await open()).warnings).toContain(`${root}/val: no images of 1 class (dog)`);
    await rm(path.join(root, "train/dog/deep"), { recursive: true });
    await expect(open()).rejects.toThrow(
      `${root}/train/dog: no images; ${root}/train: 1 file is not taken for images (1 .txt)`,
    );
    await rm(path.join(root, "train/dog"), { recursive: true });
    await expect(open()).rejects.toThrow("1 class folders, at least 2 are needed");
    await expect(openDataSet(path.join(folder, "nowhere"))).rejects.toThrow("no such folder");
  });

  it("links are followed wherever they lead, once round; those to nothing are told", async () => {
    const store = path.join(folder, `store${count}`);
    await mkdir(path.join(store, "bees"), { recursive: true });
    await writeFile(path.join(store, "bees/1.png"), png);
    await writeFile(path.join(store, "one.png"), png);
    await symlink(path.join(store, "one.png"), path.join(root, "train/cat/out.png"));
    await symlink(path.join(store, "bees"), path.join(root, "train/cat/bees"));
    for (const part of ["train", "val"]) await symlink(path.join(store, "bees"), path.join(root, part, "bee"));
    await symlink(path.join(root, "train/cat/b.png"), path.join(root, "train/cat/inside.png"));
    await symlink(path.join(root, "train"), path.join(root, "train/cat/loop"));
    await symlink(root, path.join(root, "train/cat/up"));
    await symlink(path.join(store, "nothing.png"), path.join(root, "train/cat/broken.png"));
    // A link that leads back by way of the store.
    await symlink(path.join(root, "train/dog"), path.join(store, "bees/again"));
    await symlink(path.join(store, "bees"), path.join(root, "train/dog/back"));
    const data = await open();
    expect(data.classes).toEqual(["bee", "cat", "dog"]);
    expect(names(data.train).map((name) => name.slice(8))).toEqual([
      ...["bee/1.png", "bee/again/deep/er/c.png"],
      ...["cat/a.JPEG", "cat/b.png", "cat/inside.png", "cat/out.png", "cat/bees/1.png", "cat/bees/again/deep/er/c.png"],
      ...["dog/back/1.png", "dog/deep/er/c.png"],
    ]);
    const loops = ["bee/again/back", "cat/bees/again/back", "cat/loop", "cat/up", "dog/back/again"].join(", ");
    expect(data.warnings).toEqual([
      // One, which is reached in three ways.
      `${root}/train: 3 files are not taken for images (3 .txt)`,
      `${root}/train: 1 link to nothing left out: cat/broken.png`,
      `${root}/train: 5 links back to a folder above not followed: ${loops}`,
      `${root}/val: 1 file is not taken for images (1 .txt)`,
      `${root}/val: 1 link back to a folder above not followed: bee/again/back`,
    ]);
    expect([...(await pixels(data.train, 0))]).toEqual(new Array(12).fill(9));
  });

  it("links that lead round in circles are no endless work", async () => {
    for (let i = 0; i < 6; i++) {
      await mkdir(path.join(root, `train/cat/f${i}`));
      for (let j = 0; j < 6; j++) await symlink(`../f${j}`, path.join(root, `train/cat/f${i}/to${j}`));
    }
    const data = await open();
    expect(data.train.size).toBe(3);
    expect(data.warnings.some((line) => /links back to a folder above not followed: .* and \d+ more$/.test(line))).toBe(
      true,
    );
  });

  it("what systems leave behind is passed over; other files are counted, also of what has no image's ending", async () => {
    await put(
      ...["train/cat/._a.jpg", "train/cat/.DS_Store", "train/cat/Thumbs.db", "train/__MACOSX/cat/._a.jpg"],
      ...["val/@eaDir/a.jpg", "train/.ipynb_checkpoints/a.png", "val/desktop.ini", "train/cat/@eaDir/SYNO.jpg"],
      ...["train/cat/1.jfif", "train/cat/2.JPE", "train/cat/3.bmp", "train/cat/4.ppm", "train/cat/no_ending"],
      ...["train/cat/5.heic", "train/cat/6.HEIC", "train/cat/7.avif"],
    );
    await writeFile(path.join(root, "train/cat/README"), "about cats");
    const data = await open();
    expect(names(data.train).filter((name) => name.startsWith("0"))).toEqual(
      ["1.jfif", "2.JPE", "3.bmp", "4.ppm", "a.JPEG", "b.png", "no_ending"].map((name) => `0 train/cat/${name}`),
    );
    expect(data.warnings).toEqual([
      `${root}/train: 5 files are not taken for images (2 .heic, 1 without ending, 1 .avif, 1 .txt)`,
    ]);
  });

  it("a class is the same in both of Unicode's forms, and is refused twice", async () => {
    const name = "chien \u00e9";
    await put(`train/${name.normalize("NFC")}/1.png`, `val/${name.normalize("NFD")}/1.png`);
    const data = await open();
    expect(data.classes).toEqual(["cat", "chien \u00e9", "dog"]);
    expect(data.validation.size).toBe(3);
    await put(`train/${name.normalize("NFD")}/2.png`);
    await expect(open()).rejects.toThrow(
      `${root}/train: has two folders chien \u00e9, written in different Unicode forms: make them one`,
    );
  });

  it("classes are in the order of Python's sorted()", async () => {
    // U+FF21 comes before U+1F600, whose first code unit is smaller.
    await put(...["\uff21", "\u{1f600}", "Zoo", "a b"].flatMap((name) => [`train/${name}/1.png`, `val/${name}/1.png`]));
    expect((await open()).classes).toEqual(["Zoo", "a b", "cat", "dog", "\uff21", "\u{1f600}"]);
  });

  it("layouts that leave no doubt are read, and told where something was assumed", async () => {
    const set = (name: string) => path.join(folder, `layout${count}`, name);
    const lay = async (name: string, ...files: readonly string[]) => {
      root = set(name);
      await put(...files);
      return openDataSet(root, { cache: false });
    };
    const pairs = (...parts: readonly string[]) => parts.flatMap((part) => [`${part}/a/1.png`, `${part}/b/1.png`]);
    expect((await lay("capitals", ...pairs("Train", "Valid"))).warnings).toEqual([]);
    expect((await lay("other", ...pairs("training", "validation", "testing"))).test!.size).toBe(2);
    const deeper = await lay("deeper", ...pairs("data/data2/train", "data/data2/val"));
    expect(deeper.warnings).toEqual([`${set("deeper")}: the data set is its folder data/data2`]);
    const ten = (part: string) =>
      ["a", "b"].flatMap((c) => Array.from({ length: 10 }, (_, i) => `${part}${c}/${i}.png`));
    const undivided = await lay("classes", ...ten(""));
    expect([undivided.train.size, undivided.validation.size, undivided.whole!.size]).toEqual([18, 2, 20]);
    expect(evaluationSplit(undivided)).toMatchObject({ name: "all", size: 20 });
    expect(undivided.warnings).toEqual([
      `${set("classes")}: has no folder train: its 2 folders are the classes (a, b)`,
      "classes: has no folder val: 2 of 20 images are set aside for validation (10 % of each class, seed 1)",
    ]);
    await expect(lay("two", ...pairs("val", "valid", "train"))).rejects.toThrow("has val and valid: which of them");
    await expect(lay("alone", ...pairs("val"))).rejects.toThrow("has no folder train, only val; to look at that alone");
    await expect(lay("coco", "train2017/a.jpg", "val2017/b.jpg")).rejects.toThrow(
      `${set("coco")}: is no data set: found 2 folders: train2017, val2017; expected train/CLASS/*.jpg and val/CLASS`,
    );
    await expect(lay("flat", "1.jpg", "2.jpg", "notes.txt")).rejects.toThrow(
      "is no data set: found 2 images without a class; 1 file is not taken for images (1 .txt); expected train/CLASS",
    );
    await expect(lay("flat_parts", "train/1.jpg", "val/2.jpg")).rejects.toThrow(
      /train: 0 class folders, .*; .*train: 1 image outside of class folders left out/,
    );
    await expect(lay("texts", "a/1.txt", "b/1.txt")).rejects.toThrow("no images in its 2 folders a, b");
    await mkdir(set("empty"), { recursive: true });
    await expect(openDataSet(set("empty"))).rejects.toThrow("is no data set: is empty; expected");
  });

  it("without val a part of each class is set aside, by the seed and the images' names alone", async () => {
    await rm(path.join(root, "val"), { recursive: true });
    await put(...Array.from({ length: 38 }, (_, i) => `train/cat/${i}.png`));
    await put(...Array.from({ length: 9 }, (_, i) => `train/dog/${i}.png`), "train/one/1.png");
    const held = async (options: { validation?: number; seed?: number }) => {
      const data = await openFolders(root, { cache, ...options });
      const both = [...names(data.train), ...names(data.validation)];
      expect(new Set(both).size).toBe(51);
      return data;
    };
    const usual = await held({});
    const perClass = (split: Split) =>
      [0, 1, 2].map((label) => names(split).filter((name) => name.startsWith(`${label} `)).length);
    expect(perClass(usual.validation)).toEqual([4, 1, 0]);
    expect(usual.warnings.at(-1)).toMatch(/no image of 1 class is set aside \(one\)$/);
    expect(names((await held({})).validation)).toEqual(names(usual.validation));
    expect(names((await held({ seed: 2 })).validation)).not.toEqual(names(usual.validation));
    expect(perClass((await held({ validation: 0.5 })).validation)).toEqual([20, 5, 0]);
    expect(perClass((await held({ validation: 11 })).validation)).toEqual([9, 2, 0]);
    expect((await held({ validation: 48 })).validation.size).toBe(48);
    await expect(held({ validation: 49 })).rejects.toThrow("each class keeps one, so 48 is the most");
    await expect(held({ validation: 0 })).rejects.toThrow("has neither validation nor test images");
    // An image more moves none of the others to the other side.
    await put("train/dog/another.png");
    const more = new Set(names((await openFolders(root, { cache })).validation));
    expect(names(usual.validation).filter((name) => !more.has(name)).length).toBeLessThanOrEqual(1);
    await put("test/cat/1.png", "test/dog/1.png", "test/one/1.png");
    const tested = await openFolders(root, { cache, validation: 0 });
    expect([tested.validation.size, tested.test]).toEqual([3, undefined]);
    await put("val/cat/1.png", "val/dog/1.png", "val/one/1.png");
    await expect(held({ validation: 0.1 })).rejects.toThrow("has validation images of its own (val)");
  });

  it("the listing is kept, and made again where a folder changed", async () => {
    const long = new Date(Date.now() - 60_000);
    const train = path.join(root, "train");
    const age = async () => {
      for (const at of ["", "cat", "dog", "dog/deep", "dog/deep/er"]) await utimes(path.join(train, at), long, long);
    };
    await age();
    const before = await listImages(train, { cache });
    expect(await readdir(cache)).toHaveLength(1);
    // A change that doesn't show in the folder's time is not seen: the listing came from the cache.
    await rm(path.join(train, "cat/b.png"));
    await age();
    expect(await listImages(train, { cache })).toEqual(before);
    await put("train/cat/new.png");
    const after = await listImages(train, { cache });
    expect(after.folders.find(({ path }) => path === "cat")!.files).toEqual(["a.JPEG", "new.png"]);
    // Somebody else's cache leads nowhere.
    const [file] = await readdir(cache);
    const entries = [
      ["cat", { changed: 0, files: ["../../../secret.png"], folders: [], others: [], brokenLinks: [], id: "0:0" }],
    ];
    await writeFile(path.join(cache, file!), JSON.stringify({ version: 2, entries }));
    expect(await listImages(train, { cache })).toEqual(after);
    expect(await listImages(train, { cache: false })).toEqual(after);
  });
});

describe("shapes", () => {
  it("are the same images on every machine", async () => {
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
