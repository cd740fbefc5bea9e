/** Where images come from: files, bytes, or whatever makes their pixels. */
import { ImageError, type Image } from "./image.js";

/** An image that is not in a file. */
export interface NamedImage {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** An image that is made when its turn comes. */
export interface MadeImage {
  readonly name: string;
  /** Called when its turn comes. */
  readonly pixels: () => Image | Promise<Image>;
}

/** A string is a file's path; bytes are a file's content. */
export type ImageSource = string | Uint8Array | ArrayBuffer | Blob | NamedImage | MadeImage;

/** A source that messages can name. */
export type NamedSource = string | NamedImage | MadeImage;

/**
 * Sources with names: bytes are called by their place, `image 1`.
 *
 * @throws {TypeError} one line, where something is no image at all
 */
export async function namedSources(images: readonly ImageSource[]): Promise<NamedSource[]> {
  const given: unknown = images;
  if (!Array.isArray(given)) throw new TypeError(`images: a list is needed, not ${kindOf(given)}`);
  return Promise.all(images.map((image, index) => named(image, `image ${index + 1}`)));
}

async function named(image: ImageSource, name: string): Promise<NamedSource> {
  if (typeof image === "string") return image;
  if (image instanceof Uint8Array) return { name, bytes: image };
  if (image instanceof ArrayBuffer) return { name, bytes: new Uint8Array(image) };
  if (image instanceof Blob)
    return { name: nameOfBlob(image) ?? name, bytes: new Uint8Array(await image.arrayBuffer()) };
  if (isRecord(image) && typeof image["name"] === "string") {
    const { bytes, pixels } = image;
    if (bytes instanceof Uint8Array || typeof pixels === "function") return image;
    if (bytes instanceof ArrayBuffer) return { name: image["name"], bytes: new Uint8Array(bytes) };
  }
  throw new TypeError(
    `${name} is ${kindOf(image)}; a path, bytes (a Buffer, Uint8Array, ArrayBuffer or Blob), or { name, bytes } is needed`,
  );
}

/** A File has a name. */
function nameOfBlob(blob: Blob): string | undefined {
  const { name } = blob as { readonly name?: unknown };
  return typeof name === "string" && name !== "" ? name : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value !== "object") return `a ${typeof value}`;
  return Array.isArray(value) ? "a list" : "an object without name and bytes";
}

export function nameOf(source: NamedSource): string {
  return typeof source === "string" ? source : source.name;
}

/** Decodes a source. @throws {ImageError} one line naming the image */
export type ReadImage = (source: NamedSource) => Promise<Image>;

/**
 * Makes something of an image.
 *
 * @returns it, or the one line, naming the image, that says why it can't be made
 */
export async function orProblem<T extends object>(
  source: NamedSource,
  make: () => Promise<T>,
): Promise<T | { readonly error: string }> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    const name = nameOf(source);
    return { error: error.message.startsWith(name) ? error.message : `${name}: ${error.message}` };
  }
}
