/** Images with any number of classes each, as a file of comma-separated values says: `file,label,label,...` */
import { stat } from "node:fs/promises";
import path from "node:path";
import { DataError } from "../../../data-error.js";
import { byCodePoint } from "../../../images/folder.js";
import { firstFew } from "../../../few.js";
import type { DataSet, MultiLabelSplit, Split } from "../../data-set.js";
import { divided, type DivideOptions } from "../../divided.js";
import { decode } from "../annotated/encoding.js";
import { readBounded } from "../annotated/file.js";
import { locateImages } from "../annotated/locate.js";
import { Problems, shortened } from "../annotated/problems.js";
import type { ImagesOption } from "../annotated/split.js";
import { parseCsv } from "./csv.js";

/** How a labels file is read and divided, and where its images are. */
export interface LabelsFileOptions extends DivideOptions, ImagesOption {}

/** Files of the parts, in a folder. */
const PARTS = { train: "train.csv", validation: "val.csv", test: "test.csv" } as const;

/** What is read of a file, in bytes. */
const MOST_BYTES = 256 * 1024 * 1024;

/** Whether a folder has a labels file for training. */
export async function hasLabelsFiles(folder: string): Promise<boolean> {
  return isFile(path.join(folder, PARTS.train));
}

/**
 * A file with a line for each image: its name, relative to the file's folder, and its classes. A line without a class is an
 * image that has none; a first line whose first cell is `file` is a heading. Classes are sorted by name.
 *
 * @param place the file, which is divided; or a folder with `train.csv`, and `val.csv` and `test.csv` where there are such
 * @throws {DataError} one line: what is wrong with a file, which image is not there, a class that training does not have
 */
export async function openLabelsFile(
  place: string,
  options: LabelsFileOptions = {},
): Promise<DataSet<MultiLabelSplit>> {
  const isFolder = (await stat(place).catch(() => undefined))?.isDirectory() ?? false;
  const fileOf = async (part: keyof typeof PARTS): Promise<string | undefined> => {
    const file = path.join(place, PARTS[part]);
    return (await isFile(file)) ? file : undefined;
  };
  const name = path.basename(path.resolve(place));
  const train = await readLabels(isFolder ? path.join(place, PARTS.train) : place, options);
  const classes = [...new Set(train.lines.flatMap(({ labels }) => labels))].sort(byCodePoint);
  if (classes.length === 0) throw new DataError(`${train.file}: no image has a class: a line is file,class,class,...`);
  const split = (part: Split["name"], from: Labels): MultiLabelSplit => splitOf(part, from, classes);
  const [validation, test] = isFolder ? [await fileOf("validation"), await fileOf("test")] : [];
  const tested = test === undefined ? undefined : await readLabels(test, options);
  const rest = { name, classes, ...(tested && { test: split("test", tested) }) };
  const warnings = [...train.warnings, ...(tested?.warnings ?? [])];
  if (validation === undefined) {
    const whole = split("all", train);
    const undivided = { ...rest, train: whole, validation: whole, whole, warnings };
    return divided(
      undivided,
      train.lines.map(({ file }) => file),
      options,
    );
  }
  if (options.validation !== undefined) {
    throw new DataError(
      `${name}: has validation images of its own (${PARTS.validation}): none can be set aside besides`,
    );
  }
  const validated = await readLabels(validation, options);
  return {
    ...rest,
    train: split("train", train),
    validation: split("validation", validated),
    warnings: [...warnings, ...validated.warnings],
  };
}

async function isFile(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined))?.isFile() ?? false;
}

/** What a file says. */
interface Labels {
  readonly file: string;
  readonly lines: readonly { readonly file: string; readonly labels: readonly string[] }[];
  /** Paths of the images, in the order of the lines; empty where they are not looked for. */
  readonly paths: readonly string[];
  readonly warnings: readonly string[];
}

async function readLabels(file: string, { images }: ImagesOption): Promise<Labels> {
  const rows = parseCsv(decode(await readBounded(file, MOST_BYTES), "utf-8", file, "UTF-8"), file);
  const problems = new Problems(file);
  const seen = new Map<string, number>();
  const listed = rows.slice(rows[0]?.cells[0]?.trim().toLowerCase() === "file" ? 1 : 0);
  const lines = listed.flatMap(({ line, cells }) => {
    const [image = "", ...labels] = cells.map((each) => each.trim());
    const read = problems.attempt(() => {
      const at = `${file}: line ${line}`;
      if (image === "") throw new DataError(`${at}: names no image`);
      const before = seen.get(image);
      if (before !== undefined) throw new DataError(`${at}: ${shortened(image)} is in line ${before}, too`);
      seen.set(image, line);
      return {
        file: image,
        labels: [...new Set(labels.filter((label) => label !== "").map((label) => label.normalize("NFC")))],
      };
    });
    return read === undefined ? [] : [read];
  });
  problems.throwIfAny();
  if (lines.length === 0) throw new DataError(`${file}: names no image: a line is file,class,class,...`);
  if (images === false) return { file, lines, paths: [], warnings: [] };
  const named = lines.map((each, index) => ({
    id: index + 1,
    file: each.file,
    source: `${file}: line ${listed[index]!.line}`,
  }));
  const { files, warnings } = await locateImages(named, images ?? path.dirname(file));
  return { file, lines, paths: named.map(({ id }) => files.get(id)!), warnings };
}

function splitOf(name: Split["name"], { file, lines, paths }: Labels, classes: readonly string[]): MultiLabelSplit {
  const places = new Map(classes.map((each, index) => [each, index]));
  const unknown = [...new Set(lines.flatMap(({ labels }) => labels))].filter((each) => !places.has(each));
  if (unknown.length > 0) {
    throw new DataError(`${file}: has classes that no training image has: ${firstFew(unknown)}`);
  }
  const labels = lines.map((each) => each.labels.map((label) => places.get(label)!).sort((a, b) => a - b));
  return {
    name,
    size: lines.length,
    labels: (index) => labels[index]!,
    reference(index) {
      const found = paths[index];
      if (found === undefined) throw new DataError(`${file}: was opened without its images`);
      return { kind: "file", file: found };
    },
    isLight: false,
  };
}
