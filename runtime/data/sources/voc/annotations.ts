/** PASCAL VOC's annotations: an XML file for each image. */
import path from "node:path";
import { DataError } from "../../../data-error.js";
import {
  fromInclusiveCorners,
  type AnnotatedImage,
  type Annotations,
  type Category,
  type GroundTruth,
} from "../../objects.js";
import { decode, decodeXml } from "../annotated/encoding.js";
import { listFolder, readBounded } from "../annotated/file.js";
import { segmentsOf, stemOf } from "../annotated/image-names.js";
import { counted, Problems, shortened, Tally } from "../annotated/problems.js";
import { child, parseXml, type Element } from "./xml.js";

/** The classes in the order in which results are given. */
export const VOC_CLASSES: readonly string[] = [
  ..."aeroplane bicycle bird boat bottle bus car cat chair cow".split(" "),
  ..."diningtable dog horse motorbike person pottedplant sheep sofa train tvmonitor".split(" "),
];

/** Which of the annotations are read. */
export interface VocOptions {
  /** A list of images in ImageSets/Main, such as "val" or "test". Default: all. */
  readonly set?: string;
  /** Names of the classes; the first has id 1. Default: VOC's twenty, or where others occur, those that do, sorted. */
  readonly classes?: readonly string[];
}

/** What a file says; the class is still a name. */
export interface VocImage {
  /** Of the image's file, without folders; where the XML file doesn't name one, its own name without ending. */
  readonly file: string;
  readonly width?: number;
  readonly height?: number;
  readonly objects: readonly VocObject[];
}

/** An object of a {@link VocImage}: its box, the box's area in square pixels, and the name of its class. */
export type VocObject = Pick<GroundTruth, "box" | "area" | "isDifficult"> & { readonly name: string };

const MAX_XML = 16 * 1024 * 1024;
const MAX_LIST = 64 * 1024 * 1024;
/** Files that are read at a time. */
const AT_ONCE = 16;

/**
 * Reads a folder of XML files, or VOC's own folder (`VOC2007`), which has one in Annotations. An image's id is its
 * name where that is made of digits (2008_000002 becomes 2008000002), otherwise its place in the sorted list, from 1.
 * Files whose names begin with a dot are passed over.
 *
 * @throws {DataError} one line; where several files or objects are wrong, how many and the first of them
 */
export async function readVocFolder(folder: string, options: VocOptions = {}): Promise<Annotations> {
  const entries = await listFolder(folder);
  const isOwnFolder = entries.includes("Annotations");
  const annotations = isOwnFolder ? path.join(folder, "Annotations") : folder;
  const files =
    options.set === undefined
      ? (isOwnFolder ? await listFolder(annotations) : entries).filter((entry) => /\.xml$/i.test(entry))
      : (await readSet(folder, options.set)).map((name) => `${name}.xml`);
  if (files.length === 0) throw new DataError(`${annotations}: no annotations (XML files)`);
  const names = files.map(stemOf).sort();
  files.sort((a, b) => compare(stemOf(a), stemOf(b)));

  const reader: Reader = { problems: new Problems(annotations), undecided: new Tally(), sizeless: new Tally() };
  const parsed: VocImage[] = [];
  for (let start = 0; start < files.length; start += AT_ONCE) {
    const some = files.slice(start, start + AT_ONCE).map((name) => readXml(path.join(annotations, name)));
    for (const content of await Promise.all(some)) {
      // What could not be read has no place in the list, but then nothing comes of the list.
      const image = reader.problems.attempt(() => readImage(textOf(content), content.file, reader));
      if (image !== undefined) parsed.push(image);
    }
  }
  reader.problems.throwIfAny();
  const data = assemble(folder, names, parsed, options.classes);
  return {
    ...data,
    warnings: [
      ...data.warnings,
      ...reader.undecided.lines(
        annotations,
        (n) => `${counted(n, "object")} whose <difficult> is neither 0 nor 1: taken for not difficult`,
      ),
      ...reader.sizeless.lines(
        annotations,
        (n) => `${counted(n, "file")} whose <size> is no width and height: not compared with the image's`,
      ),
    ],
  };
}

interface Content {
  readonly file: string;
  readonly bytes?: Uint8Array;
  readonly error?: DataError;
}

async function readXml(file: string): Promise<Content> {
  try {
    return { file, bytes: await readBounded(file, MAX_XML) };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return { file, error };
  }
}

function textOf({ file, bytes, error }: Content): string {
  if (bytes === undefined) throw error!;
  return decodeXml(bytes, file);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function assemble(
  folder: string,
  names: readonly string[],
  parsed: readonly VocImage[],
  classes: readonly string[] = classesOf(parsed),
): Annotations {
  const categories = classes.map((name, index): Category => ({ id: index + 1, name }));
  const idOf = new Map(categories.map(({ id, name }) => [name, id]));
  const ids = imageIds(names);
  const strays = new Tally();
  const images: AnnotatedImage[] = [];
  const objects: GroundTruth[] = [];
  parsed.forEach(({ objects: own, ...image }, index) => {
    const id = ids[index]!;
    images.push({ id, ...image, stem: names[index]!, source: `${names[index]!}.xml` });
    for (const { name, ...object } of own) {
      const category = idOf.get(name);
      if (category === undefined) strays.add(() => `"${name}" in ${names[index]!}.xml`);
      else objects.push({ id: objects.length + 1, image: id, category, ...object, isCrowd: false });
    }
  });
  return {
    images,
    categories,
    objects,
    warnings: strays.lines(folder, (n) => `left out ${counted(n, "object")} of other classes than those asked for`),
  };
}

/**
 * @throws {DataError} one line with the file's name; where several objects are wrong, how many and the first of them
 */
export function parseVocXml(text: string, file: string): VocImage {
  const problems = new Problems(file);
  const image = readImage(text, file, { problems, undecided: new Tally(), sizeless: new Tally() });
  problems.throwIfAny();
  return image;
}

/** What is noted of all files. */
interface Reader {
  readonly problems: Problems;
  /** Objects of which it isn't said whether they are difficult. */
  readonly undecided: Tally;
  readonly sizeless: Tally;
}

function readImage(text: string, file: string, { problems, undecided, sizeless }: Reader): VocImage {
  const root = parseXml(text, file);
  if (root.name !== "annotation") {
    throw new DataError(`${file}: <${shortened(root.name)}> is no annotation of PASCAL VOC's kind`);
  }
  const name = path.basename(file);
  const objects: VocObject[] = [];
  // Parts of an object (a head, a hand) have boxes of their own, one level down.
  for (const element of root.children) {
    if (element.name !== "object") continue;
    const object = problems.attempt(() =>
      readObject(element, file, (said) => undecided.add(() => `${name}: "${said}"`)),
    );
    if (object !== undefined) objects.push(object);
  }
  const size = child(root, "size");
  const [width, height] = ["width", "height"].map((side) => Number((size && child(size, side)?.text) || 0));
  const isSize = (value: number | undefined) => Number.isFinite(value) && value! >= 0;
  if (!isSize(width) || !isSize(height)) sizeless.add(() => name);
  return {
    // Some programs write a path of their own machine.
    file: segmentsOf(child(root, "filename")?.text ?? "").at(-1) ?? stemOf(name),
    ...(isSize(width) && isSize(height) && width! > 0 && height! > 0 && { width: width!, height: height! }),
    objects,
  };
}

function readObject(object: Element, file: string, undecided: (said: string) => void): VocObject {
  const fail = (message: string): never => {
    throw new DataError(`${file}: ${message}`);
  };
  const name = child(object, "name")?.text || fail("<object> without <name>");
  const bounds =
    child(object, "bndbox") ??
    fail(
      `"${shortened(name)}" has no box (<bndbox>)${child(object, "polygon") ? ", but a polygon: write the box round it" : ""}`,
    );
  const corner = (which: string): number => {
    const text = child(bounds, which)?.text ?? fail(`<bndbox> without <${which}>`);
    const value = text === "" ? NaN : Number(text);
    return Number.isFinite(value) ? value : fail(`<${which}> must be a number, not "${shortened(text)}"`);
  };
  const [x1, y1, x2, y2] = [corner("xmin"), corner("ymin"), corner("xmax"), corner("ymax")];
  if (x2 < x1 || y2 < y1) {
    fail(`the box of "${shortened(name)}" has a negative size: (${x1}, ${y1}) to (${x2}, ${y2})`);
  }
  const box = fromInclusiveCorners(x1, y1, x2, y2, 1);
  const difficult = child(object, "difficult")?.text;
  const isDifficult = difficult === undefined ? false : DIFFICULT.get(difficult.toLowerCase());
  if (isDifficult === undefined) undecided(shortened(difficult!));
  return { name, box, area: box[2] * box[3], isDifficult: isDifficult ?? false };
}

/** What annotation tools write; some leave it empty or say "Unspecified", as of the pose. */
const DIFFICULT: ReadonlyMap<string, boolean> = new Map([
  ...["0", "0.0", "false", "no"].map((word) => [word, false] as const),
  ...["1", "1.0", "true", "yes"].map((word) => [word, true] as const),
]);

function classesOf(parsed: readonly VocImage[]): readonly string[] {
  const names = new Set(parsed.flatMap(({ objects }) => objects.map((object) => object.name)));
  return [...names].every((name) => VOC_CLASSES.includes(name)) ? VOC_CLASSES : [...names].sort();
}

function imageIds(names: readonly string[]): number[] {
  const ids = names.map((name) => (/^\d[\d_]*$/.test(name) ? Number(name.replaceAll("_", "")) : NaN));
  const areGood = ids.every((id) => Number.isSafeInteger(id)) && new Set(ids).size === ids.length;
  return areGood ? ids : names.map((_, index) => index + 1);
}

/** A list in ImageSets/Main names an image in each line, some with 1, 0 or -1 behind it. @throws {DataError} */
export async function readSet(folder: string, set: string): Promise<string[]> {
  if (set !== path.basename(set)) throw new DataError(`"${set}" is no name of a list in ImageSets/Main`);
  const file = path.join(folder, "ImageSets", "Main", `${set}.txt`);
  const lines = decode(await readBounded(file, MAX_LIST), "utf-8", file, "UTF-8").split(/\r?\n/);
  const names = lines.map((line) => line.trim().split(/\s+/)[0]!).filter((name) => name !== "");
  const odd = names.find((name) => name !== path.basename(name) || name === "..");
  if (odd !== undefined) throw new DataError(`${file}: "${odd.slice(0, 40)}" is no image's name`);
  return [...new Set(names)];
}
