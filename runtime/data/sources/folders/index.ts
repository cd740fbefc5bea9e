/** Images in a folder a class, as ImageNet is laid out: train/CLASS/*.JPEG and val/CLASS/*.JPEG; or CLASS/*.jpg alone. */
import path from "node:path";
import { byCodePoint } from "../../../images/folder.js";
import { firstFew } from "../../../few.js";
import { leftOutLine } from "../../../images/names.js";
import type { DataSet, LabelledSplit, Split } from "../../data-set.js";
import { DataError } from "../../../data-error.js";
import { divideByClass, isShare, type HeldOut, type HeldOutChoice } from "../held-out.js";
import { EXPECTED, findLayout } from "./layout.js";
import { listImages, type ListingOptions } from "../listing.js";

/** How folders of images are divided and listed. */
export interface FolderOptions extends ListingOptions {
  /**
   * Where there is no folder `val`: training images that are set aside for validation, of each class its part; a share
   * (0.1) or how many. Default 0.1. With 0, the test images are the validation.
   */
  readonly validation?: HeldOut;
  /** Decides which they are. Default 1. */
  readonly seed?: number;
  /** How a training chose them: done again where neither is given and there is no `val`. */
  readonly heldOut?: HeldOutChoice;
}

const USUAL_SHARE = 0.1;

/**
 * The classes are the folders in `train`, sorted by name (in Unicode's form NFC, by code point); a class's images may lie
 * in folders below. Links are followed.
 *
 * @throws {DataError} where a part or a class is missing, a class has no training image, or a part has another class;
 *   it tells, too, what was left out
 */
export async function openFolders(folder: string, options: FolderOptions = {}): Promise<DataSet<LabelledSplit>> {
  const { root, parts } = await findLayout(folder);
  const notes = root === folder ? [] : [`${folder}: the data set is its folder ${path.relative(folder, root)}`];
  const listed: Part[] = [];
  const list = async (place: string | undefined) => {
    if (place === undefined) return undefined;
    const part = await listPart(place, options);
    listed.push(part);
    return part;
  };
  try {
    const train = (await list(parts ? parts.train : root))!;
    const validation = await list(parts?.validation);
    // A `test` folder without classes is a usual thing: the answers are kept secret.
    const test = await list(parts?.test);
    const name = path.basename(path.resolve(folder));
    const data = assemble(name, { train, validation, test, isDivided: parts !== undefined }, options);
    return { ...data, warnings: [...notes, ...listed.flatMap(({ warnings }) => warnings), ...data.warnings] };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    // What was left out may be the reason.
    const besides = [...notes, ...listed.flatMap(({ warnings }) => warnings)];
    throw besides.length === 0 ? error : new DataError([error.message, ...besides].join("; "), { cause: error });
  }
}

interface Part {
  readonly folder: string;
  /** Paths of each class's images, relative to the folder, by the class's name in NFC. */
  readonly classes: ReadonlyMap<string, readonly string[]>;
  readonly warnings: readonly string[];
}

interface Parts {
  readonly train: Part;
  readonly validation: Part | undefined;
  readonly test: Part | undefined;
  /** There is a folder `train`: the folders are not the classes themselves. */
  readonly isDivided: boolean;
}

function assemble(
  name: string,
  { train, validation, test, isDivided }: Parts,
  { validation: asked, heldOut, seed = heldOut?.seed ?? 1 }: FolderOptions,
): DataSet<LabelledSplit> {
  const classes = [...train.classes.keys()].sort(byCodePoint);
  if (classes.length < 2) {
    throw new DataError(`${train.folder}: ${classes.length} class folders, at least 2 are needed; ${EXPECTED}`);
  }
  const empty = withoutImages(train);
  if (empty.length > 0) {
    throw new DataError(
      empty.length === classes.length
        ? `${train.folder}: no images in its ${classes.length} folders ${firstFew(empty)}`
        : `${path.join(train.folder, empty[0]!)}: no images${among(empty)}`,
    );
  }
  const split = (part: Split["name"], from: Part) => splitOf(part, from, classes);
  const isLabelled = test !== undefined && test.classes.size > 0;
  if (isLabelled) checkSameClasses(test, classes);
  if (validation) {
    if (asked !== undefined) {
      const own = path.basename(validation.folder);
      throw new DataError(`${name}: has validation images of its own (${own}): none can be set aside besides`);
    }
    checkSameClasses(validation, classes);
    const none = withoutImages(validation);
    const warning = `${validation.folder}: no images of ${counted(none.length, "class", "classes")} (${firstFew(none)})`;
    return {
      name,
      classes,
      train: split("train", train),
      validation: split("validation", validation),
      ...(isLabelled && { test: split("test", test) }),
      warnings: none.length === 0 ? [] : [warning],
    };
  }
  const share = asked ?? heldOut?.validation ?? USUAL_SHARE;
  if (share === 0) {
    if (!isLabelled) {
      throw new DataError(`${name}: has neither validation nor test images: a part must be set aside for validation`);
    }
    return {
      name,
      classes,
      train: split("train", train),
      validation: split("validation", test),
      heldOut: { validation: 0, seed },
      warnings: [`${name}: no images are set aside, so the test images are the validation`],
    };
  }
  const { kept, aside } = divideByClass(name, train.classes, share, seed);
  const data = {
    train: split("train", { ...train, classes: kept }),
    validation: split("validation", { ...train, classes: aside }),
  };
  const [set, all] = [data.validation.size, data.train.size + data.validation.size];
  const alone = withoutImages({ ...train, classes: aside });
  const how = isShare(share) ? `${(100 * share).toFixed(0)} % of each class` : "of each class its part";
  return {
    name,
    classes,
    ...data,
    ...(isLabelled && { test: split("test", test) }),
    heldOut: { validation: share, seed },
    ...(!isDivided && { whole: split("all", train) }),
    warnings: [
      ...(isDivided
        ? []
        : [
            `${train.folder}: has no folder train: its ${classes.length} folders are the classes (${firstFew(classes)})`,
          ]),
      `${name}: has no folder val: ${set} of ${all} images are set aside for validation (${how}, seed ${seed})`,
      ...(alone.length > 0
        ? [`${name}: no image of ${counted(alone.length, "class", "classes")} is set aside (${firstFew(alone)})`]
        : []),
    ],
  };
}

async function listPart(folder: string, options: ListingOptions): Promise<Part> {
  const { folders, others, brokenLinks, loops, tooDeep } = await listImages(folder, options);
  const classes = new Map<string, string[]>();
  /** The name on the disk of each class. */
  const written = new Map<string, string>();
  const warnings: string[] = [];
  for (const { path: at, files } of folders) {
    const [own] = at.split(path.sep);
    if (own === undefined || own === "") {
      if (files.length > 0) {
        warnings.push(`${folder}: ${counted(files.length, "image")} outside of class folders left out`);
      }
      continue;
    }
    // The same letters may be written in two ways, and some systems change one into the other.
    const className = own.normalize("NFC");
    if ((written.get(className) ?? own) !== own) {
      throw new DataError(`${folder}: has two folders ${className}, written in different Unicode forms: make them one`);
    }
    written.set(className, own);
    const known = classes.get(className) ?? [];
    for (const file of files) known.push(path.join(at, file));
    classes.set(className, known);
  }
  const warnOf = (places: readonly string[], one: string, many: string, what: string) => {
    if (places.length > 0) {
      warnings.push(
        `${folder}: ${places.length === 1 ? `1 ${one}` : `${places.length} ${many}`} ${what}: ${firstFew(places)}`,
      );
    }
  };
  const leftOut = leftOutLine(others);
  if (leftOut !== undefined) warnings.push(`${folder}: ${leftOut}`);
  warnOf(brokenLinks, "link", "links", "to nothing left out");
  warnOf(loops, "link", "links", "back to a folder above not followed");
  warnOf(tooDeep, "folder", "folders", "too far down left out");
  return { folder, classes, warnings };
}

/** All that differs at once. */
function checkSameClasses({ folder, classes }: Part, expected: readonly string[]): void {
  const known = new Set(expected);
  const missing = expected.filter((name) => !classes.has(name));
  const unknown = [...classes.keys()].filter((name) => !known.has(name));
  const problems = [
    ...(missing.length > 0 ? [`no folder for ${namedClasses(missing)}`] : []),
    ...(unknown.length > 0
      ? [`${namedClasses(unknown)} that ${unknown.length === 1 ? "is" : "are"} not among the training ones`]
      : []),
  ];
  if (problems.length === 0) return;
  const like = missing.find((name) => unknown.some((other) => other.toLowerCase() === name.toLowerCase()));
  const hint = like === undefined ? "" : ` (names have to agree in capitals too)`;
  throw new DataError(`${folder}: ${problems.join(", and ")}${hint}`);
}

/** `class cat`, `3 classes (cat, cow, dog)` */
function namedClasses(names: readonly string[]): string {
  return names.length === 1 ? `class ${names[0]!}` : `${names.length} classes (${firstFew(names)})`;
}

function withoutImages({ classes }: Part): string[] {
  return [...classes].filter(([, files]) => files.length === 0).map(([name]) => name);
}

function among(names: readonly string[]): string {
  return names.length > 1 ? `, nor in ${firstFew(names.slice(1))}` : "";
}

function counted(count: number, one: string, many = `${one}s`): string {
  return count === 1 ? `1 ${one}` : `${count} ${many}`;
}

function splitOf(name: Split["name"], { folder, classes }: Part, order: readonly string[]): LabelledSplit {
  const starts: number[] = [];
  let size = 0;
  for (const className of order) {
    starts.push(size);
    size += classes.get(className)!.length;
  }
  if (size === 0) throw new DataError(`${folder}: no images`);
  const labels = order.length > 2 ** 16 ? new Uint32Array(size) : new Uint16Array(size);
  starts.forEach((start, label) => labels.fill(label, start));
  return {
    name,
    size,
    label: (index) => labels[index]!,
    reference: (index) => {
      const label = labels[index]!;
      const file = classes.get(order[label]!)![index - starts[label]!]!;
      return { kind: "file", file: path.join(folder, file) };
    },
    isLight: false,
  };
}
