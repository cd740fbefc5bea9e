/** Where the images of annotations lie: by the names that they have there, which may be another machine's. */
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import path from "node:path";
import { listImages } from "../listing.js";
import { isImageName } from "../../../images/names.js";
import { DataError } from "../../../data-error.js";
import type { AnnotatedImage } from "../../objects.js";
import { note, PathIndex, segmentsOf, stemOf } from "./image-names.js";
import { counted, Problems, shortened, Tally } from "./problems.js";

/** Where images lie. */
export interface LocatedImages {
  /** Paths by the image's id. */
  readonly files: ReadonlyMap<number, string>;
  /** What was found under another name: one line each. */
  readonly warnings: readonly string[];
}

const isFolder = (folder: string) =>
  stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );

/**
 * Where images usually are: JPEGImages in PASCAL VOC's folder, images beside COCO's file, otherwise with the
 * annotations.
 */
export async function imageFolder(place: string): Promise<string> {
  const isVoc = await isFolder(place);
  const folder = isVoc ? place : path.dirname(place);
  const usual = isVoc ? ["JPEGImages", "images"] : ["images"];
  const beside = /^annotations$/i.test(path.basename(path.resolve(folder))) ? usual.map((name) => `../${name}`) : [];
  for (const inside of [...usual, ...beside].map((name) => path.join(folder, name))) {
    if (await isFolder(inside)) return inside;
  }
  return folder;
}

/**
 * Where each image lies. A name that is not there as it stands is looked for in the folder and those below: without the
 * folders before it (`C:\data\a.jpg`, `https://host/a.jpg`), with them (`a.jpg` for `train/a.jpg`), in another Unicode
 * form, percent-encoded, in another case, and last with another ending or none. PASCAL VOC's images are looked for by the
 * XML file's name too. What is found so is told; what may be several images is refused. Nothing outside of the folder is
 * ever taken, save by links in it.
 *
 * @throws {DataError} one line: how many are not there and the first of them; or names that lead elsewhere, or may
 *   be several images
 */
export async function locateImages(images: readonly AnnotatedImage[], folder: string): Promise<LocatedImages> {
  const root = path.resolve(folder);
  const files = new Map<number, string>();
  const others: AnnotatedImage[] = [];
  const problems = new Problems(folder);
  for (const image of images) {
    const found = problems.attempt(() => pathWithin(root, folder, image));
    const isThere = found !== undefined && (await stat(found).catch(() => undefined))?.isFile() === true;
    if (isThere && isSure(image)) files.set(image.id, found);
    else if (found !== undefined || isElsewhere(image.file)) others.push(image);
  }
  const warnings: string[] = [];
  if (others.length > 0) {
    const index = await ImageIndex.of(root);
    warnings.push(...look(others, { folder, root, index, files, problems }));
  }
  problems.throwIfAny();
  return { files, warnings };
}

/** Whether nothing else could be meant: an XML file may be called as another image than it names. */
function isSure({ file, stem }: AnnotatedImage): boolean {
  return stem === undefined || stemOf(file) === stem;
}

/** A path of another machine or an address, which is looked for by its end. */
function isElsewhere(name: string): boolean {
  return path.isAbsolute(name) || name.startsWith("\\") || /^[a-z][a-z0-9+.-]*:/i.test(name);
}

/** @returns undefined for what is looked for by its end alone */
function pathWithin(root: string, folder: string, { id, file, source }: AnnotatedImage): string | undefined {
  const called = source ?? `image ${id}`;
  if (file === "") throw new DataError(`${called}: has no file_name`);
  const isInside = (full: string) => full.startsWith(root + path.sep);
  const whole = path.resolve(root, file);
  if (isElsewhere(file)) {
    if (segmentsOf(file).includes("..")) leadsOut();
    return isInside(whole) ? whole : undefined;
  }
  return isInside(whole) && isInside(path.resolve(root, file.replaceAll("\\", "/"))) ? whole : leadsOut();

  function leadsOut(): never {
    throw new DataError(`${called}: its file_name "${shortened(file, 80)}" leads out of ${folder}`);
  }
}

interface Search {
  readonly folder: string;
  readonly root: string;
  readonly index: ImageIndex;
  /** Those that are known; what is found is added. */
  readonly files: Map<number, string>;
  readonly problems: Problems;
}

/** @returns warnings */
function look(images: readonly AnnotatedImage[], { folder, root, index, files, problems }: Search): string[] {
  const renamed = new Tally();
  const missing: AnnotatedImage[] = [];
  const takenBy = new Map([...files].map(([id, file]) => [file, id]));
  for (const image of images) {
    const found = problems.attempt(() => index.find(image, folder));
    if (found === "") missing.push(image);
    if (!found) continue;
    const file = path.join(root, found);
    const isRenamed = found !== image.file;
    problems.attempt(() => {
      const other = takenBy.get(file);
      if (!isRenamed || other === undefined) return;
      throw new DataError(`${nameOf(image)} would be ${shortened(found, 80)}, which is image ${other}`);
    });
    if (isRenamed) renamed.add(() => `${nameOf(image)} is ${shortened(found, 80)}`);
    files.set(image.id, file);
    takenBy.set(file, image.id);
  }
  if (missing.length > 0) throw new DataError(missingLine(missing, folder, index));
  return renamed.lines(folder, (n) => `${counted(n, "image")} found under another name than annotated`);
}

function nameOf({ id, file, source }: AnnotatedImage): string {
  return source === undefined ? `"${shortened(file, 80)}" of image ${id}` : `"${shortened(file, 80)}" of ${source}`;
}

function missingLine(missing: readonly AnnotatedImage[], folder: string, index: ImageIndex): string {
  const { file, source, id } = missing[0]!;
  const isOther = !path.isAbsolute(file) && existsSync(path.join(folder, file));
  const count = missing.length === 1 ? "" : `, ${missing.length} in all`;
  const from = source === undefined ? "" : ` (${source})`;
  const leads = path.isAbsolute(file) ? `: image ${id}: its file_name leads out of ${folder}` : "";
  return `${folder}: ${shortened(file, 80)}${from} is ${isOther ? "a folder, not an image" : "not there"}${count}${leads}; ${index.holds()}`;
}

/** Whether the last part of a name is an image's ending rather than a part of the name; of images that are not read too. */
function hasEnding(name: string): boolean {
  return isImageName(name) || /\.(heic|heif|avif|jp2|jxl)$/i.test(name);
}

/** How strictly names are compared, one after the other. */
const LEVELS: readonly ((name: string) => string)[] = [
  (name) => name.normalize("NFC"),
  (name) => name.normalize("NFC").toLowerCase(),
];
const [, FOLDED] = LEVELS as [unknown, (name: string) => string];

/** The images in a folder and those below, by their names. */
class ImageIndex {
  readonly #count: number;
  readonly #example: string | undefined;
  readonly #byName = LEVELS.map(() => new PathIndex<string>());
  readonly #byStem = new PathIndex<string>();
  readonly #stems = new Map<string, string[]>();

  static async of(root: string): Promise<ImageIndex> {
    const isThere = await isFolder(root);
    const { folders } = isThere ? await listImages(root, { cache: false }) : { folders: [] };
    return new ImageIndex(folders.flatMap(({ path: at, files }) => files.map((file) => path.join(at, file))));
  }

  constructor(paths: readonly string[]) {
    this.#count = paths.length;
    this.#example = paths[0];
    for (const value of paths) {
      const parts = value.split(path.sep);
      LEVELS.forEach((fold, level) => this.#byName[level]!.add(parts.map(fold), value));
      const folded = parts.map(FOLDED);
      const stem = stemOf(folded.at(-1)!);
      this.#byStem.add([...folded.slice(0, -1), stem], value);
      note(this.#stems, stem, value);
    }
  }

  holds(): string {
    if (this.#count === 0) return "no images are in this folder or those below";
    return `the folder and those below hold ${counted(this.#count, "image")}, such as ${shortened(this.#example!, 80)}`;
  }

  /** @returns a path; empty where there is none. @throws {DataError} where several are meant, or an XML file names one image and is called as another */
  find(image: AnnotatedImage, folder: string): string {
    const { file, stem } = image;
    const byName = this.#meant(file);
    const byStem = stem === undefined ? [] : this.#called(stem);
    const both = byName.filter((each) => byStem.includes(each));
    const found = both.length > 0 ? both : [...byName, ...byStem];
    if (found.length <= 1) return found[0] ?? "";
    const some = found.slice(0, 3).map((each) => shortened(each, 60));
    throw new DataError(
      byName.length === 1 && byStem.length === 1
        ? `${image.source ?? `image ${image.id}`} names ${some[0]!}, but is called as ${some[1]!}, and both are in ${folder}`
        : `${nameOf(image)} may be ${some.join(" or ")}${found.length > 3 ? " or others" : ""}`,
    );
  }

  #meant(name: string): readonly string[] {
    const readings = readingsOf(name).map(segmentsOf);
    for (const [level, fold] of LEVELS.entries()) {
      for (const reading of readings) {
        const found = this.#byName[level]!.meant(reading.map(fold));
        if (found.length > 0) return found;
      }
    }
    for (const reading of readings) {
      const segments = reading.map(FOLDED);
      const base = segments.at(-1) ?? "";
      for (const stem of hasEnding(base) ? [base, stemOf(base)] : [base]) {
        const found = this.#byStem.meant([...segments.slice(0, -1), stem]);
        if (found.length > 0) return found;
      }
    }
    return [];
  }

  /** Those with this name and any ending; in this case, where there is one. */
  #called(stem: string): readonly string[] {
    const found = this.#stems.get(FOLDED(stem)) ?? [];
    const same = found.filter((each) => stemOf(path.basename(each)).normalize("NFC") === stem.normalize("NFC"));
    return same.length > 0 ? same : found;
  }
}

/** What a name may stand for: as it is, without an address's query, and without its percent signs. */
function readingsOf(name: string): string[] {
  const [before, query] = name.split(/[?#]/, 2) as [string, string | undefined];
  const named = /(?:^|&)d=([^&]*)/.exec(query ?? "")?.[1];
  const plain = [name, ...(query === undefined ? [] : [before]), ...(named === undefined ? [] : [named])];
  return [...new Set([...plain, ...plain.map(decoded)])];
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
