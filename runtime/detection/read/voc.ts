/** PASCAL VOC's annotations: an XML file for each picture. */
import { readdir } from "node:fs/promises";
import path from "node:path";
import {
  DetectionError,
  fromInclusiveCorners,
  type Category,
  type DetectionData,
  type GroundTruth,
  type Picture,
} from "../records.js";
import { counted, readBounded, Tally } from "./fields.js";
import { child, parseXml, type Element } from "./xml.js";

/** The classes in the order in which results are given. */
export const VOC_CLASSES: readonly string[] = [
  ..."aeroplane bicycle bird boat bottle bus car cat chair cow".split(" "),
  ..."diningtable dog horse motorbike person pottedplant sheep sofa train tvmonitor".split(" "),
];

export interface VocOptions {
  /** A list of pictures in ImageSets/Main, such as "val" or "test". Default: all. */
  readonly set?: string;
  /** Names of the classes; the first has id 1. Default: VOC's twenty, or where others occur, those that do, sorted. */
  readonly classes?: readonly string[];
}

/** What a file says; the class is still a name. */
export interface VocPicture {
  /** Of the picture's file, without folders. */
  readonly file: string;
  readonly width?: number;
  readonly height?: number;
  readonly objects: readonly (Pick<GroundTruth, "box" | "area" | "isDifficult"> & { readonly name: string })[];
}

const MAX_XML = 16 * 1024 * 1024;
const MAX_LIST = 64 * 1024 * 1024;
/** Files that are read at a time. */
const AT_ONCE = 16;

/**
 * Reads a folder of XML files, or VOC's own folder (`VOC2007`), which has one in Annotations. A picture's id is its
 * name where that is made of digits (2008_000002 becomes 2008000002), otherwise its place in the sorted list, from 1.
 *
 * @throws {DetectionError} one line
 */
export async function readVocFolder(folder: string, options: VocOptions = {}): Promise<DetectionData> {
  const entries = await list(folder);
  const isOwnFolder = entries.includes("Annotations");
  const annotations = isOwnFolder ? path.join(folder, "Annotations") : folder;
  const names =
    options.set === undefined
      ? (isOwnFolder ? await list(annotations) : entries)
          .filter((entry) => entry.toLowerCase().endsWith(".xml"))
          .map((entry) => entry.slice(0, -".xml".length))
      : await readSet(folder, options.set);
  if (names.length === 0) throw new DetectionError(`${annotations}: no annotations (XML files)`);
  names.sort();

  const parsed: VocPicture[] = [];
  for (let start = 0; start < names.length; start += AT_ONCE) {
    const some = names.slice(start, start + AT_ONCE).map(async (name) => {
      const file = path.join(annotations, `${name}.xml`);
      return parseVocXml((await readBounded(file, MAX_XML)).toString("utf8"), file);
    });
    parsed.push(...(await Promise.all(some)));
  }
  return assemble(folder, names, parsed, options.classes);
}

function assemble(
  folder: string,
  names: readonly string[],
  parsed: readonly VocPicture[],
  classes: readonly string[] = classesOf(parsed),
): DetectionData {
  const categories = classes.map((name, index): Category => ({ id: index + 1, name }));
  const idOf = new Map(categories.map(({ id, name }) => [name, id]));
  const ids = pictureIds(names);
  const strays = new Tally();
  const pictures: Picture[] = [];
  const objects: GroundTruth[] = [];
  parsed.forEach(({ objects: own, ...picture }, index) => {
    const image = ids[index]!;
    pictures.push({ id: image, ...picture });
    for (const { name, ...object } of own) {
      const category = idOf.get(name);
      if (category === undefined) strays.add(() => `"${name}" in ${names[index]!}.xml`);
      else objects.push({ id: objects.length + 1, image, category, ...object, isCrowd: false });
    }
  });
  return {
    pictures,
    categories,
    objects,
    warnings: strays.lines(folder, (n) => `left out ${counted(n, "object")} of other classes than those asked for`),
  };
}

/** @throws {DetectionError} one line with the file's name */
export function parseVocXml(text: string, file: string): VocPicture {
  const fail = (message: string): never => {
    throw new DetectionError(`${file}: ${message}`);
  };
  const root = parseXml(text, file);
  if (root.name !== "annotation") fail(`<${root.name}> is no annotation of PASCAL VOC's kind`);
  const number = (element: Element | undefined, name: string, within: string): number => {
    const found = element && child(element, name);
    if (found === undefined) return fail(`<${within}> without <${name}>`);
    const value = found.text === "" ? NaN : Number(found.text);
    return Number.isFinite(value) ? value : fail(`<${name}> must be a number, not "${found.text.slice(0, 40)}"`);
  };

  // Parts of an object (a head, a hand) have boxes of their own, one level down.
  const objects = root.children
    .filter((element) => element.name === "object")
    .map((object) => {
      const name = child(object, "name")?.text || fail("<object> without <name>");
      const bounds = child(object, "bndbox");
      const corner = (which: string) => number(bounds, which, "bndbox");
      const [x1, y1, x2, y2] = [corner("xmin"), corner("ymin"), corner("xmax"), corner("ymax")];
      if (x2 < x1 || y2 < y1) fail(`the box of "${name}" has a negative size: (${x1}, ${y1}) to (${x2}, ${y2})`);
      const box = fromInclusiveCorners(x1, y1, x2, y2, 1);
      const isDifficult = child(object, "difficult") !== undefined && number(object, "difficult", "object") !== 0;
      return { name, box, area: box[2] * box[3], isDifficult };
    });

  const size = child(root, "size");
  const [width, height] = size ? [number(size, "width", "size"), number(size, "height", "size")] : [0, 0];
  const named = child(root, "filename")?.text ?? "";
  const stem = path.basename(file, path.extname(file));
  return {
    // Some programs write a path of their own machine.
    file: named !== "" && named === path.basename(named) ? named : `${stem}.jpg`,
    ...(width > 0 && height > 0 && { width, height }),
    objects,
  };
}

function classesOf(parsed: readonly VocPicture[]): readonly string[] {
  const names = new Set(parsed.flatMap(({ objects }) => objects.map((object) => object.name)));
  return [...names].every((name) => VOC_CLASSES.includes(name)) ? VOC_CLASSES : [...names].sort();
}

function pictureIds(names: readonly string[]): number[] {
  const ids = names.map((name) => (/^\d[\d_]*$/.test(name) ? Number(name.replaceAll("_", "")) : NaN));
  const areGood = ids.every((id) => Number.isSafeInteger(id)) && new Set(ids).size === ids.length;
  return areGood ? ids : names.map((_, index) => index + 1);
}

/** A list names a picture in each line, some with 1, 0 or -1 behind it. */
async function readSet(folder: string, set: string): Promise<string[]> {
  if (set !== path.basename(set)) throw new DetectionError(`"${set}" is no name of a list in ImageSets/Main`);
  const file = path.join(folder, "ImageSets", "Main", `${set}.txt`);
  const lines = (await readBounded(file, MAX_LIST)).toString("utf8").split(/\r?\n/);
  const names = lines.map((line) => line.trim().split(/\s+/)[0]!).filter((name) => name !== "");
  const odd = names.find((name) => name !== path.basename(name) || name === "..");
  if (odd !== undefined) throw new DetectionError(`${file}: "${odd.slice(0, 40)}" is no picture's name`);
  return [...new Set(names)];
}

async function list(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    const reason = { ENOENT: "no such folder", ENOTDIR: "not a folder", EACCES: "may not be read" }[code];
    throw new DetectionError(`${folder}: ${reason ?? `can't be listed (${code})`}`, { cause: error });
  }
}
