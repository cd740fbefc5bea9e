/** Masks judged as pycocotools judges them (test/oracle/coco_masks_golden.py), from files as they are. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DataError } from "../../../runtime/data-error.js";
import { parseCocoAnnotations } from "../../../runtime/data/sources/coco/annotations.js";
import { parseCocoDetections } from "../../../runtime/data/sources/coco/detections.js";
import { cocoAnnotations, cocoDetections } from "../../../runtime/data/sources/coco/write.js";
import { evaluateCoco, withoutMasks, type CocoNumbers } from "../../../runtime/detection/evaluate/coco.js";

const NAMES = ["AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"] as const;

interface Golden {
  readonly size: readonly [height: number, width: number];
  readonly images: readonly number[];
  readonly categories: readonly number[];
  readonly objects: readonly (readonly [number, number, number, number, number, unknown])[];
  /** image, category, score, counts */
  readonly detections: readonly (readonly [number, number, number, string])[];
  readonly stats: readonly number[];
  readonly classes: Readonly<Record<string, readonly number[]>>;
}

const golden = JSON.parse(
  readFileSync(new URL("../../golden/detection/coco_masks.json", import.meta.url), "utf8"),
) as Golden[];

/** A file as annotation programs write it; the boxes are none of masks' business. */
function instances({
  size: [height, width],
  images,
  categories,
  objects,
}: Omit<Golden, "detections" | "stats" | "classes">) {
  return {
    images: images.map((id) => ({ id, file_name: `${id}.png`, height, width })),
    categories: categories.map((id) => ({ id, name: `class ${id}` })),
    annotations: objects.map(([id, image_id, category_id, area, iscrowd, segmentation]) => ({
      ...{ id, image_id, category_id, area, iscrowd, segmentation },
      bbox: [0, 0, 1, 1],
    })),
  };
}

function list({ size, detections }: Pick<Golden, "size" | "detections">) {
  return detections.map(([image_id, category_id, score, counts]) => ({
    ...{ image_id, category_id, score },
    segmentation: { size, counts },
  }));
}

function difference(numbers: CocoNumbers, expected: readonly number[]): number {
  return Math.max(...NAMES.map((name, i) => Math.abs(numbers[name] - expected[i]!)));
}

const read = { masks: true };
const object = (segmentation: unknown, more: object = {}) => ({
  ...instances({ size: [10, 12], images: [1], categories: [1], objects: [[1, 1, 1, 4, 0, segmentation]] }),
  ...more,
});
const SQUARE = [2, 2, 8, 2, 8, 8, 2, 8];
/** The same: 36 pixels of 10 x 12. */
const SQUARE_RUNS = [22, 6, 4, 6, 4, 6, 4, 6, 4, 6, 4, 6, 42];

describe("masks", () => {
  it.each(golden.map((example, index) => [index, example] as const))(
    "agree with pycocotools, case %i",
    (_, example) => {
      const data = parseCocoAnnotations(instances(example), "x.json", read);
      expect(data.warnings).toEqual([]);
      const { detections } = parseCocoDetections(list(example), "d.json", data);
      const { summary, classes } = evaluateCoco(data, detections, "masks");
      expect(difference(summary, example.stats)).toBeLessThan(1e-10);
      for (const { category, numbers } of classes) {
        expect(difference(numbers, example.classes[category.id]!)).toBeLessThan(1e-10);
      }
    },
  );

  it("of the cases are worth something", () => {
    expect(golden.filter(({ stats }) => stats[0]! > 0.05 && stats[0]! < 0.95).length).toBeGreaterThan(12);
    expect(golden.filter(({ objects }) => objects.some(([, , , , crowd]) => crowd === 1)).length).toBeGreaterThan(5);
  });

  it("are written as they were read", () => {
    const [example] = golden as [Golden];
    const data = parseCocoAnnotations(instances(example), "x.json", read);
    const again = parseCocoAnnotations(JSON.parse([...cocoAnnotations(data)].join("")), "y.json", read);
    expect(again).toEqual(data);
    const { detections } = parseCocoDetections(list(example), "d.json", data);
    const text = [...cocoDetections(detections)].join("");
    expect(parseCocoDetections(JSON.parse(text), "e.json", data).detections).toEqual(detections);
  });

  it("are the same as outlines, lists and texts", () => {
    const outline = parseCocoAnnotations(object([SQUARE]), "x.json", read);
    const runs = parseCocoAnnotations(object({ size: [10, 12], counts: SQUARE_RUNS }), "x.json", read);
    for (const data of [outline, runs]) {
      for (const other of [outline, runs]) {
        const found = other.objects.map((each) => ({ ...each, score: 1 }));
        expect(evaluateCoco(data, found, "masks").summary.AP).toBeCloseTo(1, 12);
      }
    }
  });

  it("of detections alone give them their boxes", () => {
    const data = parseCocoAnnotations(object([SQUARE]), "x.json", read);
    const one = { image_id: 1, category_id: 1, score: 1 };
    const boxed = (more: object) => parseCocoDetections([{ ...one, ...more }], "d.json", data).detections[0]?.box;
    expect(boxed({ segmentation: [SQUARE] })).toEqual([2, 2, 6, 6]);
    expect(boxed({ segmentation: [SQUARE], bbox: [1, 2, 3, 4] })).toEqual([1, 2, 3, 4]);
    expect(() => boxed({})).toThrow('d.json: detection number 1: "bbox" must be four numbers');
  });

  it("are not read where nobody asks for them", () => {
    expect(parseCocoAnnotations(object([SQUARE]), "x.json").objects[0]).not.toHaveProperty("mask");
    expect(parseCocoAnnotations(object([[1]]), "x.json").warnings).toEqual([]);
  });

  it("can't be judged where some have none", () => {
    const without = parseCocoAnnotations(object([]), "x.json", read);
    const [found] = parseCocoAnnotations(object([SQUARE]), "x.json", read).objects.map((each) => ({
      ...each,
      score: 1,
    }));
    expect(without.warnings).toEqual([]);
    expect(withoutMasks(without, [found!])).toBe("masks can't be judged: 1 of 1 annotations have none");
    const { mask: _, ...bare } = found!;
    expect(() => evaluateCoco(without, [found!, bare], "masks")).toThrow(
      new DataError("masks can't be judged: 1 of 1 annotations have none, 1 of 2 detections have none"),
    );
    expect(withoutMasks({ ...without, objects: [found!] }, [found!])).toBeUndefined();
  });

  it("of an image in two sizes overlap nothing, of which it warns", () => {
    const data = parseCocoAnnotations(object([SQUARE]), "x.json", read);
    const small = parseCocoAnnotations(
      { ...object([SQUARE]), images: [{ id: 1, file_name: "1.png", height: 9, width: 12 }] },
      "x.json",
      read,
    );
    const found = small.objects.map((each) => ({ ...each, score: 1 }));
    const { summary, warnings } = evaluateCoco(data, [...found, ...found], "masks");
    expect(summary.AP).toBe(0);
    expect(warnings).toEqual([
      "image 1 (1.png): masks of detections are 12 x 9 pixels, those of annotations 12 x 10; " +
        "masks of different sizes overlap nothing",
    ]);
    expect(evaluateCoco(data, found).warnings).toEqual([]);
    expect(evaluateCoco(small, found, "masks").warnings).toEqual([]);
    expect(evaluateCoco({ ...data, objects: [] }, found, "masks").warnings).toEqual([]);
  });
});

describe("a segmentation that is no mask", () => {
  const wide = { images: [{ id: 1, file_name: "1.png", height: 50_000, width: 50_000 }] };
  it.each<[unknown, string, object?]>([
    [[[1, 2, 3, 4]], '"segmentation" must have x and y of three corners or more for each part, not [1,2,3,4]'],
    [[[1, 2, 3, 4, 5, 6, 7]], "three corners or more for each part, not [1,2,3,4,5,6,7]"],
    [[[1, 2, 3, 4, 5, "6"]], 'not [1,2,3,4,5,"6"]'],
    [[1, 2, 3, 4, 5, 6], "for each part, not 1"],
    [[[0, 0, 1e9, 0, 0, 5]], '"segmentation" has outlines of more than 2000000 pixels'],
    [[[0, 0, 1e308, 0, -1e308, 5]], '"segmentation" has outlines of more than 2000000 pixels'],
    [[SQUARE], "an image of 50000 x 50000 pixels is too large for masks", wide],
    [[SQUARE], "their image has no", { images: [{ id: 1, file_name: "1.png" }] }],
    ["text", '"text" is no object'],
    [{ size: [10], counts: "" }, '"size" of "segmentation" must be height and width, not [10]'],
    [{ size: [12, 10], counts: "" }, '"segmentation" is of an image of 10 x 12 pixels, and this has 12 x 10'],
    [{ size: [1e6, 1e6], counts: "" }, "an image of 1000000 x 1000000 pixels is too large for masks"],
    [{ size: [10, 12], counts: "d0" }, '"segmentation" is of 20 pixels, and the image has 12 x 10'],
    [{ size: [10, 12], counts: [60, -1, 61] }, '"counts" must be a text or a list of whole numbers, not [60,-1,61]'],
    [{ size: [10, 12], counts: [60, 59] }, '"segmentation" is of 119 pixels'],
    [{ size: [10, 12], counts: "€" }, '"segmentation" has a letter that no mask has, at 1'],
  ])("%j is left out, with a warning; of a detection it is an error", (segmentation, message, more) => {
    const data = parseCocoAnnotations(object(segmentation, more), "x.json", read);
    expect(data.objects).toHaveLength(1);
    expect(data.objects[0]).not.toHaveProperty("mask");
    expect(data.warnings).toHaveLength(1);
    expect(data.warnings[0]).toMatch(/^x\.json: 1 annotation whose "segmentation" is no mask \(first: annotation 1: /);
    expect(data.warnings[0]).toContain(message);
    const detection = { image_id: 1, category_id: 1, score: 1, segmentation };
    const parse = () => parseCocoDetections([detection], "d.json", data);
    expect(parse).toThrow(DataError);
    expect(parse).toThrow(/^d\.json: detection number 1: /);
    expect(parse).toThrow(message);
  });
});
