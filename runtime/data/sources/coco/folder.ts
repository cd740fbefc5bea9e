/** A folder with COCO's annotations of each part of the data: as COCO's own archives unpack, and as tools export. */
import { stat } from "node:fs/promises";
import path from "node:path";
import { DataError } from "../../../data-error.js";
import type { AnnotatedSplit, DataSet } from "../../data-set.js";
import { listFolder } from "../annotated/file.js";
import { imageFolder } from "../annotated/locate.js";
import { annotatedData, dividedWhere, type DivisionOption, type ImagesOption } from "../annotated/split.js";
import { readCocoAnnotations, type CocoOptions } from "./annotations.js";

type PartName = "train" | "validation" | "test";
const PARTS: readonly PartName[] = ["train", "validation", "test"];

/** `instances_train2017.json`, `train.json`; captions and keypoints are other files. */
const FILE = /^(?:instances_)?((train|val|valid|validation|test)(?:\d{4})?)\.json(?:\.gz)?$/i;
const FOLDER = /^(train|val|valid|validation|test)$/i;
const EXPORTED = "_annotations.coco.json";

const EXPECTED = `expected annotations/instances_train*.json, or train/${EXPORTED}`;

/** The annotations of a part, and where its images may be. */
interface Part {
  readonly file: string;
  /** As its images' folder is called: `train2017`. */
  readonly set: string;
}

type Opened = DataSet<AnnotatedSplit> & { readonly whole: AnnotatedSplit };

/**
 * With `annotations/instances_train2017.json` and `instances_val2017.json` and the images in `train2017`, `val2017` or below
 * `images`; or with `train/_annotations.coco.json`, `valid/_annotations.coco.json` beside their images. Without a part for
 * validation the training images may be divided.
 *
 * @throws {DataError} one line: no annotations of training images, two files for a part, parts of different categories, or
 *   what is wrong with a file
 */
export async function openCocoFolder(
  folder: string,
  options: ImagesOption & CocoOptions & DivisionOption = {},
): Promise<DataSet<AnnotatedSplit>> {
  const name = path.basename(path.resolve(folder));
  const files = await findParts(folder);
  const opened = new Map<PartName, Opened>();
  for (const [part, { file, set }] of files) {
    const annotations = await readCocoAnnotations(file, options);
    const images = options.images === false ? false : await imagesOf(folder, file, set, options.images);
    opened.set(part, await annotatedData(part === "train" ? name : path.basename(file), file, annotations, { images }));
  }
  const train = opened.get("train")!;
  for (const [part, { classes }] of opened)
    checkSame(files.get(part)!.file, classes, files.get("train")!.file, train.classes);
  const splitOf = (part: PartName): { readonly [P in PartName]?: AnnotatedSplit } => {
    const whole = opened.get(part)?.whole;
    return whole === undefined ? {} : { [part]: { ...whole, name: part } };
  };
  const warnings = [...opened.values()].flatMap((part) => part.warnings);
  if (!opened.has("validation")) return { ...dividedWhere({ ...train, warnings }, options), ...splitOf("test") };
  if (options.validation !== undefined) {
    throw new DataError(
      `${name}: has validation images of its own (${files.get("validation")!.set}): none can be set aside`,
    );
  }
  const { whole: _, ...rest } = train;
  return { ...rest, ...splitOf("train"), ...splitOf("validation"), ...splitOf("test"), warnings };
}

async function findParts(folder: string): Promise<ReadonlyMap<PartName, Part>> {
  const entries = await listFolder(folder);
  const found: (Part & { readonly part: PartName })[] = [];
  const own = entries.find((entry) => /^annotations$/i.test(entry));
  for (const inside of own === undefined ? [""] : ["", own]) {
    for (const entry of inside === "" ? entries : await listFolder(path.join(folder, inside))) {
      const [, set, part] = FILE.exec(entry) ?? [];
      if (part !== undefined) found.push({ part: partOf(part), file: path.join(folder, inside, entry), set: set! });
    }
  }
  for (const entry of entries) {
    const file = path.join(folder, entry, EXPORTED);
    if (FOLDER.test(entry) && (await isA("File", file))) found.push({ part: partOf(entry), file, set: entry });
  }
  const parts = new Map<PartName, Part>();
  for (const part of PARTS) {
    const [one, other] = found.filter((each) => each.part === part);
    if (other) {
      const both = [one!, other].map(({ file }) => path.relative(folder, file)).join(" and ");
      throw new DataError(`${folder}: has ${both}: which of them is meant? Leave one there`);
    }
    if (one) parts.set(part, one);
  }
  if (!parts.has("train")) throw new DataError(`${folder}: has no annotations of training images: ${EXPECTED}`);
  return parts;
}

function partOf(word: string): PartName {
  const part = word.toLowerCase();
  return part === "train" || part === "test" ? part : "validation";
}

/** Where the part's images are: in a folder called as the part, or where they usually are beside the annotations. */
async function imagesOf(folder: string, file: string, set: string, asked: string | undefined): Promise<string> {
  const places = asked === undefined ? [folder, path.join(folder, "images")] : [asked];
  for (const place of places) {
    const inside = path.join(place, set);
    if (await isA("Directory", inside)) return inside;
  }
  return asked ?? imageFolder(file);
}

async function isA(kind: "File" | "Directory", place: string): Promise<boolean> {
  return (await stat(place).catch(() => undefined))?.[`is${kind}`]() ?? false;
}

function checkSame(file: string, classes: readonly string[], trainFile: string, known: readonly string[]): void {
  const odd = classes.findIndex((name, index) => name !== known[index]);
  if (odd < 0 && classes.length === known.length) return;
  const at = odd < 0 ? classes.length : odd;
  const of = (all: readonly string[]) => (all[at] === undefined ? "none" : JSON.stringify(all[at]));
  throw new DataError(
    `${file}: its categories are not those of ${path.basename(trainFile)}: number ${at + 1} is ${of(classes)}, there ${of(known)}`,
  );
}
