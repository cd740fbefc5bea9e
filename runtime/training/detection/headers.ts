/** The sizes of all images of a split, by their files' headers. */
import type { AnnotatedSplit } from "../../data/data-set.js";
import { DataError } from "../../data-error.js";
import { Frames } from "../../detection/frames.js";
import { readImageHeader, type ImageHeader } from "../../images/header.js";
import { ImageError, type Size } from "../../images/image.js";

/** Files that are looked at at a time. */
const AT_ONCE = 16;
/** Unreadable images that are named. */
const NAMED = 3;

export interface HeaderOptions {
  /** An image that can't be read is an error. Default false: it has no size, and is told. */
  readonly strict?: boolean;
  /** Ends the look with its reason. */
  readonly signal?: AbortSignal;
  /** Called after some of the images. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What the files say. */
export interface Headers {
  /** Of each image height and width, upright; undefined where it can't be read. */
  readonly sizes: readonly (Size | undefined)[];
  /** Images that can't be read or are of another size than annotated: one line each. */
  readonly warnings: readonly string[];
}

/**
 * @param place of the annotations, for messages
 * @throws {DataError} one line: with `strict`, how many images can't be read, and the first
 */
export async function readHeaders(split: AnnotatedSplit, place: string, options: HeaderOptions): Promise<Headers> {
  const { strict = false, signal, onProgress } = options;
  const { imageSize } = split;
  const annotations = split.annotations();
  if (imageSize) return { sizes: annotations.images.map(() => imageSize), warnings: [] };
  const frames = new Frames(annotations);
  const sizes: (Size | undefined)[] = [];
  const problems: string[] = [];
  for (let start = 0; start < split.size; start += AT_ONCE) {
    signal?.throwIfAborted();
    const some = Array.from({ length: Math.min(AT_ONCE, split.size - start) }, (_, i) => headerOf(split, start + i));
    for (const [i, found] of (await Promise.all(some)).entries()) {
      sizes.push("size" in found ? found.size : undefined);
      if ("problem" in found) problems.push(found.problem);
      else await compare(frames, split, start + i, found);
    }
    onProgress?.(sizes.length, split.size);
  }
  const unreadable = problems.length === 0 ? [] : [unreadableLine(place, problems, split.size)];
  if (strict && problems.length > 0) throw new DataError(unreadable[0]!);
  return { sizes, warnings: [...unreadable.map((line) => `${line}: left out`), ...frames.warnings(place)] };
}

type Found = ImageHeader | { readonly problem: string };

async function headerOf(split: AnnotatedSplit, index: number): Promise<Found> {
  const reference = split.reference(index);
  if (reference.kind !== "file") throw new TypeError(`images of kind ${reference.kind} have a size of their own`);
  try {
    return await readImageHeader(reference.file);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    return { problem: error.message };
  }
}

/** Boxes on an image that lies on its side are in the wrong place, and so are those on one of another size. */
async function compare(frames: Frames, split: AnnotatedSplit, index: number, header: ImageHeader): Promise<void> {
  const reference = split.reference(index);
  const image = split.annotations().images[index]!;
  const [height, width] = header.size;
  const isAnnotated = image.width !== undefined && image.height !== undefined;
  const isSame = !isAnnotated || (image.width === width && image.height === height);
  if ((isSame && !header.mayBeTurned) || reference.kind !== "file") return;
  await frames.add(image, { name: reference.file, width, height }, reference.file);
}

function unreadableLine(place: string, problems: readonly string[], total: number): string {
  const some = problems.slice(0, NAMED).join("; ");
  const more = problems.length > NAMED ? `; and ${problems.length - NAMED} more` : "";
  return `${place}: ${problems.length} of ${total} images can't be read (${some}${more})`;
}
