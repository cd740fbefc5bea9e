/** Names of images, as other people's files write them. */
import type { AnnotatedImage } from "../../objects.js";

/** `C:\photos\a.jpg` and `photos/a.jpg` alike: folders and the file, the last. */
export function segmentsOf(name: string): string[] {
  return name.split(/[/\\]+/).filter((segment) => segment !== "" && segment !== ".");
}

/** Without the last ending. */
export function stemOf(name: string): string {
  return name.replace(/(?<=.)\.[^./\\]*$/, "");
}

/** Paths, found by what a name tells of them. A name may begin with folders of another machine, or lack folders. */
export class PathIndex<T> {
  readonly #whole = new Map<string, T[]>();
  /** By a path's end, without one or more of its folders. */
  readonly #ends = new Map<string, T[]>();

  add(segments: readonly string[], value: T): void {
    note(this.#whole, segments.join("/"), value);
    for (let skip = 1; skip < segments.length; skip++) note(this.#ends, segments.slice(skip).join("/"), value);
  }

  /** @returns none, one, or several where it can't be told; folders that both have must agree */
  meant(name: readonly string[]): readonly T[] {
    if (name.length === 0) return [];
    const exact = this.#whole.get(name.join("/"));
    if (exact !== undefined) return exact;
    const longer = this.#ends.get(name.join("/")) ?? [];
    for (let skip = 1; skip < name.length; skip++) {
      const shorter = this.#whole.get(name.slice(skip).join("/"));
      if (shorter !== undefined) return [...shorter, ...longer];
    }
    return longer;
  }
}

/** Adds to a list of a map. */
export function note<T>(map: Map<string, T[]>, key: string, value: T): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}

/**
 * Finds images by their files' names: `JPEGImages/2008_000002.jpg`, `2008_000002.jpg` and `2008_000002` mean the same, and
 * so does `C:\\VOC\\JPEGImages\\2008_000002.jpg`.
 *
 * @returns the ids: none, one, or several where the name is that of several
 */
export function imageNames(images: readonly AnnotatedImage[]): (name: string) => readonly number[] {
  const [byFile, byStem] = [new PathIndex<number>(), new PathIndex<number>()];
  for (const { id, file, stem } of images) {
    const segments = segmentsOf(file.normalize("NFC"));
    const base = segments.at(-1);
    const stems = new Set([base === undefined ? undefined : stemOf(base), stem]);
    if (base !== undefined) byFile.add(segments, id);
    for (const each of stems) if (each !== undefined) byStem.add([...segments.slice(0, -1), each], id);
  }
  return (name) => {
    const segments = segmentsOf(name.normalize("NFC"));
    const found = byFile.meant(segments);
    return found.length > 0 ? found : byStem.meant(segments);
  };
}
