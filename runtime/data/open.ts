/** From what `--data` says to a data set. */
import { stat } from "node:fs/promises";
import path from "node:path";
import { DataError } from "../data-error.js";
import type { DataSet } from "./data-set.js";
import { CIFAR, findCifar, openCifar, packedCifar } from "./sources/cifar/index.js";
import { openCoco } from "./sources/coco/index.js";
import { openFolders } from "./sources/folders/index.js";
import { hasLabelsFiles, openLabelsFile } from "./sources/labels/index.js";
import type { HeldOut, HeldOutChoice } from "./sources/held-out.js";
import { openScenes, type ScenesDataOptions } from "./sources/synthetic/scenes/index.js";
import { openShapes } from "./sources/synthetic/shapes/index.js";
import { openVoc } from "./sources/voc/index.js";

/** How a data set is opened. What a source has no use for is refused, but for `seed`, `heldOut` and `cache`. */
export interface OpenOptions {
  /** Decides which images are set aside for validation. Default 1. Drawn images are always the same. */
  readonly seed?: number;
  /**
   * Of CIFAR, of folders without `val`, and of what comes undivided: training images set aside for validation, a share
   * (0.1) or how many. Default a tenth. With 0, the test images are the validation.
   */
  readonly validation?: HeldOut;
  /** COCO's and VOC's images are divided where they come undivided, as training needs it. Default false. */
  readonly divide?: boolean;
  /** How a training set images aside: done again where nothing else is asked for and there is no `val`. */
  readonly heldOut?: HeldOutChoice;
  /** Where listings of folders are kept; false: nowhere. Default: the user's folder for caches. */
  readonly cache?: string | false;
  /**
   * Of COCO, VOC and labels files: where the images are. Default: where they usually are beside the annotations. False: they are not
   * looked for, and only the annotations can be used.
   */
  readonly images?: string | false;
  /** Of COCO and scenes: objects have their masks too. Of others there are none. Default false. */
  readonly masks?: boolean;
  /** Of VOC: a list in ImageSets/Main, and no other images. */
  readonly set?: string;
}

interface Source {
  /** As `--data` names it before a colon. */
  readonly name: string;
  /** What follows the colon; absent: nothing does. */
  readonly place?: "file" | "folder" | "file or a folder" | "counts";
  /** Options that it has a use for. */
  readonly options: readonly ("validation" | "images" | "set")[];
  readonly open: (place: string, options: OpenOptions) => DataSet | Promise<DataSet>;
}

const SOURCES: readonly Source[] = [
  { name: "shapes", options: [], open: () => openShapes() },
  {
    name: "scenes",
    place: "counts",
    options: [],
    open: (counts, { masks = false }) => openScenes({ ...sceneCounts(counts), masks }),
  },
  ...(["cifar10", "cifar100"] as const).map((kind): Source => ({
    name: kind,
    place: "folder",
    options: ["validation"],
    open: (folder, options) => openCifar(kind, folder, options),
  })),
  { name: "coco", place: "file or a folder", options: ["images", "validation"], open: openCoco },
  { name: "voc", place: "folder", options: ["images", "set", "validation"], open: openVoc },
  { name: "labels", place: "file", options: ["images", "validation"], open: openLabelsFile },
];

/**
 * @param data `shapes`, `scenes`, `scenes:COUNT` (of each part), `scenes:TRAIN/VALIDATION/TEST`; `cifar10:FOLDER`, `cifar100:FOLDER`; `coco:FILE` (or a JSON file), `coco:FOLDER`;
 *   `labels:FILE` (or a CSV file, or a folder with train.csv); `voc:FOLDER` (or a folder with Annotations); or a folder: with the unpacked CIFAR-10 or CIFAR-100 (binary or Python's
 *   version), with train/CLASS and val/CLASS, or with CLASS alone
 * @throws {DataError}
 */
export async function openDataSet(data: string, options: OpenOptions = {}): Promise<DataSet> {
  const named = namedSource(data);
  if (named) return openSource(named.source, named.place, data, options);
  const found = await stat(data).catch(() => undefined);
  if (!found)
    throw new DataError(`${data}: no such folder (the data sets that need no files are named shapes and scenes)`);
  if (!found.isDirectory()) {
    if (/\.json(\.gz)?$/i.test(data)) return openSource(sourceOf("coco"), data, data, options);
    if (/\.csv$/i.test(data)) return openSource(sourceOf("labels"), data, data, options);
    const isPacked = /\.(tar|gz|tgz|zip)$/.test(data);
    const hint = isPacked ? `unpack it (tar -xf ${path.basename(data)}) and give the folder` : "give a folder";
    throw new DataError(`${data}: is a file; ${hint}`);
  }
  if (await isVoc(data)) return openSource(sourceOf("voc"), data, data, options);
  if (await hasLabelsFiles(data)) return openSource(sourceOf("labels"), data, data, options);
  const [cifar, other] = findCifar(data);
  if (cifar && other) {
    const names = [cifar, other].map(({ kind }) => `${kind}:${data} for ${CIFAR[kind].name}`);
    throw new DataError(`${data}: holds two data sets: give ${names.join(", ")}`);
  }
  if (cifar) return openSource(sourceOf(cifar.kind), cifar.folder, data, options);
  refuseUnused(data, ["validation"], options);
  try {
    return await openFolders(data, options);
  } catch (error) {
    const packed = error instanceof DataError ? await packedCifar(data) : undefined;
    throw packed === undefined ? error : new DataError(`${(error as DataError).message}; ${packed}`, { cause: error });
  }
}

/** One number is that of each part. */
function sceneCounts(counts: string): ScenesDataOptions {
  if (counts === "") return {};
  const [train, validation = train, test = train] = counts.split("/").map(Number);
  return { train: train!, validation: validation!, test: test! };
}

function sourceOf(name: string): Source {
  return SOURCES.find((source) => source.name === name)!;
}

/** @returns undefined for what names no source; the name alone of one that is in a place is a folder's name */
function namedSource(data: string): { readonly source: Source; readonly place: string } | undefined {
  const [, name, colon, place] = /^(\w+)(?:(:)(.*))?$/s.exec(data) ?? [];
  const source = SOURCES.find((each) => each.name === name);
  if (source === undefined || (colon === undefined && source.place !== "counts" && source.place !== undefined)) {
    return undefined;
  }
  if (source.place === undefined && colon !== undefined) throw new DataError(`${data}: nothing follows ${source.name}`);
  if (source.place === "counts" && !/^(\d+(\/\d+\/\d+)?)?$/.test(place ?? "")) {
    throw new DataError(
      `${data}: the number of images follows ${source.name}:, or those of training, validation and test: scenes:4000/200/200`,
    );
  }
  if (colon !== undefined && place === "") throw new DataError(`${data}: a ${source.place} follows ${source.name}:`);
  return { source, place: place ?? "" };
}

async function openSource(source: Source, place: string, data: string, options: OpenOptions): Promise<DataSet> {
  refuseUnused(data, source.options, options);
  return source.open(place, options);
}

const UNUSED = {
  validation: "has validation images of its own, or none: none can be set aside",
  images: "has its images where it is: no other folder is looked at",
  set: "has no lists of images: set is of a PASCAL VOC folder",
} as const;

/** @throws {DataError} where an option is given that a source has no use for */
function refuseUnused(data: string, used: Source["options"], options: OpenOptions): void {
  for (const name of ["validation", "images", "set"] as const) {
    // That images are not looked for is no place where they are.
    const isGiven = options[name] !== undefined && options[name] !== false;
    if (isGiven && !used.includes(name)) throw new DataError(`${data}: ${UNUSED[name]}`);
  }
}

async function isVoc(folder: string): Promise<boolean> {
  return (await stat(path.join(folder, "Annotations")).catch(() => undefined))?.isDirectory() ?? false;
}
