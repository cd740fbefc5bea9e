/** The little that the compiler needs of the machine it runs on; a browser gives it a map of texts. */
export interface Host {
  /**
   * The text of a file, or undefined where there is none. Paths are as written, with `/` between folders.
   *
   * @throws UnreadableFile where something is there that is no source file
   */
  read(path: string): string | undefined;
}

/** What is at a path can't be read as a source; the message completes "the file PATH": "is a folder". */
export class UnreadableFile extends Error {}

/** A host of these files alone. */
export function memoryHost(files: Readonly<Record<string, string>>): Host {
  return { read: (path) => (Object.hasOwn(files, path) ? files[path] : undefined) };
}
