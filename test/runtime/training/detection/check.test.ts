/** Bad data, found before a training begins. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCoco, openVoc, type AnnotatedSplit, type Annotations } from "../../../../runtime/data/index.js";
import { checkDetectionData, type CheckOptions } from "../../../../runtime/training/detection/check.js";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "resnetc-check-"));
  const picture = (width: number, height: number) =>
    sharp({ create: { width, height, channels: 3, background: { r: 9, g: 99, b: 199 } } });
  for (const name of ["a", "b", "c"])
    await picture(40, 30)
      .jpeg()
      .toFile(path.join(root, `${name}.jpg`));
  await picture(40, 30).png().toFile(path.join(root, "d.png"));
  await picture(40, 30).withMetadata({ orientation: 6 }).jpeg().toFile(path.join(root, "turned.jpg"));
  await writeFile(path.join(root, "empty.jpg"), "");
  await writeFile(path.join(root, "text.jpg"), "no image at all");
});
afterAll(() => rm(root, { recursive: true }));

interface Entry {
  readonly file: string;
  /** Default 40x30. */
  readonly size?: readonly [width: number, height: number] | null;
  readonly objects?: readonly (readonly [category: number, box: readonly number[], more?: object])[];
}

async function coco(entries: readonly Entry[], categories = ["cat", "dog"]): Promise<AnnotatedSplit> {
  let id = 0;
  const json = {
    images: entries.map(({ file, size = [40, 30] }, i) => ({
      id: i + 1,
      file_name: file,
      ...(size && { width: size[0], height: size[1] }),
    })),
    categories: categories.map((name, i) => ({ id: i + 1, name })),
    annotations: entries.flatMap(({ objects = [] }, i) =>
      objects.map(([category_id, bbox, more]) => ({
        id: ++id,
        image_id: i + 1,
        category_id,
        bbox,
        area: bbox[2]! * bbox[3]!,
        iscrowd: 0,
        ...more,
      })),
    ),
  };
  const file = path.join(root, "data.json");
  await writeFile(file, JSON.stringify(json));
  return (await openCoco(file, { images: root })).whole as AnnotatedSplit;
}

const check = (split: AnnotatedSplit, options: Partial<CheckOptions> = {}) =>
  checkDetectionData(split, {
    labels: ["dog", "cat"],
    names: { model: "Net", data: "data" },
    rules: { crowd: "left_out", difficult: "left_out", empty: "left_out" },
    ...options,
  });

describe("boxes", () => {
  it("are clipped; those without area or outside of the image are left out, and told", async () => {
    const split = await coco([
      { file: "a.jpg", objects: [[1, [-4, 25, 10, 10]], [2, [5, 5, 0, 3]], [1, [41, 0, 5, 5]], [2, [30.5, 0, 10, 30.4]]] },
      { file: "b.jpg", objects: [[2, [0, -9, 5, 9]], [2, [1, 2, 3, 4]], [2, [1, 2, 3, 4]], [1, [1, 2, 3, 4]]] },
    ]); // prettier-ignore
    const { images, objects, warnings, notices } = await check(split);
    expect(images).toEqual([
      { index: 0, size: [30, 40], boxes: [[0, 25, 6, 5], [30.5, 0, 9.5, 30]], labels: [1, 0] },
      { index: 1, size: [30, 40], boxes: [[1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4]], labels: [0, 0, 1] },
    ]); // prettier-ignore
    expect(objects).toBe(5);
    expect(warnings).toEqual([
      "data: left out 1 object whose box has no area (first: object 2 of a.jpg: [5, 5, 0, 3] in 40x30)",
      "data: left out 2 objects whose box is outside of the image (first: object 3 of a.jpg: [41, 0, 5, 5] in 40x30)",
      "data: 1 object whose box reaches out of the image: clipped (first: object 1 of a.jpg: [-4, 25, 10, 10] in 40x30)",
      "data: 1 object of the same class and box as another of the image (first: object 7 of b.jpg)",
    ]);
    expect(notices).toEqual([]);
  });

  it("of less than a pixel are told; where all are, they are shares of the size, and an error", async () => {
    const small = [1, [0.25, 0.5, 0.1, 0.2]] as const;
    const split = await coco([{ file: "a.jpg", objects: [small, [2, [1, 2, 0.5, 8]]] }]);
    expect((await check(split)).warnings).toEqual([
      "data: 1 object whose box is less than a pixel wide and high (first: object 1 of a.jpg: [0.25, 0.5, 0.1, 0.2] in 40x30)",
    ]);
    const shares = await coco([{ file: "a.jpg", objects: [small] }, { file: "b.jpg", objects: [small] }]); // prettier-ignore
    await expect(check(shares)).rejects.toThrow(
      "data: no box is a pixel wide or high: boxes seem to be shares of the images' sizes, where pixels are needed",
    );
  });
});

describe("rules of the dialect", () => {
  const entries: Entry[] = [
    { file: "a.jpg", objects: [[1, [1, 1, 20, 20], { iscrowd: 1 }], [2, [2, 2, 9, 9]]] },
    { file: "b.jpg", objects: [[1, [1, 1, 20, 20], { iscrowd: 1 }]] },
    { file: "c.jpg" },
    { file: "d.png", objects: [[1, [3, 3, 5, 5]]] },
  ]; // prettier-ignore

  it("crowds and images without objects are left out: those of crowds alone, too", async () => {
    const { images, notices, warnings } = await check(await coco(entries));
    expect(images.map(({ index, labels }) => [index, labels])).toEqual([[0, [0]], [3, [1]]]); // prettier-ignore
    expect(warnings).toEqual([]);
    expect(notices).toEqual([
      "data: left out 2 crowds, as the detector's dialect says (first: object 1 of a.jpg)",
      "data: left out 2 images without objects, as the detector's dialect says (first: b.jpg)",
    ]);
  });

  it("or learned and used", async () => {
    const learned = { crowd: "learned", difficult: "left_out", empty: "used" } as const;
    const { images, notices } = await check(await coco(entries), { rules: learned });
    expect(images.map(({ index, labels }) => [index, labels])).toEqual([[0, [1, 0]], [1, [1]], [2, []], [3, [1]]]); // prettier-ignore
    expect(notices).toEqual([]);
  });

  it("PASCAL VOC's difficult objects are left out or learned", async () => {
    const voc = path.join(root, "voc");
    for (const folder of ["Annotations", "JPEGImages"]) await mkdir(path.join(voc, folder), { recursive: true });
    const object = (name: string, difficult: number) =>
      `<object><name>${name}</name><difficult>${difficult}</difficult>` +
      "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>10</xmax><ymax>11</ymax></bndbox></object>";
    for (const [name, objects] of [["000001", object("dog", 0) + object("cat", 1)], ["000002", object("cat", 1)]] as const) {
      await writeFile(
        path.join(voc, "Annotations", `${name}.xml`),
        `<annotation><filename>${name}.jpg</filename><size><width>40</width><height>30</height></size>${objects}</annotation>`,
      );
      await sharp({ create: { width: 40, height: 30, channels: 3, background: "red" } })
        .jpeg()
        .toFile(path.join(voc, "JPEGImages", `${name}.jpg`));
    } // prettier-ignore
    const split = (await openVoc(voc)).whole as AnnotatedSplit;
    const labels = ["cat", "dog"];
    const { images, notices } = await check(split, { labels });
    // Corners 1 to 10 are the first ten pixels.
    expect(images).toEqual([{ index: 0, size: [30, 40], boxes: [[0, 1, 10, 10]], labels: [1] }]);
    expect(notices).toEqual([
      "data: left out 2 difficult objects, as the detector's dialect says (first: object 2 of 000001.xml)",
      "data: left out 1 image without objects, as the detector's dialect says (first: 000002.xml)",
    ]);
    const rules = { crowd: "left_out", difficult: "learned", empty: "left_out" } as const;
    expect((await check(split, { labels, rules })).images.map((image) => image.labels)).toEqual([[1, 0], [0]]);
  });
});

describe("classes", () => {
  const objects = [[1, [1, 1, 5, 5]], [2, [2, 2, 5, 5]], [3, [2, 2, 5, 5]], [3, [1, 2, 5, 5]]] as const; // prettier-ignore

  it("categories that the detector has no class for are an error that names them", async () => {
    await expect(check(await coco([{ file: "a.jpg", objects }], ["cat", "wolf", "lynx"]))).rejects.toThrow(
      'data: 3 objects of categories that are no class of Net: "wolf", "lynx"; give the detector a class of each name',
    );
  });

  it("a category without objects may have any name; a class without objects is told", async () => {
    const { images, warnings } = await check(
      await coco([{ file: "a.jpg", objects: objects.slice(0, 1) }], [" cat", "animals"]),
    );
    expect(images[0]!.labels).toEqual([1]);
    expect(warnings).toEqual(["data: no object of 1 of the 2 classes of Net (dog)"]);
  });
});

describe("images", () => {
  const objects = [[1, [1, 1, 5, 5]], [2, [2, 2, 5, 5]]] as const; // prettier-ignore

  it("that can't be read are left out and named, or with strict an error", async () => {
    const files = ["a.jpg", "empty.jpg", "text.jpg", "b.jpg"];
    const split = await coco(files.map((file) => ({ file, objects })));
    const { images, warnings } = await check(split);
    expect(images.map(({ index }) => index)).toEqual([0, 3]);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^data: 2 of 4 images can't be read \(.*empty\.jpg: empty, not an image; .*text\.jpg: not an image in a format that is read .*\): left out$/,
      ),
    ]);
    await expect(check(split, { strict: true })).rejects.toThrow(/^data: 2 of 4 images can't be read/);
    const bad = await coco([{ file: "empty.jpg", objects }]);
    await expect(check(bad)).rejects.toThrow(
      /^data: no object is left to train on: 1 of 1 images can't be read \(.*empty\.jpg: empty, not an image\): left out$/,
    );
  });

  it("that went away since the data were opened", async () => {
    const split = await coco([{ file: "a.jpg", objects }, { file: "b.jpg", objects }]); // prettier-ignore
    const gone = {
      ...split,
      reference: (i: number) =>
        i === 0 ? split.reference(0) : { kind: "file" as const, file: path.join(root, "gone.jpg") },
    };
    const { images, warnings } = await check(gone); // prettier-ignore
    expect(images).toHaveLength(1);
    expect(warnings[0]).toMatch(/1 of 2 images can't be read \(.*gone\.jpg: no such file\): left out/);
  });

  it("are as large as their files say; where the annotations differ, it is told", async () => {
    const { images, warnings } = await check(
      await coco([
        { file: "a.jpg", size: null, objects },
        { file: "b.jpg", size: [80, 60], objects },
        { file: "turned.jpg", size: [40, 30], objects },
        { file: "d.png", size: [40, 30], objects },
      ]),
    );
    expect(images.map(({ size }) => size)).toEqual([[30, 40], [30, 40], [40, 30], [30, 40]]); // prettier-ignore
    expect(warnings).toEqual([
      expect.stringMatching(/^data: 1 image of another size than annotated \(first: .*b\.jpg is 40x30, annotated 80x60\)$/),
      expect.stringMatching(/^data: 1 image of another size than annotated, width and height exchanged: .*turned\.jpg is 30x40/),
    ]); // prettier-ignore
  });

  it("listed twice are told; with one id they are an error, as objects are", async () => {
    const split = await coco([{ file: "a.jpg", objects }, { file: "a.jpg", objects }]); // prettier-ignore
    expect((await check(split)).warnings).toEqual(["data: 1 image listed more than once, under other ids (first: a.jpg)"]);
    const known = split.annotations();
    const changed = (changes: Partial<Annotations>) => check({ ...split, annotations: () => ({ ...known, ...changes }) });
    await expect(changed({ images: known.images.map((image) => ({ ...image, id: 1 })) })).rejects.toThrow(
      "data: 1 id of more than one image (1)",
    );
    await expect(changed({ objects: [...known.objects, known.objects[1]!, known.objects[0]!] })).rejects.toThrow(
      "data: 2 ids of more than one object (2, 1)",
    );
  }); // prettier-ignore

  it("are looked at one after the other, until the signal ends it", async () => {
    const split = await coco(Array.from({ length: 20 }, () => ({ file: "a.jpg", objects })));
    const seen: number[][] = [];
    await check(split, { onProgress: (done, total) => void seen.push([done, total]) });
    expect(seen).toEqual([[16, 20], [20, 20]]); // prettier-ignore
    await expect(check(split, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
  });
});
